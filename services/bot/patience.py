"""When a reply has to wait: nobody of the models answers, or more people write than can be answered."""

import secrets
import time

import structlog
from aiogram.types import Message
from prometheus_client import Counter

from services.bot.delivery import Delivery
from services.bot.sentences import say
from services.bot.streaming import place_of
from shared.application.limits import LimitService
from shared.domain.errors import UnavailableError
from shared.domain.speaker import Speaker

KEPT_SECONDS = 600.0
"""How long a message waits for a model to come back, counted from its arrival."""
APOLOGY_SECONDS = 300.0
RETRY_SECONDS = 5.0

HELD = Counter("vitte_updates_held_total", "Messages put back because no model answered; one may be put back many times")
SHED = Counter("vitte_updates_shed_total", "Messages answered with an apology because too many people wrote")

log = structlog.get_logger("patience")


class ModelAwayError(UnavailableError):
    """No model answers. The message is kept, and asked for again in a while."""

    code = "model_away"


async def wait_for_model(message: Message, speaker: Speaker, delivery: Delivery, limits: LimitService) -> None:
    """Raises `ModelAwayError`, and apologises once in five minutes per chat. Returns when the message has waited long enough."""
    waited = time.time() - delivery.lease.received_at
    if waited > KEPT_SECONDS:
        return
    HELD.inc()
    log.warning("message_kept", waited_seconds=round(waited))
    await limits.first(_kept_key(delivery), KEPT_SECONDS + APOLOGY_SECONDS)
    if await limits.first(f"model-away:{delivery.lease.bot_id}:{message.chat.id}", APOLOGY_SECONDS):
        await delivery.try_to_say(say("sorry-model-away", speaker.language), place_of(message))
    raise ModelAwayError("no model answers", retry_after=RETRY_SECONDS + secrets.randbelow(1000) / 1000)


async def was_kept(delivery: Delivery, limits: LimitService) -> bool:
    """Whether this message was promised an answer before."""
    return not await limits.first(_kept_key(delivery), KEPT_SECONDS + APOLOGY_SECONDS)


def _kept_key(delivery: Delivery) -> str:
    return f"kept:{delivery.lease.bot_id}:{delivery.lease.update_id}"


def is_shed(speaker: Speaker, delivery: Delivery, *, after_seconds: int) -> bool:
    """Whether the message has waited in the crowd for so long that others should have the place. Who pays waits until served, and so does
    who has paid for the turn already.
    """
    if not after_seconds or speaker.is_paid or delivery.is_alone or delivery.crowded <= after_seconds:
        return False
    SHED.inc()
    log.warning("message_shed", waited_seconds=round(delivery.crowded))
    return True

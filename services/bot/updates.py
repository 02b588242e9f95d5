"""One stored update -> the dispatcher -> how it ended."""

import asyncio
import json
from contextlib import suppress
from dataclasses import replace

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError
from aiogram.types import Update

from services.bot.consumer import Hold
from services.bot.delivery import Delivery
from services.bot.patience import ModelAwayError
from services.bot.reading import UnreadableUpdateError, understood
from services.bot.sender import Sender, TelegramAwayError
from services.bot.sentences import say
from shared.application.accounts import AccountService
from shared.application.inbox import InboxService
from shared.domain.errors import UnavailableError
from shared.domain.inbox import MAX_ATTEMPTS, MAX_FAILURES, Lease, LeaseLostError, Outcome, Settlement
from shared.domain.intake import needs_no_model, read_update
from shared.domain.user import spoken_language
from shared.telemetry import correlated

RETRY_SECONDS = (1.0, 5.0)
MOST_PASSING = 20
"""Updates behind one that waits for a model, looked at each time."""

log = structlog.get_logger("updates")


class UpdateHandler:
    """Hands updates to the dispatcher. What an earlier attempt has put in the outbox is sent instead of handling the update twice."""

    def __init__(self, bot: Bot, dispatcher: Dispatcher, *, inbox: InboxService, accounts: AccountService) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._inbox = inbox
        self._accounts = accounts
        self._sender = Sender(bot)

    async def __call__(self, hold: Hold) -> Settlement:
        delivery = Delivery(hold, self._inbox, self._sender)
        with correlated(f"tg-{hold.lease.update_id}"):
            return await self._settled(hold, delivery)

    async def _settled(self, hold: Hold, delivery: Delivery) -> Settlement:
        """The one place where any error of a handler ends (see docs/adr/0004): the updates behind it must go on."""
        lease = hold.lease
        try:
            return delivery.settlement(*await self._handle(lease, delivery))
        except LeaseLostError:
            raise
        except asyncio.CancelledError:
            return delivery.settlement(Outcome.RELEASED)
        except TelegramAwayError as error:
            log.warning("update_postponed", kind=lease.kind, error=error.code, retry_after=error.retry_after)
            counted = Outcome.RELEASED if error.most_sends is None else Outcome.FAILED
            return delivery.settlement(counted, delay=(error.retry_after or 1.0) * 2 ** min(lease.failures, 5), error=error.code)
        except ModelAwayError as error:
            with suppress(UnavailableError):
                await self._let_pass(hold, delivery)
            return delivery.settlement(Outcome.RELEASED, delay=error.retry_after or 1.0, error=error.code)
        except UnavailableError as error:
            log.warning("update_postponed", kind=lease.kind, error=error.code, retry_after=error.retry_after)
            return delivery.settlement(Outcome.RELEASED, delay=error.retry_after or 1.0)
        except Exception as error:
            log.exception("update_failed", kind=lease.kind, attempt=lease.failures + 1)
            return await self._failed(lease, delivery, error)

    async def _handle(self, lease: Lease, delivery: Delivery) -> tuple[Outcome]:
        if not lease.body:
            # The lane said that there was work and there was none: a stale look, over at the next; counters that drifted must not spin.
            await asyncio.sleep(0.5)
            return (Outcome.RELEASED,)
        if (lease.is_answered or lease.attempts > 1) and await delivery.resume():
            return (Outcome.HANDLED,)
        if lease.attempts > MAX_ATTEMPTS:
            raise RecurringCrashError(f"{lease.attempts} attempts ended with the process")
        update = understood(lease.body, self._bot)
        await self._dispatcher.feed_update(self._bot, update, delivery=delivery)
        await delivery.flush()
        await self._note_blocked(update, delivery)
        return (Outcome.HANDLED,)

    async def _let_pass(self, hold: Hold, delivery: Delivery) -> None:
        """Words wait for a model; commands behind them in the lane need none, and are handled meanwhile. One that fails is left in its
        place.
        """
        if delivery.is_alone:
            return
        for follower in await delivery.followers(MOST_PASSING):
            if needs_no_model(read_update(follower.body)):
                # As a second attempt: a process that died may have handled it before.
                lease = replace(hold.lease, update_id=follower.update_id, kind=follower.kind, body=follower.body, attempts=2, waiting=0)
                delivery.passed += (await self(replace(hold, lease=lease)),)

    async def _note_blocked(self, update: Update, delivery: Delivery) -> None:
        message = update.message
        if delivery.unreachable and message and message.chat.type == "private":
            await self._accounts.mark_blocked(message.chat.id, blocked=True)

    async def _failed(self, lease: Lease, delivery: Delivery, error: Exception) -> Settlement:
        """Tried again, or given up as a dead letter; then the person is told."""
        hopeless = isinstance(error, (UnreadableUpdateError, RecurringCrashError))
        reason = str(error) if hopeless else type(error).__name__
        if not hopeless and lease.failures + 1 < MAX_FAILURES:
            return delivery.settlement(Outcome.FAILED, delay=RETRY_SECONDS[min(lease.failures, 1)], error=reason)
        try:
            if (found := _private_place(lease)) is not None:
                chat_id, language = found
                delivery.drop_queued()
                delivery.say(say("error-internal", delivery.language or language), {"chat_id": chat_id})
                await delivery.flush()
        except (UnavailableError, LeaseLostError, AiogramError):  # also when this update's answer is in the outbox already
            log.warning("apology_not_sent", kind=lease.kind)
        return delivery.settlement(Outcome.DEAD, error=reason)


class RecurringCrashError(Exception):
    """This update was begun again and again, and each time the process died."""


def _private_place(lease: Lease) -> tuple[int, str] | None:
    """Where a person can be told, and in which language. The lane holds an id that was checked at intake; groups have negative ones."""
    lane, _, chat_id = lease.lane.partition(":")
    if lane != "chat" or lease.kind != "message" or not chat_id.isdecimal():
        return None
    return int(chat_id), _language(lease.body)


def _language(body: bytes) -> str:
    try:
        code = json.loads(body)["message"]["from"]["language_code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        code = None
    return spoken_language(code if isinstance(code, str) else None)

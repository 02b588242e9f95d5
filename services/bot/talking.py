"""Words of a person -> one reply to all that they say in a row, or a word on why there is none now."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial

from aiogram.types import Message
from prometheus_client import Counter

from services.bot.bursts import Burst
from services.bot.delivery import Delivery
from services.bot.patience import is_shed, wait_for_model
from services.bot.sentences import say
from services.bot.streaming import ReplyView, Stage, place_of
from shared.application.chat import ChatService, Said, UselessReplyError
from shared.application.limits import LimitService
from shared.application.ports import ModelUnavailableError, Piece
from shared.application.stop import Stop
from shared.domain.speaker import Speaker

MOST_BEGINNINGS = 8
"""A reply that has made way so often for more words is heard to its end."""

SUPERSEDED = Counter("vitte_replies_superseded_total", "Replies that made way before they began, because the person said more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Talking:
    chat: ChatService
    stage: Stage
    limits: LimitService

    async def answer(self, burst: Burst, message: Message, speaker: Speaker, delivery: Delivery) -> None:
        """Replies to the burst, which has words and may grow while nothing of the reply is shown.

        Raises `ModelAwayError` while no model answers and the message can wait, and as `ChatService.reply` does.
        """
        switches = await self.stage.switches.read()
        if is_shed(speaker, delivery, after_seconds=switches.shed_after_seconds):
            delivery.say(say("busy-later", speaker.language), place_of(message))
            return
        try:
            await self._reply(burst, message, speaker, delivery)
        except ModelUnavailableError as error:
            if not isinstance(error, UselessReplyError):
                await wait_for_model(message, speaker, delivery, self.limits)
            raise

    async def _reply(self, burst: Burst, message: Message, speaker: Speaker, delivery: Delivery) -> None:
        may_go_on = not delivery.is_alone
        for beginning in range(1, MOST_BEGINNINGS + 1):
            view = ReplyView(message, delivery, self.stage, language=speaker.language)
            ask = partial(self._ask, speaker, await burst.said())
            if await view.show(ask, may_go_on=may_go_on and beginning < MOST_BEGINNINGS):
                return
            SUPERSEDED.inc()
            may_go_on = await burst.gather() > 0

    def _ask(self, speaker: Speaker, said: list[Said], by: ReplyView, stop: Stop) -> AsyncGenerator[Piece, None]:
        return self.chat.reply(speaker, said, stop=stop, delivery=by)

"""The spinner on a button that takes its time."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from aiogram.exceptions import TelegramAPIError
from aiogram.types import CallbackQuery

from services.bot.delivery import Delivery

ANSWERED_AFTER = 0.3
"""Seconds that a press may be refused within: Telegram takes one answer only, and an alert has to be in it."""


class Spinner:
    """Ends when what is done in the `async with` block has ended or takes longer than `ANSWERED_AFTER`; an error raised earlier may still
    be told in an alert (see `on_error`), unless `delivery.is_press_answered`.
    """

    def __init__(self, press: CallbackQuery, delivery: Delivery) -> None:
        self._press = press
        self._delivery = delivery
        self._group = asyncio.TaskGroup()
        self._waiting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._waiting = self._group.create_task(self._end_in_time())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._waiting is not None and not self._delivery.is_press_answered:
            self._waiting.cancel()
        # Never given the block's own error: a task group would wrap it, and callers catch product errors by their type.
        await self._group.__aexit__(None, None, None)
        if kind is None and not self._delivery.is_press_answered:
            await self._end()

    async def _end_in_time(self) -> None:
        await asyncio.sleep(ANSWERED_AFTER)
        await self._end()

    async def _end(self) -> None:
        self._delivery.is_press_answered = True
        with suppress(TelegramAPIError):
            await self._press.answer()

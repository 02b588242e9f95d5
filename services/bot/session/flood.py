"""One policy for calls that Telegram or the network refuses, and the place where every attempt is counted."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod

Observe = Callable[[str, str, float], None]
"""``(method, outcome, seconds)``; outcome is "ok", an HTTP-like code, "network", "garbled", "cancelled" or "error"."""

PATIENCE = 2.0
"""Seconds that one call waits for floods and failures altogether. Who must wait longer comes back later, and leaves others the place."""
MOST_REPEATS = 3
_FIRST_BACK_OFF = 0.5

# A draft or "typing" that comes late is worth nothing; the pump that sent it knows what to do with a refusal.
_NEVER_WAIT = frozenset({"sendMessageDraft", "sendRichMessageDraft", "sendChatAction"})
_REPEATABLE = ("get", "set", "edit", "delete", "answer")
# These make a message, or have a caller with a back-off of its own.
_NOT_REPEATABLE = frozenset({"answerGuestQuery", "answerWebAppQuery", "getUpdates"})
_OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (TelegramRetryAfter, "429"),
    (TelegramMigrateToChat, "400"),
    (TelegramBadRequest, "400"),
    (TelegramUnauthorizedError, "401"),
    (TelegramForbiddenError, "403"),
    (TelegramNotFound, "404"),
    (TelegramConflictError, "409"),
    (TelegramEntityTooLarge, "413"),
    (TelegramServerError, "5xx"),
    (TelegramNetworkError, "network"),
    (ClientDecodeError, "garbled"),
    (asyncio.CancelledError, "cancelled"),
)


class FloodControl(BaseRequestMiddleware):
    """Waits out flood waits (drafts and chat actions: never) and repeats what may arrive twice when the network fails.

    The first refusal that would take more than PATIENCE goes to the caller. Sends are not repeated after a network error: the Bot API has
    no client message id, so only the outbox may decide to risk a duplicate.
    """

    def __init__(self, *, patience: float = PATIENCE, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._patience = patience
        self._sleep = sleep

    async def __call__(self, make_request: NextRequestMiddlewareType[Any], bot: Bot, method: TelegramMethod[Any]) -> Any:
        name = method.__api_method__
        waited, failures = 0.0, 0
        while True:
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as error:
                pause = error.retry_after + _jitter()
                if name in _NEVER_WAIT or waited + error.retry_after > self._patience:
                    raise
            except (TelegramNetworkError, TelegramServerError) as error:
                pause = _FIRST_BACK_OFF * 2**failures + _jitter()
                failures += 1
                if failures > MOST_REPEATS or isinstance(error, TelegramEntityTooLarge) or not _may_repeat(name):
                    raise
            waited += pause
            await self._sleep(pause)


class CallMetrics(BaseRequestMiddleware):
    """Tells ``observe`` of every attempt; to be registered last, so that it is next to the wire."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe

    async def __call__(self, make_request: NextRequestMiddlewareType[Any], bot: Bot, method: TelegramMethod[Any]) -> Any:
        started = time.perf_counter()
        outcome = "error"
        try:
            result = await make_request(bot, method)
            outcome = "ok"
        except (AiogramError, asyncio.CancelledError) as error:
            outcome = _outcome(error)
            raise
        finally:
            self._observe(method.__api_method__, outcome, time.perf_counter() - started)
        return result


def _may_repeat(name: str) -> bool:
    return name.startswith(_REPEATABLE) and name not in _NOT_REPEATABLE


def _outcome(error: BaseException) -> str:
    return next((code for kind, code in _OUTCOMES if isinstance(error, kind)), "error")


def _jitter() -> float:
    """Up to 0.3 s, so that the chats of one flood do not come back at once."""
    return secrets.randbelow(300) / 1000

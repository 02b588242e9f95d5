"""Sending a call from the outbox so that it arrives: flood waits are obeyed, plain text is the fallback, and the unreachable are named."""

from collections.abc import Iterator
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from prometheus_client import Counter

from services.bot.session import post_raw
from shared.domain.errors import InvalidInputError, NotAllowedError, UnavailableError
from shared.domain.inbox import Outgoing

FALLBACKS = Counter("vitte_telegram_fallbacks_total", "Messages that went out in a plainer form than meant", ["form"])
UNREACHED_RETRY_SECONDS = 3.0

log = structlog.get_logger("sender")


class TelegramAwayError(UnavailableError):
    """Nobody knows whether the call arrived; it is made again later."""

    code = "telegram_unavailable"


class UnreachableError(NotAllowedError):
    """The person blocked the bot, or the chat is gone: this call can never arrive."""

    code = "telegram_unreachable"


class RefusedError(InvalidInputError):
    """Telegram takes this call in no form; others to the same chat may pass."""

    code = "telegram_refused"


class Sender:
    def __init__(self, bot: Bot) -> None:
        self.bot = bot

    async def send(self, call: Outgoing) -> int | None:
        """Makes the call and answers the id of the message it made.

        Raises `TelegramAwayError` when it should be tried again later, `UnreachableError` or `RefusedError` when that is useless.
        """
        refusal: TelegramAPIError | None = None
        for form, params in _plainer_forms(dict(call.params)):
            try:
                return _message_id(await post_raw(self.bot, call.method, params))
            except TelegramRetryAfter as error:
                raise TelegramAwayError("flood wait", retry_after=float(error.retry_after)) from None
            except TelegramForbiddenError as error:
                raise UnreachableError(str(error)) from None
            except TelegramMigrateToChat as error:
                call = Outgoing(method=call.method, params={**call.params, "chat_id": error.migrate_to_chat_id})
                return await self.send(call)
            except TelegramBadRequest as error:
                if "chat not found" in error.message:
                    raise UnreachableError(error.message) from None
                FALLBACKS.labels(form).inc()
                log.warning("send_refused", method=call.method, form=form, reason=error.message)
                refusal = error
            except (TelegramNetworkError, TelegramServerError) as error:
                raise TelegramAwayError(type(error).__name__, retry_after=UNREACHED_RETRY_SECONDS) from None
        raise RefusedError(str(refusal))


def _message_id(result: Any) -> int | None:
    return result.get("message_id") if isinstance(result, dict) else None


def _plainer_forms(params: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The call as it was meant, then without entities, then without reply and keyboard and with plain characters only."""
    yield "as_meant", params
    bare = {name: value for name, value in params.items() if name not in {"entities", "parse_mode"}}
    if bare != params:
        yield "without_entities", bare
    text = "".join(character for character in str(params.get("text", "")) if character.isprintable() or character == "\n")
    yield "bare", {"chat_id": params.get("chat_id"), "text": text}

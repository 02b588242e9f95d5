"""Sending a call from the outbox so that it arrives: flood waits are obeyed, plain text is the fallback, and the unreachable are named."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from prometheus_client import Counter

from services.bot.session import post_raw
from shared.domain.errors import InvalidInputError, NotAllowedError, UnavailableError
from shared.domain.inbox import Outgoing

FALLBACKS = Counter("vitte_telegram_fallbacks_total", "Messages that went out in a plainer form than meant", ["form"])
UNREACHED_RETRY_SECONDS = 3.0
UNKNOWN_TOKEN_RETRY_SECONDS = 30.0
"""A token that Telegram no longer knows is for the operator to mend; nobody's answer is thrown away meanwhile."""
SENDS_AFTER_SERVER_ERRORS, SENDS_WITHOUT_ANSWER = 6, 3

log = structlog.get_logger("sender")


class TelegramAwayError(UnavailableError):
    """The call is made again later. `most_sends` bounds how often, where it may have arrived all the same; none where it surely has not."""

    code = "telegram_unavailable"

    def __init__(self, what: str, *, retry_after: float | None = None, most_sends: int | None = None) -> None:
        super().__init__(what, retry_after=retry_after)
        self.most_sends = most_sends


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
            except (TelegramUnauthorizedError, TelegramNotFound) as error:
                raise TelegramAwayError(type(error).__name__, retry_after=UNKNOWN_TOKEN_RETRY_SECONDS) from None
            except TelegramForbiddenError as error:
                raise UnreachableError(str(error)) from None
            except TelegramMigrateToChat as error:
                call = Outgoing(method=call.method, params={**call.params, "chat_id": error.migrate_to_chat_id})
                return await self.send(call)
            except TelegramBadRequest as error:
                if "chat not found" in error.message:
                    raise UnreachableError(error.message) from None
                if _is_needless(call.method, error.message):
                    return _message_id(call.params)
                FALLBACKS.labels(form).inc()
                log.warning("send_refused", method=call.method, form=form, reason=error.message)
                refusal = error
            except ClientDecodeError:
                raise TelegramAwayError("an answer of unknown shape", retry_after=UNREACHED_RETRY_SECONDS, most_sends=1) from None
            except (TelegramNetworkError, TelegramServerError) as error:
                raise TelegramAwayError(type(error).__name__, retry_after=UNREACHED_RETRY_SECONDS, most_sends=_most_sends(error)) from None
        raise RefusedError(str(refusal))


def _most_sends(error: TelegramAPIError) -> int | None:
    """An answer that never came may hide a message that did; a connection that was never made cannot."""
    if isinstance(error, TelegramServerError):
        return SENDS_AFTER_SERVER_ERRORS
    return None if "Connector" in error.message else SENDS_WITHOUT_ANSWER


_NEEDLESS = {
    "editMessageText": ("message is not modified", "message to edit not found"),
    "editMessageReplyMarkup": ("message is not modified", "message to edit not found", "message can't be edited"),
    "deleteMessages": ("message to delete not found", "message can't be deleted", "message identifiers"),
}


def _is_needless(method: str, refusal: str) -> bool:
    """Done before, or the person took the message away: nothing is left to do. Telegram keeps messages older than 48 hours."""
    return any(reason in refusal for reason in _NEEDLESS.get(method, ()))


def _message_id(result: Any) -> int | None:
    return result.get("message_id") if isinstance(result, dict) else None


def _plainer_forms(params: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The call as it was meant, then without entities, then without reply and keyboard and with plain characters only."""
    yield "as_meant", params
    if "text" not in params:
        return
    bare = {name: value for name, value in params.items() if name not in {"entities", "parse_mode"}}
    if params.get("parse_mode") == "HTML":
        bare["text"] = unescape(re.sub(r"<[^>]*>", "", str(params.get("text", ""))))
    if bare != params:
        yield "without_entities", bare
    text = "".join(character for character in str(bare.get("text", "")) if character.isprintable() or character == "\n")
    place = {name: value for name, value in params.items() if name in {"chat_id", "message_id"}}
    yield "bare", {**place, "text": text}

"""Everything that can go wrong with a provider, in our words.

`ModelUnavailableError.reason` is one of the constants below. An error names the provider, the model, the status and at most the
provider's own short code; never the key, the query of the address, or a word of the prompt or the answer.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import orjson

from shared.application.ports import NOTHING_SAID, REFUSED_PROMPT, ModelUnavailableError

REFUSED: Final = "refused"
TIMEOUT_FIRST_TEXT: Final = "timeout_first_token"
TIMEOUT_TOTAL: Final = "timeout_total"
CUT: Final = "cut"
RATE_LIMITED: Final = "rate_limited"
UNAUTHORIZED: Final = "unauthorized"
BAD_REQUEST: Final = REFUSED_PROMPT
SERVER_ERROR: Final = "server_error"
GARBAGE: Final = "garbage"
EMPTY: Final = "empty"
NO_TEXT: Final = NOTHING_SAID
NOT_FOUND: Final = "not_found"
"""No such model, or nothing of the kind at this address: a matter of the settings, not of the prompt."""
BREAKER_OPEN: Final = "breaker_open"
SUSPECTED: Final = "suspected"
"""It has said nothing to several callers at once; its breaker is still closed."""

LONGEST_RETRY_AFTER = 3600.0
_SHORT_CODE = re.compile(r"[a-zA-Z][a-zA-Z0-9_.]{2,39}")
_REASONS = {401: UNAUTHORIZED, 402: UNAUTHORIZED, 403: UNAUTHORIZED, 408: SERVER_ERROR, 425: SERVER_ERROR, 429: RATE_LIMITED}


def reason_of_status(status: int) -> str:
    if status < 400 or status in {404, 405, 410, 421}:
        return NOT_FOUND
    return _REASONS.get(status) or (SERVER_ERROR if status >= 500 else BAD_REQUEST)


def answered(name: str, status: int, headers: Mapping[str, str], body: bytes, *, key: str) -> ModelUnavailableError:
    """The provider answered with an HTTP status that is not success."""
    code = _code_in(body)
    note = f" ({code})" if code and not (key and key in code) else ""
    return ModelUnavailableError(f"{name} answered {status}{note}", reason=reason_of_status(status), retry_after=retry_after(headers))


def reported(name: str, error: object, *, started: bool) -> ModelUnavailableError:
    """The provider said inside a successful answer that it failed; OpenRouter and vLLM do so in mid-stream."""
    status = error.get("code") if isinstance(error, dict) else None
    number = int(status) if isinstance(status, int | str) and str(status).isdecimal() and len(str(status)) == 3 else 500
    return ModelUnavailableError(f"{name} reported error {number} in its answer", reason=reason_of_status(number), started=started)


def failed(name: str, error: aiohttp.ClientError | OSError, *, started: bool) -> ModelUnavailableError:
    """The connection failed. The vendor's exception carries headers and addresses, so only its kind is kept."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            reason = REFUSED
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            reason = CUT
        case aiohttp.ClientConnectorError() | aiohttp.ClientSSLError():
            reason = REFUSED
        case aiohttp.ClientResponseError():
            reason = GARBAGE
        case _:
            reason = CUT
    return ModelUnavailableError(f"{name}: {type(error).__name__}", reason=reason, started=started)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the provider asks us to wait, at most an hour; `None` when it does not ask or cannot be understood."""
    for header, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _seconds(headers.get(header, ""))
        if seconds is not None:
            return min(max(seconds * scale, 0.0), LONGEST_RETRY_AFTER)
    return None


def _seconds(value: str) -> float | None:
    if re.fullmatch(r"\s*\d{1,12}(\.\d{0,12})?\s*", value, re.ASCII):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()


def _code_in(body: bytes) -> str | None:
    """The provider's short code, such as `model_not_found`. Sentences are left out: they quote keys and prompts."""
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    error = parsed.get("error") if isinstance(parsed, dict) else None
    if not isinstance(error, dict):
        return None
    found = (error.get(field) for field in ("code", "status", "type"))
    return next((code for code in found if isinstance(code, str) and _SHORT_CODE.fullmatch(code)), None)

"""What every HTTP process of ours does around every request: an id, a log line, figures, headers, a limit for bodies."""

import json
import re
import time
from collections.abc import Mapping

import structlog
from asgi_correlation_id import CorrelationIdMiddleware
from asgi_correlation_id import correlation_id as current_id
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import REQUEST_SECONDS, correlated

MAX_BODY_BYTES = 2_000_000
PROBLEM_TYPE = "application/problem+json"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/health", "/metrics", "/static")

log = structlog.get_logger("http")


def around(app: ASGIApp, *, service: str, headers: Mapping[str, str], max_body: int = MAX_BODY_BYTES) -> ASGIApp:
    """The whole wrapping, outermost first: it stands outside the framework's own handling of errors, so a 500 has all of it too."""
    wrapped = Watched(Headed(Limited(app, max_body), headers), service)
    return CorrelationIdMiddleware(wrapped, validator=lambda value: _REQUEST_ID.fullmatch(value) is not None)


def problem(status: int, code: str, title: str, **more: object) -> bytes:
    """An RFC 9457 body. `code` is stable and made for programs; `request_id` finds the log lines."""
    return json.dumps(
        {"type": "about:blank", "title": title, "status": status, "code": code, "request_id": current_id.get(), **more}, default=str
    ).encode()


class Watched:
    """Correlation id on every log line, one line per request, and its duration by route template, never by address."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, started = 500, time.monotonic()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with correlated(current_id.get()):
            try:
                await self.app(scope, receive, noting)
            finally:
                self._note(scope, status, time.monotonic() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _template(scope)
        REQUEST_SECONDS.labels(self.service, route, scope["method"] if route != "unmatched" else "any", str(status)).observe(seconds)
        quiet = status < 400 and route.endswith(_QUIET)
        (log.debug if quiet else log.info)(
            "request_served", route=route, method=scope["method"], status=status, milliseconds=round(seconds * 1000, 1)
        )


def _template(scope: Scope) -> str:
    """Such as `/api/v1/characters/{slug}`; files are known by the folder they are served from, and what no route takes is one."""
    found = getattr(scope.get("route"), "path", None)
    mounted = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return str(found or mounted or "unmatched")


class Headed:
    """The same headers on every answer; an answer may set its own value for one."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app, self.headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    present.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, adding)


class Limited:
    """Refuses bodies that are announced too large at once, and others as soon as they are."""

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self.app, self.max_body = app, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > self.max_body:
            await self._refuse(send)
            return
        size = 0

        async def counting() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.max_body:
                raise HTTPException(413)
            return message

        await self.app(scope, counting, send)

    async def _refuse(self, send: Send) -> None:
        headers = [(b"content-type", PROBLEM_TYPE.encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        body = problem(413, "body_too_large", "The request body is too large", limit_bytes=self.max_body)
        await send({"type": "http.response.body", "body": body})

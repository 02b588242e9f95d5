"""Logging, correlation ids and the metrics registry's own figures. No message text, token or key is ever logged."""

import asyncio
import contextlib
import logging
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import structlog
from prometheus_client import Histogram, Info

PRIVATE_KEYS = frozenset(
    {
        "text",
        "caption",
        "first_name",
        "last_name",
        "username",
        "body",
        "params",
        "prompt",
        "reply",
        "password",
        "token",
        "secret",
        "api_key",
    }
)
SECRETS = re.compile(r"\d{6,16}:[A-Za-z0-9_-]{30,}|(?<=[Bb]earer )[\w.~+/=-]{8,}|\bsk-[\w-]{8,}|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)")
MASK = "[redacted]"

BUILD = Info("vitte_build", "What runs here")
LOOP_LAG = Histogram(
    "vitte_event_loop_lag_seconds",
    "How late the event loop woke, looked at twice a second",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
REQUEST_SECONDS = Histogram("vitte_http_request_seconds", "Requests served", ["service", "route", "method", "status"])


def configure_logging(service: str, level: str) -> None:
    """JSON lines on stdout, readable lines on a terminal; the lines of libraries take the same form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_service(service),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    on_terminal = sys.stdout.isatty()
    # Its pretty tracebacks show the values of variables, and with them tokens and what people wrote.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer: structlog.typing.Processor = console if on_terminal else structlog.processors.JSONRenderer()
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*last, redact, renderer]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiogram.event", "aiohttp.access", "httpx", "asyncio", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    BUILD.info({"service": service})


def _name_service(service: str) -> structlog.typing.Processor:
    def add(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line["service"] = service
        return line

    return add


def redact(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Masks private fields by name and secrets by shape, wherever they sit in a line or a traceback."""
    return {key: MASK if key in PRIVATE_KEYS else _masked(value) for key, value in line.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return SECRETS.sub(MASK, value)
    if isinstance(value, Mapping):
        return {key: MASK if key in PRIVATE_KEYS else _masked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item) for item in value]
    return value if value is None or isinstance(value, (int, float)) else SECRETS.sub(MASK, str(value))


@contextlib.contextmanager
def correlated(correlation_id: str | None = None, **fields: Any) -> Any:
    """Every log line inside carries the id, and the fields."""
    with structlog.contextvars.bound_contextvars(correlation_id=correlation_id or uuid4().hex, **fields):
        yield


@asynccontextmanager
async def watched_loop(interval: float = 0.5) -> AsyncIterator[None]:
    """Measures the event loop's lag while the block runs."""

    async def watch() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(interval)
            LOOP_LAG.observe(max(0.0, time.monotonic() - before - interval))

    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()

"""Log lines: JSON for machines, readable on a terminal; a bot's token is in none of them."""

import logging
import re
import sys
from datetime import UTC, datetime

import orjson
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

LOGGER = logging.getLogger("sandbox")
_TOKEN = re.compile(r"/bot(\d+):[^/]*")


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "service": "sandbox",
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


def configure_logging() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s") if sys.stdout.isatty() else _JsonLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class AccessLog(AbstractAccessLogger):
    """One line per request."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        path = _TOKEN.sub(r"/bot\1:[redacted]", request.path)
        self.logger.info('"%s %s HTTP/1.1" %d in %.1f ms', request.method, path, response.status, time * 1000)

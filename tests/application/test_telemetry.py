"""What a log shows, and what it never shows: words of people, tokens, the values of variables."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.telemetry import configure_logging

TOKEN = "123456:" + "A" * 35
PRIVATE = "what people wrote"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


def break_down(text: str) -> None:
    raise ValueError(f"no answer from {TOKEN}")


@pytest.mark.parametrize("out", [io.StringIO, Terminal])
def test_a_failure_shows_where_it_was_but_no_value_and_no_token(out: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    stream = out()
    monkeypatch.setattr("sys.stdout", stream)
    configure_logging("bot", "INFO")
    try:
        break_down(PRIVATE)
    except ValueError:
        structlog.get_logger("bot").exception("failed", kind="message", text=PRIVATE)
    logging.getLogger("a.library").error("called with %s", TOKEN)

    shown = stream.getvalue()
    assert "break_down" in shown
    assert "ValueError" in shown
    for secret in (PRIVATE, TOKEN, "A" * 35):
        assert secret not in shown


def test_a_line_is_json_with_time_service_level_and_event(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    configure_logging("bot", "INFO")
    structlog.get_logger("bot").info("started", mode="polling", first_name="Ann", nested={"text": "x", "url": "https://a:b@c/d"})

    line = json.loads(stream.getvalue())
    assert (line["service"], line["level"], line["event"], line["mode"]) == ("bot", "info", "started", "polling")
    assert (line["first_name"], line["nested"]) == ("[redacted]", {"text": "[redacted]", "url": "https://[redacted]@c/d"})
    assert line["timestamp"].endswith("Z")

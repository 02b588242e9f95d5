"""How the demo speaks to the person at the terminal: prefixed lines of every process, and what it says itself."""

import json
import os
import re
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

COLOURS = {
    "bot": 36,
    "api": 32,
    "worker": 35,
    "schedule": 95,
    "admin": 34,
    "sandbox": 33,
    "postgres": 94,
    "redis": 91,
    "s3": 93,
    "migrations": 96,
}
LEVELS = {"warning": 33, "error": 31, "critical": 31}
QUIET_KEYS = {"event", "level", "timestamp", "logger", "service", "exception", "correlation_id"}
PREFIX_WIDTH = 10
LONGEST_SHOWN = 240
REMEMBERED_LINES = 40
CHATTER = (  # the file has it
    "LOG:  ",
    "ready to exit, bye bye",
    "Received SIGTERM scheduling shutdown",
    '" HTTP/1.',
    "Scheduler: Sending due task ",
    '{"outcome": "done", ',
)
COLOUR = re.compile(r"\x1b\[\d+m")
TOKEN = re.compile(r"(\d{6,16}):[A-Za-z0-9_-]{30,}")


@dataclass
class Console:
    """Until `open()` only warnings are shown; everything goes to the file."""

    file: IO[str]
    out: IO[str] = field(default_factory=lambda: sys.stdout)
    opened: bool = False
    last: dict[str, deque[str]] = field(default_factory=dict)
    _passing: bool = False

    @property
    def pretty(self) -> bool:
        return self.out.isatty()

    def say(self, line: str = "") -> None:
        self.show(line)
        self._write(self.file, COLOUR.sub("", line))

    def show(self, line: str) -> None:
        """For the eyes only, not for the file: passwords."""
        self._write(self.out, f"{self._wiped()}{line}")

    def waiting_for(self, names: list[str]) -> None:
        """A line that is written over, on a terminal only."""
        if self.pretty and names:
            self._write(self.out, f"{self._wiped()}  waiting for {', '.join(names)} …", end="")
            self._passing = True

    def process_said(self, name: str, line: str) -> None:
        line = TOKEN.sub(r"\1:[redacted]", line)
        entry = _parsed(line)
        self.last.setdefault(name, deque(maxlen=REMEMBERED_LINES)).append(readable(entry, coloured=False) if entry else line)
        self._write(self.file, f"{name:<{PREFIX_WIDTH}}| {line}")
        if any(words in line for words in CHATTER):
            return
        if self.opened or (entry and entry.get("level") in LEVELS):
            shown = readable(entry, coloured=True) if entry and self.pretty else line
            self.show(f"{self.paint(f'{name:<{PREFIX_WIDTH}}|', COLOURS.get(name, 37))} {shown}")

    def last_words(self, name: str, count: int) -> list[str]:
        return [line[:LONGEST_SHOWN] for line in self.last.get(name, ())][-count:]

    def paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.pretty else text

    def _wiped(self) -> str:
        passing, self._passing = self._passing, False
        return "\r\x1b[2K" if passing else ""

    @staticmethod
    def _write(stream: IO[str], line: str, end: str = "\n") -> None:
        try:
            stream.write(line + end)
            stream.flush()
        except (OSError, ValueError):  # a terminal that is gone, or a full disk, must not end the platform
            if stream is sys.stdout:
                _let_go(stream)


def _let_go(stream: IO[str]) -> None:
    """What could not be written waits in the stream; Python would try again at its end, and exit with 120."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def open_console(logs: Path) -> Console:
    """The log of the run before is kept beside the new one."""
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    current = logs / "demo.log"
    if current.exists():
        current.replace(logs / "demo.previous.log")
    return Console(file=current.open("w", encoding="utf-8", errors="replace"))


def _parsed(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None


def readable(entry: dict[str, Any], *, coloured: bool) -> str:
    """`12:30:01 warning breaker_opened provider=openai`, with a traceback below where there is one."""
    level = str(entry.get("level", "info"))
    clock = str(entry.get("timestamp", ""))[11:19]
    rest = " ".join(f"{key}={value}" for key, value in entry.items() if key not in QUIET_KEYS)
    event = str(entry["event"])
    if coloured:
        clock = f"\x1b[2m{clock}\x1b[0m"
        level = f"\x1b[{LEVELS[level]}m{level}\x1b[0m" if level in LEVELS else f"\x1b[2m{level}\x1b[0m"
        event, rest = f"\x1b[1m{event}\x1b[0m", f"\x1b[2m{rest}\x1b[0m" if rest else ""
    trace = f"\n{entry['exception']}" if entry.get("exception") else ""
    return " ".join(part for part in (clock, level, event, rest) if part) + trace

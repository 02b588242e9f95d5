"""PASS and FAIL lines as the checks go, and the closing count."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.compose.engine import RefusedError


class WrongError(Exception):
    """What a check found; one line."""


def expect(holds: object, found: object) -> None:
    """Raises `WrongError` with what was found instead."""
    if not holds:
        raise WrongError(str(found))


def until(holds: Callable[[], bool], seconds: float, what: str, pause: float = 0.5) -> None:
    """Raises `WrongError` when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        expect(time.monotonic() < deadline, f"{seconds:g} s passed before {what}")
        time.sleep(pause)


@dataclass
class Report:
    started: float = field(default_factory=time.monotonic)
    passed: int = 0
    failed: int = 0

    def check(self, what: str, look: Callable[[], str | None]) -> bool:
        """Runs one check; what it answers is shown beside its name. A failed check stops no other."""
        try:
            detail = look() or ""
        except (WrongError, RefusedError, OSError, ValueError, KeyError, IndexError, subprocess.TimeoutExpired) as error:
            self.failed += 1
            self._say("FAIL", what, f"{type(error).__name__}: {error}" if not isinstance(error, WrongError) else str(error))
            return False
        self.passed += 1
        self._say("PASS", what, detail)
        return True

    def _say(self, word: str, what: str, detail: str) -> None:
        print(f"{word} [{time.monotonic() - self.started:5.1f} s] {what}{f': {detail}' if detail else ''}", flush=True)

    def close(self) -> int:
        print(f"\n{self.passed} passed, {self.failed} failed in {time.monotonic() - self.started:.0f} s", flush=True)
        return 1 if self.failed else 0

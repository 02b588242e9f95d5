"""Starting bots, looking at their logs, and ending them in every way."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.local.processes import Command
from scripts.local.running import spawn

ROOT = Path(__file__).resolve().parents[2]
LOOK = 0.02


async def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{seconds:g} s passed before {what}"
        await asyncio.sleep(LOOK)


class Nursery:
    """See `nursery.py`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        argv = (sys.executable, "-m", "tests.crash.nursery")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        # Tethered, so that it ends with the tests even when these are killed.
        tethered = Command(name="nursery", argv=argv).tethered()
        self._process = subprocess.Popen(tethered, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        self._logs = 0

    def start(self, environment: Mapping[str, str], *, hurry: Mapping[str, Any] | None = None) -> "Bot":
        self._logs += 1
        log = self.folder / f"bot-{self._logs}.log"
        order = {"environment": dict(environment), "log": str(log), "folder": str(self.folder), "hurry": dict(hurry or {})}
        return Bot(pid=self._ask({"start": order})["pid"], port=int(environment["BOT_PORT"]), log=log, look=self._look)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _look(self, pid: int) -> int | None:
        status = self._ask({"look": pid})["status"]
        return None if status is None else int(status)

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@dataclass
class Bot:
    pid: int
    port: int
    log: Path
    look: Callable[[int], int | None]
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    _status: int | None = None

    @property
    def status(self) -> int | None:
        if self._status is None:
            self._status = self.look(self.pid)
        return self._status

    @property
    def is_alive(self) -> bool:
        return self.status is None

    def lines(self) -> list[dict[str, Any]]:
        """The log, whole lines only."""
        raw = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return [json.loads(line) for line in raw.split("\n")[:-1] if line.startswith("{")]

    def told(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event]

    def words(self) -> list[str]:
        """Lines that are no JSON: what a person at a terminal is told."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if not line.startswith("{")]

    async def until_told(self, event: str, seconds: float = 20.0) -> None:
        await until(lambda: bool(self.told(event)) or not self.is_alive, seconds, f"the bot logged {event}")
        assert self.told(event), f"the bot ended with {self.status}: {self.log.read_text(encoding='utf-8')[-2000:]}"

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """As `docker stop` and systemd do it."""
        self.signal(signal.SIGTERM)

    async def kill(self) -> float:
        """SIGKILL; answers when it was surely dead."""
        self.signal(signal.SIGKILL)
        await self.end(10)
        assert self.ended_at is not None
        return self.ended_at

    async def end(self, seconds: float) -> int:
        """Waits for its end; answers the exit status, negative for a signal."""
        await until(lambda: not self.is_alive, seconds, "the bot ended")
        self.ended_at = self.ended_at or time.time()
        assert self.status is not None
        return self.status


def run_by_hand(environment: Mapping[str, str], log: Path, folder: Path) -> Bot:
    """`python -m services.bot` as an operator starts it."""
    command = Command(name="bot", argv=(sys.executable, "-m", "services.bot"), cwd=folder)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command.tethered(), env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    return Bot(pid=process.pid, port=0, log=log, look=lambda _: process.poll())


def spawn_sandbox(port: int, log: Path) -> subprocess.Popen[bytes]:
    argv = (sys.executable, "-m", "services.sandbox", "--port", str(port), "--quiet")
    with log.open("ab") as output:
        return spawn(Command(name="sandbox", argv=argv, cwd=ROOT, env={"ENVIRONMENT": "dev"}), output)

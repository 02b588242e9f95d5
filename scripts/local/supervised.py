"""One process that is kept alive: started, heard, started again when it dies, ended when we end."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from scripts.local.console import Console
from scripts.local.processes import Command, Ledger, StartError

EXIT_CONFIG = 78  # sysexits.h; starting again would not help
DEATHS, WINDOW_SECONDS = 5, 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0
LONGEST_LINE = 1 << 20
PATIENCE_SECONDS = 15.0


@dataclass
class Supervised:
    """`ready` answers whether the process (by its id) serves; None of it: alive for a second is enough."""

    command: Command
    console: Console
    ledger: Ledger
    ready: Callable[[int], Awaitable[str | None]] | None = None
    prepare: Callable[[], None] | None = None
    process: asyncio.subprocess.Process | None = None
    stop_asked: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: str | None = None
    _deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))

    @property
    def name(self) -> str:
        return self.command.name

    async def keep_alive(self) -> None:
        """Runs until stopped or given up; never raises for a process that misbehaves."""
        while True:
            try:
                code = await self._run_once()
            except (StartError, OSError) as error:
                self.given_up = f"{self.name} cannot be started: {error}"
                break
            if self.stop_asked.is_set():
                break
            self._deaths.append(time.monotonic())
            self.given_up = self._verdict(code)
            if self.given_up:
                break
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (self._recent_deaths() - 1), LONGEST_PAUSE_SECONDS)
            self.console.say(f"{self.name} ended by itself ({_told(code)}); starting it again in {pause:g} s")
            await self._pause(pause)
        if self.given_up:
            self.console.say(self.given_up)

    async def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            if self.stop_asked.is_set() or time.monotonic() > until:
                break
            await asyncio.sleep(0.05)

    async def run_to_the_end(self, said: bytes = b"") -> int:
        """For a command that does its work and ends; `said` goes to its standard input."""
        process = await self._spawn(asyncio.subprocess.PIPE)
        if process.stdin:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(said)
                await process.stdin.drain()
            process.stdin.close()
        return await self._listen(process)

    async def wait_ready(self) -> None:
        """Returns when it serves, however long that takes; now and then says what is still missing. StartError: given up."""
        spoke = time.monotonic()
        while not await self._serves():
            if self.given_up:
                raise StartError("\n".join([f"{self.name} said last:", *self.console.last_words(self.name, 15)]))
            if time.monotonic() - spoke > PATIENCE_SECONDS:
                self.console.say(f"Still waiting for {self.name}, which {await self.complaint()}")
                spoke = time.monotonic()
            await asyncio.sleep(0.05)

    async def complaint(self) -> str | None:
        if self.process is None:
            return "is not started yet"
        if self.ready is None:
            return None
        return await self.ready(self.process.pid)

    async def stop(self, patience: float) -> None:
        self.stop_asked.set()
        process = self.process
        if process is None or process.returncode is not None:
            return
        self._signal(process, self.command.stop_signal)
        try:
            async with asyncio.timeout(patience):
                await process.wait()
        except TimeoutError:
            self.console.say(f"{self.name} did not stop within {patience:g} s and is ended")
        self._signal(process, signal.SIGKILL)  # also what it started itself and left behind

    def kill(self) -> None:
        """At once, without a word."""
        self.stop_asked.set()
        if self.process is not None:
            self._signal(self.process, signal.SIGKILL)

    async def _run_once(self) -> int:
        if self.prepare:
            await asyncio.to_thread(self.prepare)
        if self.stop_asked.is_set():
            return 0
        process = await self._spawn(asyncio.subprocess.DEVNULL)
        if self.stop_asked.is_set():  # asked while it was being started
            self._signal(process, signal.SIGKILL)
        return await self._listen(process)

    async def _spawn(self, stdin: int) -> asyncio.subprocess.Process:
        self.process = await asyncio.create_subprocess_exec(
            *self.command.tethered(),
            env=self.command.environment(),
            cwd=self.command.cwd,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LONGEST_LINE,
            start_new_session=True,  # Ctrl-C is ours to pass on, in order
        )
        self.ledger.add(self.process.pid, self.command)
        return self.process

    async def _listen(self, process: asyncio.subprocess.Process) -> int:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sweep_group(process))
                await self._pass_on(process.stdout)
            return await process.wait()
        finally:
            if process.returncode is None:  # cancelled
                self._signal(process, signal.SIGKILL)
            self.ledger.remove(process.pid)

    async def _pass_on(self, stream: asyncio.StreamReader | None) -> None:
        while stream and (line := await _line(stream)):
            self.console.process_said(self.name, line.decode(errors="replace").rstrip())

    async def _sweep_group(self, process: asyncio.subprocess.Process) -> None:
        """Ends what a dead process started itself: it would hold the pipe open, and nobody would notice the death."""
        while True:
            if process.returncode is not None:
                break
            await asyncio.sleep(0.2)
        self._signal(process, signal.SIGKILL)

    async def _serves(self) -> bool:
        process = self.process
        if process is None or process.returncode is not None:
            return False
        if self.ready is None:
            await asyncio.sleep(1.0)
            return process.returncode is None
        return await self.ready(process.pid) is None

    def _recent_deaths(self) -> int:
        return sum(1 for moment in self._deaths if time.monotonic() - moment < WINDOW_SECONDS)

    def _verdict(self, code: int) -> str | None:
        if code == EXIT_CONFIG:
            return f"{self.name} refuses to start: {' '.join(self.console.last_words(self.name, 1)) or 'it gave no reason'}"
        if self._recent_deaths() >= DEATHS:
            often = f"{self.name} ended {DEATHS} times within {WINDOW_SECONDS:.0f} s ({_told(code)})"
            return f"{often} and is left alone; .local/logs/demo.log has its words"
        return None

    @staticmethod
    def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:
        return b"(a line of more than a megabyte)\n"


def _told(code: int) -> str:
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"

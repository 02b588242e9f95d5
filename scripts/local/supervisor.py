"""Starts processes stage by stage, keeps them alive, and stops them in reverse order when asked."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.local.console import Console
from scripts.local.processes import LINUX, Ledger, StartError
from scripts.local.supervised import Supervised

STAGE_PATIENCE_SECONDS = 5.0
PARENT_LOOK_SECONDS = 0.5


@dataclass
class Supervisor:
    console: Console
    ledger: Ledger
    group: asyncio.TaskGroup
    stages: list[tuple[Supervised, ...]] = field(default_factory=list)
    stop_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def launch(self, *members: Supervised) -> None:
        """One stage: its members start together and, later, stop together."""
        self.stages.append(members)
        for member in members:
            self.group.create_task(member.keep_alive(), name=member.name)

    async def stop_all(self) -> None:
        for stage in reversed(self.stages):
            await asyncio.gather(*(member.stop(STAGE_PATIENCE_SECONDS) for member in stage))

    def on_signal(self) -> None:
        """The first asks everybody to finish; the second does not wait."""
        if self.stop_asked.is_set():
            for member in (member for stage in self.stages for member in stage):
                member.kill()
        self.stop_asked.set()


async def supervise(begin: Callable[[Supervisor], Awaitable[None]], console: Console, ledger: Ledger) -> int:
    """Runs `begin`, which launches stages, and then everything until a signal. The exit code: 0, or 1 when the beginning failed."""
    code = 0
    with watched(ledger):
        async with asyncio.TaskGroup() as group:
            supervisor = Supervisor(console, ledger, group)
            _take_signals(supervisor)
            watching = group.create_task(_stop_with_parent(supervisor))
            beginning = group.create_task(_begin(begin, supervisor))
            asked = group.create_task(supervisor.stop_asked.wait())
            await asyncio.wait({beginning, asked}, return_when=asyncio.FIRST_COMPLETED)
            if beginning.done() and not beginning.cancelled():
                code = beginning.result()
            if code == 0:
                await supervisor.stop_asked.wait()
                console.say("Stopping …")
            for task in (beginning, asked, watching):
                task.cancel()
            await supervisor.stop_all()
    return code


async def _begin(begin: Callable[[Supervisor], Awaitable[None]], supervisor: Supervisor) -> int:
    code = 0
    try:
        await begin(supervisor)
    except* StartError as failures:
        for error in _leaves(failures):
            supervisor.console.say(f"vitte: {error}")
        code = 1
    return code


def _leaves(group: BaseExceptionGroup[StartError]) -> list[StartError]:
    return [leaf for error in group.exceptions for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])]


def _take_signals(supervisor: Supervisor) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` means to outlive its terminal
            loop.add_signal_handler(number, supervisor.on_signal)


async def _stop_with_parent(supervisor: Supervisor) -> None:
    """Under make, its death is ours: somebody who kills `make demo` does not want to look for its child.

    A terminal that closes tells its session's first process only; where that is make, nobody would tell us.
    """
    parent, on_terminal = os.getppid(), _terminal_lives()
    while True:
        orphaned = "MAKELEVEL" in os.environ and os.getppid() != parent
        if orphaned or (on_terminal and not _terminal_lives()):
            supervisor.stop_asked.set()
        await asyncio.sleep(PARENT_LOOK_SECONDS)


def _terminal_lives() -> bool:
    try:
        termios.tcgetattr(sys.stdout.fileno())
    except (termios.error, OSError, ValueError):
        return False
    return True


@contextmanager
def watched(ledger: Ledger, *, needed: bool = not LINUX) -> Iterator[None]:
    """Linux ends our processes together with us by itself; elsewhere a watchdog does."""
    if not needed:
        yield
        return
    command = [sys.executable, "-m", "scripts.local.watchdog", str(ledger.path)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd=root) as dog, contextlib.suppress(BrokenPipeError):
        yield
        dog.communicate()

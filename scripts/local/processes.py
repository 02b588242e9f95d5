"""Commands to start, and the ledger of what was started, so that a next run can end what a killed one left."""

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

LINUX = platform.system() == "Linux"
TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account that a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL

    def tethered(self) -> list[str]:
        """The argv under which it ends together with this process. The process id stays the command's own."""
        account = f"{self.account.uid}:{self.account.gid}" if self.account else "-"
        return [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(int(self.death_signal)), account, *self.argv]

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.env}


class StartError(Exception):
    """A server did not come up; the message is one line for the person at the terminal."""


def identity(pid: int) -> str | None:
    """Tells a process from a later one with the same id. None: there is none (a zombie counts as none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None if LINUX else _identity_by_ps(pid)
    except (ProcessLookupError, PermissionError):
        return None
    fields = stat.rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def _identity_by_ps(pid: int) -> str | None:
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def arguments_of(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    if LINUX:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    found = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.01) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def end(pid: int, who: str | None, first: signal.Signals, patience: float) -> None:
    """Asks, then kills, the process only as long as it is still the one called `who`."""
    for number, seconds in ((first, patience), (signal.SIGKILL, 2.0)):
        if who is None or identity(pid) != who:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
        if wait_until(lambda: identity(pid) != who, seconds):
            return


@dataclass
class Ledger:
    """Which processes this checkout has running, kept in a file."""

    path: Path
    running: dict[int, dict[str, str]] = field(default_factory=dict)

    def add(self, pid: int, command: Command) -> None:
        who = identity(pid)
        if who is not None:
            self.running[pid] = {"name": command.name, "identity": who, "stop": command.stop_signal.name}
            self._write()

    def remove(self, pid: int) -> None:
        if self.running.pop(pid, None):
            self._write()

    def end_leftovers(self, patience: float = 8.0) -> list[str]:
        """Ends what an earlier run left behind; returns their names."""
        ended = []
        for pid, entry in self._read().items():
            if identity(pid) == entry["identity"]:
                end(pid, entry["identity"], signal.Signals[entry["stop"]], patience)
                ended.append(entry["name"])
        self.running.clear()
        self._write()
        return ended

    def _read(self) -> dict[int, dict[str, str]]:
        try:
            return {int(pid): entry for pid, entry in json.loads(self.path.read_text(encoding="utf-8")).items()}
        except (FileNotFoundError, ValueError, AttributeError):
            return {}

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.running), encoding="utf-8")
        fresh.replace(self.path)

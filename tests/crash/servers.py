"""PostgreSQL and Redis that a test may stop, kill and freeze."""

import os
import signal
import subprocess
import time
from pathlib import Path

from scripts.local.running import Server, start, stop


class Stoppable:
    """One embedded server. Starting again keeps its address and its data."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._log = folder / f"{server.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server was not started"
        return self._process

    def start(self) -> None:
        self._process = start(self._server, self._log)

    def stop(self) -> None:
        if self._process is not None:
            self.resume()
            stop(self._process, self._server.command())

    def kill(self) -> None:
        """As if the machine's memory had run out; PostgreSQL's children notice and end by themselves."""
        children = children_of(self.process.pid)
        self.process.kill()
        self.process.wait()
        deadline = time.monotonic() + 10
        while any(_is_there(child) for child in children) and time.monotonic() < deadline:
            time.sleep(0.02)

    def freeze(self) -> None:
        """Connections stay open, and nothing answers any more."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is not None:
            return
        for pid in (self.process.pid, *children_of(self.process.pid)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def children_of(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def _is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()

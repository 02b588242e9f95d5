"""Embedded servers that a test session or a terminal has running, started and stopped without an event loop."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, ClassVar, Protocol

from scripts.local.processes import Command, Ledger, StartError, wait_until


class Server(Protocol):
    name: ClassVar[str]

    def prepare(self) -> None: ...
    def command(self) -> Command: ...
    def is_ready(self, pid: int) -> bool: ...


def spawn(command: Command, output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.tethered(),
        env=command.environment(),
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
    )


def start(server: Server, log: Path, patience: float = 30.0) -> subprocess.Popen[bytes]:
    """Returns when the server answers. A server that ends at once is an error with its last line."""
    server.prepare()
    command = server.command()
    with log.open("ab") as output:
        process = spawn(command, output)
    ready = wait_until(lambda: process.poll() is not None or server.is_ready(process.pid), patience)
    if process.poll() is None and ready:
        return process
    stop(process, command)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
    raise StartError(f"{command.name} did not start: {said[-1]}")


def stop(process: subprocess.Popen[bytes], command: Command, patience: float = 10.0) -> None:
    if process.poll() is None:
        os.kill(process.pid, command.stop_signal)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(server: Server, folder: Path, ledger: Ledger | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The server runs inside the block."""
    with ExitStack() as stack:
        process = start(server, folder / f"{server.name}.log")
        stack.callback(stop, process, server.command())
        if ledger is not None:
            ledger.add(process.pid, server.command())
            stack.callback(ledger.remove, process.pid)
        yield process

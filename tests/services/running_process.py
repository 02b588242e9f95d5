"""One of our processes as an operator runs it, with its log read as it is written."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 25.0


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class RunningProcess:
    def __init__(self, arguments: list[str], environment: dict[str, str], folder: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "LD_LIBRARY_PATH"}}
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**clean, "PYTHONPATH": str(ROOT), "ENVIRONMENT": "dev", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, into: list[str]) -> None:
        into.extend(line.rstrip("\n") for line in stream)

    def events(self) -> list[dict[str, Any]]:
        """Every line of stdout must be JSON."""
        return [json.loads(line) for line in self.lines]

    def wait_for_event(self, name: str, **fields: Any) -> dict[str, Any]:
        def seen() -> dict[str, Any] | None:
            wanted = {"event": name, **fields}
            return next((event for event in self.events() if wanted.items() <= event.items()), None)

        return self._wait(seen, f"event {name} {fields}")

    def wait_for_status(self, url: str, status: int) -> httpx.Response:
        def answered() -> httpx.Response | None:
            try:
                answer = httpx.get(url, timeout=3.0)
            except httpx.HTTPError:
                return None
            return answer if answer.status_code == status else None

        return self._wait(answered, f"{status} from {url}")

    def terminate(self) -> tuple[int, float]:
        """Exit code and seconds that it took."""
        started = time.monotonic()
        self.process.terminate()
        code = self.process.wait(timeout=PATIENCE)
        for reader in self._readers:
            reader.join(timeout=2)
        return code, time.monotonic() - started

    def _wait(self, look: Any, what: str) -> Any:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if (found := look()) is not None:
                return found
            assert self.process.poll() is None, f"ended before {what}: {self.lines[-5:]} {self.errors[-5:]}"
            time.sleep(0.05)
        raise AssertionError(f"no {what} in {PATIENCE} s: {self.lines[-8:]} {self.errors[-8:]}")


@contextmanager
def running(module: str, environment: dict[str, str], folder: Path) -> Iterator[RunningProcess]:
    started = RunningProcess(["-m", module], environment, folder)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.wait()
        for stream in (started.process.stdout, started.process.stderr):
            assert stream is not None
            stream.close()

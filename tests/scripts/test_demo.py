"""`make demo` as a person meets it: the real processes, one message and its answer, and an end that leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import pytest

from scripts.local.ports import free_port
from scripts.local.processes import Ledger, identity

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("SANDBOX_PORT", "API_PORT", "ADMIN_PORT", "BOT_PORT", "WORKER_PORT")
NOT_FROM_HERE = ("BOT_TOKEN", "LLM_STRONG", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")
PROCESSES = {"postgres", "redis", "s3", "sandbox", "bot", "api", "admin", "worker", "schedule"}

pytestmark = pytest.mark.crash


def eventually(condition: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


class Demo:
    """A demo with a state folder and ports of its own, whatever else runs from this checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in PORTS}
        self.start()

    def start(self) -> None:
        environment = {**os.environ, **dict.fromkeys(NOT_FROM_HERE, ""), **{name: str(port) for name, port in self.ports.items()}}
        environment.pop("MAKELEVEL", None)
        self.output = self.folder / "output"
        with self.output.open("w") as output:
            command = [sys.executable, "-m", "scripts.local.demo"]
            environment["VITTE_LOCAL"] = str(self.folder)
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def address(self, title: str) -> str:
        return self.said().split(f"\n  {title} ")[1].split()[0]

    def await_ready(self) -> None:
        eventually(lambda: "\nready (" in self.said() or self.process.poll() is not None, 90)
        assert self.process.poll() is None, self.said()

    def pids(self) -> dict[str, int]:
        kept = json.loads((self.folder / "processes.json").read_text())
        return {entry["name"]: int(pid) for pid, entry in kept.items()}

    def ask(self, path: str, body: dict[str, Any] | None = None, port: str = "SANDBOX_PORT") -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[port]}{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def write(self, text: str) -> Callable[[], list[str]]:
        """A person writes to the bot; the answer is a way to look at what the bot has said so far."""
        user = self.ask("/sim/users", {"first_name": "Ann"})["id"]
        [bot] = self.ask("/sim/state")["bots"]
        self.ask("/sim/send", {"bot_id": bot["id"], "chat_id": user, "user_id": user, "text": text})

        def answers() -> list[str]:
            transcript = self.ask(f"/sim/chats/{user}/transcript?bot_id={bot['id']}")
            return [message["text"] for message in transcript["messages"] if message["from"]["is_bot"]]

        return answers


def living(pids: dict[str, int]) -> list[str]:
    return [name for name, pid in pids.items() if identity(pid)]


@pytest.fixture
def demo() -> Iterator[Demo]:
    folder = Path(mkdtemp())
    folder.chmod(0o755)
    started = Demo(folder)
    yield started
    if started.process.poll() is None:
        started.process.kill()
    started.process.wait()
    Ledger(folder / "processes.json").end_leftovers(patience=0)
    rmtree(folder)


def test_a_message_is_answered_and_neither_kill_9_nor_ctrl_c_leaves_a_process(demo: Demo) -> None:
    demo.await_ready()
    pids, database = demo.pids(), demo.address("Database")
    assert pids.keys() == PROCESSES
    assert demo.address("Chat") == f"http://127.0.0.1:{demo.ports['SANDBOX_PORT']}/"
    assert demo.ask("/api/v1/health", port="API_PORT")["status"] == "ok"
    assert eventually(demo.write("/start"), 15)

    demo.process.kill()
    demo.process.wait()
    eventually(lambda: living(pids) == [], 5)

    demo.start()
    demo.await_ready()
    pids = demo.pids()
    assert (pids.keys(), demo.address("Database")) == (PROCESSES, database)
    assert eventually(demo.write("/start"), 15)

    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(20) == 0
    assert living(pids) == []
    assert "did not stop within" not in demo.said()

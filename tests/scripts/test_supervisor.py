"""What a person sees of `make demo`'s supervisor: processes come back, and none stays behind."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.local.processes import Ledger, identity

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import asyncio, sys
from pathlib import Path
from scripts.local import supervised
from scripts.local.console import open_console
from scripts.local.processes import Command, Ledger
from scripts.local.supervised import Supervised
from scripts.local.supervisor import supervise, watched

supervised.FIRST_PAUSE_SECONDS = 0.05
folder = Path(sys.argv[1])
console, ledger = open_console(folder), Ledger(folder / "processes.json")

def member(name):
    return Supervised(Command(name=name, argv=(sys.executable, "-u", str(folder / f"{name}.py"))), console, ledger)

async def begin(supervisor):
    for name in ("first", "second"):
        supervisor.launch(member(name))
    await asyncio.gather(*(stage[0].wait_ready() for stage in supervisor.stages))
    console.opened = True
    console.say("ready")

if sys.argv[2:] == ["dog"]:
    with watched(ledger, needed=True):
        sys.exit(asyncio.run(supervise(begin, console, ledger)))
sys.exit(asyncio.run(supervise(begin, console, ledger)))
"""
LASTING = """
import signal, sys, time
def leave(*_):
    print("{name} leaves")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("{name} is up")
while True:
    time.sleep(1)
"""


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Run:
    """A supervisor in a process of its own, with two processes of its care."""

    def __init__(self, folder: Path, *arguments: str, output: int | None = None) -> None:
        self.folder = folder
        (folder / "program.py").write_text(PROGRAM)
        for name in ("first", "second"):
            if not (folder / f"{name}.py").exists():
                (folder / f"{name}.py").write_text(LASTING.format(name=name))
        self.output = folder / "output"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("MAKELEVEL", None)
        command = [sys.executable, str(folder / "program.py"), str(folder), *arguments]
        with self.output.open("w") as file:
            self.process = subprocess.Popen(command, stdout=output or file, stderr=subprocess.STDOUT, env=environment)

    def said(self) -> str:
        return self.output.read_text()

    def pids(self) -> dict[str, int]:
        try:
            kept = json.loads((self.folder / "processes.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {entry["name"]: int(pid) for pid, entry in kept.items()}

    def await_ready(self) -> dict[str, int]:
        eventually(lambda: "ready" in self.said() and len(self.pids()) == 2)
        return self.pids()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    Ledger(tmp_path / "processes.json").end_leftovers(patience=0)


def gone(pids: dict[str, int]) -> bool:
    return all(identity(pid) is None for pid in pids.values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_last_started_first(folder: Path, number: signal.Signals) -> None:
    run = Run(folder)
    pids = run.await_ready()

    run.process.send_signal(number)

    assert run.process.wait(10) == 0
    assert gone(pids)
    assert run.said().index("second leaves") < run.said().index("first leaves")


def test_kill_9_of_the_supervisor_leaves_no_process_behind(folder: Path) -> None:
    run = Run(folder)
    pids = run.await_ready()

    run.process.kill()
    run.process.wait()

    eventually(lambda: gone(pids), seconds=2)


def test_without_help_of_the_system_the_watchdog_ends_what_a_killed_supervisor_left(folder: Path) -> None:
    run = Run(folder, "dog")
    run.await_ready()
    untied = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    kept = json.loads((folder / "processes.json").read_text())
    kept[str(untied.pid)] = {"name": "untied", "identity": identity(untied.pid), "stop": "SIGTERM"}
    (folder / "processes.json").write_text(json.dumps(kept))

    run.process.kill()
    run.process.wait()

    assert untied.wait(5) == -signal.SIGTERM


def test_a_process_that_ends_by_itself_comes_back(folder: Path) -> None:
    run = Run(folder)
    before = run.await_ready()

    os.kill(before["second"], signal.SIGKILL)

    eventually(lambda: run.pids().get("second") not in (None, before["second"]) and run.said().count("second is up") == 1)
    assert "second ended by itself (signal SIGKILL); starting it again" in run.said()
    assert run.pids()["first"] == before["first"]
    run.process.terminate()
    assert run.process.wait(10) == 0


def test_a_process_that_keeps_dying_is_left_alone_with_one_clear_line(folder: Path) -> None:
    (folder / "second.py").write_text("import sys; print('no luck'); sys.exit(3)")
    run = Run(folder)

    assert run.process.wait(10) == 1

    assert run.said().count("second ended by itself (exit code 3)") == 4
    assert "second ended 5 times within 60 s (exit code 3) and is left alone" in run.said()
    assert "no luck" in run.said()
    assert run.pids() == {}


def test_a_wrong_setting_is_said_once_and_not_tried_again(folder: Path) -> None:
    (folder / "second.py").write_text("import sys; print('vitte: LLM_STRONG is missing'); sys.exit(78)")
    run = Run(folder)

    assert run.process.wait(10) == 1

    assert "second refuses to start: vitte: LLM_STRONG is missing" in run.said()
    assert "starting it again" not in run.said()


def test_what_a_dead_process_started_itself_ends_too(folder: Path) -> None:
    sleeping = "import time; time.sleep(60)"
    (folder / "second.py").write_text(
        f"import subprocess\nprint(subprocess.Popen([{sys.executable!r}, '-c', {sleeping!r}]).pid, flush=True)\n{sleeping}"
    )
    run = Run(folder)
    before = run.await_ready()
    [left] = [int(line.split("|")[1]) for line in (folder / "demo.log").read_text().splitlines() if line.startswith("second")]

    os.kill(before["second"], signal.SIGKILL)

    eventually(lambda: identity(left) is None)
    run.process.terminate()
    assert run.process.wait(10) == 0


def test_somebody_elses_process_with_an_old_number_is_spared(folder: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (folder / "processes.json").write_text(
        json.dumps({str(stranger.pid): {"name": "bot", "identity": "another boot:1", "stop": "SIGTERM"}})
    )

    assert Ledger(folder / "processes.json").end_leftovers() == []

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_terminal_that_closes_stops_everything_although_only_make_is_told(folder: Path) -> None:
    """As `ssh -t host make demo` does it: make is the first process of the session, and waits for us."""
    ours, theirs = pty.openpty()
    run = Run(folder, output=theirs)
    os.close(theirs)
    eventually(lambda: len(run.pids()) == 2)
    pids = run.pids()

    os.close(ours)

    assert run.process.wait(10) == 0
    assert gone(pids)

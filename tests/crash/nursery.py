"""Bots that are up at once: a process with everything imported, which forks itself into `python -m services.bot`.

`python -m tests.crash.nursery` reads one JSON object per line and answers each with one: `{"start": …}` -> `{"pid"}`,
`{"look": pid}` -> `{"status": null or exit status}`. It ends, and its bots with it, when its input ends. A start by hand takes seconds
of CPU for imports alone; twenty kills would mostly test those.
"""

import contextlib
import json
import os
import runpy
import signal
import sys
from typing import Any

import services.bot.process
from scripts.local.tether import end_with
from services.bot import consumer, polling
from shared.application.inbox import InboxService


def hurry(pauses: dict[str, Any]) -> None:
    """Times that no operator may change, shortened for a test that has to wait for them."""
    if lease := pauses.get("lease_seconds"):
        defaults: dict[str, Any] = InboxService.__init__.__kwdefaults__ or {}
        defaults["lease_seconds"] = lease
        consumer.BEAT_SECONDS = lease / 6
    if conflicts := pauses.get("conflict_pauses"):
        polling.CONFLICT_PAUSES = tuple(conflicts)
    if drain := pauses.get("drain_seconds"):
        services.bot.process.DRAIN_SECONDS = drain


def start(order: dict[str, Any]) -> int:
    nursery = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        end_with(nursery, signal.SIGKILL)
        _take_place(order)
        runpy.run_module("services.bot", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _take_place(order: dict[str, Any]) -> None:
    os.setsid()
    for number, path in ((0, "/dev/null"), (1, order["log"]), (2, order["log"])):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["services/bot/__main__.py"]
    hurry(order["hurry"])


def look(pid: int) -> int | None:
    """The exit status, negative for a signal; once told, the process is forgotten."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def main() -> None:
    children: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            pid = start(order["start"])
            children.add(pid)
            answer: dict[str, Any] = {"pid": pid}
        else:
            status = look(order["look"])
            if status is not None:
                children.discard(order["look"])
            answer = {"status": status}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(0)  # at once: tidying up all that was imported takes seconds


if __name__ == "__main__":
    main()

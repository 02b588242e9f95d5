"""The embedded PostgreSQL, Redis and S3 stand-in without the rest of the platform.

`run` keeps them up in the foreground and prints the environment for a shell; `exec -- <command>` gives one command the
database of the settings, else the demo's (started for that command when the demo is not running); `forget` deletes what
the demo keeps.
"""

import os
import shutil
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from scripts.local.alone import AlreadyRunsError, alone
from scripts.local.environment import Given, kept_secrets, read_given
from scripts.local.install import LOCAL, ROOT
from scripts.local.parts import Embedded
from scripts.local.processes import Ledger, StartError
from scripts.local.running import running


@contextmanager
def servers_up() -> Iterator[dict[str, str]]:
    """The environment that leads to the servers: those of a running demo, else our own for as long as the block lasts."""
    LOCAL.mkdir(exist_ok=True)
    embedded = Embedded.below(LOCAL)
    with ExitStack() as stack:
        try:
            stack.enter_context(alone(LOCAL))
        except AlreadyRunsError:
            yield embedded.environment()
            return
        ledger = Ledger(LOCAL / "processes.json")
        ledger.end_leftovers()
        (LOCAL / "logs").mkdir(mode=0o700, exist_ok=True)
        for server in embedded.servers():
            stack.enter_context(running(server, LOCAL / "logs", ledger))
        yield embedded.environment()


def own_environment(given: Given, embedded: dict[str, str]) -> dict[str, str]:
    kept = kept_secrets(LOCAL)
    return {**os.environ, **embedded, "ENVIRONMENT": "dev", "ADMIN_SECRET_KEY": given.get("ADMIN_SECRET_KEY") or kept["ADMIN_SECRET_KEY"]}


def execute(command: list[str]) -> int:
    given = read_given(ROOT)
    if given.get("DATABASE_URL"):
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    with servers_up() as embedded:
        return subprocess.run(command, cwd=ROOT, env=own_environment(given, embedded), check=False).returncode


def keep_running() -> int:
    def leave(_number: int, _frame: types.FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    with servers_up() as embedded:
        for name, value in own_environment(read_given(ROOT), embedded).items():
            if name in embedded or name in {"ENVIRONMENT", "ADMIN_SECRET_KEY"}:
                print(f"export {name}='{value}'", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return 0
    return 0


def forget() -> int:
    if not LOCAL.exists():
        return 0
    with alone(LOCAL):
        home = Embedded.below(LOCAL).postgres.home
        for path in (home, *(LOCAL / name for name in ("postgres", "redis", "s3", "logs"))):
            shutil.rmtree(path, ignore_errors=True)
        (LOCAL / "secrets.json").unlink(missing_ok=True)
    print("Forgotten: the demo's database, files, secrets and logs. The next `make demo` begins anew.")
    return 0


def main(arguments: list[str]) -> int:
    match arguments:
        case ["run"]:
            return keep_running()
        case ["exec", "--", *command] if command:
            return execute(command)
        case ["forget"]:
            return forget()
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StartError as failure:
        sys.exit(f"vitte: {failure}")

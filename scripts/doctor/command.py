"""`make doctor`: finds out what runs here, looks at it, and says what is wrong. Exit codes: 0 no problem, 1 problems, or nothing runs."""

import argparse
import fcntl
import shutil
import subprocess
import sys
from collections.abc import Sequence

from scripts.compose.engine import RefusedError
from scripts.doctor import compose, showing
from scripts.doctor.compose import Installation
from scripts.doctor.findings import Finding, Level, count, fail, loaded
from scripts.local.install import LOCAL, ROOT, VENV_PYTHON

DEMO_SECONDS = 18.0
START = "start the containers with `make up` (`make up DEMO=1` needs no token), or the demo on this machine with `make demo`"
STOPPED = "`make up` starts them again; the data is kept"


def demo_runs() -> bool:
    """Whether somebody holds the demo's lock."""
    try:
        with (LOCAL / "demo.lock").open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def doctor(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make doctor", description="What is wrong with the running installation, and what to do.")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.add_argument("--demo", action="store_true", help="look at the demo even where containers run, too")
    given = parser.parse_args(arguments)
    looked_at, title, findings = _examined(only_demo=given.demo, say=not given.json)
    if given.json:
        print(showing.as_json(looked_at, findings))
    else:
        for line in [*([] if looked_at != "nothing" else [title, ""]), *showing.lines(findings, coloured=showing.is_coloured())]:
            print(line)
    return 1 if count(findings, Level.FAIL) else 0


def _examined(*, only_demo: bool, say: bool) -> tuple[str, str, list[Finding]]:
    """What was looked at, in a word and in a sentence, and what was found there."""
    installation, refused = (None, "") if only_demo else _installation()
    runs = demo_runs()
    if installation is not None and installation.is_up:
        also = "; the demo runs as well: `make doctor demo=1`" if runs else ""
        title = f"Looking at the containers of {installation.project} (docker compose){also}"
        _announce(title, say=say)
        return "compose", title, compose.examined(installation)
    if runs:
        title = f"Looking at the demo on this machine (make demo, {_shown()})"
        _announce(title, say=say)
        return "demo", title, _demo()
    return "nothing", "Nothing runs here.", [_nothing(installation, refused)]


def _installation() -> tuple[Installation | None, str]:
    """And why Docker could not tell."""
    try:
        return compose.found(), ""
    except (RefusedError, OSError, ValueError) as error:
        return None, str(error)


def _nothing(installation: Installation | None, refused: str) -> Finding:
    if installation is not None:
        return fail("containers", "all of them are stopped", STOPPED)
    if refused and shutil.which("docker"):
        return fail("Docker", "cannot tell what runs here", refused)
    return fail("platform", "neither containers of this folder nor its demo run", START)


def _announce(title: str, *, say: bool) -> None:
    if say:
        print(f"{title}\n", flush=True)


def _shown() -> str:
    return str(LOCAL.relative_to(ROOT)) if LOCAL.is_relative_to(ROOT) else str(LOCAL)


def _demo() -> list[Finding]:
    """With the Python of the demo, which has its packages."""
    command = [str(VENV_PYTHON), "-m", "scripts.doctor.demo"]
    try:
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=DEMO_SECONDS)
        return loaded(ran.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, IndexError, ValueError):
        return [fail("demo", "could not be examined", "stop it with Ctrl-C and start it again with `make demo`")]


def main() -> None:
    sys.exit(doctor(sys.argv[1:]))

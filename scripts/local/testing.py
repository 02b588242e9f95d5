"""`make test` and `make test-fast`: gets a browser, runs pytest on the cores there are, says when browser tests did not run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.local.chromium import find_chromium
from scripts.local.deployment_tools import get_tools

MOST_WORKERS = 4
NOT_RUN = 3


def get_chromium() -> str | None:
    """Debian's package as root, else Playwright's own download. None: neither could be had."""
    if found := find_chromium():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("No Chromium here: installing Debian's for the browser tests …", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-q"], ["install", "-qy", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *step], env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
    else:
        print("No Chromium here: Playwright downloads its own for the browser tests …", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdin=subprocess.DEVNULL, check=False)
    return find_chromium()


def workers() -> int:
    return max(1, min(os.cpu_count() or 1, MOST_WORKERS))


def run(marks: str) -> int:
    command = [sys.executable, "-m", "pytest", "-n", str(workers()), "--dist", "loadfile", *(["-m", marks] if marks else [])]
    return subprocess.run(command, cwd=Path(__file__).resolve().parents[2], check=False).returncode


def main(arguments: list[str]) -> int:
    if missing := get_tools():
        print(f"{' and '.join(missing)} not found: the tests of what is deployed will fail. Install them and repeat.", flush=True)
    if "--fast" in arguments:
        return run("not crash and not browser")
    if get_chromium():
        return run("")
    code = run("not browser")
    print("\nThe browser tests did NOT run: no Chromium was found and none could be installed.")
    print("Install chromium (or google-chrome), or set CHROMIUM to its path, and repeat.", flush=True)
    return code or (NOT_RUN if os.environ.get("CI") else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

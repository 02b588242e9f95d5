"""nginx and promtool, with which tests look at what is deployed; Debian's packages unpacked below .local, so that no service starts."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".local" / "tools"
PLACES = ("usr/sbin", "usr/bin")
# Newer Debians have promtool in a package of its own.
PACKAGES = {"nginx": ("nginx",), "promtool": ("prometheus", "promtool")}


def find_tool(name: str) -> str | None:
    """What the environment names (NGINX, PROMTOOL), one on the path, or the one below .local."""
    named = os.environ.get(name.upper())
    usual = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *(str(FOLDER / place) for place in PLACES)])
    return named or shutil.which(name, path=usual)


def get_tools() -> list[str]:
    """Fetches what is missing where there is apt-get; answers the names of what could not be had."""
    missing = [name for name in PACKAGES if find_tool(name) is None]
    if missing and shutil.which("apt-get") and shutil.which("dpkg"):
        print(f"Getting {' and '.join(missing)} for the tests of what is deployed …", flush=True)
        if not _unpack(missing) and os.geteuid() == 0:
            _apt(["update", "-q"])
            _unpack(missing)
    return [name for name in missing if find_tool(name) is None]


def _unpack(names: list[str]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for package in PACKAGES[name]:
                _apt(["download", "-q", package], cwd=folder)
        for archive in Path(folder).glob("*.deb"):
            FOLDER.mkdir(parents=True, exist_ok=True)
            subprocess.run(["dpkg", "-x", str(archive), str(FOLDER)], check=True)
    return all(find_tool(name) for name in names)


def _apt(arguments: list[str], cwd: str | None = None) -> None:
    subprocess.run(["apt-get", *arguments], cwd=cwd, check=False, capture_output=True, stdin=subprocess.DEVNULL)

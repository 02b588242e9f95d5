"""Brings the locked dependencies into `.venv`: `python -m scripts.local.install demo | dev`. `demo` then becomes the demo.

Standard library only: nothing is installed yet when this runs. Nothing to do costs a few milliseconds.
"""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = Path(os.environ.get("VITTE_LOCAL") or ROOT / ".local").absolute()
"""Where the demo keeps its state. VITTE_LOCAL names another folder, for a second demo from the same checkout."""
VENV_PYTHON = ROOT / ".venv" / "bin" / "python"
UV_VERSION = "0.13.8"
UV_OLDEST = (0, 9)
GROUPS = {"demo": ("bot", "api", "worker", "admin", "migrations", "sandbox", "local"), "dev": ("dev",)}
PROGRESS = ("Using", "Creating", "Resolved", "Building", "Built", "Downloading", "Prepared", "Installed")
FIRST_RUN_BYTES = 1_500_000_000
LEAST_BYTES = 100_000_000
OFFLINE_SIGNS = (
    "failed to fetch",
    "failed to download",
    "error sending request",
    "dns error",
    "timed out",
    "unreachable",
    "name resolution",
    "no matching distribution",
)


class InstallError(Exception):
    """One line for the person at the terminal."""


def say(line: str) -> None:
    print(line, flush=True)


def install(purpose: str) -> None:
    """Makes `.venv` hold exactly what the lock says for this purpose; packages of another purpose may stay."""
    mark = _mark(purpose)
    if mark.exists() and mark.read_text(encoding="ascii") == _wanted() and VENV_PYTHON.exists():
        return
    _check_writable()
    check_space(LEAST_BYTES if VENV_PYTHON.exists() else FIRST_RUN_BYTES)
    uv = find_uv() or bring_uv()
    say("Installing the locked packages into .venv (downloads them the first time) …")
    _sync(uv, purpose)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(_wanted(), encoding="ascii")


def _mark(purpose: str) -> Path:
    return ROOT / ".venv" / f".installed-{purpose}"


def _wanted() -> str:
    parts = [str(ROOT).encode(), (ROOT / "uv.lock").read_bytes(), (ROOT / "pyproject.toml").read_bytes()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _check_writable() -> None:
    for folder in (LOCAL, ROOT / ".venv"):
        place = folder if folder.exists() else ROOT
        if not os.access(place, os.W_OK):
            raise InstallError(f"{place} belongs to another user: run this as that user, or clone Vitte into a folder of your own")


def check_space(needed: int) -> None:
    free = shutil.disk_usage(ROOT).free
    if free < needed:
        raise InstallError(
            f"The disk is nearly full: {free / 1e9:.1f} GB free in {ROOT}, {needed / 1e9:.1f} GB needed. Free some space and repeat."
        )


def find_uv() -> str | None:
    """The uv of the machine if it can read the lock, else the one we brought earlier."""
    for candidate in (str(LOCAL / "uv" / "bin" / "uv"), shutil.which("uv")):
        if candidate and _version(candidate) >= UV_OLDEST:
            return candidate
    return None


def _version(uv: str) -> tuple[int, ...]:
    try:
        told = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout.split()
        return tuple(int(part) for part in told[1].split(".")[:2])
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError):
        return (0,)


def bring_uv() -> str:
    say(f"Bringing uv {UV_VERSION} into .local …")
    home = LOCAL / "uv"
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(home)], capture_output=True, text=True, check=False)
    if made.returncode == 0:
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q"]
    else:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(home)]
        if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
            raise InstallError(
                "This Python has neither venv nor pip: install them (Debian: apt-get install python3-venv), or uv itself, and repeat."
            )
    brought = subprocess.run([*pip, "--disable-pip-version-check", f"uv=={UV_VERSION}"], capture_output=True, text=True, check=False)
    if brought.returncode != 0:
        raise InstallError(reason("uv", brought.stdout + brought.stderr))
    return str(home / "bin" / "uv")


def _sync(uv: str, purpose: str) -> None:
    groups = [part for group in GROUPS[purpose] for part in ("--group", group)]
    command = [uv, "sync", "--locked", "--inexact", "--no-default-groups", *groups, "--project", str(ROOT)]
    if not VENV_PYTHON.exists():
        command += ["--python", getattr(sys, "_base_executable", sys.executable)]
    code, told = _run_uv(command)
    if code != 0 and "certificate" in told.lower():  # a company's own certificate authority: known to the system, not to uv
        say("  trying again with the certificates of this system …")
        code, told = _run_uv([*command, "--system-certs"])
    if code != 0:
        sys.stderr.write(told)
        raise InstallError(reason("the packages", told))


def _run_uv(command: list[str]) -> tuple[int, str]:
    """The exit code and all it said; its progress is passed on as it comes."""
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}}
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "UV_HTTP_TIMEOUT": environment.get("UV_HTTP_TIMEOUT", "60")}
    if not os.access(Path.home(), os.W_OK):
        environment["UV_CACHE_DIR"] = str(LOCAL / "uv-cache")
    told = []
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=ROOT) as running:
        for line in running.stderr or ():
            told.append(line)
            if line.strip().startswith(PROGRESS):
                say(f"  {line.strip()}")
    return running.returncode, "".join(told)


def reason(what: str, told: str) -> str:
    """One line that says what to do, from what the installer said."""
    heard = told.lower()
    if "no space left" in heard or shutil.disk_usage(ROOT).free < LEAST_BYTES // 10:
        return f"The disk is full: {what} did not fit. Free some space and repeat: what is already there is kept."
    if any(sign in heard for sign in OFFLINE_SIGNS):
        return f"Downloading {what} failed: check the network (and HTTPS_PROXY), then repeat; what is already there is kept."
    lines = [line.strip() for line in told.splitlines() if line.strip()] or ["no reason given"]
    return f"Installing {what} failed: {lines[-1]}"


def main(purpose: str, arguments: list[str]) -> None:
    try:
        install(purpose)
    except InstallError as error:
        sys.exit(f"vitte: {error}")
    except PermissionError as error:
        sys.exit(f"vitte: {error.filename} belongs to another user: run this as that user, or remove .venv and .local and repeat")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit("vitte: The disk is full. Free some space and repeat: what is already there is kept.")
    if purpose == "demo":
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), "-m", "scripts.local.demo", *arguments])  # noqa: S606 - becomes the next step


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

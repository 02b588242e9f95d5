"""Docker and Compose as this machine has them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).resolve().parents[2]
OLDEST_COMPOSE = (2, 20)
INSTALL = "see docs.docker.com/engine/install"


class RefusedError(Exception):
    """One line for the person at the terminal: what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Compose:
    """`docker compose` in the folder of an installation. `environment` goes on top of this process's own."""

    command: Sequence[str]
    root: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, said: str | None = None, seconds: float = 900) -> subprocess.CompletedProcess[str]:
        """Runs and keeps what it says. A failure is the caller's to look at; `said` goes to its input."""
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if said is None else {"input": said}
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.root,
            env=self._env(),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            **given,
        )

    def begin(self, *arguments: str, **pipes: Any) -> subprocess.Popen[bytes]:
        """Runs beside us; `pipes` are stdin, stdout and stderr as `subprocess.Popen` takes them."""
        return subprocess.Popen([*self.command, *arguments], cwd=self.root, env=self._env(), **pipes)

    def feed(self, *arguments: str, source: BinaryIO) -> subprocess.CompletedProcess[str]:
        """As `run`, and the content of an open file goes to its input."""
        return subprocess.run(
            [*self.command, *arguments], cwd=self.root, env=self._env(), capture_output=True, text=True, check=False, stdin=source
        )

    def show(self, *arguments: str) -> int:
        """Runs at the terminal; answers the exit code."""
        return subprocess.run([*self.command, *arguments], cwd=self.root, env=self._env(), check=False).returncode

    def ask(self, *arguments: str) -> str:
        """What it prints. Raises `RefusedError` with its last line when it fails."""
        ran = self.run(*arguments)
        if ran.returncode != 0:
            raise RefusedError(last_line(ran.stderr) or f"docker compose {arguments[0]} failed")
        return ran.stdout

    def containers(self) -> list[dict[str, Any]]:
        """All of this installation, running or not, as `ps` tells: Service, Name, State, Health, ExitCode."""
        told = self.ask("ps", "--all", "--format", "json").strip()
        rows = json.loads(told) if told.startswith("[") else [json.loads(line) for line in told.splitlines()]
        return list(rows)

    def _env(self) -> dict[str, str]:
        return {**os.environ, "COMPOSE_ANSI": "never", **self.environment}


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def find_compose(root: Path = ROOT, environment: Mapping[str, str] | None = None) -> Compose:
    """Raises `RefusedError` when there is no Docker, it does not answer, or its Compose is too old."""
    if shutil.which("docker") is None:
        raise RefusedError(f"Docker is not installed: {INSTALL}; or try `make demo`, which needs none")
    answer = docker("version", "--format", "{{.Server.Version}}")
    if answer.returncode != 0:
        raise RefusedError(_why_silent(answer.stderr))
    candidates = [("docker", "compose"), *([("docker-compose",)] if shutil.which("docker-compose") else [])]
    versions = {command: _compose_version(command) for command in candidates}
    for command, version in versions.items():
        if version >= OLDEST_COMPOSE:
            return Compose(command, root, environment or {})
    newest = max(versions.values())
    found = f"here is {'.'.join(map(str, newest))}" if newest > (0, 0) else "here is none"
    raise RefusedError(f"Docker Compose {'.'.join(map(str, OLDEST_COMPOSE))} or newer is needed, and {found}: {INSTALL}")


def _compose_version(command: Sequence[str]) -> tuple[int, int]:
    told = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _why_silent(said: str) -> str:
    if "permission denied" in said.lower():
        return "Docker does not let this user in: run this with sudo, or join the group docker and sign in again"
    return "Docker is installed but does not answer: start it (systemctl start docker) and repeat"

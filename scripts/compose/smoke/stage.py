"""The copy of the platform that is checked: a folder, a Compose project and ports of its own, so that a real installation is left alone."""

import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.compose import dotenv
from scripts.compose.engine import ROOT, Compose, docker, find_compose
from scripts.compose.smoke.report import expect
from scripts.local.ports import free_port

PROJECT = "vitte-smoke"
VERSION = "smoke"
OURS = ("bot", "api", "worker", "schedule", "admin", "sandbox")
JOBS = ("migrations", "bucket")
SANDBOX = "sandbox.localhost"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Stage:
    root: Path
    compose: Compose
    http_port: int

    def make(self, *arguments: str, seconds: float = 900, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **self.compose.environment, **(environment or {})}
        return subprocess.run(
            ["make", *arguments],
            cwd=self.root,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
        )

    def settings(self) -> dict[str, str]:
        return dotenv.read(self.root / ".env")

    def inside(self, service: str, *command: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
        return self.compose.run("exec", "-T", service, *command, said=said, seconds=60)

    def python(self, service: str, program: str) -> str:
        """What a program prints in a container of ours."""
        ran = self.inside(service, "python", "-c", program)
        expect(ran.returncode == 0, f"{service}: {ran.stderr.strip()[-300:]}")
        return ran.stdout.strip()

    def sql(self, statement: str, role: str = "postgres") -> str:
        """As a superuser from inside the container, where no password is asked for."""
        ran = self.inside("postgres", "psql", "-U", role, "-d", "vitte", "-AtX", "-v", "ON_ERROR_STOP=1", "-c", statement)
        expect(ran.returncode == 0, ran.stderr.strip()[-300:])
        return ran.stdout.strip()

    def inspect(self, service: str) -> list[dict[str, Any]]:
        ids = self.compose.ask("ps", "--all", "-q", service).split()
        return list(json.loads(docker("inspect", *ids).stdout)) if ids else []

    def services(self) -> list[str]:
        return [row["Service"] for row in self.compose.containers()]

    def http(
        self, method: str, path: str, *, host: str = "", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Through the published port. `host` is the name asked for; by default the address of this machine."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=20)
        sent = {"Host": f"{host or '127.0.0.1'}:{self.http_port}", **(headers or {})}
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))
        except http.client.HTTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()

    def sandbox(self, path: str, body: Mapping[str, Any] | None = None, **query: object) -> Any:
        """A control of the sandbox: GET, or POST with a body. Raises `OSError` when it does not answer."""
        asked = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        sent = json.dumps(body).encode() if body is not None else None
        answer = self.http("POST" if sent else "GET", asked, host=SANDBOX, body=sent, headers={"Content-Type": "application/json"})
        if answer.status != http.HTTPStatus.OK:
            raise ConnectionError(f"{path} answered {answer.status} {answer.body[:200]}")
        return answer.json()

    def grafana(self, path: str) -> Answer:
        pair = base64.b64encode(f"admin:{self.settings()['GRAFANA_PASSWORD']}".encode()).decode()
        return self.http("GET", f"/grafana{path}", headers={"Authorization": f"Basic {pair}"})

    def bot_id(self) -> int:
        return int(self.settings()["DEMO_BOT_TOKEN"].partition(":")[0])

    def remove(self) -> None:
        """Containers, networks, data and images of the copy."""
        self.compose.run("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")
        images = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
        docker("image", "rm", "--force", *[name for name in images if re.fullmatch(rf"vitte-[a-z]+:{VERSION}", name)])


def _copy(to: Path) -> None:
    """What a fresh clone would have, with the changes of this checkout."""
    told = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in told.splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


@contextmanager
def staged(*, keep: bool) -> Iterator[Stage]:
    """`keep` leaves it up and says how to remove it."""
    root = Path(tempfile.mkdtemp(prefix="vitte-smoke-"))
    root.chmod(0o755)
    _copy(root)
    environment = {
        "COMPOSE_PROJECT_NAME": PROJECT,
        "VITTE_VERSION": VERSION,
        "HTTP_PORT": str(free_port()),
        "HTTPS_PORT": str(free_port()),
        "EDGE_PREFIX": "10.213.249",
    }
    stage = Stage(root, find_compose(root, environment), int(environment["HTTP_PORT"]))
    leftover = Stage(root, find_compose(root, {**environment, **_unset(root)}), 0)
    leftover.remove()
    try:
        yield stage
    finally:
        if keep:
            print(f"left running in {root}; remove it with: cd {root} && docker compose --profile '*' down -v && cd / && rm -r {root}")
        else:
            leftover.remove()
            shutil.rmtree(root, ignore_errors=True)


def _unset(root: Path) -> dict[str, str]:
    names = re.findall(r"\$\{(\w+):\?", (root / "docker-compose.yml").read_text(encoding="utf-8"))
    return dict.fromkeys(names, "unset")

"""The installation in containers, seen from the host and from inside."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from scripts.compose import up
from scripts.compose.backup import FOLDER
from scripts.compose.checking import check_values, port
from scripts.compose.engine import ROOT, Compose, RefusedError, docker, find_compose, last_line
from scripts.compose.installation import Values, values
from scripts.doctor import containers, door, machine
from scripts.doctor.containers import Container, is_running, service
from scripts.doctor.findings import Finding, Level, fail, loaded, ok, scrubbed, warn
from scripts.doctor.revisions import known

ASKED = ("bot", "worker", "api", "admin")
INSIDE_SECONDS = 14.0
SECRET_NAMES = ("PASSWORD", "SECRET", "TOKEN", "_KEY")
MEMORY = 'REDISCLI_AUTH="$REDIS_PASSWORD_EXPORTER" redis-cli --no-auth-warning --user exporter info memory'
NEARLY_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Installation:
    compose: Compose
    """Works also where `.env` is incomplete."""
    strict: Compose
    """As `.env` is."""
    given: Values
    project: str
    containers: Sequence[Container]

    @property
    def is_up(self) -> bool:
        return any(is_running(container) for container in self.containers)

    def runs(self, name: str) -> bool:
        return any(service(container) == name and is_running(container) for container in self.containers)


def found() -> Installation | None:
    """None where nothing of this installation was ever started. Raises `RefusedError` where Docker cannot tell."""
    compose = find_compose(environment=up.without_demands())
    project = json.loads(compose.ask("config", "--format", "json"))["name"]
    there = containers.inspected(project)
    return Installation(compose, Compose(compose.command, compose.root), values(ROOT), project, there) if there else None


def examined(installation: Installation) -> list[Finding]:
    """All at the same time; none takes longer than its limit."""
    looks: list[Callable[[], list[Finding]]] = [
        lambda: _settings(installation),
        lambda: _containers(installation),
        *(partial(_inside, installation, name) for name in ASKED),
        lambda: _memory(installation, "redis", "Redis"),
        lambda: _memory(installation, "cache", "cache"),
        lambda: door.examined(_door(installation.given)),
        lambda: [machine.about_disk(_docker_root(), "`docker system prune` (images and logs of old containers, never data)")],
        lambda: [machine.about_backups(ROOT / FOLDER, datetime.now(UTC))],
    ]
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        told = [finding for findings in pool.map(_safely, looks) for finding in findings]
    return scrubbed(_once(told), _secrets(installation.given))


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """What several processes complain of in the same words is one problem."""
    seen, kept = set(), []
    for finding in findings:
        said = (finding.level, finding.found, finding.do)
        if finding.level is Level.OK or said not in seen:
            kept.append(finding)
        seen.add(said)
    return kept


def _safely(look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except subprocess.TimeoutExpired:
        return [fail("Docker", "did not answer in time", "the machine is overloaded, or Docker hangs: `systemctl restart docker`")]
    except (RefusedError, OSError, ValueError, KeyError) as error:
        return [
            warn("doctor", f"one of its own checks failed ({type(error).__name__}: {error})", "`make ps` and `make logs` tell the rest")
        ]


def _settings(installation: Installation) -> list[Finding]:
    try:
        check_values(installation.given, ROOT)
    except RefusedError as refused:
        return [fail("settings", str(refused), "put that right in .env, then `make up`")]
    ran = installation.strict.run("config", "--hash", "*", seconds=INSIDE_SECONDS)
    if ran.returncode != 0:
        return [fail("settings", last_line(ran.stderr), "put that right in .env, then `make up`")]
    wishes = dict(line.split() for line in ran.stdout.splitlines() if len(line.split()) == 2)
    return containers.outdated(installation.containers, wishes)


def _containers(installation: Installation) -> list[Finding]:
    ran = installation.compose.run("config", "--services", seconds=INSIDE_SECONDS)

    def reason(name: str) -> str:
        said = installation.compose.run("logs", "--no-log-prefix", "--no-color", "--tail", "60", name, seconds=INSIDE_SECONDS)
        return up.reason(said.stdout.replace("\x1b[2K", "").splitlines())

    return containers.judged(installation.containers, sorted(ran.stdout.split()), reason, datetime.now(UTC))


def _inside(installation: Installation, name: str) -> list[Finding]:
    """In its container; where that does not run, in another one with the settings of `.env`."""
    program = ("python", "-m", "scripts.doctor.inside", "--process", name, "--known", ",".join(known(ROOT / "alembic" / "versions")))
    if installation.runs(name):
        ran = installation.compose.run("exec", "-T", name, *program, seconds=INSIDE_SECONDS)
    else:
        ran = installation.strict.run("run", "--rm", "-T", "--no-deps", name, *program, seconds=INSIDE_SECONDS)
    try:
        return _summed_up(name, loaded(last_line(ran.stdout)))
    except ValueError:
        return [_no_answer(name, ran.stderr)]


def _no_answer(name: str, said: str) -> Finding:
    if "No module named scripts.doctor" in said:
        return warn(name, "its image is older than `make doctor`, so it cannot be asked", "`make update`")
    return fail(name, f"cannot be asked: {last_line(said) or 'no answer'}", f"`make up`, and if it does not help `make logs s={name}`")


def _summed_up(name: str, findings: list[Finding]) -> list[Finding]:
    """The bot tells all; of the others one line each when they reach the same servers, for only their passwords differ."""
    if name == "bot":
        return findings
    shared = [finding for finding in findings if finding.area in {"database", "Redis", "cache"}]
    wrong = [
        Finding(f"{finding.area} ({name})", finding.level, finding.found, finding.do) for finding in shared if finding.level is not Level.OK
    ]
    reached = list(dict.fromkeys(finding.area for finding in shared))
    summary = wrong or [ok(name, f"{_listed(reached)} answer")]
    return [*summary, *(finding for finding in findings if finding not in shared)]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _memory(installation: Installation, name: str, area: str) -> list[Finding]:
    """Our own users of Redis may not ask for this."""
    if not installation.runs(name):
        return []
    ran = installation.compose.run("exec", "-T", name, "sh", "-c", MEMORY, seconds=INSIDE_SECONDS)
    told = dict(line.strip().split(":", 1) for line in ran.stdout.splitlines() if ":" in line)
    used, most, policy = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0)), told.get("maxmemory_policy", "")
    if not policy:
        return []
    if name == "redis" and policy != "noeviction":
        return [
            fail(
                area,
                f"forgets keys when it is full (maxmemory-policy {policy})",
                "bring docker-compose.yml back to noeviction, then `make up`",
            )
        ]
    if name == "redis" and most and used > most * NEARLY_FULL:
        return [
            warn(
                area,
                f"{used >> 20} of {most >> 20} MB are used; when full it refuses writes",
                "raise REDIS_MAXMEMORY in docker-compose.yml, then `make up`",
            )
        ]
    return [ok(area, f"{used / 1e6:.1f} of {most >> 20} MB are used ({policy})")]


def _door(given: Values) -> door.Door:
    bind, name = given.get("PUBLIC_BIND", "127.0.0.1"), given.get("SERVER_NAME", "_").split()[0]
    return door.Door(
        host="127.0.0.1" if bind == "0.0.0.0" else bind,  # noqa: S104 - compared, never bound
        http_port=port(given, "HTTP_PORT", 80),
        https_port=port(given, "HTTPS_PORT", 443),
        mode=given.get("TLS_MODE", "off"),
        name="" if name == "_" else name,
        webhook=given.get("TELEGRAM_MODE") == "webhook" and not given.get("DEMO_BOT_TOKEN"),
    )


def _docker_root() -> Path:
    told = Path(docker("info", "--format", "{{.DockerRootDir}}").stdout.strip() or "/")
    return told if told.exists() else ROOT


def _secrets(given: Values) -> Iterator[str]:
    for name, value in given.given.items():
        if name.isupper() and any(part in name for part in SECRET_NAMES) and not name.endswith("_FILE"):
            yield value

"""The containers of an installation, by what Docker tells of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from scripts.compose.engine import docker
from scripts.doctor.findings import Finding, fail, ok, span, warn

JOBS = ("migrations", "bucket")
LATELY_SECONDS = 900
MANY_RESTARTS, LOOP_SECONDS = 3, 60
KILLED = 137
LONGEST_SHOWN = 200

Container = Mapping[str, Any]
Reason = Callable[[str], str]
"""Why a service failed, from what it said last."""


def inspected(project: str) -> list[Container]:
    """All of the project, running or not, but none that a command like this one runs beside them."""
    told = docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={project}").stdout.split()
    found: list[Container] = json.loads(docker("inspect", *told).stdout or "[]") if told else []
    return [container for container in found if _label(container, "oneoff") != "True"]


def _label(container: Container, name: str) -> str:
    return str(container["Config"]["Labels"].get(f"com.docker.compose.{name}", ""))


def service(container: Container) -> str:
    return _label(container, "service")


def is_running(container: Container) -> bool:
    return bool(container["State"]["Running"]) and not container["State"].get("Restarting")


def judged(containers: Sequence[Container], wanted: Sequence[str], reason: Reason, now: datetime) -> list[Finding]:
    """`wanted` are the services that should be there."""
    there = {service(container) for container in containers}
    missing = [name for name in wanted if name not in there]
    found = [fail("containers", f"{', '.join(missing)}: there is none", "`make up`")] if missing else []
    for container in containers:
        found += _job(container, reason) if service(container) in JOBS else _server(container, reason, now)
    if found:
        return found
    return [ok("containers", f"{sum(is_running(container) for container in containers)} run and are healthy")]


def _job(container: Container, reason: Reason) -> list[Finding]:
    state, name = container["State"], service(container)
    if state["Running"] or not state["ExitCode"]:
        return []
    return [fail(name, f"failed with exit code {state['ExitCode']}: {_short(reason(name))}", "put that right, then `make up`")]


def _server(container: Container, reason: Reason, now: datetime) -> list[Finding]:
    state, name = container["State"], service(container)
    if state.get("OOMKilled"):
        do = f"give {name} more memory (x-sizes in docker-compose.yml) or the machine more; `make up` starts it again"
        return [(warn if is_running(container) else fail)(name, f"was killed because it used all of its memory{_limit(container)}", do)]
    if not is_running(container) or _loops(container, now):
        again = (
            "restarts again and again"
            if state.get("Restarting") or is_running(container)
            else f"does not run ({_ending(state['ExitCode'])})"
        )
        words = "" if state["ExitCode"] in {0, KILLED} and not is_running(container) else f": {_short(reason(name))}"
        return [fail(name, f"{again}{words}", f"`make up`, and if it does not stay up `make logs s={name}`")]
    return _health(container, now)


def _loops(container: Container, now: datetime) -> bool:
    """Between two deaths it runs for a moment."""
    return (
        container.get("RestartCount", 0) >= MANY_RESTARTS
        and (now - _moment(container["State"]["StartedAt"])).total_seconds() < LOOP_SECONDS
    )


def _ending(code: int) -> str:
    return "killed" if code == KILLED else f"exit code {code}"


def _health(container: Container, now: datetime) -> list[Finding]:
    state, name = container["State"], service(container)
    health = state.get("Health") or {}
    age = (now - _moment(state["StartedAt"])).total_seconds()
    if health.get("Status") == "unhealthy":
        said = (health.get("Log") or [{}])[-1].get("Output", "")
        return [fail(name, f"runs, but is not well: {_short(ailing(said))}", f"see the lines below, and `make logs s={name}`")]
    if container.get("RestartCount", 0) >= MANY_RESTARTS and age < LATELY_SECONDS:
        found = f"has restarted {container['RestartCount']} times, last {span(age)} ago"
        return [warn(name, found, f"the reason is in `make logs s={name}`")]
    if health.get("Status") == "starting":
        return [warn(name, "is still starting", "wait a minute and look again")]
    return []


def ailing(said: str) -> str:
    """What a health check's answer names as broken, else the answer."""
    try:
        dependencies = json.loads(said[said.index("{") :])["dependencies"]
        broken = [f"{name} ({one.get('code')})" for name, one in dependencies.items() if one.get("code")]
    except (ValueError, KeyError, TypeError, AttributeError):
        broken = []
    return ", ".join(broken) or said or "its health check fails"


def _limit(container: Container) -> str:
    limit = container["HostConfig"].get("Memory") or 0
    return f" ({limit >> 20} MB)" if limit else ""


def _moment(told: str) -> datetime:
    """Docker tells nanoseconds, which Python does not read."""
    return datetime.fromisoformat(told[:19]).replace(tzinfo=UTC)


def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST_SHOWN] or "it said nothing"


def outdated(containers: Sequence[Container], wishes: Mapping[str, str]) -> list[Finding]:
    """Containers that were made with other settings than `.env` and docker-compose.yml now hold; `wishes` are the hashes that they want."""
    old = sorted(
        {service(c) for c in containers if is_running(c) and wishes.get(service(c), _label(c, "config-hash")) != _label(c, "config-hash")}
    )
    if not old:
        return [ok("settings", "every container has those of .env")]
    return [warn("settings", f"{', '.join(old)} have others than .env and docker-compose.yml now say", "`make up` applies them")]

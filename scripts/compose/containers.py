"""Single containers of an installation: whether one is what it should be, and a new one beside it."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.compose import up
from scripts.compose.engine import Compose, RefusedError, docker, last_line

CONFIG_HASH = "com.docker.compose.config-hash"
STEADY_SECONDS = 2


def running(compose: Compose, service: str) -> list[dict[str, Any]]:
    """Containers of a service that run, oldest first, as `docker inspect` tells."""
    ids = compose.ask("ps", "-q", "--status", "running", service).split()
    found: list[dict[str, Any]] = json.loads(docker("inspect", *ids).stdout) if ids else []
    return sorted(found, key=lambda container: str(container["Created"]))


def described(compose: Compose) -> dict[str, Any]:
    """The installation as Compose reads it, by service."""
    found: dict[str, Any] = json.loads(compose.ask("config", "--format", "json"))
    return found


def outdated(compose: Compose, image_name: str, service: str) -> list[str] | None:
    """Ids of its containers that have another image or other settings than they should. None when there is nothing to do."""
    there = running(compose, service)
    image = docker("image", "inspect", "--format", "{{.Id}}", image_name).stdout.strip()
    wish = compose.ask("config", "--hash", service).split()[-1]
    old = [str(c["Id"]) for c in there if c["Image"] != image or c["Config"]["Labels"].get(CONFIG_HASH) != wish]
    return old if old or not there else None


def created_beside(compose: Compose, service: str) -> list[str]:
    """Ids of one more container of the service, not started. Raises `RefusedError`.

    Not with `up --no-deps`: Compose would note other settings than it finds later, and `make up` would replace them all once more.
    """
    before = compose.ask("ps", "--all", "-q", service).split()
    ran = compose.run("create", "--no-build", "--no-recreate", "--scale", f"{service}={len(before) + 1}", service)
    new = [name for name in compose.ask("ps", "--all", "-q", service).split() if name not in before]
    if ran.returncode != 0 or not new:
        remove(new)
        raise RefusedError(f"the new {service} was not made, and the old one runs on: {last_line(ran.stderr)}")
    return new


def started(service: str, container: str) -> None:
    """Returns when it is healthy and stays so. Raises `RefusedError` with its last words."""
    ran = docker("start", container)
    if ran.returncode != 0:
        raise RefusedError(f"the new {service} did not start: {last_line(ran.stderr)}")
    deadline = time.monotonic() + up.PATIENCE_SECONDS
    since: float | None = None
    while since is None or time.monotonic() < since + STEADY_SECONDS:
        seen = json.loads(docker("inspect", container).stdout)[0]
        if _has_failed(seen) or time.monotonic() > deadline:
            raise RefusedError(f"the new {service} did not become healthy: {_words(service, container)}")
        since = (since or time.monotonic()) if _health(seen) == "healthy" else None
        time.sleep(0.5)


def _health(seen: Mapping[str, Any]) -> str:
    return str(seen["State"].get("Health", {}).get("Status", "healthy"))


def _has_failed(seen: Mapping[str, Any]) -> bool:
    return bool(seen["RestartCount"]) or seen["State"]["Status"] != "running" or _health(seen) == "unhealthy"


def _words(service: str, container: str) -> str:
    said = docker("logs", "--tail", "60", container)
    lines = [*said.stdout.splitlines(), *said.stderr.splitlines()]
    for line in lines[-up.SHOWN_LINES :]:
        up.say(f"  {service} | {line}")
    return up.reason(lines)


def retire(service: str, container: str) -> None:
    """With the time that its service has to finish what it has begun. Raises `RefusedError`."""
    for command in ("stop", "rm"):
        ran = docker(command, container)
        if ran.returncode != 0:
            raise RefusedError(f"the old {service} did not go ({last_line(ran.stderr)}): docker rm --force {container[:12]}")


def remove(containers: Sequence[str]) -> None:
    if containers:
        docker("rm", "--force", *containers)

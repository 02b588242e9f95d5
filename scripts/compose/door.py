"""nginx has the published ports, so there can be no second one beside it: its new configuration is tried first, then it is replaced."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from scripts.compose import up
from scripts.compose.containers import created_beside, outdated, remove, running, started
from scripts.compose.engine import ROOT, Compose, RefusedError, docker, last_line

FILES = "infrastructure/nginx"


def is_door_outdated(compose: Compose, image: str) -> bool:
    """Whether image, settings or the files that it read when it started have changed."""
    there = running(compose, "nginx")
    if not there or outdated(compose, image, "nginx") is not None:
        return True
    begun = datetime.fromisoformat(there[0]["State"]["StartedAt"][:19]).replace(tzinfo=UTC)
    changes = (path.stat().st_mtime for path in (ROOT / FILES).rglob("*") if path.is_file() and "tls" not in path.parts)
    return max(changes, default=0.0) > begun.timestamp()


def replace_door(compose: Compose, plan: Mapping[str, Any]) -> None:
    """Closed for about a second; who asks then asks again, as Telegram does. Raises `RefusedError`, and the old one runs."""
    try_out(plan)
    up.say("Replacing nginx …")
    leaving = [str(container["Id"]) for container in running(compose, "nginx")]
    [new] = created_beside(compose, "nginx")
    docker("stop", *leaving)
    try:
        started("nginx", new)
    except RefusedError as refused:
        remove([new])
        docker("start", *leaving)
        raise RefusedError(f"{refused} (removed again; the old one runs)") from None
    remove(leaving)


def try_out(plan: Mapping[str, Any]) -> None:
    """`nginx -t` with what the new one would have, away from every network. Raises `RefusedError`, and the old one runs on."""
    service = plan["services"]["nginx"]
    command = ["run", "--rm", "--network", "none", "--user", str(service["user"]), "--read-only", *_places(plan)]
    for name, value in service["environment"].items():
        command += ["--env", f"{name}={value}"]
    ran = docker(*command, service["image"], "nginx", "-t")
    if ran.returncode != 0:
        raise RefusedError(f"nginx would not start with its new configuration, so the old one runs on: {last_line(ran.stderr)}")


def _places(plan: Mapping[str, Any]) -> Iterator[str]:
    service = plan["services"]["nginx"]
    for place in service["tmpfs"]:
        yield from ("--tmpfs", place)
    for volume in service["volumes"]:
        source = volume["source"] if volume["type"] == "bind" else plan["volumes"][volume["source"]]["name"]
        yield from ("--volume", f"{source}:{volume['target']}:ro")

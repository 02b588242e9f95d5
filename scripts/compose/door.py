"""nginx has the published ports, so there can be no second one beside it: its new configuration is tried first, then it is replaced."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from scripts.compose import up
from scripts.compose.engine import ROOT, Compose, RefusedError, docker, last_line

FILES = "infrastructure/nginx"
CONFIG_HASH = "com.docker.compose.config-hash"


def is_door_outdated(compose: Compose, described: Mapping[str, Any]) -> bool:
    """Whether image, settings or the files that it read when it started have changed."""
    ids = compose.ask("ps", "-q", "--status", "running", "nginx").split()
    if not ids:
        return True
    [door] = json.loads(docker("inspect", ids[0]).stdout)
    image = docker("image", "inspect", "--format", "{{.Id}}", described["services"]["nginx"]["image"]).stdout.strip()
    labels = door["Config"]["Labels"]
    if (image and door["Image"] != image) or labels.get(CONFIG_HASH) != compose.ask("config", "--hash", "nginx").split()[-1]:
        return True
    started = datetime.fromisoformat(door["State"]["StartedAt"][:19]).replace(tzinfo=UTC)
    changes = (path.stat().st_mtime for path in (ROOT / FILES).rglob("*") if path.is_file() and "tls" not in path.parts)
    return max(changes, default=0.0) > started.timestamp()


def replace_door(compose: Compose, described: Mapping[str, Any]) -> None:
    """Closed for about a second; who asks then asks again, as Telegram does. Raises `RefusedError`."""
    try_out(described)
    up.say("Replacing nginx …")
    command = ("up", "--detach", "--no-deps", "--force-recreate", "--no-build", "--wait", "--wait-timeout", "60", "nginx")
    ran = compose.run(*command)
    if ran.returncode != 0:
        raise RefusedError(up.why(compose, last_line(ran.stderr)))


def try_out(described: Mapping[str, Any]) -> None:
    """`nginx -t` with what the new one would have, away from every network. Raises `RefusedError`, and the old one runs on."""
    service = described["services"]["nginx"]
    command = ["run", "--rm", "--network", "none", "--user", str(service["user"]), "--read-only", *_places(described)]
    for name, value in service["environment"].items():
        command += ["--env", f"{name}={value}"]
    ran = docker(*command, service["image"], "nginx", "-t")
    if ran.returncode != 0:
        raise RefusedError(f"nginx would not start with its new configuration, so the old one runs on: {last_line(ran.stderr)}")


def _places(described: Mapping[str, Any]) -> Iterator[str]:
    service = described["services"]["nginx"]
    for place in service["tmpfs"]:
        yield from ("--tmpfs", place)
    for volume in service["volumes"]:
        source = volume["source"] if volume["type"] == "bind" else described["volumes"][volume["source"]]["name"]
        yield from ("--volume", f"{source}:{volume['target']}:ro")

"""`make update`: one container after the other gives its place to a new one, and nobody notices."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.compose import database, manifest, up
from scripts.compose.checking import check_compose, check_in_images, check_values
from scripts.compose.door import CONFIG_HASH, is_door_outdated, replace_door
from scripts.compose.engine import ROOT, Compose, RefusedError, docker, find_compose, last_line
from scripts.compose.installation import prepare, values
from scripts.compose.prerequisites import check_disk, memory_bytes

ORDER = ("worker", "schedule", "api", "admin", "bot")
BUILT_WITH = {"schedule": "worker"}
BEHIND_NGINX = {"api", "admin", "bot"}
NAMES_ARE_FRESH_SECONDS = 6
"""nginx asks for addresses again every five."""
STEADY_SECONDS = 2


def update() -> None:
    """Raises `RefusedError`; what was not replaced by then runs on as it was."""
    began = time.monotonic()
    wanted = _wanted(sys.argv[2:])
    compose = _prepared()
    _build(compose, wanted)
    check_in_images(compose)
    described = json.loads(compose.ask("config", "--format", "json"))
    due = {name: leaving for name in ORDER if name in wanted and (leaving := outdated(compose, described, name)) is not None}
    if due:
        migrate(compose)
    for name, leaving in due.items():
        replace(compose, name, leaving)
    changed = [*due, *(["nginx"] if "nginx" in wanted and is_door_outdated(compose, described) else [])]
    if "nginx" in changed:
        replace_door(compose, described)
    if changed:
        up.say(f"updated: {', '.join(changed)} ({time.monotonic() - began:.0f} s)")
    else:
        up.say("Nothing to do: every container is of this version already")


def _wanted(given: Sequence[str]) -> tuple[str, ...]:
    known = (*ORDER, "nginx")
    if unknown := [name for name in given if name not in known]:
        raise RefusedError(f"{unknown[0]} is none of {', '.join(known)}; the others are brought up to date by `make up`")
    return tuple(given) or known


def _prepared() -> Compose:
    compose = find_compose()
    check_disk(ROOT)
    for done in prepare(ROOT, demo=None, memory=memory_bytes()):
        up.say(done)
    check_values(values(ROOT), ROOT)
    check_compose(compose)
    if not _running(compose, "postgres"):
        raise RefusedError("nothing runs here that could be updated: `make up`")
    return compose


def _build(compose: Compose, wanted: Sequence[str]) -> None:
    names = {BUILT_WITH.get(name, name) for name in wanted} - {"nginx"}
    up.build(compose, *sorted(names | {"migrations"}))


def _running(compose: Compose, service: str) -> list[dict[str, Any]]:
    """Containers of a service that run, oldest first, as `docker inspect` tells."""
    ids = compose.ask("ps", "-q", "--status", "running", service).split()
    found: list[dict[str, Any]] = json.loads(docker("inspect", *ids).stdout) if ids else []
    return sorted(found, key=lambda container: str(container["Created"]))


def outdated(compose: Compose, described: Mapping[str, Any], service: str) -> list[str] | None:
    """Ids of its containers that have another image or other settings than they should. None when there is nothing to do."""
    running = _running(compose, service)
    image = docker("image", "inspect", "--format", "{{.Id}}", described["services"][service]["image"]).stdout.strip()
    wish = compose.ask("config", "--hash", service).split()[-1]
    old = [str(c["Id"]) for c in running if c["Image"] != image or c["Config"]["Labels"].get(CONFIG_HASH) != wish]
    return old if old or not running else None


def migrate(compose: Compose) -> None:
    """Before any container is replaced: the old ones go on with the new tables. Raises `RefusedError`."""
    there = database.revision(compose)
    if there and there not in manifest.revisions(ROOT):
        up.say(f"The tables are of a newer version ({there}) and stay so: migrations never take away what the version before needs")
        return
    ran = compose.run("run", "--rm", "-T", "--no-deps", "migrations", seconds=3700)
    if ran.returncode != 0:
        lines = [*ran.stdout.splitlines(), *ran.stderr.splitlines()]
        raise RefusedError(f"migrations failed, so nothing was replaced: {up.reason(lines)}")


def replace(compose: Compose, service: str, leaving: Sequence[str]) -> None:
    """As many as there were, each beside the one whose place it takes. Raises `RefusedError`, and the old ones run on."""
    if not leaving:
        up.say(f"Starting {service} …")
        begin_beside(compose, service)
    for number, container in enumerate(leaving, start=1):
        up.say(f"Replacing {service} {number} of {len(leaving)} …")
        begin_beside(compose, service)
        retire(service, container)


def begin_beside(compose: Compose, service: str) -> None:
    """One more container of the service, healthy. Raises `RefusedError`, and then it is removed again."""
    before = compose.ask("ps", "--all", "-q", service).split()
    count = f"{service}={len(before) + 1}"
    ran = compose.run("up", "--detach", "--no-deps", "--no-recreate", "--no-build", "--scale", count, service)
    new = [name for name in compose.ask("ps", "--all", "-q", service).split() if name not in before]
    if ran.returncode != 0:
        remove(new)
        raise RefusedError(f"the new {service} was not started, and the old one runs on: {last_line(ran.stderr)}")
    try:
        for container in new:
            _until_healthy(service, container)
    except BaseException:
        remove(new)
        raise


def _until_healthy(service: str, container: str) -> None:
    deadline = time.monotonic() + up.PATIENCE_SECONDS
    since: float | None = None
    while since is None or time.monotonic() < since + STEADY_SECONDS:
        state = json.loads(docker("inspect", "--format", "{{json .}}", container).stdout)
        health = state["State"].get("Health", {}).get("Status", "healthy")
        if state["RestartCount"] or state["State"]["Status"] != "running" or health == "unhealthy" or time.monotonic() > deadline:
            raise RefusedError(
                f"the new {service} did not become healthy, so it was removed and the old one runs on: {_words(service, container)}"
            )
        since = (since or time.monotonic()) if health == "healthy" else None
        time.sleep(0.5)


def _words(service: str, container: str) -> str:
    said = docker("logs", "--tail", "60", container)
    lines = [*said.stdout.splitlines(), *said.stderr.splitlines()]
    for line in lines[-up.SHOWN_LINES :]:
        up.say(f"  {service} | {line}")
    return up.reason(lines)


def retire(service: str, container: str) -> None:
    """With the time that its service has to finish what it has begun. Raises `RefusedError`."""
    if service in BEHIND_NGINX:
        time.sleep(NAMES_ARE_FRESH_SECONDS)
    for command in (("stop", container), ("rm", container)):
        ran = docker(*command)
        if ran.returncode != 0:
            raise RefusedError(f"the old {service} did not go ({last_line(ran.stderr)}): docker rm --force {container[:12]}")


def remove(containers: Sequence[str]) -> None:
    if containers:
        docker("rm", "--force", *containers)

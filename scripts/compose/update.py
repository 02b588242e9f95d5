"""`make update`: one container after the other gives its place to a new one, and nobody notices."""

import sys
import time
from collections.abc import Sequence

from scripts.compose import up
from scripts.compose.checking import check_compose, check_in_images, check_values
from scripts.compose.containers import created_beside, described, outdated, remove, retire, running, started
from scripts.compose.door import is_door_outdated, replace_door
from scripts.compose.engine import ROOT, Compose, RefusedError, find_compose
from scripts.compose.installation import prepare, values
from scripts.compose.prerequisites import check_disk, memory_bytes

ORDER = ("worker", "schedule", "api", "admin", "bot")
BUILT_WITH = {"schedule": "worker"}
BEHIND_NGINX = {"api", "admin", "bot"}
NAMES_ARE_FRESH_SECONDS = 6
"""nginx asks for addresses again every five."""


def update() -> None:
    """Raises `RefusedError`; what was not replaced by then runs on as it was."""
    began = time.monotonic()
    wanted = _wanted(sys.argv[2:])
    compose = _prepared()
    _build(compose, wanted)
    check_in_images(compose)
    plan = described(compose)
    images = {name: str(service["image"]) for name, service in plan["services"].items()}
    due = {name: leaving for name in ORDER if name in wanted and (leaving := outdated(compose, images[name], name)) is not None}
    if due:
        migrate(compose)
    for name, leaving in due.items():
        replace(compose, name, leaving)
    changed = [*due, *(["nginx"] if "nginx" in wanted and is_door_outdated(compose, images["nginx"]) else [])]
    if "nginx" in changed:
        replace_door(compose, plan)
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
    if not running(compose, "postgres"):
        raise RefusedError("nothing runs here that could be updated: `make up`")
    return compose


def _build(compose: Compose, wanted: Sequence[str]) -> None:
    names = {BUILT_WITH.get(name, name) for name in wanted} - {"nginx"}
    up.build(compose, *sorted(names | {"migrations"}))


def migrate(compose: Compose) -> None:
    """Before any container is replaced: the old ones go on with the new tables. Raises `RefusedError`."""
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
        if service in BEHIND_NGINX:
            time.sleep(NAMES_ARE_FRESH_SECONDS)
        retire(service, container)


def begin_beside(compose: Compose, service: str) -> None:
    """One more container of the service, healthy. Raises `RefusedError`, and then it is removed again."""
    new = created_beside(compose, service)
    try:
        for container in new:
            started(service, container)
    except RefusedError as refused:
        remove(new)
        raise RefusedError(f"{refused} (removed again; the old one runs on)") from None
    except BaseException:
        remove(new)
        raise

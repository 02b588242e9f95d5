"""`make restore from=<folder>`: what a backup holds takes the place of what is here, or nothing changes."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.compose import database, manifest, objects, up
from scripts.compose.engine import ROOT, Compose, RefusedError, last_line
from scripts.compose.manifest import DATABASE, OBJECTS, Manifest

STORES = ("postgres", "redis", "cache", "s3")
WRITERS = ("migrations", "bucket", "bot", "api", "worker", "schedule", "admin")
UNTOUCHED = "nothing was changed"
STOPPED = "the services are stopped and the data that was here is as it was: `make up` starts them again"
HALF = "the database is that of the backup, but the rest was not finished: repeat the command with replace=yes"
DONE = "the data is restored; what is left is to start: put that right, then `make up`"


@dataclass(slots=True)
class State:
    """What somebody must know who sees this fail here."""

    told: str = UNTOUCHED


def restore() -> None:
    """Raises `RefusedError` that ends with the state in which the installation is."""
    began = time.monotonic()
    options = _options(sys.argv[2:])
    folder = Path(options.source).expanduser()
    state = State()
    with _telling(state):
        saved = manifest.read(folder)
        manifest.check_revision(saved, manifest.revisions(ROOT))
        manifest.verify(folder, saved)
        up.say(f"The backup of {saved.made_at} is whole: {sum(saved.rows.values())} rows, {saved.objects} files")
        compose, given = up.prepared()
        _start_stores(compose)
        if not options.replace and not database.is_empty(compose):
            raise RefusedError("this installation holds data: add replace=yes to lose it (make backup first)")
        bring_back(compose, folder, saved, state, replace=options.replace)
        up.start(compose)
        up.create_operator(compose, given)
    up.say(f"restored and ready ({time.monotonic() - began:.0f} s)")
    for line in up.addresses(given):
        up.say(line)
    up.say("Operators sign in with the passwords that they had when the backup was made.")


def _options(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make restore")
    parser.add_argument("--from", dest="source", default="")
    parser.add_argument("--replace", default="")
    options = parser.parse_args(given)
    if not options.source:
        raise RefusedError("name the backup: make restore from=backups/2026-01-31T030000Z")
    if options.replace not in {"", "no", "yes"}:
        raise RefusedError(f"replace is yes or no, not {options.replace!r}")
    options.replace = options.replace == "yes"
    return options


@contextmanager
def _telling(state: State) -> Iterator[None]:
    try:
        yield
    except RefusedError as refused:
        raise RefusedError(f"{refused} – {state.told}") from None
    except OSError as error:
        raise RefusedError(f"{error} – {state.told}") from None
    except KeyboardInterrupt:
        raise RefusedError(f"interrupted – {state.told}") from None


def _start_stores(compose: Compose) -> None:
    ran = compose.run("up", "--detach", "--wait", "--wait-timeout", str(up.PATIENCE_SECONDS), "--no-build", "--no-deps", *STORES)
    if ran.returncode != 0:
        raise RefusedError(up.why(compose, last_line(ran.stderr)))


def bring_back(compose: Compose, folder: Path, saved: Manifest, state: State, *, replace: bool) -> None:
    """The database is filled beside the one in use and compared before it takes its place."""
    up.say("Stopping what writes …")
    _stop(compose, *WRITERS)
    state.told = STOPPED
    up.say("Restoring the database …")
    _fill_beside(compose, folder / DATABASE, saved)
    kept = objects.contained(folder / OBJECTS)
    if len(kept) != saved.objects:
        raise RefusedError(f"{OBJECTS} holds {len(kept)} files and should hold {saved.objects}")
    up.say("Restoring the files …")
    objects.load(compose, folder / OBJECTS)
    database.swap(compose)
    state.told = HALF
    if replace:
        objects.remove_others(compose, kept)
    forget(compose)
    state.told = DONE


def _fill_beside(compose: Compose, dump: Path, saved: Manifest) -> None:
    try:
        database.load(compose, dump)
        _compare(saved, database.counts(compose, database.RESTORED))
    except RefusedError:
        with suppress(RefusedError):
            database.discard(compose)
        raise


def _stop(compose: Compose, *services: str) -> None:
    ran = compose.run("stop", *services)
    if ran.returncode != 0:
        raise RefusedError(f"not everything could be stopped: {last_line(ran.stderr)}")


def _compare(saved: Manifest, found: dict[str, int]) -> None:
    if wrong := manifest.differences(saved.rows, found):
        raise RefusedError(f"not every row came back ({'; '.join(wrong[:3])})")


def forget(compose: Compose) -> None:
    """Queued jobs, locks, limits, sessions and the cache speak of rows that are gone. All of it is made again; operators sign in again."""
    _stop(compose, "redis", "cache")
    ran = compose.run("run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "redis", "-c", "rm -rf /data/*")
    if ran.returncode != 0:
        raise RefusedError(f"Redis was not emptied: {last_line(ran.stderr)}")

"""`make backup`: database and files in a folder that appears only when it is whole, while the platform runs."""

import argparse
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from scripts.compose import database, figures, manifest, objects
from scripts.compose.engine import ROOT, Compose, RefusedError, find_compose
from scripts.compose.installation import values
from scripts.compose.manifest import DATABASE, NAME, OBJECTS, Manifest
from scripts.compose.up import say

FOLDER = "backups"
ABANDONED_SECONDS = 86_400
NEEDED = ("postgres", "s3")


def backup() -> None:
    """Raises `RefusedError`, and then there is no backup of that name."""
    began = time.monotonic()
    options = _options(sys.argv[2:])
    compose = find_compose()
    target = _target(options.to)
    _check_running(compose)
    saved = save(compose, target)
    files = sum(note.bytes for note in saved.files.values())
    say(f"Saved {target} in {time.monotonic() - began:.0f} s: {sum(saved.rows.values())} rows of {len(saved.rows)} tables, "
        f"{saved.objects} files, {files / 1e6:.1f} MB in all")  # fmt: skip
    _tell_monitoring(saved)
    for line in ADVICE:
        say(line)
    for folder in prune(target, options.keep) if options.keep else []:
        say(f"Removed {folder}: older than the {options.keep} newest")


def _tell_monitoring(saved: Manifest) -> None:
    """The backup is made, whether or not anybody hears of it."""
    try:
        figures.tell_backup(saved)
    except OSError as error:
        say(f"The monitoring was not told ({error}): the alert BackupOld will come")


ADVICE = (
    "Not in it: .env. A new server needs its BOT_TOKEN, model keys and domain; keep a copy where passwords are kept. Generated passwords",
    "may be new ones there. Nor Redis (it holds nothing that is not made again) and the history of the graphs.",
    "What people wrote is in it, unencrypted: copy it to another machine, encrypted, and keep it no longer than you must.",
)


def _options(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make backup")
    parser.add_argument("--to", default="")
    parser.add_argument("--keep", default="")
    options = parser.parse_args(given)
    if options.keep and not (options.keep.isdecimal() and int(options.keep) > 0):
        raise RefusedError(f"keep is {options.keep!r} and should be how many backups stay: make backup keep=7")
    options.keep = int(options.keep or 0)
    return options


def _target(given: str) -> Path:
    target = Path(given).expanduser() if given else ROOT / FOLDER / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RefusedError(f"{target} is there already: a backup goes to a folder of its own")
    return target


def _check_running(compose: Compose) -> None:
    running = {row["Service"] for row in compose.containers() if row["State"] == "running"}
    if missing := [name for name in NEEDED if name not in running]:
        raise RefusedError(f"{' and '.join(missing)} does not run: `make up` first")


def save(compose: Compose, target: Path) -> Manifest:
    """Raises `RefusedError` or `OSError`, and removes what it began."""
    draft = target.with_name(f".{target.name}.unfinished")
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    try:
        draft.mkdir(mode=0o700)
    except FileExistsError:
        raise RefusedError(f"{draft} is there: another backup is being made, or one was killed (then remove that folder)") from None
    try:
        saved = _fill(compose, draft)
        draft.replace(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return saved


def _fill(compose: Compose, draft: Path) -> Manifest:
    """The database first: files are stored before a row names them, so no row of the snapshot lacks its file."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    with database.snapshot(compose) as taken:
        files = {DATABASE: database.dump(compose, taken, draft / DATABASE)}
    files[OBJECTS] = objects.save(compose, draft / OBJECTS)
    sizes = objects.contained(draft / OBJECTS).values()
    version = values(ROOT).get("VITTE_VERSION", "local")
    saved = Manifest(made_at, version, _commit(), taken.revision, taken.rows, len(sizes), sum(sizes), files)
    with manifest.created(draft / NAME) as file:
        file.write(saved.text().encode())
        manifest.settle(file)
    return saved


def _commit() -> str:
    """Of the checkout; empty where it is none."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return ""
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _sweep(parent: Path) -> None:
    """What killed backups left behind a day ago or longer."""
    for left in parent.glob(".*.unfinished"):
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def prune(newest: Path, keep: int) -> list[Path]:
    """Removes all but the `keep` newest finished backups beside the one just made; answers which."""
    old = [folder for folder in manifest.finished(newest.parent) if folder.resolve() != newest.resolve()][keep - 1 :]
    for folder in old:
        (folder / NAME).unlink()  # first, so that half a removed one is not taken for a backup
        shutil.rmtree(folder)
    return old

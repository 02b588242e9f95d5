"""The machine below: its disk, and the backups on it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scripts.compose import manifest
from scripts.compose.engine import RefusedError
from scripts.doctor.findings import Finding, fail, ok, span, warn

LEAST_SHARE, LEAST_BYTES = 0.10, 1_000_000_000
EXHAUSTED_SHARE = 0.03
BACKUP_HOURS = 26
DAILY = "`make backup keep=7`, and daily by cron"


def about_disk(place: Path, clean: str) -> Finding:
    """`clean` is the command that frees space there."""
    usage = shutil.disk_usage(place)
    share = usage.free / usage.total
    found = f"{usage.free / 1e9:.1f} GB ({share:.0%}) are free in {place}"
    if share < EXHAUSTED_SHARE or usage.free < LEAST_BYTES:
        return fail("disk", found, f"free some space before the database stops: {clean}")
    if share < LEAST_SHARE:
        return warn("disk", found, f"free some space: {clean}")
    return ok("disk", found)


def about_backups(folder: Path, now: datetime) -> Finding:
    """The newest finished one in this folder, by what it says of itself."""
    finished = manifest.finished(folder) if folder.is_dir() else []
    if not finished:
        return warn("backup", f"there is none in {folder.name}/: what is lost now is lost for good", DAILY)
    made_at = _made_at(finished[0])
    if made_at is None:
        return warn("backup", f"{finished[0].name} does not say when it was made", DAILY)
    age = now - made_at
    if age > timedelta(hours=BACKUP_HOURS):
        return warn("backup", f"the newest, {finished[0].name}, is {span(age.total_seconds())} old", DAILY)
    return ok("backup", f"the newest is {span(max(0.0, age.total_seconds()))} old")


def _made_at(folder: Path) -> datetime | None:
    try:
        found = datetime.fromisoformat(manifest.read(folder).made_at)
    except (RefusedError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

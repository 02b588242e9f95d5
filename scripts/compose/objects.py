"""The bucket of an installation: a program in the image of the migrations reads and writes it, wherever the S3 is."""

import json
import tarfile
from pathlib import Path

from scripts.compose.database import received
from scripts.compose.engine import Compose, RefusedError, last_line
from scripts.compose.manifest import Note

PROGRAM = ("run", "--rm", "-T", "--no-deps", "bucket", "python", "-m", "scripts.bucket_archive")


def save(compose: Compose, path: Path) -> Note:
    """Every object as a tar. Raises `RefusedError`."""
    return received(compose, (*PROGRAM, "save"), path, "the object store")


def contained(path: Path) -> dict[str, int]:
    """The keys in such a tar and their sizes in bytes. Raises `RefusedError` when it is none."""
    try:
        with tarfile.open(path, "r:") as archive:
            return {member.name: member.size for member in archive}
    except (tarfile.TarError, OSError) as error:
        raise RefusedError(f"{path} cannot be read: {error}") from None


def load(compose: Compose, path: Path) -> None:
    """Puts every object back and looks whether it is there. Raises `RefusedError`."""
    with path.open("rb") as file:
        ran = compose.feed(*PROGRAM, "load", source=file)
    if ran.returncode != 0:
        raise RefusedError(last_line(ran.stderr).removeprefix("vitte: ") or "the object store failed")


def remove_others(compose: Compose, kept: dict[str, int]) -> None:
    """Removes what is not named. Raises `RefusedError`."""
    ran = compose.run(*PROGRAM, "remove-others", said=json.dumps(list(kept)), seconds=3600)
    if ran.returncode != 0:
        raise RefusedError(last_line(ran.stderr).removeprefix("vitte: ") or "the object store failed")

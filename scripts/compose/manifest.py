"""What a backup says of itself, and whether it is whole. The manifest is written last, so a folder without one is no backup."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from scripts.compose.engine import RefusedError

FORMAT = 1
NAME = "manifest.json"
DATABASE, OBJECTS = "database.dump", "objects.tar"
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Note:
    """Size in bytes and SHA-256 of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`made_at` is UTC in ISO 8601; `rows` by table, counted in the snapshot that was dumped; `object_bytes` is their sum."""

    made_at: str
    version: str
    commit: str
    revision: str
    rows: Mapping[str, int]
    objects: int
    object_bytes: int
    files: Mapping[str, Note]

    def text(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"


def copied(source: IO[bytes], target: IO[bytes] | None = None) -> Note:
    """Reads to the end; what was read goes to `target`, too."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return Note(size, digest.hexdigest())


def created(path: Path) -> BinaryIO:
    """A new file that only this user may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def settle(file: BinaryIO) -> None:
    """On the disk, and not only on its way there."""
    file.flush()
    os.fsync(file.fileno())


def read(folder: Path) -> Manifest:
    """Raises `RefusedError` for what is no finished backup, or one of a later Vitte."""
    try:
        told = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RefusedError(f"{folder} is no finished backup: it has no {NAME}") from None
    except (OSError, ValueError):
        raise RefusedError(f"{folder / NAME} cannot be read: the backup is damaged") from None
    if not isinstance(told, dict) or not isinstance(told.get("format"), int):
        raise RefusedError(f"{folder / NAME} is no manifest of a backup")
    if told["format"] > FORMAT:
        raise RefusedError(f"{folder} was made by a newer Vitte (format {told['format']}, here {FORMAT}): update this one first")
    return _manifest(folder, told)


def _manifest(folder: Path, told: Mapping[str, Any]) -> Manifest:
    try:
        files = {str(name): Note(int(note["bytes"]), str(note["sha256"])) for name, note in told["files"].items()}
        rows = {str(table): int(count) for table, count in told["rows"].items()}
        made_at, version, commit, revision = (str(told[name]) for name in ("made_at", "version", "commit", "revision"))
        objects, object_bytes = int(told["objects"]), int(told["object_bytes"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise RefusedError(f"{folder / NAME} is incomplete: the backup is damaged") from None
    if files.keys() != {DATABASE, OBJECTS}:
        raise RefusedError(f"{folder / NAME} names other files than {DATABASE} and {OBJECTS}: the backup is damaged")
    return Manifest(made_at, version, commit, revision, rows, objects, object_bytes, files)


def verify(folder: Path, manifest: Manifest) -> None:
    """Every file is there as it was written. Raises `RefusedError` for the first that is not."""
    for name, note in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise RefusedError(f"{path} is missing: the backup is damaged")
        if path.stat().st_size != note.bytes:
            raise RefusedError(f"{path} has {path.stat().st_size} bytes and should have {note.bytes}: the backup is damaged")
        with path.open("rb") as file:
            if copied(file) != note:
                raise RefusedError(f"{path} is not as it was written (SHA-256): the backup is damaged")


def revisions(root: Path) -> set[str]:
    """The migrations that this checkout knows."""
    texts = (path.read_text(encoding="utf-8") for path in (root / "alembic" / "versions").glob("*.py"))
    return {found[1] for text in texts if (found := re.search(r"^revision(?:\s*:[^=]+)?\s*=\s*[\"']([^\"']+)", text, re.MULTILINE))}


def check_revision(manifest: Manifest, known: Iterable[str]) -> None:
    """Raises `RefusedError` when the tables of the backup are those of a later version."""
    if manifest.revision not in set(known):
        raise RefusedError(
            f"the backup's tables are of a newer Vitte (migration {manifest.revision}, commit {manifest.commit[:12] or 'unknown'}): "
            "update this one first"
        )


def differences(expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """Tables whose rows are not as many as they should be, as "users: 3 of 4"."""
    names = sorted(expected.keys() | found.keys())
    return [
        f"{name}: {found.get(name, 'no table')} of {expected.get(name, 'no table')}"
        for name in names
        if expected.get(name) != found.get(name)
    ]


def finished(parent: Path) -> list[Path]:
    """The finished backups in a folder, newest first."""
    dated = []
    for folder in parent.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and (folder / NAME).is_file():
            try:
                dated.append((read(folder).made_at, folder))
            except RefusedError:
                continue  # damaged, or of a newer Vitte: not ours to judge, and not ours to delete
    return [folder for _, folder in sorted(dated, reverse=True)]

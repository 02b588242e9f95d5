"""A backup is whole, or it is refused with a sentence that says what is wrong."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.compose import manifest, objects
from scripts.compose.engine import RefusedError
from scripts.compose.manifest import Manifest, Note

DUMP, TAR = b"the dump" * 1000, b"the objects"
ROOT = Path(__file__).resolve().parents[2]


def written(parent: Path, name: str = "backup", made_at: str = "2026-01-31T03:00:00+00:00") -> Path:
    folder = parent / name
    folder.mkdir(parents=True)
    files = {}
    for file_name, content in {manifest.DATABASE: DUMP, manifest.OBJECTS: TAR}.items():
        with manifest.created(folder / file_name) as file:
            files[file_name] = manifest.copied(io.BytesIO(content), file)
    saved = Manifest(made_at, "local", "c" * 40, "0001", {"users": 2, "messages": 30}, 1, 11, files)
    (folder / manifest.NAME).write_text(saved.text(), encoding="utf-8")
    return folder


def refusal(look: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        look()
    return str(refused.value)


def test_what_was_written_is_read_and_verified(tmp_path: Path) -> None:
    folder = written(tmp_path)

    saved = manifest.read(folder)
    manifest.verify(folder, saved)

    assert (saved.rows, saved.objects, saved.revision) == ({"users": 2, "messages": 30}, 1, "0001")
    assert saved.files[manifest.DATABASE] == Note(len(DUMP), hashlib.sha256(DUMP).hexdigest())


def test_only_its_owner_may_read_a_file_of_a_backup(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert (folder / manifest.DATABASE).stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    folder = written(tmp_path)
    with pytest.raises(FileExistsError):
        manifest.created(folder / manifest.DATABASE)
    assert (folder / manifest.DATABASE).read_bytes() == DUMP


def test_half_a_backup_is_none(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / manifest.NAME).unlink()
    assert refusal(lambda: manifest.read(folder)) == f"{folder} is no finished backup: it has no manifest.json"
    assert refusal(lambda: manifest.read(tmp_path / "nowhere")).endswith("nowhere is no finished backup: it has no manifest.json")


def flipped(content: bytes) -> bytes:
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (flipped, "is not as it was written (SHA-256)"),
        (lambda content: content[:-1], f"has {len(DUMP) - 1} bytes and should have {len(DUMP)}"),
        (lambda content: b"", f"has 0 bytes and should have {len(DUMP)}"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, damage: Callable[[bytes], bytes], told: str) -> None:
    folder = written(tmp_path)
    path = folder / manifest.DATABASE
    path.write_bytes(damage(DUMP))
    assert refusal(lambda: manifest.verify(folder, manifest.read(folder))) == f"{path} {told}: the backup is damaged"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / manifest.OBJECTS).unlink()
    assert refusal(lambda: manifest.verify(folder, manifest.read(folder))).endswith("objects.tar is missing: the backup is damaged")


def changed(folder: Path, **values: Any) -> Path:
    told = json.loads((folder / manifest.NAME).read_text(encoding="utf-8"))
    kept = {name: value for name, value in (told | values).items() if value is not None}
    (folder / manifest.NAME).write_text(json.dumps(kept), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"rows": None}, "manifest.json is incomplete: the backup is damaged"),
        ({"rows": {"users": "many"}}, "manifest.json is incomplete: the backup is damaged"),
        ({"files": {"../../etc/passwd": {"bytes": 1, "sha256": ""}}}, "database.dump and objects.tar: the backup is damaged"),
        ({"format": None}, "is no manifest of a backup"),
        ({"format": 2}, "was made by a newer Vitte (format 2, here 1): update this one first"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_refused(tmp_path: Path, values: dict[str, Any], told: str) -> None:
    folder = changed(written(tmp_path), **values)
    assert refusal(lambda: manifest.read(folder)).endswith(told)


def test_a_manifest_that_broke_off_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / manifest.NAME).write_text('{"format": 1, "made_at"', encoding="utf-8")
    assert refusal(lambda: manifest.read(folder)).endswith("manifest.json cannot be read: the backup is damaged")


def test_tables_of_a_later_version_are_refused_and_those_of_an_earlier_one_are_not(tmp_path: Path) -> None:
    known = manifest.revisions(ROOT)
    assert "0001" in known

    manifest.check_revision(manifest.read(written(tmp_path)), known)
    later = manifest.read(changed(written(tmp_path, "later"), revision="9999"))

    assert refusal(lambda: manifest.check_revision(later, known)) == (
        "the backup's tables are of a newer Vitte (migration 9999, commit cccccccccccc): update this one first"
    )


def test_tables_that_came_back_with_other_rows_are_named() -> None:
    assert manifest.differences({"users": 2, "turns": 1}, {"users": 2, "turns": 1}) == []
    assert manifest.differences({"users": 2, "turns": 1, "a": 0}, {"users": 1, "turns": 1, "b": 5}) == [
        "a: no table of 0",
        "b: 5 of no table",
        "users: 1 of 2",
    ]


def test_a_tar_that_is_none_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert "objects.tar cannot be read" in refusal(lambda: objects.contained(folder / manifest.OBJECTS))

"""What the commands say before they touch anything, and which backups go when only the newest are kept."""

import io
import tarfile
from pathlib import Path

import pytest

from scripts import bucket_archive
from scripts.compose import backup, installation, manifest, restore, update
from scripts.compose.engine import ROOT, RefusedError
from shared.adapters.storage import MinioStore
from tests.adapters.test_object_stores import minio, s3_endpoint
from tests.scripts.test_backup_manifest import written

__all__ = ["s3_endpoint"]
DAYS = ("2026-01-01T03:00:00+00:00", "2026-01-02T03:00:00+00:00", "2026-01-03T03:00:00+00:00", "2026-01-04T03:00:00+00:00")


def test_the_newest_stay_and_what_is_no_backup_of_ours_stays_too(tmp_path: Path) -> None:
    folders = [written(tmp_path, f"day{number}", made_at) for number, made_at in enumerate(DAYS)]
    (tmp_path / "photos").mkdir()
    half = written(tmp_path, "half")
    (half / manifest.NAME).unlink()

    gone = backup.prune(folders[3], keep=2)

    assert gone == [folders[1], folders[0]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day2", "day3", "half", "photos"]


def test_the_one_just_made_stays_also_when_the_clock_went_back(tmp_path: Path) -> None:
    folders = [written(tmp_path, f"day{number}", made_at) for number, made_at in enumerate(DAYS[:2])]
    assert backup.prune(folders[0], keep=1) == [folders[1]]
    assert folders[0].is_dir()


@pytest.mark.parametrize("keep", ["0", "-1", "all"])
def test_keep_must_be_a_number(keep: str) -> None:
    with pytest.raises(RefusedError, match="should be how many backups stay: make backup keep=7"):
        backup._options([f"--keep={keep}"])


def test_a_backup_never_goes_into_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(RefusedError, match="is there already: a backup goes to a folder of its own"):
        backup._target(str(tmp_path))
    assert backup._target(str(tmp_path / "new")) == tmp_path / "new"
    assert backup._target("").parent == ROOT / "backups"


def test_backups_are_not_committed() -> None:
    assert "backups/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "name the backup: make restore from=backups/2026-01-31T030000Z"),
        (["--from", "x", "--replace", "maybe"], "replace is yes or no, not 'maybe'"),
    ],
)
def test_restore_says_what_it_needs(given: list[str], told: str) -> None:
    with pytest.raises(RefusedError) as refused:
        restore._options(given)
    assert str(refused.value) == told


def test_a_restore_that_fails_says_in_which_state_it_leaves_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["compose", "restore", "--from", str(tmp_path)])
    with pytest.raises(RefusedError) as refused:
        restore.restore()
    assert str(refused.value) == f"{tmp_path} is no finished backup: it has no manifest.json – nothing was changed"


def test_update_knows_its_services() -> None:
    assert update._wanted([]) == ("worker", "schedule", "api", "admin", "bot", "nginx")
    assert update._wanted(["bot"]) == ("bot",)
    with pytest.raises(
        RefusedError, match="postgres is none of worker, schedule, api, admin, bot, nginx; the others are brought up to date by"
    ):
        update._wanted(["postgres"])


def files_of_compose(folder: Path, tls_mode: str) -> str:
    path = folder / ".env"
    path.write_text(path.read_text() + f"TLS_MODE={tls_mode}\n")
    installation.prepare(folder, demo=None, memory=16_000_000_000)
    return installation.values(folder).get("COMPOSE_FILE", "docker-compose.yml")


def test_certbot_comes_and_goes_with_the_mode_of_the_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    small = "docker-compose.yml:infrastructure/compose/small.yml"
    (tmp_path / ".env").write_text(f"COMPOSE_FILE={small}\n")

    assert files_of_compose(tmp_path, "acme") == f"{small}:infrastructure/compose/acme.yml"
    assert files_of_compose(tmp_path, "acme") == f"{small}:infrastructure/compose/acme.yml"
    assert files_of_compose(tmp_path, "own") == small


class Streams:
    """The standard streams of a process, in memory."""

    def __init__(self, given: bytes = b"") -> None:
        self.buffer = io.BytesIO(given)


async def test_objects_go_out_and_come_back_with_their_types(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, other = minio(s3_endpoint, "lost"), minio(s3_endpoint, "found")
    await store.make_bucket()
    contents = {f"pictures/{number}.png": (bytes([number]) * number, "image/png") for number in range(9)}
    contents["a name of nobody's/ключ"] = (b"foreign", "text/plain")
    for name, (content, kind) in contents.items():
        await store.put_back(name, content, kind)
    saved = Streams()
    monkeypatch.setattr("sys.stdout", saved)
    await bucket_archive.save(store)
    monkeypatch.undo()

    monkeypatch.setattr("sys.stdin", Streams(saved.buffer.getvalue()))
    await bucket_archive.load(other)

    assert {name: await other.take(name) for name in await other.sizes()} == contents
    await only_named_ones_stay(other, monkeypatch)
    await store.aclose()
    await other.aclose()


async def only_named_ones_stay(store: MinioStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('["pictures/1.png", "pictures/2.png"]'))
    await bucket_archive.remove_others(store)
    assert sorted(await store.sizes()) == ["pictures/1.png", "pictures/2.png"]


async def test_a_tar_that_broke_off_is_an_error(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        member = tarfile.TarInfo("a.png")
        member.size = 5000
        archive.addfile(member, io.BytesIO(b"x" * 5000))
    store = minio(s3_endpoint, "half")
    monkeypatch.setattr("sys.stdin", Streams(whole.getvalue()[:3000]))
    with pytest.raises(tarfile.TarError):
        await bucket_archive.load(store)
    assert await store.sizes() == {}
    await store.aclose()

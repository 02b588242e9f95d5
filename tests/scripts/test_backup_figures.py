"""What `make backup` tells the monitoring of itself."""

import stat
import subprocess
from pathlib import Path

import pytest

from scripts.compose import backup, figures
from scripts.compose.manifest import Manifest, Note
from scripts.local.deployment_tools import find_tool

SAVED = Manifest(
    made_at="2026-01-31T03:00:00+00:00", version="1.2.3", commit="", revision="0002", rows={"users": 3, "turns": 40}, objects=1,
    object_bytes=5, files={"database.dump": Note(1_000, "0" * 64), "objects.tar": Note(24, "1" * 64)},
)  # fmt: skip


def test_the_exporter_can_read_when_it_was_made_and_how_large_it_is(tmp_path: Path) -> None:
    (tmp_path / "backup.prom").write_text("of an earlier one, and longer than the new one " * 100)

    figures.tell_backup(SAVED, tmp_path)

    told = (tmp_path / "backup.prom").read_text()
    values = dict(line.split(" ") for line in told.splitlines() if not line.startswith("#"))
    assert values == {"vitte_backup_timestamp_seconds": "1769828400", "vitte_backup_bytes": "1024", "vitte_backup_rows": "43"}
    assert stat.S_IMODE((tmp_path / "backup.prom").stat().st_mode) == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["backup.prom"]


def test_prometheus_understands_it(tmp_path: Path) -> None:
    promtool = find_tool("promtool")
    assert promtool is not None
    figures.tell_backup(SAVED, tmp_path)

    checked = subprocess.run(
        [promtool, "check", "metrics"], input=(tmp_path / "backup.prom").read_bytes(), capture_output=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_backup_stands_although_nobody_could_be_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_saved: Manifest) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(figures, "tell_backup", refuse)
    backup._tell_monitoring(SAVED)
    assert "The monitoring was not told ([Errno 30] Read-only file system): the alert BackupOld will come" in capsys.readouterr().out


def test_the_folder_comes_with_the_checkout_and_its_figures_do_not() -> None:
    assert (figures.FOLDER / ".gitignore").read_text(encoding="utf-8").splitlines()[-2:] == ["*", "!.gitignore"]

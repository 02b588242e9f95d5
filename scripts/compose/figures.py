"""What commands that run beside the platform tell the monitoring: files that the node exporter hands on."""

import os
from datetime import datetime
from pathlib import Path

from scripts.compose.engine import ROOT
from scripts.compose.manifest import Manifest

FOLDER = ROOT / "infrastructure" / "node-exporter"
BACKUP = (
    ("vitte_backup_timestamp_seconds", "The moment that the last finished backup shows"),
    ("vitte_backup_bytes", "Size of the last finished backup"),
    ("vitte_backup_rows", "Rows in the last finished backup"),
)


def tell_backup(saved: Manifest, folder: Path = FOLDER) -> None:
    """Raises `OSError`. Until the next backup it stays the last one, also when its folder is removed."""
    made_at = datetime.fromisoformat(saved.made_at).timestamp()
    values = (made_at, sum(note.bytes for note in saved.files.values()), sum(saved.rows.values()))
    _write(folder / "backup.prom", "".join(_metric(*named, value) for named, value in zip(BACKUP, values, strict=True)))


def _metric(name: str, meaning: str, value: float) -> str:
    return f"# HELP {name} {meaning}\n# TYPE {name} gauge\n{name} {value:.0f}\n"


def _write(path: Path, text: str) -> None:
    """Never half a file; the exporter is another user and must be able to read it whatever the umask."""
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o644)
    os.replace(draft, path)

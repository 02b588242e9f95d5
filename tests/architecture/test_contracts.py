"""The import contracts hold, and each of them breaks when it is sinned against."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = [
    "direction, and services independent of each other",
    "no fifth drawer",
    "the core knows no framework and no vendor",
    "services are transport only",
    "only the outside reads settings",
    "no cycles between siblings",
]
SINS = {
    "direction, and services independent of each other": ("services/api/app.py", "import services.bot.errors\n"),
    "no fifth drawer": ("shared/utils.py", "ANSWER = 42\n"),
    "the core knows no framework and no vendor": ("shared/application/chat/service.py", "import httpx\n"),
    "services are transport only": ("services/bot/errors.py", "import sqlalchemy\n"),
    "only the outside reads settings": ("shared/adapters/clock.py", "import shared.settings\n"),
    "no cycles between siblings": ("shared/domain/errors.py", "import shared.domain.allowance\n"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(folder), "PATH": ""}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("shared", "services"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "static", "*.toml", "*.ftl"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_contract_is_kept(checkout: Path) -> None:
    found = lint(checkout)
    assert found.returncode == 0, found.stdout
    assert [name for name in CONTRACTS if f"{name} KEPT" in found.stdout] == CONTRACTS


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_planted_sin_breaks_its_contract(checkout: Path, contract: str) -> None:
    file, sin = SINS[contract]
    sinner = checkout / file
    before = sinner.read_text(encoding="utf-8") if sinner.exists() else None
    try:
        sinner.write_text((before or "") + sin, encoding="utf-8")
        found = lint(checkout)
    finally:
        if before is None:
            sinner.unlink()
        else:
            sinner.write_text(before, encoding="utf-8")

    assert found.returncode == 1
    assert f"{contract} BROKEN" in found.stdout


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("TID251", "import asyncio\n\n\nasync def run() -> None:\n    await asyncio.create_task(run())\n"),
        ("TID251", "import os\n\nHOME = os.environ\n"),
        ("TID251", "from sqlalchemy.ext.asyncio import AsyncSession\n\nprint(AsyncSession)\n"),
        ("BLE001", "def run() -> None:\n    try:\n        run()\n    except Exception:\n        return\n"),
        ("PLC0415", "def run() -> None:\n    import json\n\n    json.dumps(1)\n"),
        ("DTZ005", "from datetime import datetime\n\nNOW = datetime.now()\n"),
        ("T201", "print('said')\n"),
    ],
)
def test_the_linter_refuses_what_the_house_bans(rule: str, code: str) -> None:
    command = [str(Path(sys.executable).with_name("ruff")), "check", "--no-cache", "--stdin-filename", "shared/application/sinner.py", "-"]
    found = subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert rule in found.stdout

"""The servers of the demo for one command, or for a shell."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

ROOT = Path(__file__).resolve().parents[2]
COUNT = """
import asyncio, asyncpg, os
async def main():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"].replace("+asyncpg", ""))
    await connection.execute("CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now())")
    await connection.execute("INSERT INTO visits DEFAULT VALUES")
    print("visits:", await connection.fetchval("SELECT count(*) FROM visits"))
    await connection.close()
asyncio.run(main())
"""


@pytest.fixture
def local() -> Iterator[Path]:
    folder = Path(mkdtemp())
    folder.chmod(0o755)
    yield folder
    rmtree(folder)


def services(local: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": "", "VITTE_LOCAL": str(local), "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, str(ROOT / "scripts" / "local_services.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_command_gets_the_database_of_the_demo_until_it_is_forgotten(local: Path) -> None:
    count = ("exec", "--", sys.executable, "-c", COUNT)
    assert services(local, *count).stdout == "visits: 1\n"
    assert services(local, *count).stdout == "visits: 2\n"

    assert services(local, "forget").returncode == 0

    assert services(local, *count).stdout == "visits: 1\n"


def test_a_database_of_the_settings_wins(local: Path) -> None:
    ran = services(local, "exec", "--", "sh", "-c", 'echo "$DATABASE_URL"; exit 3', DATABASE_URL="postgresql+asyncpg://theirs/vitte")
    assert (ran.stdout, ran.returncode) == ("postgresql+asyncpg://theirs/vitte\n", 3)
    assert list(local.iterdir()) == []


def test_a_running_demo_is_not_forgotten(local: Path) -> None:
    forget = f"{sys.executable} {ROOT / 'scripts' / 'local_services.py'} forget"
    ran = services(local, "exec", "--", "sh", "-c", forget)
    assert ran.returncode == 1
    assert "Vitte already runs from this folder" in ran.stderr
    assert (local / "postgres" / "data").exists()

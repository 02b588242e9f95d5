"""`python -m services.admin` and the command that makes operators, as an operator runs them."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import House
from tests.services.admin.dashboard import PASSWORD
from tests.services.opening import NOWHERE_DATABASE, NOWHERE_REDIS
from tests.services.running_process import ROOT, free_port, running

AWAY = {"DATABASE_URL": NOWHERE_DATABASE, "REDIS_URL": NOWHERE_REDIS, "DB_CONNECT_TIMEOUT": "1"}


def test_it_serves_without_waiting_for_others_and_stops_cleanly(tmp_path: Path) -> None:
    port = free_port()
    with running("services.admin", {**AWAY, "ADMIN_SECRET_KEY": "dev", "ADMIN_PORT": str(port)}, tmp_path) as admin:
        admin.wait_for_status(f"http://127.0.0.1:{port}/admin/login", 200)
        health = admin.wait_for_status(f"http://127.0.0.1:{port}/admin/health", 503)
        assert health.json()["dependencies"]["database"]["code"] == "database_unavailable"
        code, seconds = admin.terminate()
        assert (code, admin.errors, admin.events()[-1]["event"]) == (0, [], "admin_stopped")
        assert seconds < 5


@pytest.mark.parametrize(
    ("secret", "problem"),
    [("", "is missing"), ("changeme", "is a placeholder"), ("tooshort", "is shorter than 32 characters")],
)
def test_production_refuses_to_start_without_a_real_secret(tmp_path: Path, secret: str, problem: str) -> None:
    environment = {**AWAY, "ENVIRONMENT": "production", "ADMIN_SECRET_KEY": secret}
    with running("services.admin", environment, tmp_path) as admin:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        assert admin.process.wait(timeout=20) == 78
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 2
        admin.terminate()
        assert len(admin.errors) == 1
        assert admin.errors[0].startswith(f"vitte: ADMIN_SECRET_KEY {problem}")
        assert admin.lines == []


def create(database_url: str, *arguments: str, password: str = PASSWORD) -> tuple[int, str, str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "ENVIRONMENT": "dev", "DATABASE_URL": database_url}
    command = [sys.executable, str(ROOT / "scripts/create_operator.py"), *arguments, "--password-stdin"]
    ran = subprocess.run(command, env=environment, input=password + "\n", capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout, ran.stderr


async def test_the_first_operator_is_made_once(house: House, database_url: str) -> None:
    assert create(database_url, "--login", "Ann") == (0, "operator ann created (owner)\n", "")
    again = create(database_url, "--login", "ann", password="another password of hers")
    assert again == (0, "operator ann exists already; nothing was changed\n", "")
    assert create(database_url, "--login", "vic", "--role", "viewer") == (0, "operator vic created (viewer)\n", "")
    assert await house.rows("select login, role from operators order by 1") == [("ann", "owner"), ("vic", "viewer")]


async def test_what_cannot_be_is_refused_with_one_line(house: House, database_url: str) -> None:
    weak = create(database_url, "--login", "ann", password="short")
    assert weak == (1, "", "create_operator: the password is shorter than 12 characters\n")
    code, _, error = create(database_url, "--login", "not a login")
    assert (code, error.count("\n"), error.startswith("create_operator: a login has 2 to 64")) == (1, 1, True)
    code, _, error = create(NOWHERE_DATABASE, "--login", "ann")
    assert (code, error) == (1, "create_operator: PostgreSQL is away\n")
    assert await house.rows("select login from operators") == []

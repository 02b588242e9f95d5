"""The embedded servers survive what happens to them on a real machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import asyncpg
import pytest

from scripts.local.accounts import can_reach, reachable_home
from scripts.local.postgres import PostgresServer
from scripts.local.processes import Account, Ledger, identity
from scripts.local.running import running, start, stop
from scripts.local.s3 import S3Server
from scripts.local.valkey import ValkeyServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def local() -> Iterator[Path]:
    folder = Path(mkdtemp())
    folder.chmod(0o755)
    yield folder
    rmtree(folder)


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


async def asked(server: PostgresServer, question: str) -> object:
    connection = await asyncpg.connect(server.url(scheme="postgresql"))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_the_database_keeps_what_it_was_told_and_its_address(local) -> None:
    with running(server := PostgresServer(local, hasty=True), local):
        first = server.url()
        assert PostgresServer(local, hasty=True).url() == first
        await asked(server, "CREATE TABLE kept AS SELECT 7 AS number")
    with running(server := PostgresServer(local, hasty=True), local):
        assert await asked(server, "SELECT number FROM kept") == 7
        assert server.url() == first


async def test_a_database_whose_starter_was_killed_is_taken_over(local) -> None:
    """The old server is still running: it would hold the files and the port."""
    old = start(PostgresServer(local, hasty=True), local / "log")
    with running(server := PostgresServer(local, hasty=True), local):
        assert old.wait(1) == 0
        assert await asked(server, "SELECT 1") == 1


async def test_a_crashed_database_starts_again_although_its_number_went_to_another_process(local) -> None:
    server = PostgresServer(local, hasty=True)
    crashed = start(server, local / "log")
    crashed.kill()
    crashed.wait()
    stranger = sleeper()
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(crashed.pid), str(stranger.pid), 1))

    with running(PostgresServer(local, hasty=True), local):
        assert await asked(server, "SELECT 1") == 1

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_half_made_database_is_made_anew(local) -> None:
    (local / "postgres" / "data.new").mkdir(parents=True)
    (local / "postgres" / "data.new" / "PG_VERSION").write_text("18")
    with running(server := PostgresServer(local, hasty=True), local) as process:
        assert server.is_ready(process.pid)


def test_servers_end_with_the_process_that_started_them(local) -> None:
    program = f"""
import sys, time
from pathlib import Path
from scripts.local.postgres import PostgresServer
from scripts.local.valkey import ValkeyServer
from scripts.local.running import start
local = Path({str(local)!r})
print(start(PostgresServer(local, hasty=True), local / "log").pid, start(ValkeyServer(local), local / "log").pid, flush=True)
time.sleep(60)
"""
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert starter.stdout is not None
    pids = [int(word) for word in starter.stdout.readline().split()]
    assert all(identity(pid) for pid in pids)

    starter.kill()
    starter.communicate()

    deadline = time.monotonic() + 5
    while any(identity(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_redis_keeps_what_it_was_told(local) -> None:
    server = ValkeyServer(local)
    with running(server, local):
        assert server.ask(b"SET kept 7\r\n") == b"+OK\r\n"
    with running(again := ValkeyServer(local), local):
        assert again.ask(b"GET kept\r\n") == b"$1\r\n7\r\n"
        assert again.url() == server.url()


def test_another_port_is_taken_when_somebody_has_ours(local) -> None:
    (local / "redis").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        (local / "redis" / "port").write_text(str(taken))
        with running(server := ValkeyServer(local), local):
            assert server.port != taken
    assert (local / "redis" / "port").read_text() == str(server.port)


def test_files_outlive_the_s3_stand_in(local) -> None:
    def asked_s3(server: S3Server, method: str, key: str, body: bytes | None = None) -> tuple[int, str | None, bytes]:
        line = HTTPConnection("127.0.0.1", server.port, timeout=5)
        line.request(method, f"/vitte/{key}", body, {"Content-Type": "image/png", "Authorization": "AWS any:key"})
        answer = line.getresponse()
        told = (answer.status, answer.getheader("Content-Type"), answer.read())
        line.close()
        return told

    with running(server := S3Server(local), local):
        assert asked_s3(server, "PUT", "faces/mira.png", b"a picture")[0] == 200
        assert asked_s3(server, "PUT", "gone", b"x")[0] == 200
        assert asked_s3(server, "DELETE", "gone")[0] == 204
    with running(server := S3Server(local), local):
        assert asked_s3(server, "GET", "faces/mira.png") == (200, "image/png", b"a picture")
        assert asked_s3(server, "GET", "gone")[0] == 404


def test_a_server_that_cannot_start_says_why(local) -> None:
    server = PostgresServer(local, hasty=True, settings={"max_connections": "few"})
    with pytest.raises(Exception, match=r"postgres did not start: .*max_connections"):
        start(server, local / "log")


def test_the_ledger_ends_what_a_killed_run_left(local) -> None:
    server = ValkeyServer(local)
    left = start(server, local / "log")
    Ledger(local / "ledger.json").add(left.pid, server.command())

    assert Ledger(local / "ledger.json").end_leftovers() == ["redis"]

    assert left.wait(1) == 0
    assert Ledger(local / "ledger.json").end_leftovers() == []


def test_a_folder_that_the_database_account_cannot_enter_is_not_opened_but_avoided(tmp_path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    stranger = Account(uid=os.getuid() + 4242, gid=os.getgid() + 4242)

    assert not can_reach(stranger, closed / "vitte" / ".local")
    assert str(reachable_home(closed / "vitte" / ".local", stranger)).startswith("/var/lib/vitte/")
    assert closed.stat().st_mode & 0o777 == 0o700
    assert reachable_home(closed / "vitte" / ".local", None) == closed / "vitte" / ".local" / "postgres"


def test_a_stopped_server_is_really_gone(local) -> None:
    server = ValkeyServer(local)
    process = start(server, local / "log")
    stop(process, server.command())
    assert process.returncode in (0, -signal.SIGTERM)
    assert server.ask(b"PING\r\n") == b""

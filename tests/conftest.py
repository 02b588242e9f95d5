"""Real servers for every test session, a fresh database for every test, and no way out of this machine.

Each pytest-xdist worker starts its own PostgreSQL and Redis (0.4 s). They end with the session, also when it is killed.
"""

import asyncio
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from scripts.local.chromium import find_chromium
from scripts.local.postgres import PostgresServer
from scripts.local.processes import identity
from scripts.local.running import running
from scripts.local.valkey import ValkeyServer

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "template_migrated"
PREFIX = "vitte-tests-"
T = TypeVar("T")


class NetworkForbiddenError(Exception):
    """A test tried to reach something that is not on this machine."""


def _stays_here(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name == socket.gethostname()
    return address.is_loopback or address.is_unspecified


def _forbid_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not _stays_here(host):
        raise NetworkForbiddenError(f"tests talk to loopback only, not to {host!r}")


def pytest_configure() -> None:
    sys.addaudithook(_forbid_network)
    # What a shell puts in the background, or `nohup` starts, is deaf to these, and so are its children: our tests would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _sweep_abandoned_folders() -> None:
    """Folders of sessions that were killed; their servers ended with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and identity(int(pid)) is None:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own account may pass through, unlike pytest's."""
    _sweep_abandoned_folders()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[PostgresServer]:
    """PostgreSQL without durability; `.url(database)` gives an address for SQLAlchemy, `scheme=` another one."""
    server = PostgresServer(server_folder, hasty=True)
    with running(server, server_folder):
        yield server


@pytest.fixture(scope="session")
def redis_server(server_folder: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(server_folder, hasty=True)
    with running(server, server_folder):
        yield server


class DatabaseFarm:
    """Makes and drops databases from a thread of its own, so that a fixture needs no event loop of the test."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="databases", daemon=True)
        self._thread.start()
        self._numbers = count(1)
        self._connection = self._wait(asyncpg.connect(server.url("postgres", scheme="postgresql")))

    def execute(self, statement: str) -> None:
        self._wait(self._connection.execute(statement))

    def grow(self, template: str) -> str:
        """~10 ms: files are copied, not logged page by page."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        self._wait(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=30)


@pytest.fixture(scope="session")
def database_farm(postgres_server: PostgresServer) -> Iterator[DatabaseFarm]:
    farm = DatabaseFarm(postgres_server)
    yield farm
    farm.close()


@pytest.fixture(scope="session")
def migrated_template(database_farm: DatabaseFarm) -> str:
    """A database that went through all migrations, as an operator would run them."""
    database_farm.execute(f"CREATE DATABASE {TEMPLATE}")
    environment = {**os.environ, "DATABASE_URL": database_farm.server.url(TEMPLATE), "ENVIRONMENT": "dev"}
    ran = subprocess.run(
        [sys.executable, "scripts/run_migrations.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    if ran.returncode != 0:
        pytest.exit(f"the migrations failed:\n{ran.stdout}\n{ran.stderr}", returncode=1)
    return TEMPLATE


@pytest.fixture
def database_url(database_farm: DatabaseFarm, migrated_template: str) -> Iterator[str]:
    """An empty, migrated database of this test alone (with the seeds that migrations bring)."""
    name = database_farm.grow(migrated_template)
    yield database_farm.server.url(name)
    database_farm.drop(name)


@pytest.fixture
def empty_database_url(database_farm: DatabaseFarm) -> Iterator[str]:
    """A database without a single table, for tests of the migrations themselves."""
    name = database_farm.grow("template0")
    yield database_farm.server.url(name)
    database_farm.drop(name)


@pytest.fixture
def redis_url(redis_server: ValkeyServer) -> str:
    """Redis with nothing in it."""
    assert redis_server.ask(b"FLUSHALL\r\n") == b"+OK\r\n"
    return redis_server.url()


@pytest.fixture(scope="session")
def chromium_executable() -> str:
    """A browser to start headless; as root with `--no-sandbox`."""
    found = find_chromium()
    assert found is not None, "no Chromium on this machine: `make test` gets one, or names the reason"
    return found

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from scripts.local.ports import accepts, free_port
from scripts.local.postgres import PostgresServer
from scripts.local.processes import wait_until
from scripts.local.valkey import ValkeyServer
from tests.crash.bots import ROOT, Nursery, spawn_sandbox
from tests.crash.front import Front
from tests.crash.house import SECRET, House
from tests.crash.sandbox import Sandbox
from tests.crash.servers import Stoppable

TEMPLATE = "template_crash"
MakeHouse = Callable[..., Awaitable[House]]
_bot_ids = count(700_001)


@pytest.fixture(scope="session")
def crash_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"vitte-tests-{os.getpid()}-crash-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def durable_postgres(crash_folder: Path) -> PostgresServer:
    """Keeps every commit through a kill, as production does."""
    return PostgresServer(crash_folder)


@pytest.fixture(scope="session")
def postgres(durable_postgres: PostgresServer, crash_folder: Path) -> Iterator[Stoppable]:
    server = Stoppable(durable_postgres, crash_folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(crash_folder: Path) -> ValkeyServer:
    return ValkeyServer(crash_folder, hasty=True)


@pytest.fixture(scope="session")
def redis(valkey: ValkeyServer, crash_folder: Path) -> Iterator[Stoppable]:
    server = Stoppable(valkey, crash_folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template(postgres: Stoppable, durable_postgres: PostgresServer) -> str:
    """Migrated; the free plan without its daily limit, so that a load may be as long as it likes."""
    del postgres

    async def execute(database: str, statement: str) -> None:
        connection = await asyncpg.connect(durable_postgres.url(database, scheme="postgresql"))
        await connection.execute(statement)
        await connection.close()

    with asyncio.Runner() as runner:
        runner.run(execute("postgres", f"create database {TEMPLATE}"))
        environment = {**os.environ, "DATABASE_URL": durable_postgres.url(TEMPLATE), "ENVIRONMENT": "dev"}
        subprocess.run(
            [sys.executable, "scripts/run_migrations.py"], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120
        )
        runner.run(execute(TEMPLATE, "update plans set daily_turns = null"))
    return TEMPLATE


@pytest.fixture(scope="session")
def sandbox_url(crash_folder: Path) -> Iterator[str]:
    port = free_port()
    process = spawn_sandbox(port, crash_folder / "sandbox.log")
    assert wait_until(lambda: accepts(port) or process.poll() is not None, 60)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def nursery(crash_folder: Path) -> Iterator[Nursery]:
    nursery = Nursery(crash_folder)
    yield nursery
    nursery.close()


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest.fixture
async def front(http: aiohttp.ClientSession) -> AsyncIterator[tuple[Front, str]]:
    front, port = Front(http), free_port()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/{path:.*}", front.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield front, f"http://127.0.0.1:{port}"
    await runner.cleanup()


@pytest.fixture
async def make_house(
    postgres: Stoppable,
    durable_postgres: PostgresServer,
    redis: Stoppable,
    valkey: ValkeyServer,
    template: str,
    sandbox_url: str,
    nursery: Nursery,
    http: aiohttp.ClientSession,
    front: tuple[Front, str],
    crash_folder: Path,
) -> AsyncIterator[MakeHouse]:
    """`await make_house("polling" | "webhook")`: a database and a bot of the test's own; no process of the bot runs yet."""
    houses: list[House] = []
    sandbox = Sandbox(sandbox_url, http)

    async def make(mode: str) -> House:
        bot_id = next(_bot_ids) + 10_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        name = f"crash_{bot_id}"
        connection = await asyncpg.connect(durable_postgres.url("postgres", scheme="postgresql"))
        await connection.execute(f"create database {name} template {template} strategy file_copy")
        await connection.close()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "ENVIRONMENT": "dev",
            "DATABASE_URL": durable_postgres.url(name),
            "REDIS_URL": valkey.url(),
            "BOT_TOKEN": f"{bot_id}:{'c' * 35}",
            "TELEGRAM_API_URL": sandbox_url,
            "TELEGRAM_MODE": mode,
            "WEBHOOK_URL": front[1],
            "WEBHOOK_SECRET": SECRET,
            "LLM_STRONG": "openai:sandbox",
            "OPENAI_BASE_URL": f"{sandbox_url}/llm/v1",
            "OPENAI_API_KEY": "sandbox-key",
        }
        await sandbox.post("/sim/bots", {"id": bot_id})
        await sandbox.model(first_token_ms=50, tokens_per_second=200, reply="re: {last}", fault=None)
        await sandbox.mend()
        house = House(
            bot_id=bot_id,
            mode=mode,
            environment=environment,
            sandbox=sandbox,
            nursery=nursery,
            front=front[0],
            postgres=postgres,
            redis=redis,
            dsn=durable_postgres.url(name, scheme="postgresql"),
            folder=crash_folder,
        )
        houses.append(house)
        return house

    yield make
    for house in houses:
        await house.close()
    await sandbox.mend()

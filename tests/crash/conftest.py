import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
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
    """Keeps every commit through the death of its processes, as production does; only a power cut would show the difference."""
    return PostgresServer(crash_folder, hasty=True, settings={"synchronous_commit": "on"})


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
        runner.run(execute(TEMPLATE, "update plans set daily_turns = null, turns_per_minute = null"))
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


@dataclass
class Outside:
    """What all tests of a session share: the stand-in for Telegram, the servers and the nursery of bots."""

    sandbox: Sandbox
    nursery: Nursery
    postgres: Stoppable
    redis: Stoppable
    url: Callable[..., str]
    redis_url: str
    folder: Path


@pytest.fixture(scope="session")
def servers(postgres: Stoppable, redis: Stoppable) -> tuple[Stoppable, Stoppable]:
    return postgres, redis


@pytest.fixture(scope="session")
def outside(servers: tuple[Stoppable, Stoppable], sandbox: Sandbox, nursery: Nursery, addresses: tuple[Callable[..., str], str]) -> Outside:
    return Outside(
        sandbox=sandbox,
        nursery=nursery,
        postgres=servers[0],
        redis=servers[1],
        url=addresses[0],
        redis_url=addresses[1],
        folder=nursery.folder,
    )


@pytest.fixture(scope="session")
def addresses(template: str, durable_postgres: PostgresServer, valkey: ValkeyServer, redis: Stoppable) -> tuple[Callable[..., str], str]:
    """Of a migrated PostgreSQL, by database, and of Redis."""
    return durable_postgres.url, valkey.url()


@pytest.fixture(scope="session")
def sandbox(sandbox_url: str, http: aiohttp.ClientSession) -> Sandbox:
    return Sandbox(sandbox_url, http)


@pytest.fixture
async def make_house(outside: Outside, front: tuple[Front, str]) -> AsyncIterator[MakeHouse]:
    """`await make_house("polling" | "webhook")`: a database and a bot of the test's own; no process of the bot runs yet."""
    houses: list[House] = []

    async def make(mode: str) -> House:
        bot_id = next(_bot_ids) + 10_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        name = f"crash_{bot_id}"
        connection = await asyncpg.connect(outside.url("postgres", scheme="postgresql"))
        await connection.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
        await connection.close()
        await outside.sandbox.post("/sim/bots", {"id": bot_id})
        await outside.sandbox.model(first_token_ms=50, tokens_per_second=200, reply="re: {last}", fault=None)
        await outside.sandbox.mend()
        house = House(
            bot_id=bot_id,
            mode=mode,
            environment=environment_of(outside, bot_id, name, mode, front[1]),
            sandbox=outside.sandbox,
            nursery=outside.nursery,
            front=front[0],
            postgres=outside.postgres,
            redis=outside.redis,
            dsn=outside.url(name, scheme="postgresql"),
            folder=outside.folder,
        )
        houses.append(house)
        return house

    yield make
    for house in houses:
        await house.close()
    await outside.sandbox.mend()


def environment_of(outside: Outside, bot_id: int, database: str, mode: str, front: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ENVIRONMENT": "dev",
        "DATABASE_URL": outside.url(database),
        "REDIS_URL": outside.redis_url,
        "BOT_TOKEN": f"{bot_id}:{'c' * 35}",
        "TELEGRAM_API_URL": outside.sandbox.url,
        "TELEGRAM_MODE": mode,
        "WEBHOOK_URL": front,
        "WEBHOOK_SECRET": SECRET,
        "LLM_STRONG": "openai:sandbox",
        "OPENAI_BASE_URL": f"{outside.sandbox.url}/llm/v1",
        "OPENAI_API_KEY": "sandbox-key",
    }

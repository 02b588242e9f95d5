from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from aiohttp import web
from moto.server import ThreadedMotoServer
from redis.asyncio import Redis

from scripts.local.valkey import ValkeyServer
from services.sandbox.app import create_app
from shared.adapters.storage import MinioStore
from tests.scripts.clinic import BOT_ID, Clinic, secret


@pytest.fixture(scope="session")
def doctor_s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def clinic(database_url: str, redis_url: str, redis_server: ValkeyServer, doctor_s3: str) -> AsyncIterator[Clinic]:
    runner = web.AppRunner(create_app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sandbox = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings = {
        "environment": "dev",
        "database_url": database_url,
        "redis_url": redis_url,
        "cache_url": redis_server.url(2),
        "bot_token": f"{BOT_ID}:{secret('T')}",
        "telegram_api_url": sandbox,
        "llm_strong": "openai:sandbox",
        "llm_simple": "openai:scripted-simple",
        "openai_api_key": f"key-{secret('K')}",
        "openai_base_url": f"{sandbox}/llm/v1",
        "s3_endpoint": doctor_s3,
        "s3_access_key": f"access-{secret('A')}",
        "s3_secret_key": secret("S"),
        "s3_bucket": "vitte",
        "webhook_secret": secret("W"),
    }
    store = MinioStore(endpoint=doctor_s3, access_key="test", secret_key="test", bucket="vitte")
    await store.make_bucket()
    await store.aclose()
    broker = Redis.from_url(redis_server.url(1))
    await broker.set("vitte:schedule::lock", "1")
    await broker.aclose()
    async with aiohttp.ClientSession() as session:
        found = Clinic(sandbox, session, settings)
        await found.sim("model", {"first_token_ms": 0, "tokens_per_second": 0})
        await found.call("getMe")
        yield found
    await runner.cleanup()

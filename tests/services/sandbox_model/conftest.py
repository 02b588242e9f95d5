"""A model provider on a free port of loopback, as fast as it can, and the official client in front of it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from openai import AsyncOpenAI

from services.sandbox.model import add_routes


@pytest.fixture
async def provider_url() -> AsyncIterator[str]:
    app = web.Application()
    add_routes(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def provider(provider_url: str) -> AsyncIterator[ClientSession]:
    """A session whose base is the provider; without a key unless a request brings one."""
    async with ClientSession(provider_url) as session:
        async with session.post("/sim/model", json={"first_token_ms": 0, "tokens_per_second": 0}) as answered:
            assert answered.status == 200
        yield session


@pytest.fixture
async def openai(provider: ClientSession, provider_url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="any", base_url=f"{provider_url}/llm/v1", max_retries=0, timeout=5) as client:
        yield client

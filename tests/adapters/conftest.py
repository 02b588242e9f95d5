from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from shared.adapters.llm import CallLimits, OpenAICompatibleModel
from tests.adapters.listening import Talk
from tests.adapters.provider_server import ProviderServer


@asynccontextmanager
async def serving_provider() -> AsyncIterator[ProviderServer]:
    server = ProviderServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.completions)
    app.router.add_post("/v1/messages", server.completions)
    app.router.add_get("/v1/models", server.models)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.base_url = f"http://{host}:{port}/v1"
    yield server
    await runner.cleanup()


@pytest.fixture(scope="session")
async def running_provider() -> AsyncIterator[ProviderServer]:
    async with serving_provider() as server:
        yield server


@pytest.fixture
async def providers() -> AsyncIterator[tuple[ProviderServer, ProviderServer]]:
    """Two that fail independently of each other."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(serving_provider()), await stack.enter_async_context(serving_provider())


@pytest.fixture
def provider(running_provider: ProviderServer) -> ProviderServer:
    running_provider.reset()
    return running_provider


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def talk(provider: ProviderServer, session: aiohttp.ClientSession) -> Talk:
    def build(*, limits: dict[str, Any] | None = None, **fields: Any) -> OpenAICompatibleModel:
        given = {"provider": "test", "model": "m", "base_url": provider.base_url, "session": session, **fields}
        return OpenAICompatibleModel(limits=CallLimits(**{"first_token_timeout": 2, "total_timeout": 4, **(limits or {})}), **given)

    return build

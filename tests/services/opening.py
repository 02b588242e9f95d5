"""The real application of a process over the tests' own servers, and an HTTP client that talks to an app without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr

from shared.bootstrap import Application, open_application
from shared.settings import Process, Settings

NOWHERE_DATABASE = "postgresql+asyncpg://vitte@127.0.0.1:9/nowhere"
NOWHERE_REDIS = "redis://127.0.0.1:9/0"


@asynccontextmanager
async def opened(process: Process, *, database_url: str = NOWHERE_DATABASE, redis_url: str = NOWHERE_REDIS) -> AsyncIterator[Application]:
    settings = Settings(
        _env_file=None,
        environment="dev",
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        celery_broker_url=SecretStr(redis_url),
        db_pool_size=3,
        db_connect_timeout=1.0,
        llm_strong="",
        s3_endpoint=None,
    )
    async with open_application(settings, process) as application:
        yield application


def client(app: Any, *, base: str = "http://localhost", address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url=base)

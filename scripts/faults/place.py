"""Where it happens: two providers, the doors before the first of them, and the application between database and providers."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from scripts.bench.stage import ROOT, Stage, process, wait_for
from scripts.faults.catalogue import FIRST, PRICES, SECOND, Door, Speech
from scripts.local.ports import free_port
from scripts.local.processes import Command, StartError
from shared.settings import Settings

ANY_KEY = "sandbox"


@dataclass(frozen=True, slots=True)
class Provider:
    """One of the two, as `provider:model`."""

    name: str
    url: str
    session: aiohttp.ClientSession

    async def behave(self, speech: Speech, fault: Mapping[str, Any] | None = None) -> None:
        speed = {"first_token_ms": speech.first_token_ms, "tokens_per_second": speech.tokens_per_second}
        async with self.session.post(f"{self.url}/sim/model", json={**speed, "reply": speech.script, "fault": fault}) as answer:
            if answer.status != 200:
                raise StartError(f"the sandbox refused a fault: {await answer.text()}")

    async def calls(self, after: int) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.url}/sim/model/calls", params={"after": str(after)}) as answer:
            found: list[dict[str, Any]] = orjson.loads(await answer.read())
            return found


@contextmanager
def second_sandbox(folder: Path) -> Iterator[str]:
    port = free_port()
    command = Command(name="sandbox-2", argv=(sys.executable, "-m", "scripts.bench.fast_sandbox", str(port)), cwd=ROOT)
    with process(command, folder / "sandbox-2.log") as started:
        wait_for(f"http://127.0.0.1:{port}/health", started, command)
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def door_to(provider: Provider, door: Door) -> AsyncIterator[str]:
    """The address at which the application looks for it."""
    if door == "open":
        yield f"{provider.url}/llm/v1"
    elif door == "refuses":
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            yield f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
    else:
        server = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
        try:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        finally:
            server.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the caller leaves."""
    try:
        while await reader.read(4096):
            pass
    except ConnectionError:
        pass
    finally:
        writer.close()


def settings_for(stage: Stage, database_url: str, first_url: str, second: Provider) -> Settings:
    """As in production but for the addresses, and for the prices, which are whole numbers."""
    return Settings(
        environment="dev",
        database_url=database_url,
        redis_url=stage.redis.url(),
        llm_strong=f"{FIRST}, {SECOND}",
        llm_simple="",
        llm_prices=", ".join(f"{name}={price.prompt}/{price.completion}" for name, price in PRICES.items()),
        gemini_base_url=first_url,
        gemini_api_key=ANY_KEY,
        openai_base_url=f"{second.url}/llm/v1",
        openai_api_key=ANY_KEY,
        embeddings_model="",
        _env_file=None,
    )

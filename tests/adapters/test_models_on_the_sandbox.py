"""Our adapter against the sandbox's model endpoint: two readings of the same protocol must agree."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import mul
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from services.sandbox.model.routes import add_routes
from shared.adapters.llm import CallLimits, ModelSpec, ProviderEndpoint, build_embedder, build_model
from shared.application.ports import ChatModel, Embedder, FinishReason, ModelUnavailableError
from tests.adapters.listening import PROMPT, listen_until_failure, read, say
from tests.adapters.pooling import pooled

SPEC = ModelSpec("sandbox", "mira")
QUICK = CallLimits(first_token_timeout=0.3, total_timeout=1)


class Sandbox:
    def __init__(self, address: str, session: aiohttp.ClientSession, spec: ModelSpec) -> None:
        self._address, self._session = address, session
        self.model: ChatModel = build_model(spec, {"sandbox": ProviderEndpoint(f"{address}/llm/v1", "k")}, session, limits=QUICK)

    def embedder(self, session: aiohttp.ClientSession, key: str = "k") -> Embedder:
        return build_embedder("sandbox:points", {"sandbox": ProviderEndpoint(f"{self._address}/llm/v1", key)}, session)

    async def behaves(self, **controls: Any) -> None:
        async with self._session.post(f"{self._address}/sim/model", json={"first_token_ms": 0, **controls}) as response:
            assert response.status == 200, await response.text()

    async def outcomes(self) -> list[str]:
        async with self._session.get(f"{self._address}/sim/model/calls") as response:
            return [call["outcome"] for call in await response.json()]

    async def first_outcome(self) -> str:
        """Of the first call, waiting at most two seconds for its end."""
        for _ in range(100):
            [outcome, *_] = await self.outcomes()
            if outcome != "running":
                return outcome
            await asyncio.sleep(0.02)
        return "running"


@asynccontextmanager
async def sandbox_of(spec: ModelSpec, session: aiohttp.ClientSession) -> AsyncIterator[Sandbox]:
    app = web.Application()
    add_routes(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield Sandbox(f"http://{host}:{port}", session, spec)
    await runner.cleanup()


@pytest.fixture
async def sandbox(session: aiohttp.ClientSession) -> AsyncIterator[Sandbox]:
    async with sandbox_of(SPEC, session) as one:
        yield one


@pytest.fixture
async def other_sandbox(session: aiohttp.ClientSession) -> AsyncIterator[Sandbox]:
    async with sandbox_of(ModelSpec("sandbox", "rosa"), session) as one:
        yield one


async def test_a_reply_of_the_sandbox_is_read_whole(sandbox: Sandbox) -> None:
    await sandbox.behaves(tokens_per_second=0, reply="Ahoj, **světe** 🍺!\n\nКак дела? 好")

    *_, last = pieces = await read(sandbox.model)

    assert "".join(piece.text for piece in pieces) == "Ahoj, **světe** 🍺!\n\nКак дела? 好"
    assert last.finish is FinishReason.STOP
    assert last.usage is not None
    assert last.usage.completion_tokens
    assert await sandbox.outcomes() == ["completed"]


async def test_the_sandbox_passes_a_check(sandbox: Sandbox) -> None:
    await sandbox.model.check()


@pytest.mark.parametrize(
    ("fault", "reason", "started"),
    [
        ({"kind": "slow_first_token", "ms": 30_000}, "timeout_first_token", False),
        ({"kind": "hang"}, "timeout_first_token", False),
        ({"kind": "keep_alive_only"}, "timeout_first_token", False),
        ({"kind": "cut", "after_tokens": 2}, "cut", True),
        ({"kind": "status", "code": 500}, "server_error", False),
        ({"kind": "status", "code": 503}, "server_error", False),
        ({"kind": "status", "code": 429, "retry_after": 3}, "rate_limited", False),
        ({"kind": "garbage"}, "garbage", False),
        ({"kind": "refuse_connection"}, "cut", False),
    ],
)
async def test_every_fault_of_the_sandbox_has_its_reason(sandbox: Sandbox, fault: dict[str, Any], reason: str, started: bool) -> None:
    await sandbox.behaves(tokens_per_second=0, reply="one two three four", fault=fault)

    _, failure = await listen_until_failure(sandbox.model)

    assert (failure.reason, failure.started, failure.retry_after) == (reason, started, fault.get("retry_after"))


async def test_after_the_fault_the_sandbox_is_heard_again(sandbox: Sandbox) -> None:
    await sandbox.behaves(tokens_per_second=0, reply="Back", fault={"kind": "status", "code": 500, "times": 1})

    _, failure = await listen_until_failure(sandbox.model)

    assert failure.reason == "server_error"
    assert await say(sandbox.model) == "Back"


async def test_the_sandbox_sees_a_reader_leave(sandbox: Sandbox) -> None:
    await sandbox.behaves(tokens_per_second=50, reply="a b c d e f g h i j k l m n o p q r s t u v w x y z " * 10)
    pieces = sandbox.model.stream(PROMPT)
    await anext(pieces)

    await pieces.aclose()

    assert await sandbox.first_outcome() == "abandoned"


async def test_texts_become_points_in_their_order(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    embedder = sandbox.embedder(session)

    near, nearer, far = await embedder.embed(["my cat is called Tom", "the name of my cat is Tom", "quarterly tax declaration"])

    assert embedder.name == "sandbox:points"
    assert len(near) == len(nearer) == len(far) == 256
    assert sum(map(mul, near, nearer)) > sum(map(mul, near, far))


async def test_many_texts_are_sent_in_several_requests(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    texts = [f"number {n}" for n in range(200)] + [""]

    points = await sandbox.embedder(session).embed(texts)

    assert len(points) == 201
    assert points[150] == (await sandbox.embedder(session).embed(["number 150"]))[0]


async def test_no_texts_ask_nobody(session: aiohttp.ClientSession) -> None:
    nowhere = {"sandbox": ProviderEndpoint("http://127.0.0.1:9/v1", "k")}

    assert await build_embedder("sandbox:points", nowhere, session).embed([]) == []


async def test_a_server_of_embeddings_that_is_away_is_told(session: aiohttp.ClientSession) -> None:
    nowhere = {"sandbox": ProviderEndpoint("http://127.0.0.1:9/v1", "k")}

    with pytest.raises(ModelUnavailableError) as failure:
        await build_embedder("sandbox:points", nowhere, session).embed(["hello"])

    assert failure.value.reason == "refused"


async def test_a_key_that_is_refused_is_told(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    with pytest.raises(ModelUnavailableError) as failure:
        await sandbox.embedder(session, key="").embed(["hello"])

    assert failure.value.reason == "unauthorized"


FAULTS = [
    {"kind": "hang"},
    {"kind": "keep_alive_only"},
    {"kind": "cut", "after_tokens": 3},
    {"kind": "status", "code": 500},
    {"kind": "status", "code": 429, "retry_after": 3},
    {"kind": "garbage"},
    {"kind": "refuse_connection"},
    {"kind": "slow_first_token", "ms": 30_000},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['kind']}-{fault.get('code', '')}")
async def test_a_pool_hides_every_fault_of_the_first_sandbox(sandbox: Sandbox, other_sandbox: Sandbox, fault: dict[str, Any]) -> None:
    story = "Ahoj! Once upon a time there was a fox, and it was *very* clever. Конец."
    await sandbox.behaves(tokens_per_second=0, reply=story, fault=fault)
    await other_sandbox.behaves(tokens_per_second=0, reply=story)
    house = pooled([sandbox.model, other_sandbox.model], limits=QUICK)

    heard = [await house.read() for _ in range(6)]

    assert {"".join(piece.text for piece in pieces) for pieces in heard} == {story}
    assert all(pieces[-1].usage and pieces[-1].usage.prompt_tokens for pieces in heard)
    assert not house.breaker(0).is_closed
    assert await other_sandbox.outcomes() == ["completed"] * 6

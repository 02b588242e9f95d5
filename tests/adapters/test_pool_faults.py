"""Each way in which a provider fails, over real connections: the reply is whole all the same, nothing is said twice, the bill is right,
the breaker opens, replies lose no time while it is open, and one probe closes it again."""

import asyncio
import socket
import statistics
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from shared.adapters.llm.breaker import BreakerRule
from shared.application.ports import ModelUnavailableError, Usage
from shared.domain.prompt import estimate_tokens, message_tokens
from tests.adapters.listening import PROMPT
from tests.adapters.pooling import QUICK, Pooled, pooled, served
from tests.adapters.provider_server import ProviderServer, answers, chunk, hangs, keeps_alive, streams, whole

WORDS = ("Once", " upon", " a", " time", " there", " was", " a", " fox.")
STORY = "".join(WORDS)
RULE = BreakerRule(failures=3, open_seconds=0.6)
ENDED_BY_SECOND = Usage(prompt_tokens=7, completion_tokens=3, cost_micros=7 * 10 + 3 * 20)
CUT_AFTER = "Once upon a"
CUT_TOKENS = (sum(map(message_tokens, PROMPT)), estimate_tokens(CUT_AFTER))
CONTINUED = Usage(
    prompt_tokens=7 + CUT_TOKENS[0],
    completion_tokens=3 + CUT_TOKENS[1],
    cost_micros=7 * 10 + 3 * 20 + CUT_TOKENS[0] * 1 + CUT_TOKENS[1] * 2,
)
Breaks = Callable[[ProviderServer], AbstractAsyncContextManager[str]]


def behaving(script: Any) -> Breaks:
    """The server is there and does that; yields its address."""

    @asynccontextmanager
    async def fault(server: ProviderServer) -> AsyncIterator[str]:
        server.script(script)
        yield server.base_url

    return fault


@asynccontextmanager
async def refusing(_: ProviderServer) -> AsyncIterator[str]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}/v1"


@asynccontextmanager
async def stalling_in_tls(_: ProviderServer) -> AsyncIterator[str]:
    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    server.close()


FAULTS: dict[str, tuple[Breaks, float, Usage]] = {
    "refused_connection": (refusing, 0.15, ENDED_BY_SECOND),
    "status_500": (behaving(answers(500)), 0.15, ENDED_BY_SECOND),
    "429_storm": (behaving(answers(429, headers={"Retry-After": "0.5"})), 0.15, ENDED_BY_SECOND),
    "tls_stall": (stalling_in_tls, 0.6, ENDED_BY_SECOND),
    "hang_after_connect": (behaving(hangs), 0.6, ENDED_BY_SECOND),
    "keep_alive_only": (behaving(keeps_alive()), 0.6, ENDED_BY_SECOND),
    "cut_mid_stream": (behaving(streams(*map(chunk, WORDS[:3]), 0.01, -1)), 0.15, CONTINUED),
}


@dataclass
class Heard:
    text: str
    usage: Usage | None
    model: str | None
    seconds: float


async def listen(house: Pooled) -> Heard:
    loop = asyncio.get_running_loop()
    began = loop.time()
    *pieces, last = await house.read()
    return Heard("".join(piece.text for piece in pieces), last.usage, last.model, loop.time() - began)


async def several(count: int, act: Callable[[], Coroutine[Any, Any, Heard]]) -> list[Heard]:
    return [await act() for _ in range(count)]


def p95(heard: list[Heard]) -> float:
    return statistics.quantiles([one.seconds for one in heard], n=20)[-1]


@pytest.mark.parametrize("name", list(FAULTS))
async def test_a_provider_that_fails_in_this_way_is_not_noticed(
    name: str, providers: tuple[ProviderServer, ProviderServer], session: aiohttp.ClientSession
) -> None:
    breaks, longest, usage = FAULTS[name]
    first, second = providers
    second.script(streams(whole(*WORDS)))
    async with breaks(first) as address:
        house = pooled(served(address, second.base_url, session=session), rule=RULE)
        healthy = await several(20, lambda: listen(pooled(served(second.base_url, session=session))))
        async with house.breakers.kept_in_step():
            until_open = await several(3, lambda: listen(house))
            opened = not house.breaker(0).is_closed
            while_open = await several(20, lambda: listen(house))

    assert opened
    assert {(one.text, one.model) for one in [*until_open, *while_open]} == {(STORY, "second:m")}
    assert [one.usage for one in until_open] == [usage] * 3
    assert {one.usage for one in while_open} == {ENDED_BY_SECOND}
    assert max(one.seconds for one in until_open) < longest
    assert p95(while_open) - p95(healthy) < 0.1


async def test_after_the_outage_one_probe_closes_the_breaker(
    providers: tuple[ProviderServer, ProviderServer], session: aiohttp.ClientSession
) -> None:
    first, second = providers
    first.script(answers(500))
    second.script(streams(whole(*WORDS)))
    house = pooled(served(first.base_url, second.base_url, session=session), rule=RULE)
    async with house.breakers.kept_in_step():
        await several(3, lambda: listen(house))
        asked = len(first.requests)
        first.script(streams(0.05, whole("OK", "!"), 0.0))
        await asyncio.sleep(0.61)

        at_half_open = await asyncio.gather(*(listen(house) for _ in range(20)))
        await asyncio.sleep(0.15)

        assert len(first.requests) == asked + 1
        assert {(one.text, one.model) for one in at_half_open} == {(STORY, "second:m")}
        first.script(streams(whole(*WORDS)))
        assert (await listen(house)).model == "first:m"


@pytest.mark.parametrize("keep_alive", [b"", b": keep-alive\n\n"])
async def test_a_reply_that_falls_silent_in_the_middle_is_continued(
    keep_alive: bytes, providers: tuple[ProviderServer, ProviderServer], session: aiohttp.ClientSession
) -> None:
    first, second = providers
    silence = [part for _ in range(100) for part in (keep_alive, 0.03)] if keep_alive else [5.0]
    first.script(streams(*map(chunk, WORDS[:3]), *silence))
    second.script(streams(whole(*WORDS)))
    limits = replace(QUICK, pause_timeout=0.2)
    house = pooled(served(first.base_url, second.base_url, session=session, limits=limits))

    heard = await listen(house)

    assert (heard.text, heard.model, heard.usage) == (STORY, "second:m", CONTINUED)
    assert 0.2 <= heard.seconds < 0.5


async def test_all_providers_down_is_told_within_moments(
    providers: tuple[ProviderServer, ProviderServer], session: aiohttp.ClientSession
) -> None:
    for server in providers:
        server.script(answers(503))
    house = pooled(served(*(server.base_url for server in providers), session=session))
    loop = asyncio.get_running_loop()
    began = loop.time()

    with pytest.raises(ModelUnavailableError, match=r"no model answered: first:m \(server_error\), second:m \(server_error\)"):
        await house.read()

    assert loop.time() - began < 0.2


async def test_a_crowd_on_a_hanging_provider_is_answered_by_the_next(
    providers: tuple[ProviderServer, ProviderServer], session: aiohttp.ClientSession
) -> None:
    """Forty people at once: nobody waits for the whole deadline of 0.4 s, since patience ends with 0.1 s."""
    first, second = providers
    first.script(hangs)
    second.script(streams(whole(*WORDS)))
    house = pooled(served(first.base_url, second.base_url, session=session), rule=RULE)

    heard = await asyncio.gather(*(listen(house) for _ in range(40)))

    assert {one.text for one in heard} == {STORY}
    assert max(one.seconds for one in heard) < 0.39
    assert await asyncio.wait_for(first.disconnected.wait(), 1)

"""The controls: speed, a fixed reply, and every way in which a provider fails."""

import asyncio
import time

import pytest
from aiohttp import ClientError, ClientSession
from openai import APIConnectionError, APITimeoutError, AsyncOpenAI, InternalServerError, RateLimitError

KEY = {"Authorization": "Bearer any"}
CHAT = "/llm/v1/chat/completions"
HELLO = {"model": "m", "messages": [{"role": "user", "content": "tell me a story"}]}


async def control(provider: ClientSession, **wanted: object) -> dict[str, object]:
    async with provider.post("/sim/model", json=wanted) as answered:
        assert answered.status == 200, await answered.text()
        return await answered.json()


async def outcomes(provider: ClientSession) -> list[str]:
    async with provider.get("/sim/model/calls") as answered:
        return [call["outcome"] for call in await answered.json()]


async def first_piece(openai: AsyncOpenAI) -> object:
    stream = await openai.chat.completions.create(**HELLO, stream=True)
    return await anext(aiter(stream))


async def test_a_fixed_reply_is_said_word_for_word(provider: ClientSession, openai: AsyncOpenAI):
    await control(provider, reply="Exactly  this.\n")
    answered = await openai.chat.completions.create(**HELLO)
    assert answered.choices[0].message.content == "Exactly  this.\n"
    await control(provider, reply=None)
    answered = await openai.chat.completions.create(**HELLO)
    assert len(answered.choices[0].message.content) > 500


async def test_speed_is_kept(provider: ClientSession, openai: AsyncOpenAI):
    await control(provider, first_token_ms=150, tokens_per_second=50, reply="one two three four five six seven eight nine ten ")
    began = time.monotonic()
    stream = await openai.chat.completions.create(**HELLO, stream=True)
    times = [time.monotonic() - began async for chunk in stream if chunk.choices[0].delta.content]
    assert 0.14 < times[0] < 0.5
    assert 0.15 < times[-1] - times[0] < 0.6


async def test_the_log_says_what_was_asked_and_how_it_went(provider: ClientSession, openai: AsyncOpenAI):
    await openai.chat.completions.create(**HELLO)
    await openai.chat.completions.create(**{**HELLO, "model": "other"})
    async with provider.get("/sim/model/calls?after=1") as answered:
        [call] = await answered.json()
    assert (call["n"], call["model"], call["messages"], call["outcome"]) == (2, "other", HELLO["messages"], "completed")
    assert call["total_ms"] >= 0


@pytest.mark.parametrize(("code", "error"), [(429, RateLimitError), (500, InternalServerError), (503, InternalServerError)])
async def test_statuses(provider: ClientSession, openai: AsyncOpenAI, code: int, error: type[InternalServerError]):
    await control(provider, fault={"kind": "status", "code": code, "retry_after": 7, "times": 1})
    with pytest.raises(error) as failed:
        await openai.chat.completions.create(**HELLO)
    assert (failed.value.status_code, failed.value.response.headers["retry-after"]) == (code, "7")
    assert (await openai.chat.completions.create(**HELLO)).choices
    assert await outcomes(provider) == ["status", "completed"]


async def test_cut_breaks_the_stream_after_so_many_tokens(provider: ClientSession):
    await control(provider, fault={"kind": "cut", "after_tokens": 4}, reply="a b c d e f g")
    async with provider.post(CHAT, json={**HELLO, "stream": True}, headers=KEY) as answered:
        heard = await answered.content.readuntil(b'" d"')
        with pytest.raises(ClientError):
            await answered.content.readuntil(b"[DONE]")
    assert heard.count(b'"content":"') == 5  # the opening one is empty
    assert b"[DONE]" not in heard


async def test_cut_breaks_a_whole_answer_too(provider: ClientSession, openai: AsyncOpenAI):
    await control(provider, fault={"kind": "cut"})
    with pytest.raises(APIConnectionError):
        await openai.chat.completions.create(**HELLO)


async def test_a_slow_first_token(provider: ClientSession, openai: AsyncOpenAI):
    await control(provider, fault={"kind": "slow_first_token", "ms": 200})
    began = time.monotonic()
    await openai.chat.completions.create(**HELLO)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("kind", ["hang", "keep_alive_only"])
async def test_silence_lasts_until_the_caller_leaves(provider: ClientSession, openai: AsyncOpenAI, kind: str):
    await control(provider, fault={"kind": kind})
    with pytest.raises((APITimeoutError, TimeoutError)):
        await asyncio.wait_for(first_piece(openai), 0.3)
    for _ in range(100):
        if await outcomes(provider) != ["running"]:
            break
        await asyncio.sleep(0.02)
    assert await outcomes(provider) == ["abandoned"]


async def test_garbage_is_no_json(provider: ClientSession):
    await control(provider, fault={"kind": "garbage"})
    for stream in (True, False):
        async with provider.post(CHAT, json={**HELLO, "stream": stream}, headers=KEY) as answered:
            assert answered.status == 200
            assert b"\xff\xfe" in await answered.read()


async def test_a_refused_connection(provider: ClientSession, openai: AsyncOpenAI):
    await control(provider, fault={"kind": "refuse_connection"})
    with pytest.raises(APIConnectionError):
        await openai.chat.completions.create(**HELLO)
    await control(provider, fault=None)
    assert (await openai.chat.completions.create(**HELLO)).choices


async def test_probability_spreads_a_fault_evenly(provider: ClientSession, openai: AsyncOpenAI):
    await control(provider, fault={"kind": "status", "code": 500, "probability": 0.5})
    for _ in range(6):
        async with provider.post(CHAT, json=HELLO, headers=KEY) as answered:
            await answered.read()
    assert await outcomes(provider) == ["completed", "status"] * 3


@pytest.mark.parametrize(
    "wanted",
    [
        {"speed": 3},
        {"first_token_ms": -1},
        {"tokens_per_second": "fast"},
        {"reply": 3},
        {"fault": {"kind": "sulk"}},
        {"fault": {"kind": "status", "code": 404}},
        {"fault": {"kind": "cut", "probability": 2}},
        {"fault": {"kind": "cut", "when": 1}},
        [],
    ],
)
async def test_a_control_that_means_nothing_changes_nothing(provider: ClientSession, wanted: object):
    async with provider.get("/sim/model") as answered:
        before = await answered.json()
    async with provider.post("/sim/model", json=wanted) as answered:
        assert answered.status == 400
        assert isinstance((await answered.json())["error"], str)
    async with provider.get("/sim/model") as answered:
        assert await answered.json() == before

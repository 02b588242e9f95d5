"""What providers really send, and what their failures look like to the rest of Vitte."""

import asyncio
import random
import time

import aiohttp
import pytest
from aiohttp import web

from shared.adapters.llm import CallOptions, OpenAICompatibleModel
from shared.application.ports import FinishReason, PromptMessage, Role, Usage
from shared.domain.errors import InvalidInputError
from tests.adapters.listening import Talk, read, say
from tests.adapters.provider_server import (
    DONE,
    ProviderServer,
    chunk,
    event,
    hangs_up,
    in_sizes,
    streams,
    usage,
    whole,
)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_reply_is_the_same_however_the_network_cuts_it(talk: Talk, provider: ProviderServer, newline: bytes, seed: int) -> None:
    sizes = random.Random(seed)
    said = ("Žluťoučký ", "кот 🐈‍⬛", "。好的", "\n\nnew line")
    stream = b": PROCESSING\n\nevent: message\nid: 4\nretry: 10\n" + whole(*said)
    parts = in_sizes(stream.replace(b"\n", newline), (sizes.choice((1, 2, 3, 7, 40)) for _ in iter(int, 1)))
    provider.script(streams(*(part for piece in parts for part in (piece, 0))))

    assert await say(talk()) == "".join(said)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
async def test_data_over_several_lines_is_one_event(talk: Talk, provider: ProviderServer, newline: bytes) -> None:
    stream = b'data: {"choices":\ndata: [{"delta":\ndata:{"content":"whole"}}]}\n\n' + chunk(finish="stop") + DONE
    provider.script(streams(*(part for byte in in_sizes(stream.replace(b"\n", newline), [1] * 2000) for part in (byte, 0))))

    assert await say(talk()) == "whole"


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (chunk(finish="stop") + usage() + DONE, Usage(prompt_tokens=7, completion_tokens=3)),
        (chunk(finish="stop", usage={"prompt_tokens": 7, "completion_tokens": 3}), Usage(prompt_tokens=7, completion_tokens=3)),
        (chunk(finish="stop") + DONE, None),
        (chunk(finish="stop"), None),
        (DONE, None),
        (DONE.rstrip(), None),
        (chunk(finish="a_new_reason") + event({"choices": [], "usage": None}) + DONE, None),
    ],
    ids=["as OpenAI", "usage with the finish", "no usage", "no DONE", "no finish", "no empty line at the end", "null usage"],
)
async def test_servers_end_a_reply_in_their_own_ways(talk: Talk, provider: ProviderServer, ending: bytes, expected: Usage | None) -> None:
    provider.script(streams(chunk("Hi"), ending))

    *_, last = await read(talk())

    assert (last.finish, last.usage) == (FinishReason.STOP, expected)


async def test_each_word_is_heard_when_it_is_said(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(chunk("One"), 0.05, chunk(" two") + chunk(" three"), 0.05, chunk(" four") + chunk(finish="stop") + DONE))

    assert [piece.text for piece in await read(talk())] == ["One", " two three", " four", ""]


async def test_a_server_that_keeps_the_line_open_after_the_finish_does_not_hold_the_reply(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(chunk("Hi"), chunk(finish="length"), 30.0))
    began = time.monotonic()

    *_, last = await read(talk(limits={"usage_timeout": 0.1}))

    assert last.finish is FinishReason.LENGTH
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("streamed", [True, False], ids=["called a stream", "called json"])
async def test_a_server_that_does_not_stream_is_understood(talk: Talk, provider: ProviderServer, streamed: bool) -> None:
    message = b'\xef\xbb\xbf\n {"model": "big", "choices": [{"message": {"content": "All at once"}, "finish_reason": "stop"}],'
    rest = b'"usage": {"prompt_tokens": 5, "completion_tokens": 3}}'
    provider.script(streams(message, 0.01, rest, content_type="text/event-stream" if streamed else "application/json"))

    first, last = await read(talk())

    assert first.text == "All at once"
    assert (last.finish, last.usage, last.model) == (FinishReason.STOP, Usage(prompt_tokens=5, completion_tokens=3), "big")


async def test_content_in_parts_and_thoughts_beside_it(talk: Talk, provider: ProviderServer) -> None:
    thought = event({"choices": [{"delta": {"content": None, "reasoning_content": "hmm"}}]})
    parts = event({"choices": [{"delta": {"content": [{"type": "thinking"}, {"type": "text", "text": "Yes\x00"}]}}]})
    provider.script(streams(thought, event({"type": "ping"}), chunk("\n\n"), parts, chunk(finish="stop"), DONE))

    assert await say(talk()) == "Yes"


@pytest.mark.parametrize(
    "parts", [(whole("Hi"),), (chunk("Hi") + chunk(finish="stop") + usage(), 0.02, DONE, 0.02)], ids=["at once", "slow end"]
)
async def test_a_connection_serves_many_replies(talk: Talk, provider: ProviderServer, parts: tuple[bytes | float, ...]) -> None:
    provider.script(streams(*parts))
    model = talk()

    assert [await say(model) for _ in range(5)] == ["Hi"] * 5
    assert len(set(provider.peers)) == 1


async def test_a_kept_connection_that_the_server_just_dropped_costs_no_reply(talk: Talk, provider: ProviderServer) -> None:
    provider.script(hangs_up, streams(whole("Still here")))

    assert await say(talk()) == "Still here"


async def test_a_reply_without_end_is_ended_and_the_line_cut(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(*[chunk("много слов ") for _ in range(50)], 30.0))

    *pieces, last = await read(talk(limits={"max_reply_chars": 100}))

    assert len("".join(piece.text for piece in pieces)) == 100
    assert last.finish is FinishReason.LENGTH
    async with asyncio.timeout(1):
        await provider.disconnected.wait()


async def test_what_is_asked_for(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(whole("Hi")))
    options = CallOptions(max_tokens=300, max_tokens_field="max_completion_tokens", temperature=0.4)

    await say(talk(options=options, api_key=" k-1 ", base_url=f"{provider.base_url}/?api-version=3"))

    assert provider.requests == [
        {
            "model": "m",
            "messages": [{"role": "system", "content": "You are Mira."}, {"role": "user", "content": "hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.4,
            "max_completion_tokens": 300,
        }
    ]
    assert provider.headers[0]["Authorization"] == "Bearer k-1"
    assert provider.queries == ["api-version=3"]


async def test_nothing_is_asked_that_a_strict_server_could_refuse(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(whole("Hi")))

    await say(talk(options=CallOptions(include_usage=False)))

    assert sorted(provider.requests[0]) == ["messages", "model", "stream"]
    assert "Authorization" not in provider.headers[0]


async def test_half_a_surrogate_pair_in_a_message_does_not_stop_the_talk(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(whole("Hi")))

    await say(talk(), [PromptMessage(Role.USER, "broken \ud83d emoji and 🐈")])

    assert provider.requests[0]["messages"][0]["content"] == "broken \ufffd emoji and 🐈"


async def test_a_session_of_its_own_is_closed_and_a_shared_one_is_not(provider: ProviderServer, session: aiohttp.ClientSession) -> None:
    provider.script(streams(whole("Hi")))
    own = OpenAICompatibleModel(provider="test", model="m", base_url=provider.base_url)
    shared = OpenAICompatibleModel(provider="test", model="m", base_url=provider.base_url, session=session)

    assert [await say(own), await say(shared)] == ["Hi", "Hi"]
    await own.aclose()
    await own.aclose()
    await shared.aclose()

    assert not session.closed
    assert await say(shared) == "Hi"


@pytest.mark.parametrize("base_url", ["", "api.openai.com/v1", "ftp://host/v1", "https://", "https://me:secret@host/v1", "http://[oops"])
def test_an_address_that_can_never_work_is_refused_at_once(base_url: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        OpenAICompatibleModel(provider="vllm", model="m", base_url=base_url)

    assert str(refusal.value) == "the base URL of model provider vllm must look like https://host/v1, without user or password"


@pytest.mark.parametrize("key", ["ключ", "two\nlines", "nul\x00"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        OpenAICompatibleModel(provider="openai", model="m", base_url="https://host/v1", api_key=key)

    assert key not in str(refusal.value)


async def test_a_cookie_of_one_answer_is_not_sent_back(provider: ProviderServer) -> None:
    async def with_cookie(request: web.Request) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": "Hi"}}]}, headers={"Set-Cookie": "who=1"})

    provider.script(with_cookie)
    model = OpenAICompatibleModel(provider="test", model="m", base_url=provider.base_url.replace("127.0.0.1", "localhost"))

    assert [await say(model), await say(model)] == ["Hi", "Hi"]
    await model.aclose()

    assert "Cookie" not in provider.headers[1]

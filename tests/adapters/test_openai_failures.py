"""What the failures of a provider look like to the rest of Vitte."""

import asyncio
import socket
import time
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from shared.application.ports import FinishReason, ModelUnavailableError, PromptMessage, Role
from tests.adapters.listening import Talk, listen_until_failure, read, say
from tests.adapters.provider_server import DONE, ProviderServer, answers, chunk, event, hangs, hangs_up, keeps_alive, streams, usage, whole


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (hangs_up, "cut"),
        (streams(chunk(finish="stop"), usage(), DONE), "no_text"),
        (streams(chunk("  \n"), chunk(finish="length"), DONE), "no_text"),
        (streams(b""), "empty"),
        (streams(b": ping\n\n"), "empty"),
        (streams(event({"choices": [{"delta": {"role": "assistant", "content": ""}}]})), "empty"),
        (streams(b"<html>\n<h1>Welcome: all</h1>\n</html>", content_type="text/html"), "garbage"),
        (streams(b"data: {\xff}\n\n"), "garbage"),
        (streams(b"data: [1, 2]\n\n"), "garbage"),
        (streams(event({"choices": "none"})), "garbage"),
        (streams(event({"choices": [{"delta": {"content": 5}}]})), "garbage"),
        (streams(b'{"choices": ['), "garbage"),
        (streams(b'{"detail": "no such thing"}'), "garbage"),
        (streams(b"data: " + b"x" * 200_000), "garbage"),
        (streams(b"x" * 200_000), "garbage"),
        (streams(*[b"data: " + b"x" * 30_000 + b"\n"] * 5), "garbage"),
        (streams(b"{" + b" " * (1 << 20)), "garbage"),
        (streams(event({"error": {"code": 429, "message": "upstream"}})), "rate_limited"),
        (streams(event({"error": "CUDA out of memory"})), "server_error"),
        (answers(500), "server_error"),
        (answers(529), "server_error"),
        (answers(400), "bad_request"),
        (answers(404), "not_found"),
        (answers(302, headers={"Location": "http://127.0.0.1:1/elsewhere"}), "not_found"),
        (answers(401), "unauthorized"),
        (answers(402), "unauthorized"),
        (answers(403), "unauthorized"),
        (answers(429), "rate_limited"),
    ],
)
async def test_a_failure_before_the_first_word(talk: Talk, provider: ProviderServer, script: Any, reason: str) -> None:
    provider.script(script)

    heard, failure = await listen_until_failure(talk())

    assert (heard, failure.reason, failure.started, failure.retry_after) == ([], reason, False, None)


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ((0.02, -1), "cut"),
        ((), "cut"),
        ((b"data: {oops\n\n",), "garbage"),
        ((b"data: {oops\n\n", chunk("never heard")), "garbage"),
        ((event({"error": {"code": 502, "message": "gone"}, "choices": [{"delta": {}, "finish_reason": "error"}]}),), "server_error"),
        ((30.0,), "timeout_total"),
    ],
    ids=["connection cut", "ends without a finish", "garbage", "garbage then text", "error event", "hangs"],
)
async def test_a_failure_in_mid_reply_keeps_what_was_said(talk: Talk, provider: ProviderServer, ending: Any, reason: str) -> None:
    provider.script(streams(chunk("Once") + chunk(" upon"), *ending))

    heard, failure = await listen_until_failure(talk(limits={"total_timeout": 0.3, "first_token_timeout": 0.2}))

    assert (heard, failure.reason, failure.started) == (["Once upon"], reason, True)


@pytest.mark.parametrize("script", [hangs, keeps_alive(), streams(30.0)], ids=["hang", "keep-alive only", "headers only"])
async def test_nothing_but_text_stops_the_clock_of_the_first_word(talk: Talk, provider: ProviderServer, script: Any) -> None:
    provider.script(script)
    began = time.monotonic()

    heard, failure = await listen_until_failure(talk(limits={"first_token_timeout": 0.25}))

    assert (heard, failure.reason, failure.started) == ([], "timeout_first_token", False)
    assert 0.2 < time.monotonic() - began < 1.0
    async with asyncio.timeout(1):
        await provider.disconnected.wait()


async def test_a_slow_first_word_within_its_time_is_waited_for(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(b": wait\n\n", 0.15, whole("Sorry, thinking")))

    assert await say(talk(limits={"first_token_timeout": 1})) == "Sorry, thinking"


async def test_words_do_not_prolong_the_total_time(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(*(part for _ in range(1000) for part in (chunk("la "), 0.02))))
    began = time.monotonic()

    heard, failure = await listen_until_failure(talk(limits={"total_timeout": 0.3, "first_token_timeout": 0.2}))

    assert (failure.reason, failure.started) == ("timeout_total", True)
    assert 3 < len(heard) < 17
    assert time.monotonic() - began < 1.0


async def test_a_reader_who_takes_long_breaks_is_not_cancelled_by_our_clock(talk: Talk, provider: ProviderServer) -> None:
    provider.script(streams(chunk("Once"), 0.01, whole(" upon")))
    pieces = talk(limits={"total_timeout": 0.2, "first_token_timeout": 0.1}).stream([PromptMessage(Role.USER, "hi")])

    assert (await anext(pieces)).text == "Once"
    await asyncio.sleep(0.3)

    assert [piece.text async for piece in pieces][:1] == [" upon"]


async def test_a_refused_connection(talk: Talk) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        heard, failure = await listen_until_failure(talk(base_url=f"http://127.0.0.1:{port}/v1"))

    assert (heard, failure.reason, failure.started) == ([], "refused", False)


@pytest.fixture
async def raw_server() -> AsyncIterator[Callable[[bytes], Any]]:
    servers: list[asyncio.Server] = []

    async def start(answer: bytes) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "garbage"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + chunk("Once"), "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n", "garbage"),
    ],
    ids=["not HTTP", "shorter than promised", "broken chunks"],
)
async def test_a_server_that_breaks_http(talk: Talk, raw_server: Any, answer: bytes, reason: str) -> None:
    _, failure = await listen_until_failure(talk(base_url=await raw_server(answer)))

    assert failure.reason == reason


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "999999"}, 3600.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
async def test_what_retry_after_may_look_like(
    talk: Talk, provider: ProviderServer, headers: dict[str, str], expected: float | None
) -> None:
    provider.script(answers(429, headers=headers))

    _, failure = await listen_until_failure(talk())

    assert failure.retry_after == expected


async def test_retry_after_as_a_date(talk: Talk, provider: ProviderServer) -> None:
    provider.script(answers(503, headers={"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)}))

    _, failure = await listen_until_failure(talk())

    assert failure.reason == "server_error"
    assert failure.retry_after == pytest.approx(60, abs=2)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (answers(401, {"error": {"message": "bad key k-sec", "code": "k_sec_1"}}), "unauthorized"),
        (hangs_up, "cut"),
        (hangs, "timeout_first_token"),
        (None, "refused"),
        (b"HTTP/1.1 what\r\n\r\n", "garbage"),
    ],
    ids=["status", "hang up", "hang", "refused", "not HTTP"],
)
async def test_no_error_tells_a_key_an_address_or_a_word_of_the_talk(
    talk: Talk, provider: ProviderServer, raw_server: Any, script: Any, reason: str
) -> None:
    address = provider.base_url
    if script is None:
        address = "http://127.0.0.1:1/v1"
    elif isinstance(script, bytes):
        address = await raw_server(script)
    else:
        provider.script(script)

    model = talk(api_key="k_sec_1", base_url=f"{address}?token=q-sec", limits={"first_token_timeout": 0.1})
    _, failure = await listen_until_failure(model)

    assert failure.reason == reason
    told = "".join(traceback.format_exception(failure)) + repr(failure)
    assert not [secret for secret in ("k_sec_1", "q-sec", "hello", "bad key", "127.0.0.1") if secret in told]
    assert str(failure).startswith("test:m")


async def test_the_providers_own_short_code_is_told(talk: Talk, provider: ProviderServer) -> None:
    provider.script(answers(404, {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}))

    _, failure = await listen_until_failure(talk())

    assert str(failure) == "test:m answered 404 (model_not_found)"


async def test_the_short_code_of_gemini_who_answers_in_a_list(talk: Talk, provider: ProviderServer) -> None:
    provider.script(answers(429, [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}]))

    _, failure = await listen_until_failure(talk())

    assert str(failure) == "test:m answered 429 (RESOURCE_EXHAUSTED)"


async def test_a_check_that_hangs_ends(talk: Talk, provider: ProviderServer) -> None:
    provider.script(hangs)

    with pytest.raises(ModelUnavailableError) as failure:
        await talk(limits={"first_token_timeout": 0.1}).check()

    assert failure.value.reason == "timeout_total"


@pytest.mark.parametrize("finish", ["stop", "content_filter"])
async def test_a_refusal_in_a_field_of_its_own_is_filtered_and_not_silence(talk: Talk, provider: ProviderServer, finish: str) -> None:
    refusals = [event({"choices": [{"delta": {"refusal": words}}]}) for words in ("I'm sorry, ", "I cannot do that.")]
    provider.script(streams(*refusals, chunk(finish=finish), usage(), DONE))
    pieces = await read(talk())
    assert ("".join(piece.text for piece in pieces), pieces[-1].finish) == ("", FinishReason.FILTERED)

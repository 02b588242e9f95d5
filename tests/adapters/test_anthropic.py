"""What is Anthropic's own; the promises of every model are in test_chat_models.py."""

from typing import Any

import aiohttp
import pytest

from shared.adapters.llm import CallLimits, CallOptions
from shared.adapters.llm.anthropic import AnthropicModel
from shared.application.ports import FinishReason, ModelUnavailableError, PromptMessage, Role, Usage
from tests.adapters.anthropic_server import PING, delta, end, error, refuses, start, thought, whole
from tests.adapters.listening import PROMPT, read, say
from tests.adapters.provider_server import ProviderServer, answers, streams


@pytest.fixture
def claude(provider: ProviderServer, session: aiohttp.ClientSession) -> AnthropicModel:
    limits = CallLimits(first_token_timeout=2, total_timeout=4)
    return AnthropicModel(provider="anthropic", model="claude-x", base_url=provider.base_url, api_key="k-1", session=session, limits=limits)


async def test_the_request_is_one_that_anthropic_takes(claude: AnthropicModel, provider: ProviderServer) -> None:
    provider.script(streams(whole("Hi")))
    prompt = [
        PromptMessage(Role.SYSTEM, "You are Mira."),
        PromptMessage(Role.ASSISTANT, "Welcome!"),
        PromptMessage(Role.USER, "one"),
        PromptMessage(Role.USER, "two"),
        PromptMessage(Role.ASSISTANT, " "),
        PromptMessage(Role.SYSTEM, "Be short."),
    ]

    pieces = [piece async for piece in claude.stream(prompt, temperature=1.7)]

    assert "".join(piece.text for piece in pieces) == "Hi"
    assert provider.requests[-1] == {
        "model": "claude-x",
        "max_tokens": 1024,
        "system": "You are Mira.\n\nBe short.",
        "messages": [
            {"role": "user", "content": "(The conversation begins.)"},
            {"role": "assistant", "content": "Welcome!"},
            {"role": "user", "content": "one\n\ntwo"},
        ],
        "stream": True,
        "temperature": 1.0,
    }
    headers = {name.lower(): value for name, value in provider.headers[-1].items()}
    assert (headers["x-api-key"], headers["anthropic-version"], headers.get("authorization")) == ("k-1", "2023-06-01", None)


async def test_the_longest_reply_is_the_one_asked_for(provider: ProviderServer, session: aiohttp.ClientSession) -> None:
    provider.script(streams(whole("Hi")))
    options = CallOptions(max_tokens=800)
    claude = AnthropicModel(provider="anthropic", model="c", base_url=provider.base_url, session=session, options=options)

    await say(claude)
    [_ async for _ in claude.stream(PROMPT, max_tokens=50)]

    assert [asked["max_tokens"] for asked in provider.requests] == [800, 50]


async def test_tokens_of_the_cache_are_tokens_of_the_prompt(claude: AnthropicModel, provider: ProviderServer) -> None:
    counted = start().replace(
        b'"input_tokens": 7', b'"input_tokens": 7, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 2000'
    )
    provider.script(streams(counted, delta("Hi"), end(completion=9)))

    [*_, last] = await read(claude)

    assert last.usage == Usage(prompt_tokens=2107, completion_tokens=9)


async def test_thoughts_and_pings_are_not_said(claude: AnthropicModel, provider: ProviderServer) -> None:
    provider.script(streams(start(), thought("hm, what"), PING, delta("Hi"), PING, delta(" you\x00"), end()))

    assert await say(claude) == "Hi you"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("overloaded_error", "server_error"),
        ("api_error", "server_error"),
        ("rate_limit_error", "rate_limited"),
        ("authentication_error", "unauthorized"),
        ("invalid_request_error", "bad_request"),
    ],
)
async def test_an_error_in_the_stream_has_its_reason(claude: AnthropicModel, provider: ProviderServer, kind: str, reason: str) -> None:
    provider.script(streams(start(), delta("Once"), error(kind)))

    with pytest.raises(ModelUnavailableError) as failure:
        await read(claude)

    assert (failure.value.reason, failure.value.started) == (reason, True)


async def test_an_overloaded_provider_is_named_with_its_code(claude: AnthropicModel, provider: ProviderServer) -> None:
    provider.script(refuses(529, "overloaded_error"))

    with pytest.raises(ModelUnavailableError, match=r"^anthropic:claude-x answered 529 \(overloaded_error\)$") as failure:
        await read(claude)

    assert failure.value.reason == "server_error"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("stop_sequence", FinishReason.STOP), ("pause_turn", FinishReason.STOP), ("model_context_window_exceeded", FinishReason.LENGTH)],
)
async def test_other_ways_to_end(claude: AnthropicModel, provider: ProviderServer, reason: str, finish: FinishReason) -> None:
    provider.script(streams(whole("Hi", reason=reason)))

    assert (await read(claude))[-1].finish is finish


async def test_a_gateway_that_does_not_stream_is_heard(claude: AnthropicModel, provider: ProviderServer) -> None:
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}, {"type": "text", "text": " you"}]
    usage = {"input_tokens": 5, "output_tokens": 2}
    body = {"type": "message", "model": "claude-x-1", "content": content, "stop_reason": "end_turn", "usage": usage}
    provider.script(answers(200, body))

    first, last = await read(claude)

    assert (first.text, last.model, last.usage) == ("Hi you", "claude-x-1", Usage(prompt_tokens=5, completion_tokens=2))


@pytest.mark.parametrize("body", [{"no": "type"}, ["list"], {"type": "message_start"}, {"type": "message", "content": "text"}])
async def test_nonsense_is_garbage(claude: AnthropicModel, provider: ProviderServer, body: Any) -> None:
    provider.script(answers(200, body))

    with pytest.raises(ModelUnavailableError) as failure:
        await read(claude)

    assert (failure.value.reason, failure.value.started) == ("garbage", False)


async def test_half_a_surrogate_pair_in_what_was_said_is_mended(claude: AnthropicModel, provider: ProviderServer) -> None:
    provider.script(streams(whole("Hi")))

    assert await say(claude, [PromptMessage(Role.USER, "broken \ud83d emoji")]) == "Hi"
    assert provider.requests[-1]["messages"][0]["content"] == "broken � emoji"

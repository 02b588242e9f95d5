"""What every ChatModel promises, whoever stands behind it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import ClassVar, Protocol

import aiohttp
import pytest

from shared.adapters.llm import Breakers, CallLimits, Fault, ModelPool, OpenAICompatibleModel, Prices, ScriptedModel
from shared.adapters.llm.anthropic import AnthropicModel
from shared.adapters.llm.breaker import BreakerRule
from shared.adapters.llm.line import RetryRule
from shared.adapters.llm.member import Member
from shared.application.ports import ChatModel, FinishReason, ModelUnavailableError
from tests.adapters import anthropic_server
from tests.adapters.listening import PROMPT, listen_until_failure, read, say
from tests.adapters.provider_server import ProviderServer, answers, chunk, hangs_up, streams, whole

QUICK = CallLimits(first_token_timeout=2, total_timeout=5)


class Stage(Protocol):
    """One model and the means to tell what stands behind it how to behave."""

    model: ChatModel
    ends_as: ClassVar[str]

    def says(self, *pieces: str, finish: FinishReason = FinishReason.STOP) -> None: ...
    def pauses_for_ever_after(self, *pieces: str) -> None: ...
    def breaks_after(self, *pieces: str) -> None: ...
    def is_rate_limited(self, retry_after: float) -> None: ...
    def is_down(self) -> None: ...
    def asked(self) -> list[tuple[str, str]]: ...
    def temperature(self) -> float | None: ...
    async def nobody_reads(self) -> None: ...


@dataclass
class ScriptedStage:
    model: ScriptedModel
    ends_as: ClassVar[str] = "test-model-2026"

    def says(self, *pieces: str, finish: FinishReason = FinishReason.STOP) -> None:
        self.model.queue(pieces)
        self.model.finish = finish

    def pauses_for_ever_after(self, *pieces: str) -> None:
        self.model.queue(pieces)
        self.model.break_next(Fault.hang(after_pieces=len(pieces)))

    def breaks_after(self, *pieces: str) -> None:
        self.model.queue(pieces)
        self.model.break_next(Fault.cut(after_pieces=len(pieces)))

    def is_rate_limited(self, retry_after: float) -> None:
        self.model.break_next(Fault.rate_limited(retry_after))

    def is_down(self) -> None:
        self.model.down = Fault(reason="server_error")

    def asked(self) -> list[tuple[str, str]]:
        return [(message.role.value, message.text) for message in self.model.prompts[-1]]

    def temperature(self) -> float | None:
        return self.model.temperatures[-1]

    async def nobody_reads(self) -> None:
        assert self.model.open_streams == 0


@dataclass
class HttpStage:
    model: ChatModel
    provider: ProviderServer
    ends_as: ClassVar[str] = "test-model-2026"

    def says(self, *pieces: str, finish: FinishReason = FinishReason.STOP) -> None:
        reason = {"filtered": "content_filter"}.get(finish.value, finish.value)
        self.provider.script(streams(whole(*pieces).replace(b'"stop"', f'"{reason}"'.encode())))

    def pauses_for_ever_after(self, *pieces: str) -> None:
        self.provider.script(streams(*map(chunk, pieces), 30.0))

    def breaks_after(self, *pieces: str) -> None:
        self.provider.script(streams(*map(chunk, pieces), 0.02, -1))

    def is_rate_limited(self, retry_after: float) -> None:
        self.provider.script(answers(429, headers={"Retry-After": f"{retry_after:g}"}))

    def is_down(self) -> None:
        self.provider.script(answers(503))

    def asked(self) -> list[tuple[str, str]]:
        return [(message["role"], message["content"]) for message in self.provider.requests[-1]["messages"]]

    def temperature(self) -> float | None:
        return self.provider.requests[-1].get("temperature")

    async def nobody_reads(self) -> None:
        async with asyncio.timeout(1):
            await self.provider.disconnected.wait()


@dataclass
class AnthropicStage(HttpStage):
    """The same server, in Anthropic's words."""

    def says(self, *pieces: str, finish: FinishReason = FinishReason.STOP) -> None:
        reason = {"stop": "end_turn", "length": "max_tokens", "filtered": "refusal"}[finish.value]
        self.provider.script(streams(anthropic_server.whole(*pieces, reason=reason)))

    def pauses_for_ever_after(self, *pieces: str) -> None:
        self.provider.script(streams(anthropic_server.start(), *map(anthropic_server.delta, pieces), 30.0))

    def breaks_after(self, *pieces: str) -> None:
        self.provider.script(streams(anthropic_server.start(), *map(anthropic_server.delta, pieces), 0.02, -1))

    def is_rate_limited(self, retry_after: float) -> None:
        self.provider.script(anthropic_server.refuses(429, "rate_limit_error", headers={"Retry-After": f"{retry_after:g}"}))

    def is_down(self) -> None:
        self.provider.script(anthropic_server.refuses(529, "overloaded_error"))

    def asked(self) -> list[tuple[str, str]]:
        request = self.provider.requests[-1]
        return [("system", request["system"]), *((message["role"], message["content"]) for message in request["messages"])]


@dataclass
class PoolStage(HttpStage):
    """A pool of one model; how several answer as one is told in test_model_pool.py."""

    ends_as: ClassVar[str] = "test:test-model-2026"


def pool_of(model: ChatModel) -> ModelPool:
    breakers = Breakers()
    breaker = breakers.of(model.name, rule=BreakerRule(failures=1000))
    return ModelPool([Member(model=model, breaker=breaker)], breakers, Prices(), retry=RetryRule(attempts=1))


@pytest.fixture(params=["scripted", "openai_compatible", "anthropic", "pool"])
async def stage(request: pytest.FixtureRequest, provider: ProviderServer, session: aiohttp.ClientSession) -> AsyncIterator[Stage]:
    if request.param == "scripted":
        yield ScriptedStage(ScriptedModel(name="test:test-model-2026"))
        return
    adapter = AnthropicModel if request.param == "anthropic" else OpenAICompatibleModel
    model = adapter(provider="test", model="test-model-2026", base_url=provider.base_url, session=session, limits=QUICK)
    match request.param:
        case "anthropic":
            yield AnthropicStage(model, provider)
        case "pool":
            yield PoolStage(pool_of(model), provider)
        case _:
            yield HttpStage(model, provider)
    await model.aclose()


async def test_a_reply_comes_in_order_and_ends_with_a_finish(stage: Stage) -> None:
    stage.says("Ahoj", ", ", "světe 🍺")

    *pieces, last = await read(stage.model)

    assert "".join(piece.text for piece in pieces) == "Ahoj, světe 🍺"
    assert all(piece.text for piece in pieces)
    assert {piece.finish for piece in pieces} == {None}
    assert (last.text, last.finish, last.model) == ("", FinishReason.STOP, stage.ends_as)
    assert last.usage is not None
    assert last.usage.prompt_tokens
    assert last.usage.completion_tokens


async def test_the_model_gets_the_prompt_as_it_is(stage: Stage) -> None:
    stage.says("hm")

    await read(stage.model)

    assert stage.asked() == [("system", "You are Mira."), ("user", "hello")]


@pytest.mark.parametrize("temperature", [None, 0.3])
async def test_a_characters_temperature_reaches_the_model(stage: Stage, temperature: float | None) -> None:
    stage.says("hm")

    [_ async for _ in stage.model.stream(PROMPT, temperature=temperature)]

    assert stage.temperature() == temperature


@pytest.mark.parametrize("finish", list(FinishReason))
async def test_why_a_reply_ended_is_told(stage: Stage, finish: FinishReason) -> None:
    stage.says("so", finish=finish)

    assert (await read(stage.model))[-1].finish is finish


async def test_a_reader_who_leaves_ends_the_generation_at_once(stage: Stage) -> None:
    stage.pauses_for_ever_after("Once", " upon")

    async with aclosing(stage.model.stream(PROMPT)) as pieces:
        assert (await anext(pieces)).text.startswith("Once")

    await stage.nobody_reads()


async def test_a_reader_who_is_cancelled_while_waiting_ends_the_generation_at_once(stage: Stage) -> None:
    stage.pauses_for_ever_after("Once")
    heard: deque[str] = deque()

    async def listen() -> None:
        async with aclosing(stage.model.stream(PROMPT)) as pieces:
            async for piece in pieces:
                heard.append(piece.text)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listen(), 0.1)

    assert heard == deque(["Once"])
    await stage.nobody_reads()


async def test_a_reply_that_breaks_off_says_that_it_had_begun(stage: Stage) -> None:
    stage.breaks_after("Once", " upon")

    heard, failure = await listen_until_failure(stage.model)

    assert "".join(heard) == "Once upon"
    assert (failure.reason, failure.started, failure.code) == ("cut", True, "model_unavailable")


async def test_a_rate_limit_says_how_long_to_wait(stage: Stage) -> None:
    stage.is_rate_limited(12.0)

    with pytest.raises(ModelUnavailableError) as failure:
        await read(stage.model)

    assert (failure.value.reason, failure.value.started, failure.value.retry_after) == ("rate_limited", False, 12.0)


async def test_a_check_passes_or_tells(stage: Stage) -> None:
    await stage.model.check()
    stage.is_down()

    with pytest.raises(ModelUnavailableError) as failure:
        await stage.model.check()

    assert (failure.value.reason, failure.value.started) == ("server_error", False)


async def test_after_a_failure_the_next_reply_is_whole(stage: Stage) -> None:
    stage.breaks_after("Once")
    with pytest.raises(ModelUnavailableError):
        await read(stage.model)
    stage.says("Twice", " told")

    assert await say(stage.model) == "Twice told"


async def test_many_replies_at_once_do_not_mix(stage: Stage) -> None:
    stage.says("one", " two", " three")
    if isinstance(stage, ScriptedStage):
        for _ in range(19):
            stage.says("one", " two", " three")

    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(read(stage.model)) for _ in range(20)]

    assert {"".join(piece.text for piece in reader.result()) for reader in readers} == {"one two three"}


async def test_the_name_is_provider_and_model(stage: Stage) -> None:
    assert stage.model.name == "test:test-model-2026"


async def test_hanging_up_before_a_word_is_a_failure_that_had_not_begun(stage: Stage) -> None:
    stage.breaks_after()
    if isinstance(stage, HttpStage):
        stage.provider.script(hangs_up)

    with pytest.raises(ModelUnavailableError) as failure:
        await read(stage.model)

    assert (failure.value.reason, failure.value.started) == ("cut", False)

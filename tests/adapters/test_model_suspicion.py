"""A model that has fallen silent is left by those who wait for it together, before the patience of any of them ends."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from prometheus_client import REGISTRY

from shared.adapters.llm import Fault
from shared.adapters.llm.breaker import BreakerRule
from shared.application.ports import Usage
from shared.domain.prompt import estimate_tokens, message_tokens
from tests.adapters.listening import PROMPT
from tests.adapters.pooling import QUICK, Pooled, pooled, scripted, served
from tests.adapters.provider_server import ProviderServer, hangs, streams, whole

PATIENCE = 0.7
SUSPECTED_AFTER = 0.3
LIMITS = replace(QUICK, first_token_timeout=PATIENCE)
LEFT_EARLY = 0.6
MOMENT = 0.1


@dataclass
class Heard:
    text: str
    model: str | None
    usage: Usage | None
    seconds: float


@asynccontextmanager
async def house_of(models: list[Any], *, failures: int = 3, **fields: Any) -> AsyncIterator[Pooled]:
    """All models use to speak within 50 ms."""
    house = pooled(models, rule=BreakerRule(failures=failures), limits=LIMITS, **fields)
    for member in house.pool.members:
        for _ in range(20):
            member.first_tokens.add(0.05)
    async with house.breakers.kept_in_step():
        yield house
    for member in house.pool.members:
        member.suspicion.heard()


async def ask(house: Pooled, after: float = 0.0) -> Heard:
    await asyncio.sleep(after)
    loop = asyncio.get_running_loop()
    began = loop.time()
    *pieces, last = await house.read()
    return Heard("".join(piece.text for piece in pieces), last.model, last.usage, loop.time() - began)


async def crowd(house: Pooled, count: int) -> list[Heard]:
    """They ask 10 ms after one another."""
    return await asyncio.gather(*(ask(house, 0.01 * number) for number in range(count)))


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"vitte_{name}_total", labels) or 0.0


def all_counted() -> dict[str, float]:
    return {
        "failovers": counted("model_failovers", from_model="first:m", to_model="second:m", reason="suspected"),
        "raced": counted("model_hedges", reason="suspected", winner="second"),
        "raced in vain": counted("model_hedges", reason="suspected", winner="first"),
        "stopped": counted("model_calls", provider="first", model="first:m", outcome="stopped"),
        "opened": counted("model_suspicions", model="first:m", outcome="opened"),
        "spoke": counted("model_suspicions", model="first:m", outcome="spoke"),
        "undecided": counted("model_suspicions", model="first:m", outcome="undecided"),
    }


def since(before: dict[str, float]) -> dict[str, float]:
    return {name: value - before[name] for name, value in all_counted().items() if value != before[name]}


async def test_three_who_wait_in_vain_leave_together_and_the_breaker_opens_when_their_patience_would_have_ended() -> None:
    first, second = scripted()
    first.down = Fault.hang()
    before = all_counted()
    async with house_of([first, second]) as house:
        heard = await crowd(house, 3)

        assert all(SUSPECTED_AFTER <= one.seconds < LEFT_EARLY for one in heard)
        assert {(one.text, one.model) for one in heard} == {("You said: hello", "second:m")}
        assert {one.usage for one in heard} == {Usage(prompt_tokens=6, completion_tokens=4, cost_micros=6 * 10 + 4 * 20)}
        assert (house.breaker(0).is_closed, house.breaker(0).failures) == (True, 0)
        assert since(before) == {"failovers": 3, "raced": 3, "stopped": 3}

        await asyncio.sleep(PATIENCE - SUSPECTED_AFTER + 0.2)
        assert not house.breaker(0).is_closed
        assert since(before) == {"failovers": 3, "raced": 3, "stopped": 3, "opened": 1}
    assert (len(first.prompts), len(second.prompts), first.open_streams) == (3 + 1, 3, 0)
    assert not house.breaker(0).on_opening


async def test_who_comes_while_it_is_suspected_does_not_ask_it() -> None:
    first, second = scripted()
    first.down = Fault.hang()
    async with house_of([first, second]) as house:
        await crowd(house, 3)
        asked, before = len(first.prompts), all_counted()

        heard = await crowd(house, 5)

        assert all(one.seconds < MOMENT and one.model == "second:m" for one in heard)
        assert since(before) == {"failovers": 5}
    assert len(first.prompts) == asked


async def test_two_who_wait_prove_nothing() -> None:
    first, second = scripted()
    first.down = Fault.hang()
    async with house_of([first, second]) as house:
        heard = await crowd(house, 2)

    assert all(one.seconds >= PATIENCE for one in heard)
    assert len(first.prompts) == 2


async def test_a_first_text_that_somebody_hears_between_makes_the_others_a_long_thought() -> None:
    first, second = scripted()
    first.break_next(Fault.hang(), Fault.hang(), None, Fault.hang())
    before = all_counted()
    async with house_of([first, second]) as house:
        one, two, quick, three = await crowd(house, 4)

    assert (quick.model, quick.seconds < MOMENT) == ("first:m", True)
    assert all(slow.seconds >= PATIENCE - 0.01 for slow in (one, two, three))
    assert since(before) == {}


async def test_a_model_that_was_only_late_speaks_first_and_is_asked_again_at_once() -> None:
    first, second = scripted()
    first.first_token_seconds, second.first_token_seconds = 0.36, 0.3
    first.say, second.say = lambda _: "From the first.", lambda _: "From the second."
    before = all_counted()
    async with house_of([first, second]) as house:
        heard = await crowd(house, 3)
        first.first_token_seconds = 0.0
        assert (await ask(house)).text == "From the first."
        await asyncio.sleep(PATIENCE - 0.3)

        assert {one.text for one in heard} == {"From the first."}
        assert {one.usage.cost_micros for one in heard if one.usage} == {heard[0].usage and 6 + 4 * 2}
        assert (house.breaker(0).is_closed, house.breaker(0).failures) == (True, 0)
    assert since(before) == {"raced in vain": 3, "spoke": 1}
    assert [model.open_streams for model in (first, second)] == [0, 0]


async def test_a_model_that_is_always_slow_is_never_suspected() -> None:
    first, second = scripted()
    first.first_token_seconds = 0.4
    async with house_of([first, second]) as house:
        for _ in range(10):
            house.pool.members[0].first_tokens.add(0.4)

        assert {one.model for one in await crowd(house, 6)} == {"first:m"}
    assert (len(first.prompts), second.prompts) == (6, [])


async def test_a_suspicion_that_two_words_refute_shuts_nothing_and_is_not_raised_again_before_a_reply_begins() -> None:
    first, second = scripted()
    first.break_next(*[Fault.hang()] * 3, None, *[Fault.hang()] * 3)
    before = all_counted()
    async with house_of([first, second], failures=5) as house:
        assert all(one.seconds < LEFT_EARLY for one in await crowd(house, 3))
        await asyncio.sleep(PATIENCE - SUSPECTED_AFTER + 0.2)
        assert (house.breaker(0).failures, since(before)["spoke"]) == (0, 1)

        assert all(one.seconds >= PATIENCE - 0.03 for one in await crowd(house, 3))

        assert (await ask(house)).model == "first:m"
        first.down = Fault.hang()
        assert all(one.seconds < LEFT_EARLY for one in await crowd(house, 3))


async def test_an_only_model_is_waited_for_and_asked_nothing_else() -> None:
    [model] = scripted(1)
    model.first_token_seconds = 0.5
    async with house_of([model]) as house:
        assert {one.text for one in await crowd(house, 4)} == {"You said: hello"}
    assert len(model.prompts) == 4


async def test_the_last_model_is_not_left_though_it_is_silent_too_and_nobody_asks_a_third_time() -> None:
    first, second = scripted()
    first.down = Fault.hang()
    second.first_token_seconds = PATIENCE * 2
    async with house_of([first, second]) as house:
        heard = await crowd(house, 4)

    assert [one.model for one in heard] == ["second:m"] * 4
    assert (len(first.prompts), len(second.prompts)) == (4 + 1, 4)


async def test_a_suspected_model_is_still_asked_when_the_better_one_fails() -> None:
    first, second = scripted()
    first.down = Fault.hang()
    async with house_of([first, second]) as house:
        await crowd(house, 3)
        first.down, second.down = None, Fault.refused()

        heard = await ask(house)

        assert (heard.model, heard.seconds < MOMENT) == ("first:m", True)


async def test_when_both_models_begin_in_the_same_moment_one_is_heard_and_both_are_paid() -> None:
    first, second = scripted()
    first.say, second.say = lambda _: "From the first.", lambda _: "From the second."
    first.first_token_seconds, second.first_token_seconds = SUSPECTED_AFTER + 0.08, 0.06
    async with house_of([first, second]) as house:
        asking = asyncio.gather(*(ask(house) for _ in range(3)))
        await asyncio.sleep(SUSPECTED_AFTER + 0.03)
        time.sleep(0.15)  # noqa: ASYNC251 - both are to have spoken when the loop goes on
        heard = await asking

    begun = (sum(map(message_tokens, PROMPT)), estimate_tokens("From"))
    asked = sum(estimate_tokens(message.text) for message in PROMPT)
    for one in heard:
        winner, loser = ((1, 2), (10, 20)) if one.model == "first:m" else ((10, 20), (1, 2))
        said = estimate_tokens(one.text)
        assert one.text == ("From the first." if one.model == "first:m" else "From the second.")
        assert one.usage == Usage(
            prompt_tokens=asked + begun[0],
            completion_tokens=said + begun[1],
            cost_micros=asked * winner[0] + said * winner[1] + begun[0] * loser[0] + begun[1] * loser[1],
        )
    assert [model.open_streams for model in (first, second)] == [0, 0]


async def test_a_process_that_stood_still_suspects_nobody() -> None:
    first, second = scripted()
    first.first_token_seconds = 0.15
    before = all_counted()
    async with house_of([first, second]) as house:
        asking = asyncio.gather(*(ask(house) for _ in range(3)))
        await asyncio.sleep(0.05)
        time.sleep(0.5)  # noqa: ASYNC251 - the loop is to stand still
        assert {one.model for one in await asking} == {"first:m"}
    assert since(before) == {}


async def test_a_process_that_stood_still_for_a_whole_patience_counts_no_failure_of_a_model_that_is_well() -> None:
    first, second = scripted()
    first.first_token_seconds = 0.15
    async with house_of([first, second]) as house:
        asking = asyncio.gather(*(ask(house) for _ in range(4)))
        await asyncio.sleep(0.05)
        time.sleep(PATIENCE)  # noqa: ASYNC251 - the loop is to stand still
        assert {one.model for one in await asking} == {"first:m"}
        assert (house.breaker(0).is_closed, house.breaker(0).failures) == (True, 0)
    assert second.prompts == []


async def test_a_process_that_stood_still_does_not_count_those_who_left_a_suspected_model_before_it_was_heard() -> None:
    first, second = scripted()
    first.break_next(*[Fault.hang()] * 3)
    first.first_token_seconds = 0.15
    async with house_of([first, second]) as house:
        assert {one.model for one in await crowd(house, 3)} == {"second:m"}
        time.sleep(PATIENCE - SUSPECTED_AFTER + 0.1)  # noqa: ASYNC251 - the loop is to stand still
        await asyncio.sleep(0.25)
        assert (house.breaker(0).is_closed, house.breaker(0).failures) == (True, 0)


async def test_hedging_does_not_keep_the_breaker_of_a_silent_model_from_opening() -> None:
    first, second = scripted()
    first.down = Fault.hang()
    before = all_counted()
    async with house_of([first, second], hedging=True) as house:
        assert {one.model for one in [await ask(house) for _ in range(3)]} == {"second:m"}
        assert (await ask(house)).seconds < MOMENT
        assert len(first.prompts) == 3 + 1

        await asyncio.sleep(PATIENCE + 0.15)
        assert since(before)["undecided"] == 1
        assert (house.breaker(0).is_closed, house.breaker(0).failures) == (True, 1)
        for _ in range(2):
            await ask(house)
            await asyncio.sleep(PATIENCE + 0.15)
        assert not house.breaker(0).is_closed
    assert (len(first.prompts), first.open_streams) == (3 + 1 + 2 * 2, 0)


async def test_hedging_lets_a_model_that_is_only_slower_than_it_uses_to_be_go_on() -> None:
    first, second = scripted()
    first.first_token_seconds = 0.2
    async with house_of([first, second], hedging=True) as house:
        assert {one.model for one in await crowd(house, 6)} == {"second:m"}
        await asyncio.sleep(PATIENCE)
        assert {one.model for one in await crowd(house, 3)} == {"second:m"}
        await asyncio.sleep(PATIENCE)
        assert (house.breaker(0).is_closed, house.breaker(0).failures) == (True, 0)
    assert len(first.prompts) == 6 + 1 + 3


async def test_who_leaves_a_suspected_model_for_no_other_counts_for_nothing() -> None:
    first, second = scripted()
    first.down = Fault.hang()
    second.first_token_seconds = 5.0
    before = all_counted()
    async with house_of([first, second]) as house:
        asking = [asyncio.ensure_future(house.say()) for _ in range(3)]
        await asyncio.sleep(SUSPECTED_AFTER + 0.05)
        for one in asking:
            one.cancel()
        await asyncio.wait(asking)
        await asyncio.sleep(PATIENCE - SUSPECTED_AFTER)

        assert (house.breaker(0).is_closed, house.breaker(0).failures) == (True, 0)
    assert since(before) == {"stopped": 3, "undecided": 1}


async def test_over_real_connections_nothing_is_doubled_and_the_silent_ones_are_closed(
    providers: tuple[ProviderServer, ProviderServer], session: aiohttp.ClientSession
) -> None:
    silent, well = providers
    silent.script(hangs)
    well.script(streams(whole("Once", " upon", " a", " time.")))
    async with house_of(served(silent.base_url, well.base_url, session=session, limits=LIMITS)) as house:
        heard = await crowd(house, 20)

        assert max(one.seconds for one in heard) < LEFT_EARLY
        assert {(one.text, one.model) for one in heard} == {("Once upon a time.", "second:m")}
        assert {one.usage for one in heard} == {Usage(prompt_tokens=7, completion_tokens=3, cost_micros=7 * 10 + 3 * 20)}
        assert len(well.requests) == 20
        await asyncio.sleep(PATIENCE - SUSPECTED_AFTER + 0.2)
        assert not house.breaker(0).is_closed
    assert await asyncio.wait_for(silent.disconnected.wait(), 1)


@pytest.mark.parametrize("kept", [True, False])
async def test_where_nobody_can_listen_meanwhile_patience_decides(kept: bool) -> None:
    first, second = scripted()
    first.down = Fault.hang()
    async with house_of([first, second]) as house:
        if not kept:
            house.pool.members[0].beside = pooled(scripted()).breakers.start

        heard = await crowd(house, 3)

    assert all((one.seconds < LEFT_EARLY) is kept for one in heard)

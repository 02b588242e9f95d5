"""When a model is passed over, and when it is tried again: in one process, and among replicas that share a Redis."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from redis.asyncio import Redis

from scripts.local.running import running
from scripts.local.valkey import ValkeyServer
from shared.adapters.llm import Breakers, Fault
from shared.adapters.llm.breaker import Breaker, BreakerRule, BreakerState, News, SharedState
from shared.adapters.llm.breaker_store import RedisBreakerStore
from shared.adapters.redis import open_redis
from shared.application.ports import ModelUnavailableError
from tests.adapters.pooling import QUICK, Pooled, pooled, scripted

SHORT = BreakerRule(failures=2, open_seconds=0.15)


@dataclass
class Hands:
    """A clock that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def breaker(name: str = "openai:m", rule: BreakerRule | None = None) -> tuple[Breaker, Hands]:
    hands = Hands()
    usual = Breakers().of(name).rule
    return Breaker(name, rule or usual, hands, lambda: None), hands


@pytest.mark.parametrize(("name", "failures", "seconds"), [("gemini:m", 3, 30), ("openai:m", 5, 60), ("ollama:m", 5, 60)])
def test_it_opens_after_so_many_failures_in_a_row_for_so_long(name: str, failures: int, seconds: float) -> None:
    one, hands = breaker(name)

    for _ in range(failures - 1):
        one.failed("server_error")
    assert one.state is BreakerState.CLOSED
    one.failed("server_error")

    assert one.state is BreakerState.OPEN
    hands.now += seconds - 0.01
    assert one.state is BreakerState.OPEN
    hands.now += 0.02
    assert one.state is BreakerState.HALF_OPEN


def test_prompts_that_are_answered_with_nothing_shut_a_model_only_when_they_are_the_rule() -> None:
    one, _ = breaker("gemini:m")
    for _ in range(10):
        one.failed("no_text")
    assert one.state is BreakerState.CLOSED
    for _ in range(10):
        one.failed("no_text")
    assert one.state is BreakerState.OPEN


def test_a_success_begins_the_row_anew() -> None:
    one, _ = breaker("gemini:m")

    for _ in range(5):
        one.failed("server_error")
        one.failed("server_error")
        one.succeeded()
        one.succeeded()

    assert one.state is BreakerState.CLOSED


def test_it_opens_when_half_of_twenty_calls_failed() -> None:
    one, _ = breaker()
    for _ in range(9):
        one.failed("server_error")
        one.succeeded()
    one.succeeded()
    assert one.state is BreakerState.CLOSED

    one.failed("cut")

    assert one.state is BreakerState.OPEN


def test_failures_of_the_last_minute_count_and_no_older_ones() -> None:
    one, hands = breaker()
    for _ in range(9):
        one.failed("server_error")
        one.succeeded()
    hands.now += 61
    for _ in range(11):
        one.succeeded()
    one.failed("server_error")

    assert one.state is BreakerState.CLOSED


def test_a_provider_that_asks_for_more_time_gets_up_to_five_minutes() -> None:
    one, _ = breaker(rule=BreakerRule(failures=1))
    one.failed("rate_limited", retry_after=120.0)
    assert one.opens_in == 120.0

    other, _ = breaker(rule=BreakerRule(failures=1))
    other.failed("rate_limited", retry_after=3600.0)
    assert other.opens_in == 300.0


@pytest.mark.parametrize(
    ("verdict", "state"), [(None, BreakerState.CLOSED), ("server_error", BreakerState.OPEN), ("bad_request", BreakerState.CLOSED)]
)
def test_one_probe_decides(verdict: str | None, state: BreakerState) -> None:
    one, hands = breaker(rule=SHORT)
    one.failed("cut")
    one.failed("cut")
    hands.now += 0.2

    assert [one.claim(5.0) for _ in range(20)] == [True] + [False] * 19
    one.probed(verdict)

    assert one.state is state


def test_a_probe_that_dies_is_replaced_after_its_deadline() -> None:
    one, hands = breaker(rule=SHORT)
    one.failed("cut")
    one.failed("cut")
    hands.now += 0.2
    assert one.claim(5.0)

    hands.now += 4.9
    assert not one.claim(5.0)
    hands.now += 0.2
    assert one.claim(5.0)


def test_with_nobody_else_to_ask_a_probe_may_come_after_five_seconds() -> None:
    one, hands = breaker(rule=BreakerRule(failures=1))
    one.failed("server_error")
    assert not one.claim(2.0, early=True)
    hands.now += 5

    assert not one.claim(2.0)
    assert [one.claim(2.0, early=True), one.claim(2.0, early=True)] == [True, False]
    one.probed("server_error")
    hands.now += 4.9
    assert not one.claim(2.0, early=True)


def test_a_provider_that_asked_for_more_time_is_not_probed_early() -> None:
    one, hands = breaker(rule=BreakerRule(failures=1))
    one.failed("rate_limited", retry_after=30.0)
    hands.now += 29

    assert not one.claim(2.0, early=True)
    hands.now += 1
    assert one.claim(2.0, early=True)


def test_opening_and_closing_is_told_in_the_log() -> None:
    one, hands = breaker(rule=SHORT)
    with structlog.testing.capture_logs() as lines:
        one.failed("cut")
        one.failed("cut")
        hands.now += 0.2
        one.claim(5.0)
        one.probed(None)

    assert [(line["event"], line["model"]) for line in lines] == [("breaker_opened", "openai:m"), ("breaker_closed", "openai:m")]


async def fail_until_open(house: Pooled) -> None:
    house.models[0].down = Fault(reason="server_error")
    while house.breaker(0).is_closed:
        await house.say()


async def test_while_it_is_open_nobody_asks_and_replies_lose_no_time() -> None:
    house = pooled(scripted(), rule=BreakerRule(failures=2))
    await fail_until_open(house)
    loop = asyncio.get_running_loop()
    asked, began = len(house.models[0].prompts), loop.time()

    for _ in range(50):
        assert await house.say() == "You said: hello"

    assert len(house.models[0].prompts) == asked == 2
    assert (loop.time() - began) / 50 < 0.01


async def test_when_all_are_open_the_refusal_is_immediate_and_says_when_to_come_back() -> None:
    house = pooled(scripted(), rule=BreakerRule(failures=1, open_seconds=20))
    for model in house.models:
        model.down = Fault(reason="server_error")
    with pytest.raises(ModelUnavailableError):
        await house.say()

    with pytest.raises(ModelUnavailableError) as failure:
        await house.say()

    assert failure.value.reason == "breaker_open"
    assert failure.value.retry_after == pytest.approx(20, abs=0.5)


async def test_when_all_are_open_the_first_to_come_back_is_noticed_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.adapters.llm.breaker.EARLY_AFTER", 0.1)
    house = pooled(scripted(), rule=BreakerRule(failures=1, open_seconds=60))
    for model in house.models:
        model.down = Fault(reason="server_error")
    with pytest.raises(ModelUnavailableError):
        await house.say()
    house.models[1].down = None
    await asyncio.sleep(0.11)

    with pytest.raises(ModelUnavailableError):
        await house.say()
    assert (await house.read())[-1].model == "second:m"


async def test_twenty_callers_at_half_open_make_one_probe_beside_their_replies() -> None:
    house = pooled(scripted(), rule=SHORT)
    async with house.breakers.kept_in_step():
        await fail_until_open(house)
        house.models[0].down = None
        house.models[0].first_token_seconds = 0.05
        asked = len(house.models[0].prompts)
        await asyncio.sleep(0.16)

        async with asyncio.TaskGroup() as group:
            replies = [group.create_task(house.read()) for _ in range(20)]
        assert {reply.result()[-1].model for reply in replies} == {"second:m"}
        await asyncio.sleep(0.1)

        assert len(house.models[0].prompts) == asked + 1
        assert (await house.read())[-1].model == "first:m"


async def test_twenty_callers_with_nobody_else_to_ask_make_one_probe() -> None:
    house = pooled(scripted(1), rule=SHORT)
    [model] = house.models
    model.down = Fault(reason="server_error")
    for _ in range(2):
        with pytest.raises(ModelUnavailableError):
            await house.say()
    model.down, model.first_token_seconds = None, 0.05
    await asyncio.sleep(0.16)

    replies = await asyncio.gather(*(house.say() for _ in range(20)), return_exceptions=True)

    assert replies.count("You said: hello") == 1
    assert len(model.prompts) == 3
    assert await house.say() == "You said: hello"


async def test_a_reader_who_leaves_gives_the_probe_to_the_next() -> None:
    house = pooled(scripted(1), rule=SHORT)
    [model] = house.models
    model.break_next(Fault.refused(), Fault.refused(), Fault.hang())
    for _ in range(2):
        with pytest.raises(ModelUnavailableError):
            await house.say()
    await asyncio.sleep(0.16)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(house.say(), 0.05)

    assert await house.say() == "You said: hello"


@dataclass
class Replicas:
    """Two processes' pools of the same models, and their Redis."""

    houses: list[Pooled]
    client: Redis

    async def in_step(self) -> None:
        for house in [*self.houses, *self.houses]:
            await house.breakers.exchange()


@pytest.fixture
async def replicas(redis_url: str) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        clients = [open_redis(redis_url) for _ in range(2)]
        for client in clients:
            stack.push_async_callback(client.aclose)
        houses = [pooled(scripted(), breakers=Breakers(RedisBreakerStore(client)), rule=SHORT) for client in clients]
        yield Replicas(houses, clients[0])


async def test_what_one_replica_opens_is_open_for_the_other(replicas: Replicas) -> None:
    here, there = replicas.houses
    await fail_until_open(here)

    await replicas.in_step()

    assert there.breaker(0).state is BreakerState.OPEN
    assert (await there.read())[-1].model == "second:m"
    assert there.models[0].prompts == []


async def test_failures_of_both_count_together(replicas: Replicas) -> None:
    for house in replicas.houses:
        house.models[0].break_next(Fault.refused())
        await house.say()

    await replicas.in_step()

    assert [house.breaker(0).state for house in replicas.houses] == [BreakerState.OPEN] * 2


async def test_a_success_of_one_begins_the_row_of_both_anew(replicas: Replicas) -> None:
    here, there = replicas.houses
    for house in (here, there, here, there):
        here.models[0].break_next(Fault.refused())
        await here.say()
        await replicas.in_step()
        await house.say()
        await replicas.in_step()

    assert [house.breaker(0).state for house in replicas.houses] == [BreakerState.CLOSED] * 2


async def test_half_of_the_calls_of_all_replicas_is_too_much(replicas: Replicas) -> None:
    """Never two failures in a row, yet half of all calls fail."""
    here, there = replicas.houses
    rule = BreakerRule(failures=99, rate_calls=20, open_seconds=5)
    for house in replicas.houses:
        house.breaker(0).rule = rule
    for _ in range(5):
        for house in (here, there):
            await house.say()
            house.models[0].break_next(Fault.refused())
            await house.say()
        assert here.breaker(0).is_closed
        await replicas.in_step()

    await replicas.in_step()

    assert [house.breaker(0).state for house in replicas.houses] == [BreakerState.OPEN] * 2


async def test_replicas_make_one_probe_and_close_together(replicas: Replicas) -> None:
    here, there = replicas.houses
    await fail_until_open(here)
    await replicas.in_step()
    await asyncio.sleep(0.16)
    here.models[0].down = None

    assert not await there.breakers.claim(there.breaker(1), 5.0, early=True)
    claims = [await house.breakers.claim(house.breaker(0), 5.0) for house in replicas.houses for _ in range(10)]
    assert claims.count(True) == 1
    assert claims[0]
    here.breaker(0).probed(None)
    await replicas.in_step()

    assert [house.breaker(0).state for house in replicas.houses] == [BreakerState.CLOSED] * 2
    assert (await there.read())[-1].model == "first:m"


async def test_a_probe_that_died_with_its_replica_is_replaced(replicas: Replicas) -> None:
    here, there = replicas.houses
    await fail_until_open(here)
    await replicas.in_step()
    await asyncio.sleep(0.16)
    assert await here.breakers.claim(here.breaker(0), 0.1)
    await replicas.in_step()
    assert not await there.breakers.claim(there.breaker(0), 0.1)

    await asyncio.sleep(0.11)
    await replicas.in_step()

    assert await there.breakers.claim(there.breaker(0), 0.1)


async def test_news_travel_by_themselves_within_half_a_second(replicas: Replicas) -> None:
    here, there = replicas.houses
    async with here.breakers.kept_in_step(), there.breakers.kept_in_step():
        await there.say()
        for house in replicas.houses:
            house.breaker(0).rule = BreakerRule(failures=2, open_seconds=30)
        await fail_until_open(here)
        await asyncio.sleep(0.5)

        assert there.breaker(0).state is BreakerState.OPEN


async def test_a_reply_costs_redis_nothing(replicas: Replicas) -> None:
    [house, _] = replicas.houses
    async with house.breakers.kept_in_step():
        await house.say()
        await asyncio.sleep(0.1)
        before = (await replicas.client.info("stats"))["total_commands_processed"]
        for _ in range(200):
            await house.say()
        spent = (await replicas.client.info("stats"))["total_commands_processed"] - before

    assert spent < 20


class SlowStore:
    """A Redis that hangs."""

    async def tell(self, news: Sequence[tuple[str, BreakerRule, News, float]]) -> list[SharedState]:
        await asyncio.sleep(0.5)
        return [SharedState() for _ in news]

    async def claim(self, name: str, seconds: float, *, early: bool) -> bool:
        await asyncio.sleep(0.5)
        return True


async def test_no_reply_waits_for_a_redis_that_hangs() -> None:
    house = pooled(scripted(), breakers=Breakers(SlowStore()), rule=SHORT)
    loop = asyncio.get_running_loop()
    async with house.breakers.kept_in_step():
        await fail_until_open(house)
        await asyncio.sleep(0.16)
        began = loop.time()
        for _ in range(20):
            assert await house.say() == "You said: hello"
        assert loop.time() - began < 0.1


async def test_without_redis_each_process_goes_by_what_it_sees(server_folder: Path) -> None:
    folder = server_folder / "mortal"
    folder.mkdir(mode=0o755)
    server = ValkeyServer(folder, hasty=True)
    with running(server, folder):
        client = open_redis(server.url())
        house = pooled(scripted(), breakers=Breakers(RedisBreakerStore(client)), rule=BreakerRule(failures=2, open_seconds=30))
        await house.breakers.exchange()
    with structlog.testing.capture_logs() as lines:
        loop = asyncio.get_running_loop()
        async with house.breakers.kept_in_step():
            began = loop.time()
            await fail_until_open(house)
            for _ in range(20):
                await house.say()
            assert loop.time() - began < 0.3
            await asyncio.sleep(0.05)
    await client.aclose()

    assert house.breaker(0).state is BreakerState.OPEN
    assert [line["event"] for line in lines if line["event"].startswith("break")] == ["breaker_opened", "breakers_on_their_own"]


async def test_what_happened_while_redis_was_away_is_told_when_it_is_back(replicas: Replicas) -> None:
    here, there = replicas.houses
    here.breaker(0).rule = there.breaker(0).rule = BreakerRule(failures=2, open_seconds=30)
    await fail_until_open(here)
    one = here.breaker(0)
    one.give_back(one.take_news())

    await replicas.in_step()

    assert there.breaker(0).state is BreakerState.OPEN
    assert QUICK.first_token_timeout < there.breaker(0).opens_in <= 30


class DeafStore:
    """Loses the first cancellation, as `asyncio.wait_for` of Python 3.11 may."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def tell(self, news: Sequence[tuple[str, BreakerRule, News, float]]) -> list[SharedState]:
        if not self.asked.is_set():
            self.asked.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(5)
        return [SharedState() for _ in news]

    async def claim(self, name: str, seconds: float, *, early: bool) -> bool:
        return True


async def test_a_process_ends_though_a_cancellation_got_lost() -> None:
    store = DeafStore()
    breakers = Breakers(store)
    breakers.of("openai:m")
    async with asyncio.timeout(2):
        async with breakers.kept_in_step():
            breakers.touch()
            await store.asked.wait()

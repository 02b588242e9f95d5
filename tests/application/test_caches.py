"""What is kept beside the database: found without it, gone with every change, and never in the way when Redis is away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter

import pytest
import structlog
from redis import Redis

from scripts.local.valkey import ValkeyServer
from shared.adapters.cache import REQUESTS, RedisCache
from shared.application.caches import CHARACTER_MENU, Kept, place_key, subscription_key, user_key
from shared.database.database import STATEMENTS
from shared.domain.errors import InvalidInputError
from shared.domain.speaker import Speaker
from tests.factories import ANN_ID, BOB_ID, House, make_character, make_person, make_place, make_plan, open_house


@asynccontextmanager
async def cached_house(database_url: str, redis_url: str, *, is_on: bool = True) -> AsyncIterator[House]:
    """One process with its cache."""
    async with open_house(database_url) as plain:
        switches = plain.switches
        cache = RedisCache(redis_url, epoch=switches.cache_epoch, next_epoch=switches.next_cache_epoch, is_on=is_on)
        async with open_house(database_url, cache=cache, clock=plain.clock) as house:
            yield house
        await cache.aclose()


@pytest.fixture
async def house(database_url: str, redis_url: str) -> AsyncIterator[House]:
    async with cached_house(database_url, redis_url) as house:
        yield house


@pytest.fixture
async def replica(database_url: str, redis_url: str) -> AsyncIterator[House]:
    """Another process over the same stores."""
    async with cached_house(database_url, redis_url) as house:
        yield house


def sent() -> float:
    return float(STATEMENTS.labels("work")._value.get())


def counted(cache: str, outcome: str) -> float:
    return float(REQUESTS.labels(cache, outcome)._value.get())


async def statements_of(work: Callable[[], Awaitable[object]]) -> float:
    before = sent()
    await work()
    return sent() - before


async def settle(house: House) -> Speaker:
    """Registered, and read into the cache."""
    await house.speaker()
    speaker = await house.speaker()
    await house.speaker()
    return speaker


async def test_whoever_is_known_is_recognised_without_a_statement_here_and_elsewhere(house: House, replica: House) -> None:
    ann = await settle(house)
    assert await house.speaker() == ann
    assert await statements_of(house.speaker) == 0
    await replica.speaker()
    found = counted("profile", "hit")
    assert await statements_of(replica.speaker) == 0
    assert await replica.speaker() == ann
    assert counted("profile", "near") + counted("profile", "hit") > found
    async with house.database.statement() as tx:
        assert await tx.users.find_speaker(ANN_ID, make_place()) == ann


async def test_every_change_of_a_person_shows_at_once_in_every_process(house: House, replica: House) -> None:
    ann = await settle(house)
    await settle(replica)

    async def language() -> tuple[str, str]:
        return (await house.speaker()).language, (await replica.speaker()).language

    await replica.accounts.choose_language(ann.user_id, "ru")
    assert await language() == ("ru", "ru")
    await house.accounts.choose_level(ann.user_id, "beginner")
    assert [(await one.speaker()).level for one in (house, replica)] == ["beginner", "beginner"]
    await house.accounts.mark_blocked(ANN_ID, blocked=True)
    assert not (await replica.speaker()).is_blocked
    assert await house.rows("select blocked_at from users") == [(None,)]


async def test_another_character_shows_for_everybody_in_the_place_and_nowhere_else(house: House, replica: House) -> None:
    group, fox = make_place(chat_id=-100), make_character()
    await house.add(fox)
    people = (make_person(), make_person(telegram_user_id=BOB_ID))
    for one in (house, replica, house, replica):
        for person in people:
            await one.accounts.recognise(person, group)
    alone = await house.speaker()

    await house.characters.enter(await house.accounts.recognise(people[0], group), fox.id)
    for one in (house, replica):
        assert [(await one.accounts.recognise(person, group)).character_name for person in people] == [fox.name, fox.name]
        assert (await one.speaker()).character_name == alone.character_name == "Mira"


async def test_a_plan_ends_on_time_though_it_is_kept_for_an_hour(house: House) -> None:
    await settle(house)
    await house.add(make_plan(code="plus", daily_turns=None, is_paid=True))
    await house.rows(
        "insert into subscriptions (id, user_id, plan_code, starts_at, ends_at)"
        " select id, id, 'plus', now() - interval '1 day', now() + interval '700 milliseconds' from users"
    )
    await house.cache.forget(subscription_key(ANN_ID))
    paid = await house.speaker()
    assert (paid.plan_code, paid.is_paid, (await house.speaker()).plan_code) == ("plus", True, "plus")
    await asyncio.sleep(0.75)
    assert (await house.speaker()).plan_code == "free"


async def test_a_period_that_begins_later_begins_on_time(house: House) -> None:
    await settle(house)
    await house.add(make_plan(code="plus"))
    await house.rows(
        "insert into subscriptions (id, user_id, plan_code, starts_at, ends_at)"
        " select id, id, 'plus', now() + interval '500 milliseconds', now() + interval '1 day' from users"
    )
    await house.cache.forget(subscription_key(ANN_ID))
    assert [(await house.speaker()).plan_code for _ in range(3)] == ["free"] * 3
    await asyncio.sleep(0.55)
    assert (await house.speaker()).plan_code == "plus"


async def test_characters_and_their_menu_are_kept_until_their_files_change(house: House, replica: House) -> None:
    for one in (house, replica):
        await one.characters.list()
        await one.characters.greeting(await settle(one))
    assert await statements_of(house.characters.list) == 0
    assert await house.characters.list() == await replica.characters.list()

    assert [one.slug for one in await house.characters.list()] == ["mira", "lumen", "honzik"]
    await house.rows("update characters set name = 'Myra' where slug = 'mira'")
    await house.switches.next_cache_epoch()  # what `make migrate` does when it brings other characters
    replica.clock.go_on(seconds=5.1)
    assert [(await one.characters.list())[0].name for one in (replica, replica)] == ["Myra", "Myra"]
    assert (await replica.speaker()).character_name == "Myra"


async def test_what_was_read_before_a_change_is_not_kept_after_it(house: House, replica: House) -> None:
    """The reader is held up between the database and Redis while somebody else writes: the old value must not stay."""
    truth, has_read, may_go_on = ["old"], asyncio.Event(), asyncio.Event()

    async def slow() -> list[Kept]:
        value = truth[0]
        has_read.set()
        await may_go_on.wait()
        return [Kept(value, 60.0)]

    async def quick() -> list[Kept]:
        return [Kept(truth[0], 60.0)]

    for writer in (replica, house):
        truth[0] = "old"
        has_read.clear()
        may_go_on.clear()
        reading = asyncio.ensure_future(house.cache.read(("race:1",), slow))
        await has_read.wait()
        truth[0] = "new"
        await writer.cache.forget("race:1")
        boarding = await house.cache.read(("race:1",), quick)
        may_go_on.set()
        assert (await reading, boarding) == (["old"], ["new"])
        for one in (house, replica, house, replica):
            assert await one.cache.read(("race:1",), quick) == ["new"]
        await house.cache.forget("race:1")


async def test_readers_and_writers_at_once_never_leave_an_old_value(house: House, replica: House) -> None:
    truth = {"race:2": 0}

    async def load() -> list[Kept]:
        value = truth["race:2"]
        await asyncio.sleep(0.001)
        return [Kept(value, 60.0)]

    async def write(one: House) -> None:
        for _ in range(40):
            truth["race:2"] += 1
            await one.cache.forget("race:2")
            await asyncio.sleep(0.002)

    async def read(one: House) -> None:
        for _ in range(150):
            floor = truth["race:2"] - 1  # the latest change may not be forgotten yet
            assert (await one.cache.read(("race:2",), load))[0] >= floor - 1
            await asyncio.sleep(0)

    await asyncio.gather(write(house), write(replica), *[read(one) for one in (house, replica) for _ in range(3)])
    await asyncio.sleep(0.01)
    assert [await one.cache.read(("race:2",), load) for one in (house, replica)] == [[80], [80]]


async def test_a_crowd_that_finds_nothing_asks_the_database_once(house: House, replica: House) -> None:
    asked = 0

    async def load() -> list[Kept]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.02)
        return [Kept(asked, 60.0)]

    await asyncio.gather(house.cache.read(("warm:1",), load), replica.cache.read(("warm:2",), load))
    asked = 0
    values = await asyncio.gather(*[one.cache.read(("crowd:1",), load) for one in (house, replica) for _ in range(25)])
    assert (asked, values) == (1, [[1]] * 50)


async def test_a_reader_whose_load_fails_leaves_nothing_behind(house: House) -> None:
    async def fail() -> list[Kept]:
        raise InvalidInputError("no")

    async def load() -> list[Kept]:
        return [Kept({"is": "fine"}, 60.0)]

    with pytest.raises(InvalidInputError):
        await house.cache.read(("broken:1",), fail)
    began = perf_counter()
    assert await house.cache.read(("broken:1",), load) == [{"is": "fine"}]
    assert perf_counter() - began < 0.05


async def test_who_is_unknown_is_not_kept_as_unknown(house: House) -> None:
    assert await house.caches.find_speaker(BOB_ID, make_place()) is None
    assert (await house.speaker(telegram_user_id=BOB_ID)).telegram_user_id == BOB_ID


async def test_keys_hold_ids_only_values_are_json_and_all_of_them_end(house: House, redis_url: str) -> None:
    await settle(house)
    await house.characters.list()
    with Redis.from_url(redis_url) as redis:
        keys = sorted(key.decode().split(":", 3)[3] for key in redis.scan_iter())
        ends = [redis.pttl(key) for key in redis.scan_iter()]
        assert all(redis.get(key)[:1] in (b"{", b"[", b'"') for key in redis.scan_iter())
    mira = (await house.speaker()).character_id
    known = [CHARACTER_MENU, f"character:{mira}", place_key(make_place()), "plans", user_key(ANN_ID), subscription_key(ANN_ID)]
    assert keys == sorted(known)
    assert all(0 < milliseconds <= 3_600_000 for milliseconds in ends)


@pytest.mark.parametrize("kept", [b"nonsense", b"{}", b"[1]", b"null", b'"free"', b'{"is": "of another version"}'])
async def test_what_another_version_kept_is_read_anew(house: House, redis_url: str, kept: bytes) -> None:
    ann = await settle(house)
    menu = await house.characters.list()
    with Redis.from_url(redis_url) as redis:
        for key in redis.scan_iter():
            redis.set(key, kept, px=60_000)
    await asyncio.sleep(0.01)
    assert await house.speaker() == ann
    assert await house.characters.list() == menu
    assert await house.characters.greeting(ann) == await house.characters.greeting(ann)
    assert await house.speaker() == ann
    assert await statements_of(house.speaker) == 0


async def test_switched_off_it_keeps_nothing_and_still_tells_the_others(database_url: str, redis_url: str, house: House) -> None:
    ann = await settle(house)
    async with cached_house(database_url, redis_url, is_on=False) as plain:
        await plain.speaker()
        assert await statements_of(plain.speaker) == 1
        await plain.accounts.choose_language(ann.user_id, "ru")
    assert (await house.speaker()).language == "ru"


async def test_an_emptied_redis_costs_a_statement_and_nothing_else(house: House, redis_server: ValkeyServer) -> None:
    ann = await settle(house)
    assert redis_server.ask(b"FLUSHALL\r\n") == b"+OK\r\n"
    await asyncio.sleep(0.01)
    assert await house.speaker() == ann
    assert await house.speaker() == ann


async def test_a_redis_that_hangs_costs_fifty_milliseconds_once_and_one_line_in_the_log(
    house: House, replica: House, redis_url: str
) -> None:
    with Redis.from_url(redis_url) as redis:
        pid = int(redis.info("server")["process_id"])
    ann = await settle(house)
    await settle(replica)
    await asyncio.sleep(1.05)  # what is held here counts no longer without a sign of life
    os.kill(pid, signal.SIGSTOP)
    try:
        with structlog.testing.capture_logs() as logs:
            times = []
            for _ in range(20):
                began = perf_counter()
                assert await house.speaker() == ann
                times.append(perf_counter() - began)
            await house.accounts.choose_language(ann.user_id, "ru")
            assert (await house.speaker()).language == "ru"
        assert max(times) < 0.2
        assert sorted(times)[-2] < 0.05
        assert [line["event"] for line in logs].count("redis_is_away") == 1
        assert len(logs) <= 3
    finally:
        os.kill(pid, signal.SIGCONT)
    replica.clock.go_on(seconds=5.1)
    assert (await replica.speaker()).language == "ru"

"""The inbox: nothing twice, nothing out of order, nothing in two hands, nothing for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from shared.database.database import DatabaseUnavailableError
from shared.database.presence import Presence
from shared.database.turns import FinishedTurn
from shared.domain.dialog import TurnStatus
from shared.domain.inbox import Lease, LeaseLostError, Outcome, Outgoing, ParcelStatus, Settlement
from tests.factories import ANN_ID, BOB_ID, BOT_ID, House, make_update

ME, OTHER = 11, 12
HELLO = Outgoing(method="sendMessage", params={"chat_id": ANN_ID, "text": "Hello"})


async def receive(house: House, *bodies: bytes) -> int:
    return (await house.inbox.receive(BOT_ID, bodies, notice="me")).new


async def claim(house: House, consumer: int = ME, *, is_priority: bool = False, places: int = 50) -> list[Lease]:
    return await house.inbox.claim(BOT_ID, consumer=consumer, is_priority=is_priority, places=places)


async def end(house: House, lease: Lease, outcome: Outcome = Outcome.HANDLED, **more: object) -> bool:
    return await house.inbox.settle(BOT_ID, [Settlement(lease=lease, outcome=outcome, **more)])  # type: ignore[arg-type]


async def make_due(house: House) -> None:
    """Whatever was postponed is due now."""
    await house.rows("update lanes set due_at = clock_timestamp() where due_at is not null")


async def statuses(house: House) -> list[tuple[object, ...]]:
    return await house.rows("select telegram_update_id, status, error from stored_updates order by sequence")


async def test_an_update_that_comes_again_is_kept_once(house: House) -> None:
    assert await receive(house, make_update(1), make_update(2)) == 2
    assert await receive(house, make_update(2), make_update(3)) == 1
    assert await house.rows("select telegram_update_id from stored_updates order by sequence") == [(1,), (2,), (3,)]
    depth, age = await house.inbox.depth()
    assert (depth, 0 <= age < 5) == (3, True)


async def test_a_batch_that_holds_an_update_twice_counts_it_once(house: House) -> None:
    assert await receive(house, make_update(1), make_update(1), make_update(2)) == 2
    assert await house.rows("select arrivals from lanes") == [(2,)]
    [lease] = await claim(house)
    await end(house, lease)
    [lease] = await claim(house)
    assert not await end(house, lease)
    assert await claim(house) == []


async def test_an_update_that_comes_again_after_it_was_handled_is_not_handled_again(house: House) -> None:
    await receive(house, make_update(1))
    await end(house, (await claim(house))[0])
    assert await receive(house, make_update(1)) == 0
    assert await claim(house) == []


async def test_the_same_update_id_of_another_bot_is_another_update(house: House) -> None:
    await receive(house, make_update(1))
    assert (await house.inbox.receive(99, [make_update(1)], notice="me")).new == 1
    assert [lease.bot_id for lease in await claim(house)] == [BOT_ID]


async def test_each_chat_keeps_its_order_and_chats_do_not_wait_for_each_other(house: House) -> None:
    await receive(house, make_update(1), make_update(2, user=BOB_ID), make_update(3), make_update(4, user=BOB_ID))
    first = await claim(house)
    assert sorted(lease.update_id for lease in first) == [1, 2]
    assert await claim(house) == []

    await end(house, next(lease for lease in first if lease.update_id == 1))
    assert [lease.update_id for lease in await claim(house)] == [3]


async def test_two_consumers_that_ask_at_once_never_get_the_same_lane(house: House) -> None:
    await receive(house, *(make_update(number, user=5000 + number % 40) for number in range(1, 121)))
    claims = await asyncio.gather(*(claim(house, consumer, places=7) for consumer in (ME, OTHER) * 5))

    lanes = [lease.lane for leases in claims for lease in leases]
    assert len(lanes) == len(set(lanes)) == 40
    assert len({lease.token for leases in claims for lease in leases}) == 40


async def test_places_limit_what_is_taken_and_the_longest_waiting_goes_first(house: House) -> None:
    for number in range(1, 5):
        await receive(house, make_update(number, user=5000 + number))
    assert [lease.update_id for lease in await claim(house, places=3)] == [1, 2, 3]
    assert [lease.update_id for lease in await claim(house, places=3)] == [4]


async def test_priority_updates_are_taken_while_all_normal_places_are_full(house: House) -> None:
    press = make_update(3, kind="callback_query", data="screen:menu")
    await receive(house, make_update(1), make_update(2, text="/stop"), press)

    assert [lease.update_id for lease in await claim(house, places=1)] == [1]
    assert sorted(lease.lane for lease in await claim(house, is_priority=True)) == [f"press:{ANN_ID}", f"stop:{ANN_ID}"]


async def test_a_failing_update_becomes_a_dead_letter_and_the_one_behind_it_goes_on(house: House) -> None:
    await receive(house, make_update(1), make_update(2))
    for attempt in range(2):
        [lease] = await claim(house)
        assert (lease.update_id, lease.attempts, lease.failures) == (1, attempt + 1, attempt)
        assert await end(house, lease, Outcome.FAILED, error="ValueError")
    [lease] = await claim(house)
    assert (lease.attempts, lease.failures) == (3, 2)
    with capture_logs() as logs:
        assert await end(house, lease, Outcome.DEAD, error="ValueError")
    assert [dict(line) for line in logs if line["event"] == "update_dead_lettered"] == [
        {"event": "update_dead_lettered", "log_level": "error", "update_id": 1, "kind": "message", "reason": "ValueError", "attempts": 3}
    ]

    assert await statuses(house) == [(1, "dead", "ValueError"), (2, "pending", None)]
    [behind] = await claim(house)
    assert (behind.update_id, behind.attempts, behind.failures) == (2, 1, 0)


async def test_giving_back_does_not_count_as_a_failure_however_often(house: House) -> None:
    await receive(house, make_update(1))
    for _ in range(12):
        [lease] = await claim(house)
        await end(house, lease, Outcome.RELEASED)
    [lease] = await claim(house)
    assert (lease.attempts, lease.failures) == (1, 0)


async def test_what_is_postponed_is_not_due_before_its_time(house: House) -> None:
    await receive(house, make_update(1))
    [lease] = await claim(house)
    assert await end(house, lease, Outcome.RELEASED, delay=30.0)
    assert await claim(house) == []
    [(seconds,)] = await house.rows("select extract(epoch from due_at - clock_timestamp())::float8 from lanes")
    assert 28 < seconds <= 30

    await receive(house, make_update(2))
    assert await claim(house) == []
    await make_due(house)
    assert [lease.update_id for lease in await claim(house)] == [1]


async def test_whoever_lost_a_lane_settles_nothing_extends_nothing_posts_nothing(house: House) -> None:
    await receive(house, make_update(1))
    [old] = await claim(house)
    await make_due(house)
    [new] = await claim(house, OTHER)

    assert new.token > old.token
    assert not await end(house, old)
    assert await statuses(house) == [(1, "pending", None)]
    assert await house.inbox.extend(BOT_ID, [old]) == set()
    with pytest.raises(LeaseLostError):
        await house.inbox.post(old, [HELLO])
    assert await house.inbox.parcels(new) == []

    await house.inbox.post(new, [HELLO])
    assert await house.inbox.extend(BOT_ID, [new]) == {f"chat:{ANN_ID}"}
    await end(house, new)
    assert await statuses(house) == [(1, "handled", None)]


async def test_renewing_a_lease_that_has_just_ended_does_not_put_the_next_message_off(house: House) -> None:
    await receive(house, make_update(1))
    [lease] = await claim(house)
    await end(house, lease)

    assert await house.inbox.extend(BOT_ID, [lease]) == set()
    await receive(house, make_update(2))
    assert [found.update_id for found in await claim(house)] == [2]


async def test_whoever_lost_a_lane_cannot_end_its_turn(house: House) -> None:
    ann = await house.speaker()
    await receive(house, make_update(1))
    [old] = await claim(house)
    await make_due(house)
    [new] = await claim(house, OTHER)
    await house.rows(
        "insert into turns (dialog_id, user_id, source_id, status, allowance_day) values (:dialog, :user, '1', 'open', '2026-11-20')",
        dialog=ann.dialog_id,
        user=ann.user_id,
    )
    [(turn_id,)] = await house.rows("select id from turns")
    turn = FinishedTurn(turn_id=turn_id, status=TurnStatus.FINISHED, reply="Hello")

    async def finish(lease: Lease) -> bool:
        async with house.database.statement() as tx:
            return await tx.turns.finish(turn, lease, [HELLO])

    assert not await finish(old)
    assert await house.rows("select status from turns") == [("open",)]
    assert (len(await house.messages(ann)), await house.inbox.parcels(new)) == (1, [])
    assert await finish(new)
    assert [(parcel.step, parcel.params["text"]) for parcel in await house.inbox.parcels(new)] == [(1, "Hello")]
    assert not await finish(new)


async def test_an_answer_is_posted_once_and_the_next_attempt_knows_of_it(house: House) -> None:
    await receive(house, make_update(1))
    [lease] = await claim(house)
    assert not lease.is_answered
    await house.inbox.post(lease, [HELLO, HELLO])
    with pytest.raises(LeaseLostError):
        await house.inbox.post(lease, [HELLO])
    await end(house, lease, Outcome.RELEASED, sent=((1, 501),))

    [again] = await claim(house)
    assert (again.is_answered, again.attempts) == (True, 1)
    parcels = await house.inbox.parcels(again)
    assert [(parcel.status, parcel.telegram_message_id) for parcel in parcels] == [(ParcelStatus.SENT, 501), (ParcelStatus.PENDING, None)]
    await end(house, again, failed=((2, "blocked"),))
    assert await house.rows("select status, error, sent_at is null from outbox order by step") == [
        ("sent", None, False),
        ("failed", "blocked", False),
    ]


async def test_bodies_that_nobody_can_understand_are_dead_letters_from_the_start(house: House) -> None:
    broken = [b"", b"{", b'{"update_id": 7, "message": {', b"[1]", b'{"update_id": 8, "message": {"text": "\xff"}}', b"x" * 1_000_001]
    with capture_logs() as logs:
        assert await receive(house, *broken, make_update(1)) == 7
    dead_lettered = [line for line in logs if line["event"] == "update_dead_lettered"]
    assert (len(dead_lettered), {line["log_level"] for line in dead_lettered}) == (6, {"warning"})
    assert [line["update_id"] for line in dead_lettered if line["update_id"] > 0] == [7, 8]
    assert "xxx" not in str(logs)
    assert await receive(house, *broken) == 0

    dead = await house.rows("select telegram_update_id, error, length(body) from stored_updates where status = 'dead' order by sequence")
    assert sorted(row[0] for row in dead)[-2:] == [7, 8]
    assert sum(row[0] < 0 for row in dead) == 4
    assert ("oversized", 65_536) in [(error, length) for _, error, length in dead]
    assert [lease.update_id for lease in await claim(house)] == [1]


async def test_an_update_of_a_kind_nobody_knows_is_kept_and_can_be_worked_on(house: House) -> None:
    await receive(house, b'{"update_id": 5, "telepathy": {"from": {"id": 1}}}', b'{"update_id": 6}', b'{"update_id": 7, "poll": 3}')
    assert {(lease.lane, lease.kind) for lease in await claim(house)} == {("user:1", "telepathy"), ("unknown", "none")}


@asynccontextmanager
async def alive(url: str) -> AsyncIterator[Presence]:
    presence = Presence(url, application_name="vitte-test-presence", connect_timeout=5.0)
    keeping = asyncio.ensure_future(presence.keep(lambda *_: None, pause=0.01))
    async with asyncio.timeout(5):
        while not presence.is_connected:  # noqa: ASYNC110 - its state is all there is to see
            await asyncio.sleep(0.005)
    try:
        yield presence
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def test_the_lanes_of_a_consumer_that_died_are_free_at_once_and_those_of_the_living_are_not(house: House, database_url: str) -> None:
    await receive(house, make_update(1), make_update(2, user=BOB_ID))
    async with alive(database_url) as me, alive(database_url) as other:
        async with alive(database_url) as doomed:
            [theirs] = await claim(house, doomed.consumer, places=1)
            [_] = await claim(house, other.consumer, places=1)
            assert await me.is_alive(doomed.consumer)
        async with asyncio.timeout(3):
            while await me.is_alive(doomed.consumer):  # noqa: ASYNC110 - PostgreSQL notices the end by itself
                await asyncio.sleep(0.01)

        assert await house.inbox.consumers() == {doomed.consumer, other.consumer}
        assert (await me.is_alive(other.consumer), await me.is_alive(me.consumer)) == (True, True)
        assert await house.inbox.bury(doomed.consumer) == 1
        assert await house.inbox.bury(doomed.consumer) == 0
        [taken] = await claim(house, me.consumer)
        assert (taken.update_id, taken.attempts, taken.token > theirs.token) == (theirs.update_id, 2, True)


async def test_a_connection_that_is_being_made_is_not_used_by_others_yet(database_url: str) -> None:
    presence = Presence(database_url, application_name="vitte-test-presence", connect_timeout=5.0)
    keeping = asyncio.ensure_future(presence.keep(lambda *_: None))
    refused = 0
    async with asyncio.timeout(5):
        while not presence.is_connected:
            try:
                assert await presence.lead(BOT_ID)
            except DatabaseUnavailableError:
                refused += 1
            await asyncio.sleep(0)
    assert (refused > 0, keeping.done(), await presence.lead(BOT_ID)) == (True, False, True)
    async with alive(database_url) as other:
        assert await other.is_alive(presence.consumer)
    keeping.cancel()
    await asyncio.wait([keeping])


async def test_only_one_process_leads_a_bot_and_the_next_one_takes_over(database_url: str) -> None:
    async with alive(database_url) as first:
        async with alive(database_url) as second:
            assert (await first.lead(BOT_ID), await second.lead(BOT_ID), await first.lead(BOT_ID)) == (True, False, True)
            assert await second.lead(99)
        async with alive(database_url) as third:
            assert not await third.lead(BOT_ID)
    async with alive(database_url) as fourth, asyncio.timeout(3):
        while not await fourth.lead(BOT_ID):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_new_updates_are_told_to_the_other_consumers_and_repeats_are_not(house: House, database_url: str) -> None:
    heard: list[tuple[str, str]] = []
    presence = Presence(database_url, application_name="vitte-test-presence", connect_timeout=5.0)
    keeping = asyncio.ensure_future(presence.keep(lambda *notice: heard.append(notice)))
    async with asyncio.timeout(5):
        while not heard:
            await receive(house, make_update(len(heard) + 1))
            if presence.is_connected:
                await presence.notify("vitte_stop", "[7, 1]")
            await asyncio.sleep(0.01)
    heard.clear()
    await receive(house, make_update(50))
    await receive(house, make_update(50))
    async with asyncio.timeout(5):
        while ("vitte_stop", "end") not in heard:
            await presence.notify("vitte_stop", "end")
            await asyncio.sleep(0.01)
    keeping.cancel()
    await asyncio.wait([keeping])
    assert heard.count(("vitte_inbox", "me")) == 1


async def test_a_presence_that_lost_its_connection_comes_back_by_itself(house: House, database_url: str) -> None:
    async with alive(database_url) as presence, alive(database_url) as other:
        assert await presence.lead(BOT_ID)
        pid = await presence._ask("select pg_backend_pid()")
        await house.rows("select pg_terminate_backend(:pid)", pid=pid)
        async with asyncio.timeout(5):
            while await _pid_of(presence) in {pid, None}:  # noqa: ASYNC110 - PostgreSQL notices by itself
                await asyncio.sleep(0)
        assert await presence.lead(BOT_ID)
        assert await other.is_alive(presence.consumer)
        assert not await other.lead(BOT_ID)


async def _pid_of(presence: Presence) -> object:
    try:
        return await presence._ask("select pg_backend_pid()")
    except DatabaseUnavailableError:
        return None

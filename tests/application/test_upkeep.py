"""What the clock makes happen: old things go and nothing else, stuck things move again."""

import asyncio
from datetime import date, timedelta

import pytest

from shared.application.jobs import CleanUpOldMessages, MemoryJobs
from shared.application.switches import SwitchService
from shared.application.upkeep import NoDeadLetterError, UpkeepService
from shared.domain.inbox import Outcome, Outgoing, Settlement
from tests.factories import ANN_ID, BOT_ID, NOON, House, SteppedClock, make_character, make_dialog, make_turn, make_update, make_user

LONG_AGO = NOON - timedelta(days=91)
LATELY = NOON - timedelta(days=89)


def make_upkeep(house: House, **parts: object) -> UpkeepService:
    switches = SwitchService(database=house.database, clock=house.clock)
    return UpkeepService(**{"database": house.database, "switches": switches, "clock": house.clock, "jobs": MemoryJobs(), **parts})


async def talk(house: House, said: int, *, days_ago: int) -> None:
    """A dialog with so many turns of a question and a reply."""
    user, character = make_user(), make_character()
    await house.add(user, character)
    dialog = make_dialog(user, character)
    await house.add(dialog)
    await house.add(*(make_turn(dialog, status="finished") for _ in range(said)))
    at = NOON - timedelta(days=days_ago)
    await house.rows("update turns set created_at = :at where dialog_id = :id", at=at, id=dialog.id)
    for role in ("user", "assistant"):
        statement = """insert into messages (dialog_id, turn_id, role, text, created_at)
                       select dialog_id, id, :role, 'words', :at from turns where dialog_id = :id"""
        await house.rows(statement, role=role, at=at, id=dialog.id)


async def counted(house: House, table: str) -> int:
    [(rows,)] = await house.rows(f"select count(*) from {table}")
    return int(rows)


async def test_exactly_the_due_messages_go_and_no_dialog(house: House) -> None:
    await talk(house, 7, days_ago=91)
    await talk(house, 3, days_ago=89)
    report = await make_upkeep(house, batch=2).clean_up()
    assert (report.deleted, report.is_complete) == ({"messages": 14, "turns": 7}, True)
    assert [await counted(house, table) for table in ("dialogs", "turns", "messages", "users")] == [2, 3, 6, 2]


async def test_days_are_the_operators_choice_and_zero_keeps_everything(house: House) -> None:
    await talk(house, 2, days_ago=400)
    upkeep = make_upkeep(house)
    await upkeep.switches.set("keep_messages_days", 0, by="ann")
    assert (await upkeep.clean_up()).deleted == {}
    await upkeep.switches.set("keep_messages_days", 399, by="ann")
    assert (await upkeep.clean_up()).deleted == {"messages": 4, "turns": 2}


async def test_a_turn_waits_for_its_last_message(house: House) -> None:
    await talk(house, 1, days_ago=91)
    await house.rows("update messages set created_at = :at where role = 'assistant'", at=LATELY)
    assert (await make_upkeep(house).clean_up()).deleted == {"messages": 1}
    assert await house.rows("select role from messages") == [("assistant",)]


async def test_an_open_turn_is_never_deleted(house: House) -> None:
    await talk(house, 1, days_ago=91)
    await house.rows("update turns set status = 'open'")
    assert (await make_upkeep(house).clean_up()).deleted == {"messages": 2}


class RunningClock(SteppedClock):
    """Each look at it costs a second."""

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


async def test_a_long_clean_up_hands_over_and_the_next_goes_on(house: House) -> None:
    await talk(house, 6, days_ago=91)
    jobs, clock = MemoryJobs(), RunningClock()
    upkeep = make_upkeep(house, batch=2, clock=clock, jobs=jobs)
    first = await upkeep.clean_up(seconds=2)
    assert (first.is_complete, jobs.jobs) == (False, [CleanUpOldMessages()])
    assert await counted(house, "messages") == 12 - first.deleted["messages"] > 0
    second = await upkeep.clean_up()
    assert second.is_complete
    assert first.deleted["messages"] + second.deleted["messages"] == 12


async def test_killed_in_the_middle_it_loses_nothing_and_goes_on(house: House) -> None:
    await talk(house, 40, days_ago=91)
    await talk(house, 2, days_ago=1)
    upkeep = make_upkeep(house, batch=1)
    running = asyncio.ensure_future(upkeep.clean_up())
    while await counted(house, "messages") > 70:
        pass
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert 4 < await counted(house, "messages") <= 70
    await upkeep.clean_up()
    assert [await counted(house, table) for table in ("messages", "turns")] == [4, 2]


async def test_two_at_once_delete_no_more_than_one(house: House) -> None:
    await talk(house, 20, days_ago=91)
    reports = await asyncio.gather(*(make_upkeep(house, batch=3).clean_up() for _ in range(2)))
    assert sum(report.deleted.get("messages", 0) for report in reports) == 40


async def test_old_updates_parcels_usages_and_idle_lanes_go(house: House) -> None:
    await house.rows(f"""
        insert into stored_updates (telegram_bot_id, telegram_update_id, lane, kind, body, status, received_at)
        select 1, n, 'chat:' || n, 'message', '', (array['handled', 'handled', 'dead', 'dead', 'pending'])[n],
               timestamptz '{NOON}' - (array[8, 6, 31, 29, 300])[n] * interval '1 day' from generate_series(1, 5) n""")
    await house.rows("""insert into lanes (telegram_bot_id, lane, is_priority, arrivals, handled, attempts, failures, token)
        select 1, 'chat:' || n, false, 1, (n <> 5)::int, 0, 0, 0 from generate_series(1, 5) n""")
    await house.rows(f"""
        insert into outbox (telegram_bot_id, telegram_update_id, step, method, params, status, created_at)
        select 1, n, 1, 'sendMessage', '{{}}', (array['sent', 'sent', 'failed', 'failed', 'pending'])[n],
               timestamptz '{NOON}' - (array[8, 6, 31, 29, 300])[n] * interval '1 day' from generate_series(1, 5) n""")
    user = make_user()
    await house.add(user)
    for day in (date(2026, 8, 21), date(2026, 8, 23)):
        await house.rows("insert into allowance_usages (user_id, day, used) values (:id, :day, 1)", id=user.id, day=day)
    report = await make_upkeep(house).clean_up()
    assert report.deleted == {"updates": 1, "dead_updates": 1, "parcels": 1, "failed_parcels": 1, "usages": 1, "lanes": 2}
    assert await house.rows("select telegram_update_id from stored_updates order by 1") == [(2,), (4,), (5,)]
    assert await house.rows("select telegram_update_id from outbox order by 1") == [(2,), (4,), (5,)]
    assert await house.rows("select lane from lanes order by 1") == [("chat:2",), ("chat:4",), ("chat:5",)]


async def test_a_lane_that_was_deleted_comes_back_with_the_next_update(house: House) -> None:
    upkeep = make_upkeep(house)
    await house.inbox.receive(BOT_ID, [make_update(1)], notice="a")
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    await house.inbox.settle(BOT_ID, [Settlement(lease=lease, outcome=Outcome.HANDLED)])
    house.clock.at = (await house.rows("select now()"))[0][0] + timedelta(days=8)
    assert (await upkeep.clean_up()).deleted == {"updates": 1, "lanes": 1}
    await house.inbox.receive(BOT_ID, [make_update(2)], notice="a")
    [again] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    assert (again.update_id, again.token > lease.token) == (2, True)


async def stuck_lane(house: House) -> None:
    await house.inbox.receive(BOT_ID, [make_update(1), make_update(2)], notice="a")
    await house.rows("update lanes set due_at = null, arrivals = 0, handled = 0")


async def test_a_lane_that_nobody_would_look_at_is_made_due(house: House) -> None:
    await stuck_lane(house)
    assert await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5) == []
    report = await make_upkeep(house).resend_pending()
    assert (report.lanes_woken, report.updates_reopened, report.turns_abandoned) == (1, 0, 0)
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    assert lease.update_id == 1
    assert await house.inbox.settle(BOT_ID, [Settlement(lease=lease, outcome=Outcome.HANDLED)]) is True
    assert (await make_upkeep(house).resend_pending()).lanes_woken == 0


async def test_a_leased_lane_is_left_alone(house: House) -> None:
    await house.inbox.receive(BOT_ID, [make_update(1)], notice="a")
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    assert (await make_upkeep(house).resend_pending()).lanes_woken == 0
    assert await house.inbox.extend(BOT_ID, [lease]) == {lease.lane}


async def settled_without_sending(house: House) -> None:
    await house.inbox.receive(BOT_ID, [make_update(1)], notice="a")
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    await house.inbox.post(lease, [Outgoing(method="sendMessage", params={"chat_id": ANN_ID})])
    await house.inbox.settle(BOT_ID, [Settlement(lease=lease, outcome=Outcome.HANDLED)])
    house.clock.at = (await house.rows("select now()"))[0][0]


async def test_an_answer_that_was_not_sent_is_picked_up_again(house: House) -> None:
    await settled_without_sending(house)
    upkeep = make_upkeep(house)
    house.clock.go_on(minutes=1)
    assert (await upkeep.resend_pending()).updates_reopened == 0
    house.clock.go_on(minutes=2)
    assert (await upkeep.resend_pending()).updates_reopened == 1
    assert (await upkeep.resend_pending()).updates_reopened == 0
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    assert [(parcel.step, parcel.status) for parcel in await house.inbox.parcels(lease)] == [(1, "pending")]
    await house.inbox.settle(BOT_ID, [Settlement(lease=lease, outcome=Outcome.HANDLED, sent=((1, 77),))])
    assert await house.rows("select arrivals - handled, due_at from lanes") == [(0, None)]
    house.clock.go_on(minutes=5)
    assert (await upkeep.resend_pending()).updates_reopened == 0


async def test_an_answer_from_yesterday_is_not_sent_any_more(house: House) -> None:
    await settled_without_sending(house)
    house.clock.go_on(hours=25)
    assert (await make_upkeep(house).resend_pending()).updates_reopened == 0


async def test_a_turn_that_nobody_ends_is_given_back(house: House) -> None:
    speaker = await house.speaker()
    for source in ("1", "2"):
        await house.rows(
            "insert into turns (dialog_id, user_id, source_id, status, allowance_day, created_at) values (:d, :u, :s, 'open', :day, :at)",
            d=speaker.dialog_id, u=speaker.user_id, s=source, day=NOON.date(), at=NOON - timedelta(minutes=61 if source == "1" else 59),
        )  # fmt: skip
    await house.rows("insert into allowance_usages (user_id, day, used) values (:u, :day, 2)", u=speaker.user_id, day=NOON.date())
    assert (await make_upkeep(house).resend_pending()).turns_abandoned == 1
    assert await house.rows("select source_id, status, error_code from turns order by id") == [
        ("1", "failed", "abandoned"),
        ("2", "open", None),
    ]
    assert await house.used(speaker) == 1
    assert (await make_upkeep(house).resend_pending()).turns_abandoned == 0


async def dead_letter(house: House, *, said: bool) -> None:
    """Given up after a call that arrived, or did not."""
    await house.inbox.receive(BOT_ID, [make_update(1)], notice="a")
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    await house.inbox.post(lease, [Outgoing(method="sendMessage", params={"chat_id": ANN_ID, "text": "sorry"})])
    sent = ((1, 77),) if said else ()
    await house.inbox.settle(BOT_ID, [Settlement(lease=lease, outcome=Outcome.DEAD, error="KeyError", sent=sent)])


async def test_an_answer_of_a_dead_letter_that_still_waits_is_sent_when_it_is_replayed(house: House) -> None:
    await dead_letter(house, said=False)
    await make_upkeep(house).replay(BOT_ID, 1, by="ann")
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    assert (lease.is_answered, [parcel.status for parcel in await house.inbox.parcels(lease)]) == (True, ["pending"])


async def test_a_dead_letter_is_handled_anew_at_once_although_an_apology_was_sent(house: House) -> None:
    await dead_letter(house, said=True)
    assert await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5) == []
    await make_upkeep(house).replay(BOT_ID, 1, by="ann")
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    assert (lease.update_id, lease.failures, lease.is_answered) == (1, 0, False)


@pytest.mark.parametrize("update_id", [1, 2, 99])
async def test_what_is_no_dead_letter_is_not_replayed(house: House, update_id: int) -> None:
    await house.inbox.receive(BOT_ID, [make_update(1), b'{"update_id": 2, nonsense'], notice="a")
    with pytest.raises(NoDeadLetterError):
        await make_upkeep(house).replay(BOT_ID, update_id, by="ann")
    assert await house.rows("select telegram_update_id, status from stored_updates order by 1") == [(1, "pending"), (2, "dead")]

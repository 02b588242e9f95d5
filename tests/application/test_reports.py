"""The figures that operators see are exact, and hold nobody's words."""

import hashlib
from datetime import timedelta

import pytest

from shared.application.reports import DeadLetterNotFoundError, Replies, ReportService, Spent, Totals
from shared.domain.billing import Spending
from tests.factories import BOT_ID, NOON, House, make_character, make_dialog, make_message, make_turn, make_update, make_user


def make_reports(house: House) -> ReportService:
    return ReportService(database=house.database, clock=house.clock)


async def test_nothing_happened_yet(house: House) -> None:
    overview = await make_reports(house).overview()
    assert overview.totals == Totals(users=0, users_today=0, dialogs=0, dialogs_today=0, active_today=0)
    assert overview.spent == Spent(turns=0, prompt_tokens=0, completion_tokens=0, cost_micros=0, memory_micros=0)
    assert overview.replies == Replies(finished=0, interrupted=0, failed=0, total_p50=None, total_p95=None, first_p50=None, first_p95=None)
    assert (overview.errors, overview.inbox_depth, overview.inbox_oldest_seconds, overview.dead_letters) == ({}, 0, 0.0, 0)
    assert [(hour.said, hour.answered) for hour in overview.hours] == [(0, 0)] * 24
    assert (overview.hours[0].begins, overview.hours[-1].begins) == (NOON - timedelta(hours=23), NOON)


async def test_people_and_what_they_use_today(house: House) -> None:
    users, character = [make_user() for _ in range(3)], make_character()
    await house.add(*users, character)
    dialogs = [make_dialog(user, character) for user in users]
    await house.add(*dialogs)
    await house.rows("update users set created_at = :at", at=NOON - timedelta(days=2))
    await house.rows("update dialogs set created_at = :at where user_id <> :id", at=NOON - timedelta(days=2), id=users[0].id)
    await house.rows("update dialogs set created_at = :at where user_id = :id", at=NOON, id=users[0].id)
    for user, day, used in ((users[0], NOON, 2), (users[1], NOON, 0), (users[2], NOON - timedelta(days=1), 5)):
        await house.rows(
            "insert into allowance_usages (user_id, day, used) values (:id, :day, :used)", id=user.id, day=day.date(), used=used
        )
    await house.add(
        make_turn(
            dialogs[0], status="finished", prompt_tokens=100, completion_tokens=20, cost_micros=300, first_piece_ms=100, total_ms=1000
        ),
        make_turn(
            dialogs[0], status="finished", prompt_tokens=200, completion_tokens=30, cost_micros=None, first_piece_ms=300, total_ms=3000
        ),
        make_turn(dialogs[1], status="interrupted", first_piece_ms=1, total_ms=2),
        make_turn(dialogs[1], status="failed", error_code="model_unavailable"),
        make_turn(dialogs[1], status="failed"),
        make_turn(dialogs[1], status="open"),
    )
    await house.rows("update turns set created_at = :at", at=NOON - timedelta(minutes=59))
    await house.add(
        make_turn(dialogs[2], status="finished", prompt_tokens=7, completion_tokens=7, cost_micros=7, total_ms=9, first_piece_ms=9)
    )
    await house.rows("update turns set created_at = :at where prompt_tokens = 7", at=NOON - timedelta(hours=13))
    for days in (0, 1):
        await house.add(Spending(scope="memory", scope_id="1", day=(NOON - timedelta(days=days)).date(), spent_micros=40 + days))
    overview = await make_reports(house).overview()
    assert overview.totals == Totals(users=3, users_today=0, dialogs=3, dialogs_today=1, active_today=1)
    assert overview.spent == Spent(turns=6, prompt_tokens=300, completion_tokens=50, cost_micros=300, memory_micros=40)
    assert overview.replies == Replies(
        finished=2, interrupted=1, failed=2, total_p50=2000.0, total_p95=2900.0, first_p50=200.0, first_p95=290.0
    )
    assert overview.replies.failed_share == 0.4
    assert overview.errors == {"model_unavailable": 1, "unknown": 1}


async def test_messages_are_counted_in_the_hour_they_were_said(house: House) -> None:
    house.clock.go_on(minutes=30)
    user, character = make_user(), make_character()
    await house.add(user, character)
    dialog = make_dialog(user, character)
    await house.add(dialog)
    await house.add(
        *(make_message(dialog, text=str(number), role=role) for number, role in enumerate(["user", "user", "assistant", "system"]))
    )
    for number, at in enumerate([NOON, NOON - timedelta(seconds=1), NOON + timedelta(minutes=29), NOON - timedelta(hours=23, seconds=1)]):
        await house.rows("update messages set created_at = :at where text = :text", at=at, text=str(number))
    hours = (await make_reports(house).overview()).hours
    assert {(24 - index): (hour.said, hour.answered) for index, hour in enumerate(hours) if hour.said or hour.answered} == {
        1: (1, 1),
        2: (1, 0),
    }


async def test_the_inbox_shows_what_waits(house: House) -> None:
    await house.inbox.receive(BOT_ID, [make_update(1), make_update(2), b"nonsense"], notice="a")
    await house.rows("update stored_updates set received_at = clock_timestamp() - interval '90 seconds' where telegram_update_id = 1")
    overview = await make_reports(house).overview()
    assert (overview.inbox_depth, overview.dead_letters) == (2, 1)
    assert 90 <= overview.inbox_oldest_seconds < 100


async def test_a_dead_letter_shows_size_and_hash_and_no_word(house: House) -> None:
    body = b'{"update_id": 5, "love letter'
    await house.inbox.receive(BOT_ID, [body], notice="a")
    [letter] = await make_reports(house).dead_letters()
    assert (letter.update_id, letter.kind, letter.error, letter.size) == (5, "broken", "not JSON: JSONDecodeError", 29)
    assert letter.sha256 == hashlib.sha256(body).hexdigest()
    assert "love" not in repr(letter)
    assert await make_reports(house).dead_letter(BOT_ID, 5) == letter
    with pytest.raises(DeadLetterNotFoundError):
        await make_reports(house).dead_letter(BOT_ID, 6)


async def test_dead_letters_come_newest_first_and_page_by_page(house: House) -> None:
    await house.rows(f"""
        insert into stored_updates (telegram_bot_id, telegram_update_id, lane, kind, body, status, received_at)
        select 1, n, 'x', 'message', '', 'dead', timestamptz '{NOON}' - n * interval '1 minute' from generate_series(1, 60) n""")
    first = await make_reports(house).dead_letters()
    second = await make_reports(house).dead_letters(before=first[-1].received_at)
    assert [letter.update_id for letter in first + second] == list(range(1, 61))
    assert len(first) == 50

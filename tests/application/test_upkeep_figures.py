"""The figures that only the database knows, as Prometheus gets them."""

from datetime import timedelta

from prometheus_client import REGISTRY

from shared.domain.billing import Spending
from tests.application.test_upkeep import make_upkeep
from tests.factories import BOT_ID, NOON, House, make_character, make_dialog, make_turn, make_user

TODAY = NOON.date()


def told(name: str) -> float | None:
    return REGISTRY.get_sample_value(name)


async def test_who_was_active_and_what_today_costs(house: House) -> None:
    users, character = [make_user() for _ in range(3)], make_character()
    await house.add(*users, character)
    dialogs = [make_dialog(user, character) for user in users]
    await house.add(*dialogs)
    for dialog, hours, day, micros in (
        (dialogs[0], 1, TODAY, 300),
        (dialogs[0], 2, TODAY, None),
        (dialogs[1], 23, TODAY - timedelta(days=1), 7_000),
        (dialogs[2], 25, TODAY - timedelta(days=1), 90_000),
    ):
        turn = make_turn(dialog, status="finished", allowance_day=day, cost_micros=micros)
        await house.add(turn)
        await house.rows("update turns set created_at = :at where id = :id", at=NOON - timedelta(hours=hours), id=turn.id)
    upkeep = make_upkeep(house)
    await upkeep.switches.set("bot_daily_micros", 5_000_000, by="ann")
    await upkeep.take_figures()
    names = ("vitte_active_users", "vitte_bot_spent_micros", "vitte_bot_budget_micros", "vitte_figures_taken_timestamp_seconds")
    assert [told(name) for name in names] == [2.0, 300.0, 5_000_000.0, NOON.timestamp()]


async def test_what_memory_took_counts(house: House) -> None:
    user, character = make_user(), make_character()
    await house.add(user, character)
    dialog = make_dialog(user, character)
    await house.add(dialog)
    await house.add(make_turn(dialog, status="finished", allowance_day=TODAY, cost_micros=300))
    for days, spent in ((0, 40), (1, 9_000)):
        await house.add(Spending(scope="memory", scope_id=str(BOT_ID), day=TODAY - timedelta(days=days), spent_micros=spent))
    await house.add(Spending(scope="bot", scope_id=str(BOT_ID), day=TODAY, spent_micros=340, memory_micros=40))
    await house.rows("update turns set created_at = :at", at=NOON)
    await make_upkeep(house).take_figures()
    assert told("vitte_bot_spent_micros") == 340.0


async def test_an_empty_house_costs_nothing_and_has_no_limit(house: House) -> None:
    await make_upkeep(house).take_figures()
    assert [told(name) for name in ("vitte_active_users", "vitte_bot_spent_micros", "vitte_bot_budget_micros")] == [0.0, 0.0, 0.0]

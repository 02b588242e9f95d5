"""Money that open turns held back comes back once; budgets and turns are compared; old sums and facts go."""

from datetime import date, timedelta

from shared.application.jobs import MemoryJobs
from shared.application.upkeep import COMPARED_AT, DIFFERENCE, UpkeepService
from shared.domain.billing import Spending
from shared.domain.memory import Memory, MemoryStatus
from tests.factories import BOT_ID, NOON, House, make_character, make_dialog, make_turn, make_user

TODAY = date(2026, 11, 20)


def make_upkeep(house: House) -> UpkeepService:
    return UpkeepService(database=house.database, switches=house.switches, clock=house.clock, jobs=MemoryJobs())


async def open_turns(house: House, *reserved: int) -> str:
    """A user with open turns of two hours ago, and budgets that hold their money back."""
    user, character = make_user(), make_character()
    await house.add(user, character)
    dialog = make_dialog(user, character)
    await house.add(dialog)
    await house.add(*[make_turn(dialog, reserved_micros=micros, allowance_day=TODAY) for micros in reserved])
    await house.rows("update turns set created_at = :at", at=NOON - timedelta(hours=2))
    for scope, scope_id in (("user", str(user.id)), ("bot", str(BOT_ID))):
        await house.add(Spending(scope=scope, scope_id=scope_id, day=TODAY, reserved_micros=sum(reserved), spent_micros=0))
    return str(user.id)


async def spendings(house: House) -> list[tuple[object, ...]]:
    return await house.rows("select scope, reserved_micros, spent_micros from spendings order by scope desc")


async def test_abandoned_turns_release_what_was_held_back_for_them_exactly_once(house: House) -> None:
    await open_turns(house, 700, 300)
    await house.rows("update spendings set reserved_micros = reserved_micros + 50")
    assert (await make_upkeep(house).resend_pending()).turns_abandoned == 2
    assert await spendings(house) == [("user", 50, 0), ("bot", 50, 0)]
    assert await house.rows("select distinct status, reserved_micros from turns") == [("failed", 0)]
    assert (await make_upkeep(house).resend_pending()).turns_abandoned == 0
    assert await spendings(house) == [("user", 50, 0), ("bot", 50, 0)]


async def test_budgets_that_agree_with_their_turns_differ_by_nothing(house: House) -> None:
    await open_turns(house, 700, 300)
    assert await make_upkeep(house).compare_spendings() == {"user": (0, 0), "bot": (0, 0)}
    await house.rows("update turns set status = 'finished', cost_micros = 40, reserved_micros = 0 where reserved_micros = 700")
    await house.rows("update spendings set reserved_micros = 300, spent_micros = 40")
    assert await make_upkeep(house).compare_spendings() == {"user": (0, 0), "bot": (0, 0)}


async def test_a_budget_that_disagrees_is_reported_and_left_alone(house: House) -> None:
    await open_turns(house, 700)
    await house.rows("update spendings set spent_micros = 9, reserved_micros = 690 where scope = 'user'")
    assert await make_upkeep(house).compare_spendings() == {"user": (9, 10), "bot": (0, 0)}
    assert [DIFFERENCE.labels("user", kind)._value.get() for kind in ("spent", "held")] == [9, 10]
    assert COMPARED_AT._value.get() == house.clock.now().timestamp()
    assert await spendings(house) == [("user", 690, 9), ("bot", 700, 0)]


async def test_old_sums_and_replaced_facts_go_and_nothing_else(house: House) -> None:
    user = make_user()
    await house.add(user)
    for days in (89, 91):
        await house.add(Spending(scope="bot", scope_id=str(BOT_ID), day=TODAY - timedelta(days=days)))
    for status in MemoryStatus:
        for days in (29, 31):
            await house.add(Memory(user_id=user.id, topic="city", fact="Brno", status=status, updated_at=NOON - timedelta(days=days)))
    report = await make_upkeep(house).clean_up()
    assert report.deleted == {"spendings": 1, "memories": 2}
    assert await house.rows("select status, count(*) from memories group by status order by status") == [
        ("active", 2),
        ("asked", 2),
        ("forgotten", 1),
        ("replaced", 1),
    ]

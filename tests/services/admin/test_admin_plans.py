"""The page of plans: owners change what a plan allows, and it holds for the next message."""

import re
from html import escape

import pytest
from httpx import Response

from tests.factories import BOB_ID, House, make_plan, make_user
from tests.services.admin.dashboard import Browser, Dashboard

FIELDS = {"daily_turns": "40", "turns_per_minute": "", "daily_dollars": "0.25", "tier": "simple", "may_choose_model": "on"}
READ = "select daily_turns, turns_per_minute, daily_micros, tier, may_choose_model, is_paid from plans where code = 'free'"
BEFORE = [(100, None, None, "auto", False, False)]


async def test_the_page_shows_every_plan_and_what_is_without_limit(house: House, owner: Browser) -> None:
    await house.add(make_plan(code="plus", daily_turns=None, daily_micros=1_500_000, is_paid=True, position=1))
    page = (await owner.http.get("/admin/plans")).text
    assert re.findall(r"<h2>(\w+)</h2>", page) == ["free", "plus"]
    assert re.findall(r'name="(?:daily_turns|turns_per_minute|daily_dollars)" value="([^"]*)"', page) == [
        "100",
        "",
        "",
        "",
        "",
        "1.50",
    ]
    assert re.findall(r'name="is_paid" (checked)?', page) == ["", "checked"]


async def test_a_change_is_stored_and_holds_for_the_next_message(house: House, dashboard: Dashboard, owner: Browser) -> None:
    accounts = dashboard.application.accounts
    await house.speaker()
    ann = await house.speaker()
    for _ in range(3):
        assert (await accounts.caches.find_speaker(ann.telegram_user_id, ann.place)) == ann

    answer = await owner.post("/admin/plans/free", token_from="/admin/plans", **FIELDS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/plans?saved=free#plan-free")
    assert await house.rows(READ) == [(40, None, 250_000, "simple", True, False)]
    now = await accounts.caches.find_speaker(ann.telegram_user_id, ann.place)
    assert now is not None
    assert (now.daily_turns, now.turns_per_minute, now.daily_micros, now.plan_tier, now.may_choose_model) == (
        40,
        None,
        250_000,
        "simple",
        True,
    )
    page = (await owner.http.get("/admin/plans?saved=free")).text
    assert "Saved." in page
    assert 'value="0.25"' in page
    assert "Saved." not in (await owner.http.get("/admin/plans?saved=<b>")).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"daily_turns": "-1"},
        {"daily_turns": "many"},
        {"daily_turns": "9" * 30},
        {"turns_per_minute": "0"},
        {"daily_dollars": "nan"},
        {"daily_dollars": "0.0000001"},
        {"daily_dollars": "-1"},
        {"daily_dollars": "1e20"},
        {"tier": "best"},
        {"tier": ""},
    ],
)
async def test_a_value_that_no_plan_can_have_changes_nothing(house: House, owner: Browser, wrong: dict[str, str]) -> None:
    answer = await owner.post("/admin/plans/free", token_from="/admin/plans", **{**FIELDS, **wrong})
    assert (answer.status_code, "Nothing was changed" in answer.text) == (422, True)
    assert await house.rows(READ) == BEFORE


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("daily_turns", "1e3", "Type a whole number, such as 30."),
        ("daily_turns", "1000001", "1000000 is the most."),
        ("turns_per_minute", "0", "1 is the least."),
        ("daily_dollars", "0.0000001", "A sum has at most six decimals."),
    ],
)
async def test_a_value_that_a_plan_cannot_have_is_said_at_its_field_and_all_that_was_typed_stays(
    house: House, owner: Browser, field: str, typed: str, said: str
) -> None:
    await house.add(make_plan(code="plus", daily_turns=7, position=1))
    answer = await owner.post("/admin/plans/free", token_from="/admin/plans", **{**FIELDS, field: typed})
    page = answer.text
    shown = {**FIELDS, field: typed}
    assert answer.status_code == 422
    assert re.findall(r'class="wrong" id="([^"]+)">([^<]+)<', page) == [(f"free-{field}-wrong", said)]
    assert re.findall(r'aria-describedby="([^"]+)"', page) == [f"free-{field}-wrong"]
    assert re.findall(r'name="(daily_turns|turns_per_minute|daily_dollars)" value="([^"]*)"', page) == [
        *((name, shown[name]) for name in ("daily_turns", "turns_per_minute", "daily_dollars")),
        *(("daily_turns", "7"), ("turns_per_minute", ""), ("daily_dollars", "")),
    ]
    assert re.findall(r'name="may_choose_model" (checked)?', page) == ["checked", ""]
    assert '<option value="simple" selected>' in page
    assert await house.rows(READ) == BEFORE


async def test_a_plan_that_is_gone_is_said_to_be_gone(owner: Browser) -> None:
    answer = await owner.post("/admin/plans/gold", token_from="/admin/plans", **FIELDS)
    assert (answer.status_code, "There is no such plan" in answer.text) == (404, True)


async def test_a_viewer_looks_and_changes_nothing(house: House, viewer: Browser) -> None:
    page = (await viewer.http.get("/admin/plans")).text
    assert (page.count("disabled"), "Save<" in page) == (6, False)
    csrf = await viewer.token("/admin/plans")
    answer = await viewer.post("/admin/plans/free", **FIELDS, csrf=csrf)
    assert answer.status_code == 403
    assert await house.rows(READ) == BEFORE


async def give(owner: Browser, **typed: str) -> Response:
    return await owner.post("/admin/give-plan", token_from="/admin/plans", **{"person": "", "plan": "plus", "days": "", **typed})


async def test_a_plan_is_added_as_the_free_one_changed_and_removed(house: House, owner: Browser) -> None:
    answer = await owner.post("/admin/plans", token_from="/admin/plans", code="plus")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/plans?saved=plus#plan-plus")
    assert await house.rows("select daily_turns, tier, is_paid, position from plans where code = 'plus'") == [(100, "auto", False, 1)]
    await owner.post("/admin/plans/plus", token_from="/admin/plans", **FIELDS, is_paid="on")
    assert await house.rows("select daily_turns, is_paid from plans where code = 'plus'") == [(40, True)]
    assert (await owner.post("/admin/plans/plus/remove", token_from="/admin/plans")).headers["location"] == "/admin/plans"
    assert await house.rows("select code from plans") == [("free",)]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("free", 409, "There is a plan with this name already."),
        ("", 422, "Up to 20 small letters"),
        ("Gold", 422, "Up to 20 small letters"),
        ("a b", 422, "Up to 20 small letters"),
        ("x" * 21, 422, "Up to 20 small letters"),
        ("<b>", 422, "Up to 20 small letters"),
    ],
)
async def test_a_name_that_no_plan_can_have_is_said_at_the_form(house: House, owner: Browser, code: str, status: int, said: str) -> None:
    answer = await owner.post("/admin/plans", token_from="/admin/plans", code=code)
    assert (answer.status_code, said in answer.text, f'name="code" value="{escape(code)}"' in answer.text) == (status, True, True)
    assert await house.rows("select code from plans") == [("free",)]


async def test_a_plan_that_somebody_had_stays(house: House, owner: Browser) -> None:
    await house.add(make_plan(code="plus"))
    ann = await house.speaker()
    await give(owner, person=str(ann.telegram_user_id))
    await give(owner, person=str(ann.telegram_user_id), plan="free")
    for code in ("plus", "free", "gold"):
        answer = await owner.post(f"/admin/plans/{code}/remove", token_from="/admin/plans")
        assert (answer.status_code, "Nothing was changed" in answer.text) == (409, True)
    assert await house.rows("select code from plans order by position, code") == [("free",), ("plus",)]


async def test_a_plan_is_given_for_the_next_message_and_what_was_before_holds_after_it(
    house: House, dashboard: Dashboard, owner: Browser
) -> None:
    await house.add(make_plan(code="plus", is_paid=True), make_plan(code="gold", daily_turns=None))
    find, ann = dashboard.application.accounts.caches.find_speaker, await house.speaker()
    await house.rows("update users set username = 'Ann_B' returning id")
    bob = await house.speaker(telegram_user_id=BOB_ID)

    async def plans_now() -> list[str]:
        return [found.plan_code for one in (ann, bob) if (found := await find(one.telegram_user_id, one.place))]

    assert await plans_now() == ["free", "free"]
    answer = await give(owner, person=" @ann_b ", days="30")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/plans?given=true#give-plan")
    assert await plans_now() == ["plus", "free"]
    page = (await owner.http.get("/admin/plans?given=true")).text
    assert "Given: it holds from their next message on." in page
    assert re.findall(r'<p class="soft">(.* ha\w+ it[^<]*)</p>', page) == ["One person has it.", "Nobody has it now.", "One person has it."]

    await give(owner, person=str(ann.telegram_user_id), plan="gold", days="3")
    assert await plans_now() == ["gold", "free"]
    await house.rows("update subscriptions set starts_at = starts_at - interval '4 days', ends_at = ends_at - interval '4 days'")
    fresh = await house.caches.find_speaker(ann.telegram_user_id, ann.place)
    assert fresh is not None
    assert fresh.plan_code == "free"

    await give(owner, person=str(ann.telegram_user_id), plan="gold")
    assert await plans_now() == ["gold", "free"]
    assert await house.rows("select plan_code, ends_at is null from subscriptions where ends_at is null or ends_at > now() order by 1") == [
        ("free", True),
        ("gold", True),
    ]


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"person": "7"}, 404, "Nobody with this id or name has written to a bot yet."),
        ({"person": "@nobody"}, 404, "Nobody with this id or name has written to a bot yet."),
        ({"person": "@twin"}, 409, "Several people have had this name: use the Telegram id."),
        ({"person": "4711", "plan": "gold"}, 404, "There is no such plan any more."),
        ({"person": "4711", "days": "0"}, 422, "Type a Telegram id"),
        ({"person": "4711", "days": "40000"}, 422, "Type a Telegram id"),
        ({"person": "4711", "days": "-1"}, 422, "Type a Telegram id"),
        ({"person": "<i>ann", "days": "3"}, 422, "Type a Telegram id"),
        ({"person": ""}, 422, "Type a Telegram id"),
    ],
)
async def test_a_plan_that_cannot_be_given_is_said_at_the_form(
    house: House, owner: Browser, typed: dict[str, str], status: int, said: str
) -> None:
    await house.add(make_plan(code="plus"), make_user(telegram_user_id=4711, username="Twin"), make_user(username="twin"))
    answer = await give(owner, **typed)
    assert (answer.status_code, f"{said}" in answer.text, "Nothing was changed." in answer.text) == (status, True, True)
    assert f'name="person" value="{escape(typed["person"])}"' in answer.text
    assert await house.rows("select 1 from subscriptions") == []


async def test_a_viewer_gives_nothing(house: House, viewer: Browser) -> None:
    csrf = await viewer.token("/admin/plans")
    for path, fields in (("/admin/plans", {"code": "plus"}), ("/admin/give-plan", {"person": "7"}), ("/admin/plans/free/remove", {})):
        assert (await viewer.post(path, **fields, csrf=csrf)).status_code == 403
    assert await house.rows("select code from plans") == [("free",)]

"""The page of plans: owners change what a plan allows, and it holds for the next message."""

import re

import pytest

from tests.factories import House, make_plan
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
        "1.500000",
    ]
    assert re.findall(r'name="is_paid" (checked)?', page) == ["", "checked"]


async def test_a_change_is_stored_and_holds_for_the_next_message(house: House, dashboard: Dashboard, owner: Browser) -> None:
    accounts = dashboard.application.accounts
    await house.speaker()
    ann = await house.speaker()
    for _ in range(3):
        assert (await accounts.caches.find_speaker(ann.telegram_user_id, ann.place)) == ann

    answer = await owner.post("/admin/plans/free", token_from="/admin/plans", **FIELDS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/plans?saved=free")
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
    assert 'value="0.250000"' in page
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

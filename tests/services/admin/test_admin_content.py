"""What operators see and do, and that nobody's words are among it."""

import json
import re
from collections.abc import AsyncIterator
from html import escape, unescape
from typing import Any

import pytest

from services.admin.errors import UNKNOWN, notice_of
from services.admin.pages.switches import EXPLANATIONS
from services.admin.security import HEADERS
from services.admin.wording import dollars, duration, milliseconds, number, short_number
from shared.domain.switches import Switches
from tests.factories import BOT_ID, House, make_update
from tests.services.admin.dashboard import SECRET, Browser, Dashboard, open_dashboard
from tests.services.error_kinds import all_error_kinds
from tests.services.opening import NOWHERE_DATABASE, NOWHERE_REDIS, opened

PAGES = ("/admin/login", "/admin/", "/admin/dead-letters", "/admin/plans", "/admin/settings", "/admin/nothing-here")


def cards(html: str) -> dict[str, tuple[str, str]]:
    """Title -> (value, detail), with every space a plain one."""
    found = re.findall(r'<h3>([^<]+)</h3><p class="value">([^<]*)</p><p class="detail">([^<]*)</p>', html.replace("\u202f", " "))
    return {title: (unescape(value), unescape(detail)) for title, value, detail in found}


def test_every_error_of_ours_has_a_notice() -> None:
    assert [kind.__name__ for kind in all_error_kinds() if notice_of(kind)[0] is UNKNOWN[0]] == []


def test_every_switch_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Switches.__dataclass_fields__)


@pytest.mark.parametrize(
    ("show", "meant"),
    [
        (number, {1234567: "1 234 567"}),
        (short_number, {0: "0", 9999: "9 999", 12345: "12.3 k", 999_999: "1000 k", 1_234_567: "1.23 M"}),
        (milliseconds, {None: "–", 0.4: "0 ms", 999: "999 ms", 1000: "1.0 s", 12_345: "12.3 s"}),
        (duration, {0.2: "0 s", 59: "59 s", 60: "1 min", 7200: "2 h", 200_000: "2 d"}),
        (dollars, {0: "$0.00", 1234: "$0.0012", 1_500_000: "$1.50"}),
    ],
)
def test_numbers_are_easy_to_read(show: Any, meant: dict[Any, str]) -> None:
    assert {value: show(value).replace("\u202f", " ") for value in meant} == meant


async def test_the_overview_of_an_empty_house(owner: Browser) -> None:
    shown = cards((await owner.http.get("/admin/")).text)
    assert shown["Users"] == ("0", "+0 today")
    assert shown["Reply"] == ("–", "p95 – · last hour")
    assert shown["Inbox"] == ("0", "nothing waits")
    assert shown["Cost today"] == ("$0.00", "replies $0.00 · memory $0.00")


async def test_the_overview_is_live(house: House, owner: Browser) -> None:
    speaker = await house.speaker()
    await house.rows(
        """insert into turns (dialog_id, user_id, source_id, status, allowance_day, prompt_tokens, completion_tokens, cost_micros,
                              first_piece_ms, total_ms, error_code)
           select :d, :u, n::text, case when n = 4 then 'failed' else 'finished' end, current_date, 1000, 200, 500, 400, 2000,
                  case when n = 4 then 'model_unavailable' end from generate_series(1, 4) n""",
        d=speaker.dialog_id,
        u=speaker.user_id,
    )
    await house.rows("insert into spendings values ('memory', :bot, current_date, 0, 1500, 1500) returning 1", bot=str(BOT_ID))
    await house.inbox.receive(BOT_ID, [make_update(1), make_update(2), b"nonsense"], notice="a")
    page = await owner.http.get("/admin/overview/figures", headers={"HX-Request": "true"})
    shown = cards(page.text)
    assert shown["Users"] == ("1", "+1 today")
    assert shown["Reply"] == ("2.0 s", "p95 2.0 s · last hour")
    assert shown["First words"] == ("400 ms", "p95 400 ms · last hour")
    assert (shown["Tokens today"], shown["Cost today"]) == (("4 800", "4 turns"), ("$0.0035", "replies $0.0020 · memory $0.0015"))
    assert shown["Failed turns, last hour"] == ("1", "25.0 % of 4")
    assert (shown["Inbox"][0], shown["Dead letters"][0]) == ("2", "1")
    assert "<code>model_unavailable</code><span>1</span>" in page.text
    series = json.loads(unescape(re.search(r'data-series="([^"]+)"', page.text)[1]))  # type: ignore[index]
    assert [len(line) for line in series] == [24, 24, 24]
    assert (sum(series[1]), sum(series[2])) == (0, 1)


async def test_the_health_strip_names_what_answers(owner: Browser) -> None:
    strip = (await owner.http.get("/admin/overview/health")).text
    assert re.findall(r'class="chip (\w+)"><i></i>(\w+)', strip) == [("ok", "database"), ("ok", "redis")]


@pytest.fixture
async def letters(house: House) -> None:
    await house.inbox.receive(BOT_ID, [b'{"update_id": 5, "my love letter'], notice="a")
    await house.inbox.receive(BOT_ID, [make_update(6, text="another love letter")], notice="a")
    await house.rows(
        "update stored_updates set status = 'dead', error = '<b>KeyError</b>', handled_at = now() where telegram_update_id = 6"
    )
    await house.rows("update lanes set due_at = null, handled = 1")


@pytest.mark.usefixtures("letters")
async def test_dead_letters_show_what_happened_and_no_word(owner: Browser) -> None:
    page = (await owner.http.get("/admin/dead-letters")).text
    assert ("not JSON: JSONDecodeError" in page, "&lt;b&gt;KeyError&lt;/b&gt;" in page, "<b>KeyError" in page) == (True, True, False)
    detail = (await owner.http.get(f"/admin/dead-letters/{BOT_ID}/6")).text
    assert re.search(r'class="hash">[0-9a-f]{64}<', detail)
    assert "love" not in page + detail
    assert "/5/replay" not in page
    assert (await owner.http.get(f"/admin/dead-letters/{BOT_ID}/7")).status_code == 404


@pytest.mark.usefixtures("letters")
async def test_a_dead_letter_is_replayed_once(house: House, owner: Browser) -> None:
    path = f"/admin/dead-letters/{BOT_ID}/6/replay"
    answer = await owner.post(path, token_from="/admin/dead-letters")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/dead-letters?replayed=true")
    assert "in its lane again" in (await owner.http.get(answer.headers["location"])).text
    assert await house.rows("select status, error from stored_updates where telegram_update_id = 6") == [("pending", None)]
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    assert lease.update_id == 6
    again = await owner.post(path, token_from="/admin/dead-letters")
    assert (again.status_code, "no dead letter any more" in again.text) == (409, True)


@pytest.mark.usefixtures("letters")
async def test_a_viewer_sees_no_button(viewer: Browser) -> None:
    pages = [(await viewer.http.get(path)).text for path in ("/admin/dead-letters", f"/admin/dead-letters/{BOT_ID}/6", "/admin/settings")]
    assert [re.findall(r"<button[^>]*>(Replay|Save)<", page) for page in pages] == [[], [], []]
    assert pages[2].count("disabled") == 10


async def test_switches_are_saved_and_noted(house: House, owner: Browser) -> None:
    answer = await owner.post(
        "/admin/settings", token_from="/admin/settings", streaming="on", registration_open="on", keep_messages_days="30"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/settings?saved=true")
    assert sorted(await house.rows("select key, value, updated_by from settings where key <> 'cache_epoch'")) == [
        ("answer_in_groups", False, "ann"),
        ("keep_messages_days", 30, "ann"),
    ]
    page = (await owner.http.get("/admin/settings?saved=true")).text
    assert re.findall(r'type="checkbox" role="switch" name="(\w+)" (checked)?', page) == [
        ("streaming", "checked"),
        ("answer_in_groups", ""),
        ("registration_open", "checked"),
        ("only_simple_models", ""),
    ]
    assert 'name="keep_messages_days" value="30"' in page


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [("keep_messages_days", typed, "Type a whole number, such as 30.") for typed in ("", "-1", "1.5", "many", "٣", "<b>", "9" * 30)]
    + [("keep_messages_days", "99999", "36500 is the most."), ("bot_daily_micros", "1000000.01", "1000000.00 is the most.")]
    + [("semantic_cache_percent", typed, "Type 0, or a number from 80 to 100.") for typed in ("1", "79", "101")]
    + [("bot_daily_micros", typed, "Type a sum in US dollars, such as 2.50.") for typed in ("", "-1", "nan", "1e999999", "much")]
    + [("bot_daily_micros", "0.0000001", "A sum has at most six decimals.")],
)
async def test_a_bad_value_is_said_at_its_field_and_nothing_typed_is_lost(
    house: House, owner: Browser, field: str, typed: str, said: str
) -> None:
    good = {"streaming": "on", "soft_limit_percent": "55", "quiet_milliseconds": "700"}
    answer = await owner.post("/admin/settings", token_from="/admin/settings", **good, **{field: typed})
    assert (answer.status_code, "Nothing was changed" in answer.text) == (422, True)
    assert re.findall(r'class="wrong" id="([^"]+)">([^<]+)<', answer.text) == [(f"{field}-wrong", said)]
    assert f'id="{field}" aria-invalid="true" aria-describedby="{field}-wrong" name="{field}" value="{escape(typed)}"' in answer.text
    assert re.findall(r'role="switch" name="(\w+)" checked', answer.text) == ["streaming"]
    assert re.findall(r'name="(soft_limit_percent|quiet_milliseconds)" value="(\d+)"', answer.text) == [
        ("soft_limit_percent", "55"),
        ("quiet_milliseconds", "700"),
    ]
    assert await house.rows("select key from settings where key <> 'cache_epoch'") == []


@pytest.mark.parametrize(
    ("typed", "micros", "shown"), [("2,5", 2_500_000, "2.50"), ("0.000100", 100, "0.0001"), ("1000000", 10**12, "1000000.00")]
)
async def test_money_is_typed_and_shown_in_dollars(house: House, owner: Browser, typed: str, micros: int, shown: str) -> None:
    answer = await owner.post("/admin/settings", token_from="/admin/settings", bot_daily_micros=typed)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/settings?saved=true")
    assert await house.rows("select value from settings where key = 'bot_daily_micros'") == [(micros,)]
    assert f'name="bot_daily_micros" value="{shown}"' in (await owner.http.get("/admin/settings")).text


@pytest.mark.parametrize("path", PAGES)
async def test_pages_bring_no_script_or_style_of_their_own_and_fetch_nothing_elsewhere(
    dashboard: Dashboard, owner: Browser, path: str
) -> None:
    if path == "/admin/login":
        owner.http.cookies.clear()
    answer = await owner.http.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)|hx-on|javascript:", answer.text) == []
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', answer.text)
    assert [address for address in addresses if not address.startswith("/admin/")] == []
    for address in {one for one in addresses if "/static/" in one}:
        fetched = await owner.http.get(unescape(address))
        assert (fetched.status_code, fetched.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")


async def test_health_answers_without_signing_in(dashboard: Dashboard) -> None:
    async with dashboard.browser() as monitor:
        answer = await monitor.http.get("/admin/health")
        assert (answer.status_code, answer.json()["status"], sorted(answer.json()["dependencies"])) == (200, "ok", ["database", "redis"])
        assert "vitte_http_request_seconds" in (await monitor.http.get("/metrics")).text


@pytest.fixture
async def lonely(house: House, database_url: str, redis_url: str) -> AsyncIterator[Dashboard]:
    """Its PostgreSQL and its Redis went away."""
    async with open_dashboard(house, database_url, redis_url) as dashboard, opened("admin") as application:
        desk = dashboard.app.state.desk
        object.__setattr__(desk, "application", application)
        desk.sessions._redis = application.redis
        yield dashboard


async def test_an_outage_is_named_and_the_page_tries_again(lonely: Dashboard) -> None:
    async with lonely.browser() as browser:
        health = await browser.http.get("/admin/health")
        codes = {name: one["code"] for name, one in health.json()["dependencies"].items()}
        assert (health.status_code, codes) == (503, {"database": "database_unavailable", "redis": "redis_unavailable"})
        answer = await browser.sign_in()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "PostgreSQL does not answer" in answer.text
        assert NOWHERE_DATABASE not in answer.text
        assert NOWHERE_REDIS not in answer.text


async def test_a_part_that_refreshes_itself_stays_as_it_is_during_an_outage(dashboard: Dashboard, owner: Browser) -> None:
    await dashboard.house.rows("alter table turns rename to elsewhere")
    answer = await owner.http.get("/admin/overview/figures", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-reswap"], answer.text) == (503, "none", "")


async def test_the_secret_is_on_no_page(owner: Browser) -> None:
    for path in PAGES:
        assert SECRET not in (await owner.http.get(path)).text

"""The dashboard in a real Chromium, under its own strict policy: signing in, live figures, switches, the phone."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import uvicorn
from playwright.async_api import Page, expect

from tests.factories import BOT_ID, House, make_update, open_house
from tests.services.admin.dashboard import PASSWORD, Dashboard, open_dashboard

pytestmark = pytest.mark.browser
REFRESH = 12_000  # ms; figures come every five seconds
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    dashboard: Dashboard

    @property
    def house(self) -> House:
        return self.dashboard.house


@pytest.fixture
async def served(database_url: str, redis_url: str) -> AsyncIterator[Served]:
    async with open_house(database_url) as house, open_dashboard(house, database_url, redis_url) as dashboard:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            config = uvicorn.Config(dashboard.app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            server.capture_signals = contextlib.nullcontext  # type: ignore[assignment, method-assign]
            running = asyncio.ensure_future(server.serve(sockets=[listening]))
            yield Served(f"http://localhost:{listening.getsockname()[1]}", dashboard)
            server.should_exit = True
            await running


@pytest.fixture
async def overview(browser_page: Page, served: Served) -> Page:
    """Signed in as the owner, on the first page."""
    await browser_page.goto(f"{served.url}/admin/")
    await browser_page.get_by_label("Login").fill("ann")
    await browser_page.get_by_label("Password").fill(PASSWORD)
    await browser_page.get_by_role("button", name="Sign in").click()
    await expect(browser_page.get_by_role("heading", name="Overview")).to_be_visible()
    return browser_page


async def test_figures_change_without_a_reload(overview: Page, served: Served):
    users = overview.locator(".card", has_text="Users").locator(".value")
    await expect(users).to_have_text("0")
    await expect(overview.locator(".chip.ok")).to_have_count(2)
    await overview.evaluate("window.sameDocument = true")
    await served.house.speaker()
    await served.house.inbox.receive(BOT_ID, [make_update(1)], notice="a")
    await expect(users).to_have_text("1", timeout=REFRESH)
    await expect(overview.locator(".card", has_text="Inbox").locator(".value")).to_have_text("1")
    await expect(overview.locator("#chart canvas")).to_have_count(1)
    assert await overview.evaluate("window.sameDocument") is True


async def test_the_chart_tells_the_hour_under_the_mouse(overview: Page, served: Served):
    box = await overview.locator("#chart canvas").bounding_box()
    assert box is not None
    await overview.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    hint = await overview.locator("#chart").get_attribute("data-hint")
    assert hint is not None
    assert hint.endswith("0 from people · 0 from characters")


async def test_an_outage_keeps_the_last_figures_and_says_so(overview: Page, served: Served):
    await served.house.rows("alter table turns rename to elsewhere")
    live = overview.locator("#live")
    await expect(live).to_contain_text("no answer since", timeout=20_000)
    await expect(overview.locator(".card", has_text="Users").locator(".value")).to_have_text("0")
    await served.house.rows("alter table elsewhere rename to turns")
    await expect(live).to_contain_text("live", timeout=REFRESH)


async def test_a_session_that_ended_leads_to_the_door(overview: Page, served: Served):
    served.dashboard.clock.go_on(minutes=31)
    await overview.wait_for_url("**/admin/login", timeout=REFRESH)
    await expect(overview.get_by_label("Password")).to_be_visible()


async def test_a_switch_is_turned(overview: Page, served: Served):
    await overview.get_by_role("link", name="Settings").click()
    await overview.get_by_role("switch", name="Let new people in").uncheck()
    await overview.get_by_role("button", name="Save").click()
    await expect(overview.get_by_role("status")).to_have_text("Saved.")
    await expect(overview.get_by_role("switch", name="Let new people in")).not_to_be_checked()
    assert await served.house.rows("select key, value from settings where key <> 'cache_epoch'") == [("registration_open", False)]


async def test_a_bad_number_is_said_at_its_field_and_mended_there(overview: Page, served: Served):
    await overview.get_by_role("link", name="Settings").click()
    await overview.locator("form.switches").evaluate("form => { form.noValidate = true; }")
    await overview.get_by_role("switch", name="Let new people in").uncheck()
    await overview.get_by_label("Keep messages").fill("99999")
    await overview.get_by_role("button", name="Save").click()
    await expect(overview.get_by_role("alert")).to_contain_text("Keep messages for this many days")
    await expect(overview.get_by_text("36500 is the most.")).to_be_visible()
    await expect(overview.get_by_label("Keep messages")).to_have_value("99999")
    await overview.get_by_label("Keep messages").fill("30")
    await overview.get_by_role("button", name="Save").click()
    await expect(overview.get_by_role("status")).to_have_text("Saved.")
    await expect(overview.get_by_role("switch", name="Let new people in")).not_to_be_checked()
    assert await served.house.rows("select value from settings where key = 'keep_messages_days'") == [(30,)]


async def test_a_plan_is_added_with_the_enter_key_and_given(overview: Page, served: Served):
    ann = await served.house.speaker()
    await overview.get_by_role("link", name="Plans").click()
    added, given = overview.get_by_role("form", name="Add a plan"), overview.get_by_role("form", name="Give a plan")
    await added.get_by_label("Name").fill("free")
    await added.get_by_role("button", name="Add").click()
    await expect(added.get_by_role("alert")).to_contain_text("There is a plan with this name already.")
    await added.get_by_label("Name").fill("plus")
    await added.get_by_role("button", name="Add").click()
    plus = overview.get_by_role("form", name="Plan plus")
    await expect(plus.get_by_role("status")).to_have_text("Saved.")
    await plus.get_by_label("Messages a day").fill("500")
    await plus.get_by_label("Messages a day").press("Enter")
    await expect(plus.get_by_label("Messages a day")).to_have_value("500")
    await given.get_by_label("Who").fill(str(ann.telegram_user_id))
    await given.get_by_label("Plan").select_option("plus")
    await given.get_by_label("Days").fill("30")
    await given.get_by_role("button", name="Give").click()
    await expect(given.get_by_role("status")).to_contain_text("Given")
    await expect(plus).to_contain_text("One person has it.")
    await expect(plus.get_by_role("button", name="Remove")).to_have_count(0)
    found = await served.house.caches.find_speaker(ann.telegram_user_id, ann.place)
    assert found is not None
    assert (found.plan_code, found.daily_turns) == ("plus", 500)


async def test_a_dead_letter_is_replayed(overview: Page, served: Served):
    await served.house.inbox.receive(BOT_ID, [make_update(6)], notice="a")
    await served.house.rows("update stored_updates set status = 'dead', error = 'KeyError', handled_at = now()")
    await overview.get_by_role("link", name="Dead letters").first.click()
    await overview.get_by_role("link", name="Details").click()
    await overview.get_by_role("button", name="Replay").click()
    await expect(overview.get_by_role("status")).to_contain_text("in its lane again")
    await expect(overview.get_by_text("No dead letters")).to_be_visible()


async def test_light_and_dark_are_one_press_apart_and_kept(overview: Page):
    def ground() -> str:
        return "getComputedStyle(document.body).backgroundColor"

    before = await overview.evaluate(ground())
    await overview.get_by_role("button", name="Change between light and dark").click()
    after = await overview.evaluate(ground())
    await overview.reload()
    assert {before, after} == {"rgb(246, 245, 250)", "rgb(18, 17, 25)"}
    assert await overview.evaluate(ground()) == after


@pytest.mark.parametrize("path", ["/admin/", "/admin/dead-letters", "/admin/settings"])
async def test_every_page_fits_a_phone(overview: Page, served: Served, path: str):
    await served.house.inbox.receive(BOT_ID, [b"nonsense"], notice="a")
    await overview.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await overview.goto(served.url + path)
    assert await overview.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


async def test_signing_out_ends_it(overview: Page, served: Served):
    await overview.get_by_role("button", name="Sign out").click()
    await expect(overview.get_by_label("Login")).to_be_visible()
    await overview.goto(f"{served.url}/admin/settings")
    await expect(overview.get_by_label("Login")).to_be_visible()

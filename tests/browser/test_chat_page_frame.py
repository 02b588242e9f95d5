"""Around the conversation: the call log, the controls, themes, the phone, a broken connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, expect
from scripted_bot import ScriptedBot

pytestmark = pytest.mark.browser
LIGHT, DARK = "rgb(238, 240, 248)", "rgb(14, 16, 24)"


async def test_the_call_log_is_live_and_can_be_searched(chat: Page, bot: ScriptedBot):
    await chat.get_by_role("button", name="Call log and controls").click()
    log = chat.locator(".calls")
    await expect(log.locator(".call b", has_text="setMyCommands")).to_be_visible()
    await expect(log.get_by_text("getUpdates")).to_have_count(0)
    await bot.call("sendMessage", chat_id=1, text="to nobody")
    row = log.locator(".call").first
    await expect(row.locator(".status")).to_have_text("400")
    await row.locator("> summary").click()
    await expect(row.locator(".call-body")).to_contain_text("chat not found")
    await chat.get_by_label("Filter calls").fill("setmyname")
    await expect(log.locator(".call")).to_have_count(1)
    await chat.keyboard.press("Escape")
    await expect(chat.locator("#drawer")).to_be_hidden()


async def test_the_controls_set_speed_and_faults(chat: Page, bot: ScriptedBot, session: ClientSession, sandbox_url: str):
    await chat.get_by_role("button", name="Call log and controls").click()
    await chat.get_by_role("tab", name="Controls").click()
    await chat.get_by_label("Speed").select_option("0")
    await chat.get_by_label("Fault").select_option("429")
    await chat.get_by_label("How often").wait_for()
    async with session.get(f"{sandbox_url}/sim/model") as answered:
        model = await answered.json()
    assert (model["tokens_per_second"], model["fault"]["kind"], model["fault"]["code"], model["fault"]["times"]) == (0, "status", 429, 1)
    await chat.get_by_role("button", name="Flood").click()
    await expect(chat.get_by_text("In force: flood")).to_be_visible()
    alex = bot.heard[0]["message"]["chat"]["id"]
    assert await bot.call("sendMessage", chat_id=alex, text="too much") is None
    assert (await bot.call("sendMessage", chat_id=alex, text="now it goes"))["text"] == "now it goes"
    await chat.get_by_role("button", name="Clear all faults").click()
    await expect(chat.get_by_text("Nothing goes wrong")).to_be_visible()


async def test_what_the_model_was_asked_can_be_read(chat: Page, session: ClientSession, sandbox_url: str):
    asked = {"model": "m", "messages": [{"role": "system", "content": "You are Mira."}, {"role": "user", "content": "Hello model"}]}
    async with session.post(f"{sandbox_url}/llm/v1/chat/completions", json=asked, headers={"Authorization": "Bearer k"}) as answered:
        assert answered.status == 200
    await chat.get_by_role("button", name="Call log and controls").click()
    await chat.get_by_role("tab", name="Model").click()
    await chat.locator(".call > summary").click()
    await expect(chat.locator(".prompt").first).to_contain_text("You are Mira.")


async def test_starting_over_forgets_everything(chat: Page, bot: ScriptedBot):
    await chat.get_by_role("button", name="Call log and controls").click()
    await chat.get_by_role("tab", name="Controls").click()
    await chat.get_by_role("button", name="Start over").click()
    await chat.get_by_role("button", name="Forget").click()
    await expect(chat.locator(".row")).to_have_count(0)
    await expect(chat.locator("#account")).to_contain_text("Alex")


async def test_the_theme_follows_the_system_until_one_is_chosen(chat: Page):
    body = chat.locator("body")
    await chat.emulate_media(color_scheme="light")
    await expect(body).to_have_css("background-color", LIGHT)
    await chat.emulate_media(color_scheme="dark")
    await expect(body).to_have_css("background-color", DARK)
    await chat.get_by_role("button", name="Theme").click()
    await chat.get_by_role("menuitemradio", name="Light").click()
    await expect(body).to_have_css("background-color", LIGHT)
    await chat.reload()
    await expect(body).to_have_css("background-color", LIGHT)


async def test_on_a_phone_list_and_conversation_are_two_screens(chromium: Browser, bot: ScriptedBot, sandbox_url: str):
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = await context.new_page()
    await page.goto(sandbox_url)
    await page.get_by_role("button", name="START", exact=True).tap()
    await expect(page.locator(".row.theirs .text")).to_contain_text("I like long walks")
    await expect(page.locator("#sidebar")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.get_by_role("button", name="Back to the chat list").tap()
    await expect(page.locator("#sidebar")).to_be_visible()
    await expect(page.locator("#pane")).to_be_hidden()
    await page.locator(".chat").tap()
    await expect(page.locator("#pane")).to_be_visible()
    await context.close()


class Wire:
    """Stands between page and sandbox; can be cut."""

    def __init__(self, target: str) -> None:
        self._port = int(target.rpartition(":")[2])
        self._open: set[asyncio.StreamWriter] = set()
        self.whole = True

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.whole:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, far_writer}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    def cut(self) -> None:
        self.whole = False
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()


@pytest.fixture
async def wire(sandbox_url: str) -> AsyncIterator[tuple[Wire, str]]:
    wire = Wire(sandbox_url)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    yield wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    wire.cut()
    server.close()


async def test_a_broken_connection_is_shown_and_nothing_is_missed(browser_page: Page, bot: ScriptedBot, wire: tuple[Wire, str]):
    line, url = wire
    await browser_page.goto(url)
    await browser_page.get_by_role("button", name="START", exact=True).click()
    await browser_page.get_by_text("I like long walks").first.wait_for()
    line.cut()
    await expect(browser_page.locator("#online-text")).to_have_text("Reconnecting…")
    await bot.call("sendMessage", chat_id=bot.heard[0]["message"]["chat"]["id"], text="said in the dark")
    line.whole = True
    await expect(browser_page.locator("#online-text")).to_have_text("Sandbox connected")
    await expect(browser_page.locator(".row.theirs .text").last).to_have_text("said in the dark")
    await expect(browser_page.locator(".row")).to_have_count(3)

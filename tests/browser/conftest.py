"""A real Chromium, the sandbox in this process, and a small bot that talks to it over HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright
from scripted_bot import ScriptedBot

from services.sandbox.app import create_app

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
PATIENCE = 8_000  # ms


@pytest.fixture(scope="session")
async def chromium(chromium_executable: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_executable, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def browser_context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(viewport={"width": 1280, "height": 820}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


@pytest.fixture
async def browser_page(browser_context: BrowserContext) -> AsyncIterator[Page]:
    """A tab whose console must stay clean: a script that fails, or a policy that is broken, fails the test."""
    page, complaints = await browser_context.new_page(), []

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []


@pytest.fixture
async def sandbox_url() -> AsyncIterator[str]:
    runner = web.AppRunner(create_app(), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def bot(sandbox_url: str, session: ClientSession) -> AsyncIterator[ScriptedBot]:
    """Already connected, and listening until the test ends."""
    bot = ScriptedBot(session, sandbox_url, "123456:TEST")
    running = asyncio.ensure_future(bot.run())
    await asyncio.wait_for(bot.ready.wait(), 5)
    yield bot
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def chat(browser_page: Page, bot: ScriptedBot, sandbox_url: str) -> Page:
    """The page with a conversation that has begun: START was pressed and the bot said hello."""
    await browser_page.goto(sandbox_url)
    await browser_page.get_by_role("button", name="START", exact=True).click()
    await browser_page.get_by_text("I like long walks").first.wait_for()
    return browser_page

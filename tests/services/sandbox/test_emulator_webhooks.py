"""Delivery by webhook: queues per chat, retries, what is reported."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from services.sandbox.webhooks import retry_delay
from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox

Answer = Callable[[dict[str, Any]], Awaitable[web.Response]]


class Receiver:
    """The bot's side of a webhook; what it answers can be changed."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.answer: Answer = self.accept
        self.arrived = asyncio.Event()

    async def accept(self, _: dict[str, Any]) -> web.Response:
        return web.Response()

    async def handle(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.got.append(update)
        self.headers.append(request.headers)
        self.arrived.set()
        return await self.answer(update)

    @property
    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.got]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.got) < count:
                self.arrived.clear()
                await self.arrived.wait()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


async def eventually(sandbox: Sandbox, holds: Callable[[dict[str, Any]], bool]) -> None:
    """Until getWebhookInfo says so."""
    for _ in range(300):
        if holds(await sandbox.call("getWebhookInfo")):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(await sandbox.call("getWebhookInfo"))


async def settled(sandbox: Sandbox) -> None:
    """Until nothing waits any more."""
    await eventually(sandbox, lambda info: info["pending_update_count"] == 0)


async def test_updates_arrive_with_the_secret_and_count_as_acknowledged(sandbox: Sandbox, receiver: Receiver) -> None:
    waiting = await sandbox.say("written before")
    assert await sandbox.call("setWebhook", url=receiver.url, secret_token="s3cret_-") is True
    fresh = await sandbox.say("written after")
    await receiver.until(2)
    assert receiver.texts == ["written before", "written after"]
    assert {headers["X-Telegram-Bot-Api-Secret-Token"] for headers in receiver.headers} == {"s3cret_-"}
    await settled(sandbox)
    records = {record["update_id"]: record for record in await sandbox.records()}
    for update_id in (waiting["update_id"], fresh["update_id"]):
        assert records[update_id]["deliveries"] == 1
        assert records[update_id]["acknowledged_at"] >= records[update_id]["created_at"]
    await sandbox.call("deleteWebhook")
    assert await sandbox.call("getUpdates") == []


async def test_a_refused_update_holds_up_its_own_chat_only(sandbox: Sandbox, receiver: Receiver) -> None:
    refused: list[str] = []

    async def refuse_once(update: dict[str, Any]) -> web.Response:
        text = update["message"]["text"]
        if text == "first" and not refused:
            refused.append(text)
            await asyncio.sleep(0.1)
            return web.Response(status=500)
        return web.Response()

    receiver.answer = refuse_once
    await sandbox.call("setWebhook", url=receiver.url)
    started = time.monotonic()
    await sandbox.say("first")
    await sandbox.say("second")
    await sandbox.say("other chat", user=BOB)
    await receiver.until(4)
    assert receiver.texts == ["first", "other chat", "first", "second"]
    assert time.monotonic() - started < 1.9, "the first retry comes at once"
    info = await sandbox.call("getWebhookInfo")
    assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
    assert abs(info["last_error_date"] - time.time()) < 5


async def test_a_press_overtakes_a_message_that_is_still_worked_on(sandbox: Sandbox, receiver: Receiver) -> None:
    markup = {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop"}]]}
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="?", reply_markup=markup)
    release = asyncio.Event()

    async def slow_for_messages(update: dict[str, Any]) -> web.Response:
        if "message" in update:
            await release.wait()
        return web.Response()

    receiver.answer = slow_for_messages
    await sandbox.call("setWebhook", url=receiver.url)
    await sandbox.say("long work")
    await sandbox.say("must wait")
    await sandbox.sim("press", {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "message_id": sent["message_id"], "data": "stop"})
    await receiver.until(2)
    assert [list(update)[1] for update in receiver.got] == ["message", "callback_query"]
    release.set()
    await receiver.until(3)
    assert receiver.got[2]["message"]["text"] == "must wait"


async def test_retry_after_is_honoured(sandbox: Sandbox, receiver: Receiver) -> None:
    times: list[float] = []

    async def busy_once(_: dict[str, Any]) -> web.Response:
        times.append(time.monotonic())
        return web.Response(status=503, headers={"Retry-After": "1"}) if len(times) == 1 else web.Response()

    receiver.answer = busy_once
    await sandbox.call("setWebhook", url=receiver.url)
    await sandbox.say("x")
    await receiver.until(2)
    assert times[1] - times[0] >= 0.95
    await settled(sandbox)
    assert (await sandbox.records())[-1]["deliveries"] == 2


def test_the_retry_table() -> None:
    assert [retry_delay(failures, None) for failures in range(1, 7)] == [0, 2, 4, 8, 16, 32]
    assert all(60 <= retry_delay(failures, None) <= 120 for failures in range(7, 30))
    assert retry_delay(9, "3") == 3
    assert retry_delay(1, "999999") == 3600


async def test_a_redirect_is_a_refusal_and_so_is_nobody_there(sandbox: Sandbox, receiver: Receiver) -> None:
    async def move(_: dict[str, Any]) -> web.Response:
        return web.Response(status=302, headers={"Location": receiver.url})

    receiver.answer = move
    await sandbox.call("setWebhook", url=receiver.url)
    await sandbox.say("x")
    await receiver.until(2)
    assert (await sandbox.call("getWebhookInfo"))["last_error_message"] == "Wrong response from the webhook: 302 Found"
    await sandbox.call("deleteWebhook")
    sandbox.world.bots[BOT_ID].webhook_set_at = 0
    await sandbox.call("setWebhook", url="http://127.0.0.1:9/hook")
    await eventually(sandbox, lambda info: info.get("last_error_message") == "Connection refused")
    assert (await sandbox.records())[-1]["acknowledged_at"] is None


async def test_at_most_max_connections_at_once(sandbox: Sandbox, receiver: Receiver) -> None:
    at_once = most = 0

    async def count(_: dict[str, Any]) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return web.Response()

    receiver.answer = count
    await sandbox.call("setWebhook", url=receiver.url, max_connections=3)
    for user in range(1, 13):
        await sandbox.sim("users", {"id": user, "first_name": f"U{user}"})
        await sandbox.say("x", user=user)
    await receiver.until(12)
    assert most == 3


async def test_an_expired_update_is_given_up(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.say("too old")
    sandbox.world.bots[BOT_ID].queue.pending[0].expires_at = 0
    await sandbox.call("setWebhook", url=receiver.url)
    await sandbox.say("fresh")
    await receiver.until(1)
    assert receiver.texts == ["fresh"]
    assert (await sandbox.records())[-2]["acknowledged_at"] is None


async def test_the_answer_may_carry_a_method(sandbox: Sandbox, receiver: Receiver) -> None:
    async def answer(update: dict[str, Any]) -> web.Response:
        return web.json_response({"method": "sendMessage", "chat_id": update["message"]["chat"]["id"], "text": "by return"})

    receiver.answer = answer
    await sandbox.call("setWebhook", url=receiver.url)
    await sandbox.say("hi")
    await settled(sandbox)
    assert (await sandbox.transcript())["messages"][-1]["text"] == "by return"


async def test_what_a_webhook_may_be(sandbox: Sandbox, receiver: Receiver) -> None:
    for params, words in (
        ({"url": "ftp://x.io"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": receiver.url, "secret_token": "no spaces"}, "secret token contains unallowed characters"),
        ({"url": receiver.url, "secret_token": "x" * 257}, "secret token is too long"),
    ):
        assert (await sandbox.refusal("setWebhook", **params)).words == f"Bad Request: {words}"
    await sandbox.call("setWebhook", url=receiver.url)
    assert (await sandbox.refusal("setWebhook", url=f"{receiver.url}2")).words == "Too Many Requests: retry after 1"
    assert await sandbox.call("setWebhook", url=receiver.url) is True
    info = await sandbox.call("getWebhookInfo")
    assert (info["url"], info["max_connections"], info["pending_update_count"]) == (receiver.url, 40, 0)


async def test_pending_updates_can_be_thrown_away(sandbox: Sandbox) -> None:
    await sandbox.say("old news")
    await sandbox.call("deleteWebhook", drop_pending_updates=True)
    assert await sandbox.call("getUpdates") == []
    assert (await sandbox.records())[-1]["acknowledged_at"] is None

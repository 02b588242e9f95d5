"""What goes wrong on demand."""

import time

import aiohttp
import pytest
from aiohttp import web

from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox


async def faults(sandbox: Sandbox, *specs: dict[str, object]) -> None:
    await sandbox.sim("faults", {"bot_id": BOT_ID, "faults": list(specs)})


async def sent(sandbox: Sandbox) -> list[str]:
    return [message["text"] for message in (await sandbox.transcript())["messages"] if message["from"]["is_bot"]]


async def test_flood_as_often_as_it_was_ordered(sandbox: Sandbox) -> None:
    await faults(sandbox, {"kind": "flood", "method": "sendMessage", "times": 2, "retry_after": 7})
    for _ in range(2):
        refused = await sandbox.refusal("sendMessage", chat_id=ANN, text="x")
        assert refused.answer == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        }
    await sandbox.call("sendMessage", chat_id=ANN, text="through")
    assert await sent(sandbox) == ["through"]


async def test_an_error_for_one_method_leaves_the_others_alone(sandbox: Sandbox) -> None:
    await faults(sandbox, {"kind": "error", "method": "sendMessage", "code": 502, "description": "Bad Gateway"})
    refused = await sandbox.refusal("SENDMESSAGE", chat_id=ANN, text="x")
    assert (refused.status, refused.words) == (502, "Bad Gateway")
    assert (await sandbox.call("getMe"))["id"] == BOT_ID
    async with sandbox.session.delete(f"{sandbox.url}/sim/faults") as response:
        assert response.status == 200
    assert (await sandbox.call("sendMessage", chat_id=ANN, text="mended"))["text"] == "mended"


@pytest.mark.parametrize(("kind", "arrives"), [("drop", False), ("hang", False), ("accept_then_timeout", True)])
async def test_a_call_whose_answer_never_comes(sandbox: Sandbox, kind: str, arrives: bool) -> None:
    await faults(sandbox, {"kind": kind, "method": "sendMessage", "times": 1, "seconds": 0.5})
    started = time.monotonic()
    with pytest.raises(aiohttp.ClientError):
        await sandbox.call("sendMessage", chat_id=ANN, text="did it arrive?")
    assert (time.monotonic() - started >= 0.5) is (kind != "drop")
    assert await sent(sandbox) == (["did it arrive?"] if arrives else [])
    [row] = await sandbox.sim("calls?method=sendMessage")
    assert row["status"] == (200 if arrives else 0)


async def test_slow(sandbox: Sandbox) -> None:
    await faults(sandbox, {"kind": "slow", "ms": 120})
    started = time.monotonic()
    await sandbox.call("sendMessage", chat_id=ANN, text="x")
    assert time.monotonic() - started >= 0.12


async def test_doubled_updates_come_twice_at_once_and_a_third_time_after_they_were_confirmed(sandbox: Sandbox) -> None:
    await faults(sandbox, {"kind": "duplicate_updates", "times_each": 3})
    update_id = (await sandbox.say("once"))["update_id"]
    assert [update["update_id"] for update in await sandbox.call("getUpdates")] == [update_id, update_id]
    assert [update["update_id"] for update in await sandbox.call("getUpdates", offset=update_id + 1)] == [update_id]
    assert await sandbox.call("getUpdates", offset=update_id + 1) == []
    assert (await sandbox.records())[-1]["deliveries"] == 3


async def test_reordered_updates_keep_the_order_of_each_chat(sandbox: Sandbox) -> None:
    await faults(sandbox, {"kind": "reorder_updates"})
    mixed, sandbox.offset = False, 0
    for _ in range(20):
        for number in range(4):
            await sandbox.say(f"a{number}", user=ANN)
            await sandbox.say(f"b{number}", user=BOB)
        found = await sandbox.call("getUpdates", offset=sandbox.offset)
        sandbox.offset = max(update["update_id"] for update in found) + 1
        texts = [update["message"]["text"] for update in found]
        assert [text for text in texts if text[0] == "a"] == ["a0", "a1", "a2", "a3"]
        assert [text for text in texts if text[0] == "b"] == ["b0", "b1", "b2", "b3"]
        ids = [update["update_id"] for update in found]
        mixed = mixed or ids != sorted(ids)
    assert mixed


async def test_a_webhook_gets_doubled_updates_too(sandbox: Sandbox) -> None:
    got: list[int] = []

    async def hook(request: web.Request) -> web.Response:
        got.append((await request.json())["update_id"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hook)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await faults(sandbox, {"kind": "duplicate_updates", "times_each": 3})
    await sandbox.call("setWebhook", url=f"http://127.0.0.1:{runner.addresses[0][1]}/")
    update_id = (await sandbox.say("once"))["update_id"]
    while (await sandbox.call("getWebhookInfo"))["pending_update_count"]:
        pass
    assert got == [update_id] * 3
    await runner.cleanup()


async def test_a_fault_of_another_bot_and_one_that_never_strikes(sandbox: Sandbox) -> None:
    await sandbox.sim("faults", {"bot_id": 77, "faults": [{"kind": "drop"}]})
    await faults(sandbox, {"kind": "drop", "probability": 0})
    assert (await sandbox.call("getMe"))["id"] == BOT_ID


NO_FAULTS = [{"kind": "earthquake"}, {"kind": "drop", "times": -1}, {"kind": "drop", "probability": 2}, {"kind": "hang", "seconds": "x"}, 5]


@pytest.mark.parametrize("spec", NO_FAULTS)
async def test_a_fault_that_is_none_is_refused_with_a_sentence(sandbox: Sandbox, spec: object) -> None:
    answer = await sandbox.sim("faults", {"faults": [spec]}, status=400)
    assert answer["error"]
    assert sandbox.world.faults.active == []

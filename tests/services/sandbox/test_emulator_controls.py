"""`/sim` as pages and tests use it."""

import asyncio
import base64
import json
from typing import Any

import aiohttp

from services.sandbox.calls import Calls
from services.sandbox.events import KEPT_EVENTS, Events
from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox


async def read_events(sandbox: Sandbox, query: str, count: int, headers: dict[str, str] | None = None) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    async with asyncio.timeout(5), sandbox.session.get(f"{sandbox.url}/sim/events{query}", headers=headers) as response:
        assert response.content_type == "text/event-stream"
        number = 0
        async for line in response.content:
            if line.startswith(b"id: "):
                number = int(line[4:])
            elif line.startswith(b"data: "):
                found.append((number, json.loads(line[6:])))
            if len(found) == count:
                break
    return found


async def test_events_tell_what_happens_from_the_number_the_state_gave(sandbox: Sandbox) -> None:
    position = (await sandbox.sim("state"))["event"]
    sent = await sandbox.say("hello")
    await sandbox.call("sendMessageDraft", chat_id=ANN, draft_id=3, text="wor")
    events = await read_events(sandbox, f"?after={position}", 3)
    assert [number for number, _ in events] == [position + 1, position + 2, position + 3]
    assert [event["type"] for _, event in events] == ["message", "draft", "call"]
    message = events[0][1]
    assert (message["bot_id"], message["chat_id"]) == (BOT_ID, ANN)
    assert message["message"]["message_id"] == sent["message_id"]
    again = await read_events(sandbox, "", 1, {"Last-Event-ID": str(position + 2)})
    assert again == [events[2]]


async def test_a_listener_hears_what_happens_later(sandbox: Sandbox) -> None:
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(read_events(sandbox, "", 1))
        await asyncio.sleep(0.05)
        await sandbox.say("now")
    assert [event["type"] for _, event in listening.result()] == ["message"]


def test_whoever_missed_too_much_starts_over() -> None:
    events = Events()
    for number in range(KEPT_EVENTS + 10):
        events.emit("call", n=number)
    missed = events.after(5)
    assert missed[0] == (10, "reset", {})
    assert [event[0] for event in missed[1:]] == list(range(11, KEPT_EVENTS + 11))
    assert events.after(events.last) == []
    assert [event[1] for event in events.after(events.last - 1)] == ["call"]


async def test_the_raw_log_shows_calls_in_order(sandbox: Sandbox) -> None:
    before = sandbox.world.calls.last
    await sandbox.call("sendMessage", chat_id=ANN, text="x")
    await sandbox.refusal("sendMessage", chat_id=ANN, text="")
    await sandbox.call("getMe", "42:TEST")
    first, second, third = await sandbox.sim(f"calls?after={before}")
    assert (first["n"], first["method"], first["params"], first["status"]) == (
        before + 1,
        "sendMessage",
        {"chat_id": ANN, "text": "x"},
        200,
    )
    assert first["response"]["result"]["text"] == "x"
    assert (second["status"], second["response"]["description"]) == (400, "Bad Request: message text is empty")
    assert third["bot_id"] == 42
    assert [row["n"] for row in await sandbox.sim(f"calls?after={before}&bot_id={BOT_ID}&limit=1")] == [before + 1]


def test_the_ring_forgets_the_oldest_calls_and_keeps_counting() -> None:
    calls = Calls(capacity=3)
    for number in range(5):
        calls.add(1, f"m{number}", {}, status=200, response=b"{}", ms=0.1)
    assert [(row.n, row.method) for row in calls.after(0)] == [(3, "m2"), (4, "m3"), (5, "m4")]
    assert [row.n for row in calls.after(4)] == [5]
    calls.clear()
    assert calls.after(0) == []
    assert calls.add(1, "m", {}, status=200, response=b"{}", ms=0.1).n == 6
    assert [row.n for row in calls.after(0)] == [6]
    for _ in range(3):
        calls.add(1, "m", {}, status=200, response=b"{}", ms=0.1)
    assert [row.n for row in calls.after(0)] == [7, 8, 9]


async def test_a_person_edits_and_reacts(sandbox: Sandbox) -> None:
    sent = await sandbox.say("helo @ann_a")
    await sandbox.updates()
    place = {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "message_id": sent["message_id"]}
    await sandbox.sim("edit", {**place, "text": "hello"})
    [update] = await sandbox.updates()
    assert update["edited_message"]["text"] == "hello"
    assert "entities" not in update["edited_message"]
    assert update["edited_message"]["edit_date"] >= update["edited_message"]["date"]
    await sandbox.sim("react", {**place, "emoji": "👍"})
    assert (await sandbox.transcript())["messages"][-1]["reactions"] == [{"emoji": "👍", "user_id": ANN}]
    await sandbox.sim("react", {**place, "emoji": None})
    assert (await sandbox.transcript())["messages"][-1]["reactions"] == []


async def test_wrong_use_gets_one_sentence(sandbox: Sandbox) -> None:
    for path, body, status in (
        ("send", {"bot_id": 5, "chat_id": ANN, "user_id": ANN, "text": "x"}, 404),
        ("send", {"bot_id": BOT_ID, "chat_id": 5, "user_id": 5, "text": "x"}, 404),
        ("send", {"bot_id": BOT_ID, "chat_id": ANN, "user_id": BOB, "text": "x"}, 400),
        ("send", {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN}, 400),
        ("send", {"bot_id": BOT_ID, "chat_id": "x", "user_id": ANN, "text": "x"}, 400),
        ("send", {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "text": "x" * 4097}, 400),
        ("edit", {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "message_id": 1, "text": "x"}, 404),
        ("chats", {"type": "channel", "title": "x", "members": [ANN]}, 400),
        ("chats", {"type": "group", "title": "x", "members": []}, 400),
        ("inject", {"bot_id": BOT_ID, "raw_base64": "*"}, 400),
        ("users", {}, 400),
        (f"chats/{ANN}/transcript", None, 400),
        ("chats/77/transcript?bot_id=77", None, 404),
    ):
        answer = await sandbox.sim(path, body, status=status)
        assert set(answer) == {"error"}


async def test_raw_bytes_keep_their_own_number(sandbox: Sandbox) -> None:
    raw = b'{"update_id": 1999999999,  "message": {"chat": {"id": 5}, "text": "\\u0000"}}'
    given = await sandbox.sim("inject", {"bot_id": BOT_ID, "raw_base64": base64.b64encode(raw).decode()})
    assert given == {"update_id": 1999999999}
    async with sandbox.session.get(f"{sandbox.url}/bot{sandbox.token}/getUpdates") as response:
        assert await response.read() == b'{"ok":true,"result":[' + raw + b"]}"
    assert (await sandbox.say("next"))["update_id"] == 2000000000
    [record] = [record for record in await sandbox.records() if record["update_id"] == 1999999999]
    assert (record["kind"], record["chat_id"]) == ("message", 5)


async def test_an_update_given_twice_is_confirmed_twice(sandbox: Sandbox) -> None:
    update_id = (await sandbox.say("hello"))["update_id"]
    await sandbox.sim("inject", {"bot_id": BOT_ID, "update": {"update_id": update_id, "message": {}}})
    await sandbox.say("after")
    assert [update["update_id"] for update in await sandbox.call("getUpdates")] == [update_id, update_id, update_id + 1]
    assert [update["update_id"] for update in await sandbox.call("getUpdates", offset=update_id + 1)] == [update_id + 1]
    assert [record["acknowledged_at"] is None for record in await sandbox.records()][-3:] == [False, False, True]


async def test_reset_forgets_everything(sandbox: Sandbox) -> None:
    await sandbox.call("setWebhook", url="http://127.0.0.1:9/")
    await sandbox.sim("faults", {"faults": [{"kind": "slow"}]})
    await sandbox.sim("reset", {})
    state = await sandbox.sim("state")
    assert (state["bots"], state["users"], state["chats"]) == ([], [], [])
    assert await sandbox.sim("calls") == []
    assert (await sandbox.call("getWebhookInfo"))["url"] == ""


async def test_a_bot_that_goes_on_polling_after_a_reset_is_not_deaf(sandbox: Sandbox) -> None:
    last = await sandbox.sim("inject", {"bot_id": BOT_ID, "update": {"update_id": 2_000_000_000, "message": {}}})
    await sandbox.sim("reset", {})
    assert await sandbox.call("getUpdates", offset=last["update_id"] + 1) == []
    await sandbox.sim("users", {"id": ANN, "first_name": "Ann"})
    update_id = (await sandbox.say("still there?"))["update_id"]
    assert update_id > last["update_id"]
    assert [update["update_id"] for update in await sandbox.call("getUpdates", offset=last["update_id"] + 1)] == [update_id]


async def test_a_foreign_host_name_reaches_the_bot_api_but_not_the_controls(sandbox: Sandbox) -> None:
    foreign = {"Host": "evil.example"}
    async with sandbox.session.get(f"{sandbox.url}/sim/state", headers=foreign) as response:
        assert response.status == 403
    async with sandbox.session.get(f"{sandbox.url}/bot{sandbox.token}/getMe", headers=foreign) as response:
        assert response.status == 200
    async with sandbox.session.get(f"{sandbox.url}/llm/v1/models", headers=foreign) as response:
        assert response.status != 403
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example:8080"):
        async with sandbox.session.post(f"{sandbox.url}/sim/reset", headers={"Origin": origin}) as response:
            assert response.status == 403
    async with sandbox.session.post(f"{sandbox.url}/sim/faults", json={"faults": []}, headers={"Origin": sandbox.url}) as response:
        assert response.status == 200
    assert (await sandbox.sim("state"))["users"]
    for name in ("localhost:99", "127.0.0.1", "[::1]:8080"):
        async with sandbox.session.get(f"{sandbox.url}/sim/state", headers={"Host": name}) as response:
            assert response.status == 200


async def test_commands_names_and_menu_button(sandbox: Sandbox) -> None:
    commands = [{"command": "start", "description": "Begin"}]
    await sandbox.call("setMyCommands", commands=commands)
    await sandbox.call("setMyCommands", commands=[{"command": "/start", "description": "Начать"}], language_code="ru")
    await sandbox.call("setMyCommands", commands=[], scope={"type": "all_group_chats"})
    assert await sandbox.call("getMyCommands") == commands
    assert await sandbox.call("getMyCommands", language_code="ru") == [{"command": "start", "description": "Начать"}]
    assert await sandbox.call("getMyCommands", scope={"type": "chat", "chat_id": ANN}) == []
    assert (await sandbox.sim("state"))["bots"][0]["commands"] == commands
    assert await sandbox.call("getChatMenuButton") == {"type": "commands"}
    await sandbox.call("deleteMyCommands")
    assert await sandbox.call("getMyCommands") == []
    for wrong, words in (
        ({"command": "Start", "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "a"}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    ):
        assert (await sandbox.refusal("setMyCommands", commands=[wrong])).words == f"Bad Request: {words}"

    await sandbox.call("setMyName", name="Honzík")
    await sandbox.call("setMyDescription", description="A tutor")
    await sandbox.call("setMyShortDescription", short_description="Tutor", language_code="en")
    assert (await sandbox.call("getMe"))["first_name"] == "Honzík"
    assert await sandbox.call("getMyDescription", language_code="cs") == {"description": "A tutor"}
    assert await sandbox.call("getMyShortDescription") == {"short_description": ""}
    button = {"type": "web_app", "text": "Open", "web_app": {"url": "https://x.io"}}
    await sandbox.call("setChatMenuButton", chat_id=ANN, menu_button=button)
    assert await sandbox.call("getChatMenuButton", chat_id=ANN) == button
    assert await sandbox.call("logOut") is True
    assert (await sandbox.refusal("close")).status == 429


async def test_health_and_an_unknown_path(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{sandbox.url}/health") as response:
            assert (await response.json())["status"] == "ok"
        async with session.get(f"{sandbox.url}/bot{sandbox.token}/") as response:
            assert await response.json() == {"ok": False, "error_code": 404, "description": "Not Found"}

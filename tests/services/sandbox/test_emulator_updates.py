"""getUpdates: at least once, one reader, sticky kinds."""

import asyncio
import time

from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox


async def test_an_update_comes_again_until_a_higher_offset_confirms_it(sandbox: Sandbox) -> None:
    first, second = (await sandbox.say("one"))["update_id"], (await sandbox.say("two"))["update_id"]
    assert second == first + 1

    assert [update["update_id"] for update in await sandbox.call("getUpdates", offset=first - 1)] == [first, second]
    assert [update["update_id"] for update in await sandbox.call("getUpdates", offset=second)] == [second]
    assert await sandbox.call("getUpdates", offset=second + 1) == []

    by_id = {record["update_id"]: record for record in await sandbox.records()}
    assert (by_id[first]["deliveries"], by_id[second]["deliveries"]) == (1, 2)
    assert by_id[first]["acknowledged_at"] <= by_id[second]["acknowledged_at"]
    assert by_id[second]["chat_id"] == ANN


async def test_a_negative_offset_forgets_all_but_the_newest(sandbox: Sandbox) -> None:
    for text in ("one", "two", "three"):
        await sandbox.say(text)
    assert [update["message"]["text"] for update in await sandbox.call("getUpdates", offset=-1)] == ["three"]
    assert [update["message"]["text"] for update in await sandbox.call("getUpdates")] == ["three"]


async def test_limit_is_kept_and_asking_for_the_same_offset_in_a_hurry_gives_one(sandbox: Sandbox) -> None:
    for number in range(5):
        await sandbox.say(str(number))
    assert len(await sandbox.call("getUpdates", limit=3, offset=1)) == 3
    assert len(await sandbox.call("getUpdates", limit=3, offset=1)) == 1


async def test_a_long_poll_ends_when_somebody_writes(sandbox: Sandbox) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(sandbox.call("getUpdates", timeout=20))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await sandbox.say("are you there?")
    assert [update["message"]["text"] for update in poll.result()] == ["are you there?"]
    assert time.monotonic() - started < 10


async def test_a_long_poll_without_news_ends_empty_after_its_timeout(sandbox: Sandbox) -> None:
    started = time.monotonic()
    assert await sandbox.call("getUpdates", timeout=1) == []
    assert 0.9 < time.monotonic() - started < 10


async def test_a_second_poll_ends_the_first_with_a_conflict(sandbox: Sandbox) -> None:
    async with asyncio.TaskGroup() as group:
        first = group.create_task(sandbox.refusal("getUpdates", timeout=20))
        await asyncio.sleep(0.05)
        second = group.create_task(sandbox.call("getUpdates", timeout=20))
        refused = await first
        await sandbox.say("hello")
    assert refused.status == 409
    assert refused.words == "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    assert len(second.result()) == 1


async def test_no_polling_while_a_webhook_is_set(sandbox: Sandbox) -> None:
    await sandbox.call("setWebhook", url="http://127.0.0.1:9/hook")
    refused = await sandbox.refusal("getUpdates")
    assert (refused.status, refused.words) == (
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
    await sandbox.call("deleteWebhook")
    assert await sandbox.call("getUpdates") == []


async def test_reactions_come_only_to_a_bot_that_asked_and_the_wish_is_remembered(sandbox: Sandbox) -> None:
    sent = await sandbox.say("hi")
    await sandbox.updates()
    place = {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "message_id": sent["message_id"]}
    await sandbox.sim("react", {**place, "emoji": "👍"})
    assert await sandbox.updates() == []

    await sandbox.call("getUpdates", allowed_updates=["message_reaction"])
    await sandbox.sim("react", {**place, "emoji": "🔥"})
    await sandbox.say("this is not asked for")
    [update] = await sandbox.updates()
    assert update["message_reaction"]["old_reaction"] == [{"type": "emoji", "emoji": "👍"}]
    assert update["message_reaction"]["new_reaction"] == [{"type": "emoji", "emoji": "🔥"}]

    await sandbox.call("getUpdates", allowed_updates=[])
    await sandbox.sim("react", {**place, "emoji": None})
    await sandbox.say("now it is")
    assert [list(update)[1] for update in await sandbox.updates()] == ["message"]


async def test_each_bot_has_numbers_and_chats_of_its_own(sandbox: Sandbox) -> None:
    other = "654321:TEST"
    await sandbox.call("getMe", other)
    await sandbox.sim("send", {"bot_id": 654321, "chat_id": ANN, "user_id": ANN, "text": "for the other"})
    assert await sandbox.updates() == []
    [update] = await sandbox.call("getUpdates", other)
    assert update["message"]["text"] == "for the other"
    assert [message["text"] for message in (await sandbox.transcript())["messages"]] == ["/start"]


async def test_a_token_is_checked(sandbox: Sandbox) -> None:
    for token, words in (("nonsense", "Unauthorized: invalid token specified"), (f"{BOT_ID}:OTHER", "Unauthorized")):
        async with sandbox.session.get(f"{sandbox.url}/bot{token}/getMe") as response:
            assert await response.json() == {"ok": False, "error_code": 401, "description": words}
            assert response.status == 401


async def test_an_unknown_method_is_loud_and_case_does_not_matter(sandbox: Sandbox) -> None:
    refused = await sandbox.refusal("sendPigeon")
    assert (refused.status, refused.words) == (404, "Not Found: method not found")
    assert (await sandbox.call("GETME"))["id"] == BOT_ID


async def test_a_broken_update_is_delivered_as_it_is(sandbox: Sandbox) -> None:
    given = await sandbox.sim("inject", {"bot_id": BOT_ID, "update": {"brand_new_kind": {"chat": {"id": BOB}, "x": 1}}})
    [update] = await sandbox.call("getUpdates")
    assert update == {"update_id": given["update_id"], "brand_new_kind": {"chat": {"id": BOB}, "x": 1}}
    await sandbox.sim("inject", {"bot_id": BOT_ID, "raw_base64": "eyJ1cGRhdGVfaWQiOiA="})
    async with sandbox.session.get(f"{sandbox.url}/bot{sandbox.token}/getUpdates?offset={given['update_id'] + 1}") as response:
        assert await response.read() == b'{"ok":true,"result":[{"update_id": ]}'


async def test_an_update_for_a_poller_that_died_is_not_lost(sandbox: Sandbox) -> None:
    dead = asyncio.ensure_future(sandbox.call("getUpdates", timeout=50))
    await asyncio.sleep(0.05)
    dead.cancel()
    await asyncio.wait([dead])
    await asyncio.sleep(0.05)
    update_id = (await sandbox.say("anybody there?"))["update_id"]
    assert [update["update_id"] for update in await sandbox.call("getUpdates", timeout=5)] == [update_id]
    assert (await sandbox.records())[-1]["deliveries"] == 1


async def test_text_that_is_no_utf8_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/bot{sandbox.token}/sendMessage"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with sandbox.session.post(url, data=f"chat_id={ANN}&text=%ff".encode(), headers=headers) as response:
        assert (await response.json())["description"] == "Bad Request: strings must be encoded in UTF-8"


async def test_thousands_of_updates_are_counted_exactly(sandbox: Sandbox) -> None:
    """What a kill test relies on: nothing is doubled, nothing is missing, each is confirmed once."""
    queue = sandbox.world.bots[BOT_ID].queue
    given = [queue.add("message", {"n": number}, chat_id=number % 40, lane=f"chat:{number % 40}") for number in range(6_000)]
    got: list[int] = []
    while batch := await sandbox.call("getUpdates", offset=got[-1] + 1 if got else 0):
        got += [update["update_id"] for update in batch]
    assert got == given
    records = (await sandbox.records())[1:]
    assert [record["update_id"] for record in records] == given
    assert {record["deliveries"] for record in records} == {1}
    assert all(record["acknowledged_at"] for record in records)


async def test_updates_live_a_day_and_presses_150_seconds(sandbox: Sandbox) -> None:
    queue = sandbox.world.bots[BOT_ID].queue
    for kind in ("message", "callback_query", "pre_checkout_query"):
        queue.add(kind, {}, chat_id=None, lane=kind)
    lives = [round(update.expires_at - update.created_at) for update in queue.pending]
    assert lives == [86_400, 150, 150]
    for update in queue.pending:
        update.created_at, update.expires_at = update.created_at - 200, update.expires_at - 200
    queue._swept_at = 0
    assert [list(update)[1] for update in await sandbox.call("getUpdates")] == ["message"]

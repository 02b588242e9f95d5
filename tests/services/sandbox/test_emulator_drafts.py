"""Live drafts: where, how often, how long, and Stop."""

import asyncio

import pytest

from services.sandbox import drafts
from tests.services.sandbox.emulator import ANN, BOT_ID, Sandbox


async def draft(sandbox: Sandbox, text: str, draft_id: int = 1, **more: object) -> object:
    return await sandbox.call("sendMessageDraft", chat_id=ANN, draft_id=draft_id, text=text, **more)


async def test_a_draft_grows_and_gives_way_to_the_message(sandbox: Sandbox) -> None:
    assert await sandbox.call("sendMessageDraft", chat_id=ANN, draft_id=1) is True
    assert [shown["text"] for shown in (await sandbox.transcript())["drafts"]] == [""]
    await draft(sandbox, "Once upon")
    await draft(sandbox, "Once upon a time", can_stop=True)
    [shown] = (await sandbox.transcript())["drafts"]
    assert (shown["text"], shown["draft_id"], shown["bot_id"], shown["can_stop"]) == ("Once upon a time", 1, BOT_ID, True)
    await sandbox.call("sendMessage", chat_id=ANN, text="Once upon a time.")
    assert (await sandbox.transcript())["drafts"] == []


async def test_a_new_draft_takes_the_place_of_the_old(sandbox: Sandbox) -> None:
    await draft(sandbox, "one", 1)
    await draft(sandbox, "two", 2)
    assert [shown["draft_id"] for shown in (await sandbox.transcript())["drafts"]] == [2]


async def test_no_drafts_in_groups_and_none_without_a_number(sandbox: Sandbox, group: int) -> None:
    refused = await sandbox.refusal("sendMessageDraft", chat_id=group, draft_id=1, text="x")
    assert refused.words == "Bad Request: TEXTDRAFT_PEER_INVALID"
    assert (await sandbox.refusal("sendMessageDraft", chat_id=ANN, draft_id=0, text="x")).words == "Bad Request: RANDOM_ID_INVALID"


async def test_twenty_calls_in_five_seconds_are_the_budget_shared_with_typing(sandbox: Sandbox) -> None:
    for number in range(19):
        await draft(sandbox, f"frame {number}")
    await sandbox.call("sendChatAction", chat_id=ANN, action="typing")
    for refused in (
        await sandbox.refusal("sendMessageDraft", chat_id=ANN, draft_id=1, text="one too many"),
        await sandbox.refusal("sendChatAction", chat_id=ANN, action="typing"),
    ):
        assert refused.status == 429
        seconds = refused.answer["parameters"]["retry_after"]
        assert 1 <= seconds <= 5
        assert refused.words == f"Too Many Requests: retry after {seconds}"
    assert (await sandbox.transcript())["drafts"][0]["text"] == "frame 18"


async def test_forty_calls_in_thirty_seconds_are_the_budget_too(sandbox: Sandbox) -> None:
    await draft(sandbox, "first")
    spent = sandbox.world.bots[BOT_ID].private[ANN].paced[BOT_ID]
    earliest = spent[-1] - 20
    spent.extendleft(earliest for _ in range(39))
    refused = await sandbox.refusal("sendMessageDraft", chat_id=ANN, draft_id=1, text="41st")
    assert 9 <= refused.answer["parameters"]["retry_after"] <= 10


async def test_a_draft_lives_thirty_seconds_after_its_last_frame(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drafts.LIFE == 30
    monkeypatch.setattr(drafts, "LIFE", 0.4)
    await draft(sandbox, "short")
    await asyncio.sleep(0.25)
    await draft(sandbox, "shorter")
    await asyncio.sleep(0.25)
    assert [shown["text"] for shown in (await sandbox.transcript())["drafts"]] == ["shorter"]
    await asyncio.sleep(0.3)
    assert (await sandbox.transcript())["drafts"] == []
    assert "draft_gone" in [kind for _, kind, _ in sandbox.world.events.after(0)]


async def test_stop_tells_the_bot_with_the_number_as_text_and_freezes_the_draft(sandbox: Sandbox) -> None:
    await draft(sandbox, "I will talk for hours", 77, can_stop=True)
    await sandbox.sim("stop", {"bot_id": BOT_ID, "chat_id": ANN, "draft_id": 77})
    [update] = await sandbox.updates()
    assert update["stopped_message_generation"] == {
        "chat": {"id": ANN, "first_name": "Ann", "username": "ann_a", "type": "private"},
        "draft_id": "77",
    }
    position = sandbox.world.events.last
    await draft(sandbox, "I will talk for hours and", 77, can_stop=True)
    assert (await sandbox.transcript())["drafts"] == []
    assert [kind for _, kind, _ in sandbox.world.events.after(position)] == ["call"]


async def test_a_draft_without_stop_button_cannot_be_stopped(sandbox: Sandbox) -> None:
    await draft(sandbox, "no button here", 5)
    await sandbox.sim("stop", {"bot_id": BOT_ID, "chat_id": ANN, "draft_id": 5}, status=404)
    assert await sandbox.updates() == []


async def test_a_stopped_draft_that_is_to_be_kept_stays_in_sight(sandbox: Sandbox) -> None:
    await draft(sandbox, "keep me", 5, can_stop=True, keep_on_stop=True)
    await sandbox.sim("stop", {"bot_id": BOT_ID, "chat_id": ANN, "draft_id": 5})
    [shown] = (await sandbox.transcript())["drafts"]
    assert (shown["text"], shown["can_stop"]) == ("keep me", False)


async def test_typing_is_seen_until_the_message_comes(sandbox: Sandbox) -> None:
    await sandbox.call("sendChatAction", chat_id=ANN, action="typing")
    assert (await sandbox.transcript())["typing"] is True
    await sandbox.call("sendMessage", chat_id=ANN, text="here")
    assert (await sandbox.transcript())["typing"] is False
    refused = await sandbox.refusal("sendChatAction", chat_id=ANN, action="juggling")
    assert refused.words == "Bad Request: wrong parameter action in request"

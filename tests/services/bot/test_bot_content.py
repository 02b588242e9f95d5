"""What is no text: a kind sentence for each kind, one for an album, silence for the furniture of a chat."""

import json
from typing import Any

import pytest

from tests.factories import ANN_ID, BOT_ID, make_update
from tests.services.bot.desk import Desk

FILE: dict[str, Any] = {"file_id": "f", "file_unique_id": "u", "file_size": 10}
PICTURE = {**FILE, "width": 10, "height": 10}
SENTENCES = {
    "photo": "I can see that you sent a picture, but I cannot look at pictures yet. Tell me in words what is in it?",
    "voice": "I got your voice message, but I cannot listen yet. Could you write it to me?",
    "video": "A video! I cannot watch it yet. Tell me about it in words?",
    "sticker": "Nice sticker! I only understand words so far, so write to me and I will answer.",
    "document": "I got your file, but I cannot read files yet. Paste the part that matters as text?",
    "location": "I got the place, but I cannot read maps yet. Tell me about it in words?",
    "other": "I do not understand this kind of message yet. Write to me in words, please.",
}


async def bring(desk: Desk, *bodies: bytes) -> None:
    """Updates of kinds that the sandbox's people do not send."""
    await desk.application.inbox.receive(BOT_ID, bodies, notice="desk")
    await desk.work()


def content(update_id: int, **fields: Any) -> bytes:
    """A message of Ann's with this content and no text."""
    update = json.loads(make_update(update_id, text=""))
    del update["message"]["text"]
    return json.dumps({**update, "message": {**update["message"], **fields}}).encode()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("photo", {"photo": [PICTURE]}),
        ("voice", {"voice": {**FILE, "duration": 3}}),
        ("voice", {"audio": {**FILE, "duration": 3}}),
        ("video", {"video": {**PICTURE, "duration": 3}}),
        ("video", {"video_note": {**FILE, "length": 5, "duration": 3}}),
        ("video", {"animation": {**PICTURE, "duration": 3}, "document": FILE}),
        ("sticker", {"sticker": {**PICTURE, "type": "regular", "is_animated": False, "is_video": False}}),
        ("document", {"document": FILE}),
        ("location", {"location": {"latitude": 50.0, "longitude": 14.4}}),
        ("other", {"contact": {"phone_number": "1", "first_name": "Kim"}}),
        ("other", {"dice": {"emoji": "🎲", "value": 3}}),
    ],
)
async def test_every_kind_has_its_sentence(desk: Desk, kind: str, fields: dict[str, Any]) -> None:
    await desk.tell("/start")
    await bring(desk, content(900, **fields))
    assert (await desk.texts())[-1] == SENTENCES[kind]
    assert desk.model.prompts == []
    assert await desk.statuses() == ["handled"] * 2


async def test_a_picture_from_the_chat_page_is_answered_in_russian(desk: Desk) -> None:
    await desk.tell("/language")
    await desk.press((await desk.seen())[-1], "Русский")
    await bring(desk, content(900, photo=[PICTURE]))
    assert (await desk.texts())[
        -1
    ] == "Вижу, что вы прислали картинку, но смотреть картинки я пока не умею. Расскажете словами, что на ней?"


async def test_an_album_is_answered_once_and_the_next_one_again(desk: Desk) -> None:
    await desk.tell("/start")
    await bring(desk, *(content(900 + number, photo=[PICTURE], media_group_id="one") for number in range(5)))
    assert (await desk.texts())[2:] == [SENTENCES["photo"]]
    await bring(desk, content(910, photo=[PICTURE], media_group_id="two"), content(911, photo=[PICTURE]))
    assert len(await desk.texts()) == 5


@pytest.mark.parametrize(
    "body",
    [
        content(900, pinned_message={"message_id": 1, "date": 0, "chat": {"id": ANN_ID, "type": "private"}}),
        content(900, message_auto_delete_timer_changed={"message_auto_delete_time": 5}),
        content(900, something_of_the_future={"x": 1}),
        b'{"update_id": 900, "future_kind": {"x": 1}}',
        b'{"update_id": 900}',
        make_update(900, kind="message_reaction", user=ANN_ID),
        make_update(900, kind="channel_post", text="news"),
        make_update(900).replace(b'"is_bot": false', b'"is_bot": true'),
    ],
)
async def test_what_concerns_nobody_is_handled_in_silence(desk: Desk, body: bytes) -> None:
    await desk.tell("/start")
    await bring(desk, body)
    await desk.tell("Hi")
    assert (await desk.texts())[2:] == ["You said: Hi"]
    assert (await desk.statuses())[-1] == "handled"


async def test_a_story_that_is_answered_to_is_heard_as_text(desk: Desk) -> None:
    await desk.tell("/start")
    story = {"chat": {"id": 5, "type": "channel"}, "id": 1}
    await bring(desk, content(900, text="Nice!", reply_to_story=story))
    assert (await desk.texts())[-1] == "You said: Nice!"


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\\ud800 half", "﷽" * 500, "\u202e\u2066reversed", "e\u0301" * 100, "<b>&amp;</b> **x"])
async def test_strange_texts_are_answered_and_nobody_behind_them_waits(desk: Desk, text: str) -> None:
    await desk.tell("/start")
    body = make_update(900, text="@@").replace(b"@@", json.dumps(text)[1:-1].replace("\\\\ud800", "\\ud800").encode())
    await bring(desk, body)
    await desk.tell("Hi")
    assert (await desk.texts())[-1] == "You said: Hi"
    assert (await desk.statuses())[-1] == "handled"
    assert "pending" not in await desk.statuses()

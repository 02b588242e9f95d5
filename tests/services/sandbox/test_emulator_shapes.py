"""Every kind of update that is emitted is one that aiogram knows, field by field: nothing made up."""

from typing import Any

from aiogram.types import Chat, ChatFullInfo, Message, TelegramObject, Update, User, WebhookInfo
from aiogram.types.chat_member_administrator import ChatMemberAdministrator

from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox
from tests.services.sandbox.test_emulator_media import ogg, person_sends, png

KINDS = {"message", "edited_message", "callback_query", "my_chat_member", "message_reaction", "stopped_message_generation"}


def made_up(value: Any, path: str = "") -> list[str]:
    """Fields that the type does not have, anywhere inside."""
    if isinstance(value, list):
        return [name for item in value for name in made_up(item, path)]
    if not isinstance(value, TelegramObject):
        return []
    found = [f"{path}.{name}" for name in value.model_extra or {}]
    for name in type(value).model_fields:
        found += made_up(getattr(value, name), f"{path}.{name}")
    return found


async def everything_that_can_happen(sandbox: Sandbox) -> list[dict[str, Any]]:
    await sandbox.call("getUpdates", allowed_updates=sorted(KINDS))
    media = [await person_sends(sandbox, "photo", png(400, 300), "a.png", "image/png", caption="#x")]
    media.append(await person_sends(sandbox, "voice", ogg(2), "a.ogg", "audio/ogg"))
    media.append(await person_sends(sandbox, "document", b"x", "a.txt", "text/plain"))
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "a"}, {"text": "b", "url": "https://x.io"}]]}
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="<b>x</b> /y", parse_mode="HTML", reply_markup=markup)
    place = {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "message_id": sent["message_id"]}
    own = await sandbox.say("/start payload", reply_to=sent["message_id"])
    await sandbox.sim("edit", {**place, "message_id": own["message_id"], "text": "edited"})
    await sandbox.sim("press", {**place, "data": "a"})
    await sandbox.sim("react", {**place, "emoji": "👍"})
    await sandbox.call("sendMessageDraft", chat_id=ANN, draft_id=9, text="x", can_stop=True)
    await sandbox.sim("stop", {"bot_id": BOT_ID, "chat_id": ANN, "draft_id": 9})
    for blocked in (True, False):
        await sandbox.sim("block", {"bot_id": BOT_ID, "user_id": ANN, "blocked": blocked})
    await in_groups(sandbox)
    return await sandbox.updates() + [{"update_id": 1, "message": message} for message in media]


async def in_groups(sandbox: Sandbox) -> None:
    forum = {"type": "supergroup", "title": "Forum", "is_forum": True, "members": [ANN], "bots": [BOT_ID]}
    chat = (await sandbox.sim("chats", forum))["id"]
    await sandbox.sim("chats", {"type": "group", "title": "Small", "members": [ANN], "bots": [BOT_ID]})
    thread = (await sandbox.sim(f"chats/{chat}/topics", {"name": "Topic"}))["message_thread_id"]
    await sandbox.say("/in_topic", chat=chat, message_thread_id=thread)
    for member in ({"user_id": BOB}, {"bot_id": BOT_ID}):
        for status in ("member", "administrator", "kicked", "left", "member"):
            if "bot_id" in member or status in {"member", "left"}:
                await sandbox.sim(f"chats/{chat}/members", {**member, "status": status})


async def test_every_update_is_one_that_aiogram_knows(sandbox: Sandbox) -> None:
    updates = await everything_that_can_happen(sandbox)
    assert {key for update in updates for key in update} == KINDS | {"update_id"}
    for update in updates:
        assert made_up(Update.model_validate(update)) == []


async def test_every_result_is_one_that_aiogram_knows(sandbox: Sandbox, group: int) -> None:
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="x @ann_a", protect_content=True, link_preview_options={"is_disabled": True})
    await sandbox.sim(f"chats/{group}/members", {"bot_id": BOT_ID, "status": "administrator"})
    forwarded = await sandbox.call("forwardMessage", chat_id=ANN, from_chat_id=ANN, message_id=(await sandbox.say("y"))["message_id"])
    results = [
        User.model_validate(await sandbox.call("getMe")),
        Message.model_validate(sent),
        Message.model_validate(forwarded),
        Chat.model_validate(sent["chat"]),
        ChatFullInfo.model_validate(await sandbox.call("getChat", chat_id=ANN)),
        ChatFullInfo.model_validate(await sandbox.call("getChat", chat_id=group)),
        ChatMemberAdministrator.model_validate(await sandbox.call("getChatMember", chat_id=group, user_id=BOT_ID)),
        WebhookInfo.model_validate(await sandbox.call("getWebhookInfo")),
    ]
    assert made_up(results) == []


def test_a_made_up_field_is_found() -> None:
    body = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private", "colour": "red"}, "text": "x", "mood": "good"}
    assert sorted(made_up(Update.model_validate({"update_id": 1, "message": body}))) == [".message.chat.colour", ".message.mood"]

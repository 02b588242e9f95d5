"""Text messages, live drafts and chat actions."""

import time

from services.sandbox import drafts
from services.sandbox.chats import Card, Chat, Message
from services.sandbox.entities import units
from services.sandbox.errors import bad_request
from services.sandbox.markup import read_markup
from services.sandbox.methods.registry import Context, method
from services.sandbox.parsing import LONGEST_TEXT, read_message_text, read_text
from services.sandbox.peers import known_chat, replied_message, spend_group_budget, thread_fields, writable_chat

ACTIONS = frozenset((
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note", "record_audio", "upload_audio",
))  # fmt: skip


def place(ctx: Context, chat: Chat, content: Card) -> Message:
    """Puts a message of the bot into a chat with everything a send may carry: topic, reply, markup, protection."""
    params = ctx.params
    thread = thread_fields(chat, params)
    replied, reply_fields = replied_message(chat, params)
    inline, keyboard = read_markup(params)
    spend_group_budget(chat, ctx.bot)
    body = {**thread, **reply_fields, **content}
    if params.flag("protect_content"):
        body["has_protected_content"] = True
    if inline:
        body["reply_markup"] = inline
    message = ctx.world.add_message(chat, ctx.bot, ctx.bot.card, body, reply_to=replied.id if replied else None, keyboard=keyboard)
    drafts.settle(ctx.world, chat, ctx.bot, thread.get("message_thread_id"))
    ctx.world.tell("message", chat, message)
    return message


@method("sendMessage")
def send_message(ctx: Context) -> Card:
    text, entities = read_message_text(ctx.params)
    chat = writable_chat(ctx.world, ctx.bot, ctx.params)
    content: Card = {"text": text}
    if entities:
        content["entities"] = entities
    if preview := ctx.params.json("link_preview_options", "link preview options"):
        content["link_preview_options"] = preview
    return place(ctx, chat, content).body


@method("sendMessageDraft")
def send_message_draft(ctx: Context) -> bool:
    """An empty text shows "Thinking…"."""
    text, entities = read_text(ctx.params)
    chat = writable_chat(ctx.world, ctx.bot, ctx.params)
    if not chat.private:
        raise bad_request("TEXTDRAFT_PEER_INVALID")
    draft_id = ctx.params.integer("draft_id")
    if not draft_id:
        raise bad_request("RANDOM_ID_INVALID")
    if units(text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    thread = thread_fields(chat, ctx.params).get("message_thread_id")
    drafts.pace(chat, ctx.bot)
    can_stop, keep = ctx.params.flag("can_stop"), ctx.params.flag("keep_on_stop")
    drafts.show(ctx.world, chat, (ctx.bot.id, thread, draft_id), (text, entities), can_stop=can_stop, keep=keep)
    return True


@method("sendChatAction")
def send_chat_action(ctx: Context) -> bool:
    chat = writable_chat(ctx.world, ctx.bot, ctx.params)
    action = ctx.params.text("action").lower()
    if action not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    thread_fields(chat, ctx.params)
    drafts.pace(chat, ctx.bot)
    chat.typing[ctx.bot.id] = time.monotonic() + drafts.TYPING_LIFE
    ctx.world.events.emit("typing", bot_id=ctx.bot.id, chat_id=chat.id, action=action)
    return True


@method("deleteMessage")
def delete_message(ctx: Context) -> bool:
    chat = known_chat(ctx.world, ctx.bot, ctx.params)
    message = chat.messages.get(ctx.params.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    _delete(ctx, chat, message)
    return True


@method("deleteMessages")
def delete_messages(ctx: Context) -> bool:
    """Those that are not there are passed over."""
    chat = known_chat(ctx.world, ctx.bot, ctx.params)
    numbers = ctx.params.json("message_ids", "message identifiers")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= 100:
        raise bad_request("wrong number of message identifiers specified")
    if any(not isinstance(number, int) for number in numbers):
        raise bad_request("can't parse message identifiers: expected an Array of Number")
    for message in [chat.messages[number] for number in numbers if number in chat.messages]:
        _delete(ctx, chat, message)
    return True


def _delete(ctx: Context, chat: Chat, message: Message) -> None:
    too_old = message.body["date"] < time.time() - 48 * 3600
    foreign = not chat.private and message.author != ctx.bot.id and chat.bots[ctx.bot.id] != "administrator"
    if too_old or foreign:
        raise bad_request("message can't be deleted for everyone" if too_old else "message can't be deleted")
    del chat.messages[message.id]
    ctx.world.events.emit("deleted", bot_id=ctx.bot.id, chat_id=chat.id, message_id=message.id)

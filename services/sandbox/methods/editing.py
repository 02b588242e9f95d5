"""Changing a message the bot has sent. What is not given again is taken away, as with Telegram."""

import time

from services.sandbox.chats import Card, Chat, Message
from services.sandbox.errors import bad_request
from services.sandbox.markup import read_inline, same_markup
from services.sandbox.methods.registry import Context, method
from services.sandbox.parsing import read_caption, read_message_text
from services.sandbox.peers import own_message, spend_group_budget, writable_chat

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup "
    "of the message"
)


def _editable(ctx: Context) -> tuple[Chat, Message]:
    if ctx.params.text("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    chat = writable_chat(ctx.world, ctx.bot, ctx.params)
    message = own_message(chat, ctx.params, "edit")
    if message.author != ctx.bot.id or message.service:
        raise bad_request("message can't be edited")
    return chat, message


def _change(ctx: Context, chat: Chat, message: Message, content: Card, markup: Card | None) -> Card:
    body = message.body
    same = all((body.get(name) or None) == (value or None) for name, value in content.items())
    if same and same_markup(body.get("reply_markup"), markup):
        raise bad_request(NOT_MODIFIED)
    spend_group_budget(chat, ctx.bot)
    changed = {**body, **content, "edit_date": int(time.time()), "reply_markup": markup}
    message.body = {name: value for name, value in changed.items() if value}
    ctx.world.tell("edited", chat, message)
    return message.body


@method("editMessageText")
def edit_message_text(ctx: Context) -> Card:
    text, entities = read_message_text(ctx.params)
    chat, message = _editable(ctx)
    if "text" not in message.body:
        raise bad_request("there is no text in the message to edit")
    return _change(ctx, chat, message, {"text": text, "entities": entities}, read_inline(ctx.params))


@method("editMessageCaption")
def edit_message_caption(ctx: Context) -> Card:
    caption, entities = read_caption(ctx.params)
    chat, message = _editable(ctx)
    if "text" in message.body:
        raise bad_request("there is no caption in the message to edit")
    return _change(ctx, chat, message, {"caption": caption, "caption_entities": entities}, read_inline(ctx.params))


@method("editMessageReplyMarkup")
def edit_message_reply_markup(ctx: Context) -> Card:
    chat, message = _editable(ctx)
    return _change(ctx, chat, message, {}, read_inline(ctx.params))

"""Photos, voice messages, documents and the like; fetching what people sent."""

import secrets
from collections.abc import Callable
from typing import Any

from services.sandbox import drafts
from services.sandbox.chats import Card, Chat, Message
from services.sandbox.errors import bad_request
from services.sandbox.files import LARGEST_DOWNLOAD
from services.sandbox.media import from_call, from_reference
from services.sandbox.methods.registry import Context, method
from services.sandbox.methods.sending import place
from services.sandbox.params import Params
from services.sandbox.parsing import read_caption
from services.sandbox.peers import replied_message, spend_group_budget, thread_fields, writable_chat

KINDS = ("photo", "voice", "document", "video", "audio", "sticker")
MOST_IN_ALBUM = 10


def caption_fields(params: Params) -> Card:
    caption, entities = read_caption(params)
    fields: Card = {"caption": caption} if caption else {}
    if entities:
        fields["caption_entities"] = entities
    return fields


def _sender(kind: str) -> Callable[[Context], Card]:
    def send(ctx: Context) -> Card:
        caption = {} if kind == "sticker" else caption_fields(ctx.params)
        chat = writable_chat(ctx.world, ctx.bot, ctx.params)
        return place(ctx, chat, {**from_call(ctx.world.files, kind, ctx.params), **caption}).body

    return send


for _kind in KINDS:
    method(f"send{_kind}")(_sender(_kind))


@method("sendMediaGroup")
def send_media_group(ctx: Context) -> list[Card]:
    """All of an album or nothing of it."""
    media = ctx.params.json("media", "media")
    if not isinstance(media, list) or not media:
        raise bad_request("there are no media messages to send")
    if len(media) > MOST_IN_ALBUM:
        raise bad_request("too many messages to send as an album")
    _check_mixture(media)
    chat = writable_chat(ctx.world, ctx.bot, ctx.params)
    contents = [_album_content(ctx, item) for item in media]
    thread = thread_fields(chat, ctx.params)
    replied, reply = replied_message(chat, ctx.params)
    spend_group_budget(chat, ctx.bot, len(contents))
    album = {"media_group_id": str(10**16 + secrets.randbelow(10**15)), **thread, **reply}
    return [_place_part(ctx, chat, {**album, **content}, replied) for content in contents]


def _check_mixture(media: list[Any]) -> None:
    kinds = {str(item.get("type")) if isinstance(item, dict) else "" for item in media}
    if not kinds <= {"photo", "video", "audio", "document"}:
        raise bad_request("can't parse InputMedia: type must be one of photo, video, audio, document")
    for kind in ("audio", "document"):
        if kind in kinds and len(kinds) > 1:
            raise bad_request(f"{kind} can't be mixed with other media types")


def _album_content(ctx: Context, item: Card) -> Card:
    caption = caption_fields(Params({"parse_mode": ctx.params.text("parse_mode"), **item}))
    return {**from_reference(ctx.world.files, item["type"], str(item.get("media", "")), ctx.params, item), **caption}


def _place_part(ctx: Context, chat: Chat, body: Card, replied: Message | None) -> Card:
    message = ctx.world.add_message(chat, ctx.bot, ctx.bot.card, body, reply_to=replied.id if replied else None)
    drafts.settle(ctx.world, chat, ctx.bot, body.get("message_thread_id"))
    ctx.world.tell("message", chat, message)
    return message.body


@method("getFile")
def get_file(ctx: Context) -> Card:
    file_id = ctx.params.text("file_id")
    if not file_id:
        raise bad_request("file_id not specified")
    stored = ctx.world.files.find(file_id)
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(stored.data) > LARGEST_DOWNLOAD:
        raise bad_request("file is too big")
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": len(stored.data), "file_path": stored.path}

"""Sending on what is already there."""

from services.sandbox.chats import Card, Chat, Message
from services.sandbox.errors import bad_request
from services.sandbox.methods.media import caption_fields
from services.sandbox.methods.registry import Context, method
from services.sandbox.methods.sending import place
from services.sandbox.peers import known_chat, own_message, writable_chat

CONTENT = ("text", "entities", "caption", "caption_entities", "photo", "voice", "document", "video", "audio", "sticker")


def _source(ctx: Context, what: str) -> tuple[Chat, Message]:
    chat = writable_chat(ctx.world, ctx.bot, ctx.params)
    message = own_message(known_chat(ctx.world, ctx.bot, ctx.params, "from_chat_id"), ctx.params, what)
    if message.service:
        raise bad_request(f"message can't be {'forwarded' if what == 'forward' else 'copied'}")
    if message.body.get("has_protected_content"):
        raise bad_request("message has protected content and can't be forwarded")
    return chat, message


def _content(message: Message) -> Card:
    return {name: message.body[name] for name in CONTENT if name in message.body}


@method("forwardMessage")
def forward_message(ctx: Context) -> Card:
    chat, message = _source(ctx, "forward")
    origin = message.body.get("forward_origin") or {"type": "user", "sender_user": message.body["from"], "date": message.body["date"]}
    return place(ctx, chat, {"forward_origin": origin, **_content(message)}).body


@method("copyMessage")
def copy_message(ctx: Context) -> Card:
    """A given caption takes the place of the old one, also an empty one."""
    chat, message = _source(ctx, "copy")
    content = _content(message)
    if "caption" in ctx.params.values and "text" not in content:
        content = {name: value for name, value in content.items() if not name.startswith("caption")} | caption_fields(ctx.params)
    return {"message_id": place(ctx, chat, content).id}

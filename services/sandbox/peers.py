"""Which chat a call means, and whether the bot may write there."""

import math
import time
from collections import deque

from services.sandbox.chats import Card, Chat, Message
from services.sandbox.errors import ApiError, bad_request, forbidden, too_many_requests
from services.sandbox.params import Params
from services.sandbox.world import Bot, World

GROUP_BUDGET, GROUP_WINDOW = 20, 60.0
OUTSIDE = frozenset({"left", "kicked"})


def known_chat(world: World, bot: Bot, params: Params, name: str = "chat_id") -> Chat:
    """A chat the bot has met; whether it may still write there is not asked."""
    given = params.text(name).strip()
    if not given:
        raise bad_request(f"{name} is empty")
    try:
        chat_id = int(given)
    except ValueError:
        raise bad_request("chat not found") from None
    chat = bot.private.get(chat_id) if chat_id > 0 else world.groups.get(chat_id)
    if chat is None or bot.id not in chat.bots:
        raise _unreachable(world, bot, chat_id)
    return chat


def _unreachable(world: World, bot: Bot, chat_id: int) -> ApiError:
    if chat_id in world.bots:
        return forbidden("bots can't send messages to bots")
    shares_group = (
        any(chat_id in chat.members and bot.id in chat.bots for chat in world.groups.values()) if chat_id in world.users else False
    )
    return forbidden("bot can't initiate conversation with a user") if shares_group else bad_request("chat not found")


def writable_chat(world: World, bot: Bot, params: Params) -> Chat:
    chat = known_chat(world, bot, params)
    if chat.private:
        if chat.id in bot.blocked_by:
            raise forbidden("bot was blocked by the user")
    elif (status := chat.bots[bot.id]) in OUTSIDE:
        raise forbidden(
            f"bot was kicked from the {chat.type} chat" if status == "kicked" else f"bot is not a member of the {chat.type} chat"
        )
    return chat


def spend_group_budget(chat: Chat, bot: Bot, messages: int = 1) -> None:
    """Sends and edits in a group share 20 a minute."""
    if chat.private:
        return
    now = time.monotonic()
    sent = chat.sent.setdefault(bot.id, deque())
    while sent and sent[0] <= now - GROUP_WINDOW:
        sent.popleft()
    if len(sent) + messages > GROUP_BUDGET:
        raise too_many_requests(math.ceil(sent[0] + GROUP_WINDOW - now) if sent else int(GROUP_WINDOW))
    sent.extend([now] * messages)


def thread_fields(chat: Chat, params: Params) -> Card:
    """The topic a message goes to."""
    thread = params.integer("message_thread_id")
    if not thread or (chat.is_forum and thread == 1):
        return {}
    if thread not in chat.topics:
        raise bad_request("message thread not found")
    return {"message_thread_id": thread, "is_topic_message": True}


def replied_message(chat: Chat, params: Params) -> tuple[Message | None, Card]:
    """The message a call replies to and the fields the reply carries."""
    given = params.json("reply_parameters", "reply parameters")
    if given is not None and not isinstance(given, dict):
        raise bad_request("object expected as reply parameters")
    given = given or {}
    number = Params(given).integer("message_id") or params.integer("reply_to_message_id")
    if not number:
        return None, {}
    replied = chat.messages.get(number)
    if replied is None:
        if given.get("allow_sending_without_reply") or params.flag("allow_sending_without_reply"):
            return None, {}
        raise bad_request("message to be replied not found")
    fields: Card = {"reply_to_message": {key: value for key, value in replied.body.items() if key != "reply_to_message"}}
    if quote := Params(given).text("quote"):
        if quote not in replied.text:
            raise bad_request("QUOTE_TEXT_INVALID")
        fields["quote"] = {"text": quote, "position": Params(given).integer("quote_position"), "is_manual": True}
    return replied, fields


def own_message(chat: Chat, params: Params, what: str) -> Message:
    """The message a call names; `what` says what is to happen with it."""
    number = params.integer("message_id")
    if not number:
        raise bad_request("message identifier is not specified")
    if message := chat.messages.get(number):
        return message
    raise bad_request(f"message to {what} not found")

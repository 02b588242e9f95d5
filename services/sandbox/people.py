"""What people do: they write, edit, press, react, block; and which of the bots in a chat gets to know of it."""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from services.sandbox import drafts
from services.sandbox.chats import Card, Chat, Message, User
from services.sandbox.entities import detect, units
from services.sandbox.errors import SimError, not_here
from services.sandbox.peers import OUTSIDE
from services.sandbox.world import Bot, World

LONGEST_TEXT = 4096
_COMMAND = re.compile(r"/[A-Za-z0-9_]+(?:@([A-Za-z0-9_]+))?")


@dataclass(slots=True, eq=False)
class Press:
    chat_id: int
    user_id: int
    pressed_at: float


@dataclass(slots=True, frozen=True)
class Place:
    """Who acts where: the chat as that user sees it."""

    chat: Chat
    user: User
    bot: Bot | None


def find_place(world: World, bot_id: int | None, chat_id: int, user_id: int, *, begin: bool = False) -> Place:
    """`begin` lets a first message open a private chat."""
    user = world.get_user(user_id)
    if chat_id > 0:
        if chat_id != user_id:
            raise SimError("a private chat has the id of its user: chat_id and user_id differ")
        if bot_id is None:
            raise SimError("bot_id is missing: a private chat belongs to one bot")
        bot = world.get_bot(bot_id)
        chat = world.private_chat(bot, user) if begin else world.find_chat(bot_id, chat_id)
        return Place(chat, user, bot)
    chat = world.find_chat(None, chat_id)
    if user_id not in chat.members:
        raise SimError(f"user {user_id} is not a member of chat {chat_id}")
    return Place(chat, user, world.bots.get(bot_id) if bot_id is not None else None)


def say(world: World, place: Place, content: Card, *, reply_to: int | None = None, thread: int | None = None) -> tuple[Message, int | None]:
    """A user sends something; answers the message and the update the named bot gets for it, if it gets one."""
    chat = place.chat
    if place.bot and chat.private and chat.id in place.bot.blocked_by:
        raise SimError("this user has blocked the bot: unblock it first")
    body: Card = {}
    if thread and thread != 1:
        if thread not in chat.topics:
            raise not_here(f"there is no topic {thread} in chat {chat.id}")
        body = {"message_thread_id": thread, "is_topic_message": True}
    replied = None
    if reply_to:
        replied = get_message(chat, reply_to)
        body["reply_to_message"] = {key: value for key, value in replied.body.items() if key != "reply_to_message"}
    elif body and thread:
        body["reply_to_message"] = chat.topics[thread].opening.body
    message = world.add_message(chat, place.bot, place.user.card, {**body, **content}, reply_to=replied.id if replied else None)
    world.tell("message", chat, message)
    return message, announce(world, "message", message, place.bot)


def announce(world: World, kind: str, message: Message, asked: Bot | None) -> int | None:
    """Queues a message for every bot that may see it; answers the update id of the bot that was asked about."""
    chat, answer = message.chat, None
    for bot_id, status in chat.bots.items():
        bot = world.bots[bot_id]
        if status in OUTSIDE or not may_see(bot, status, message):
            continue
        update_id = bot.queue.add(kind, message.body, chat_id=chat.id, lane=f"chat:{chat.id}")
        if bot is asked:
            answer = update_id
    return answer


def may_see(bot: Bot, status: str, message: Message) -> bool:
    """Privacy mode: in a group a bot sees commands, replies to it and mentions, unless it is an administrator or reads all."""
    if message.chat.private or bot.reads_all or status == "administrator" or message.service:
        return True
    replied = message.body.get("reply_to_message")
    if replied and replied["from"]["id"] == bot.id:
        return True
    text = message.text
    if command := _COMMAND.match(text):
        return command[1] is None or command[1].lower() == bot.username.lower()
    return re.search(rf"@{re.escape(bot.username)}\b", text, re.IGNORECASE) is not None


def text_content(text: str, name: str = "text") -> Card:
    text = text.strip()
    if units(text) > LONGEST_TEXT:
        raise SimError("the text is too long: 4096 UTF-16 units at most")
    content: Card = {name: text}
    if entities := detect(text):
        content["entities" if name == "text" else "caption_entities"] = entities
    return content


def get_message(chat: Chat, message_id: int) -> Message:
    if message := chat.messages.get(message_id):
        return message
    raise not_here(f"there is no message {message_id} in chat {chat.id}")


def edit(world: World, place: Place, message_id: int, text: str) -> int | None:
    message = get_message(place.chat, message_id)
    if message.author != place.user.id:
        raise SimError("only one's own messages can be edited")
    name = "text" if "text" in message.body else "caption"
    kept = {key: value for key, value in message.body.items() if key not in {"text", "entities", "caption", "caption_entities"}}
    message.body = {**kept, "edit_date": int(time.time()), **text_content(text, name)}
    world.tell("edited", place.chat, message)
    return announce(world, "edited_message", message, place.bot)


def press(world: World, place: Place, message_id: int, data: str) -> str:
    """A button answers to the bot that sent the message, whoever was named."""
    message = get_message(place.chat, message_id)
    bot = world.bots.get(message.author)
    rows: list[list[Card]] = message.body.get("reply_markup", {}).get("inline_keyboard", [])
    if bot is None or not any(button.get("callback_data") == data for row in rows for button in row):
        raise SimError("there is no such button under this message")
    query_id = str(secrets.randbits(62) | 1 << 61)
    bot.callbacks[query_id] = Press(place.chat.id, place.user.id, time.time())
    payload: Card = {
        "id": query_id,
        "from": place.user.card,
        "message": message.body,
        "chat_instance": str((place.chat.id * 7_919 + bot.id * 104_729) % (1 << 62)),
        "data": data,
    }
    bot.queue.add("callback_query", payload, chat_id=place.chat.id, lane=f"callback:{place.user.id}")
    return query_id


def press_stop(world: World, bot: Bot, chat: Chat, draft_id: int) -> int | None:
    draft: Any = next((draft for draft in drafts.living(chat, bot.id) if draft.id == draft_id and draft.can_stop), None)
    if draft is None:
        raise not_here(f"there is no live draft {draft_id} that can be stopped")
    drafts.stop(world, chat, draft)
    payload: Card = {"chat": chat.card, "draft_id": str(draft_id)}
    if draft.thread is not None:
        payload["message_thread_id"] = draft.thread
    return bot.queue.add("stopped_message_generation", payload, chat_id=chat.id, lane=f"stop:{chat.id}")


def react(world: World, place: Place, message_id: int, emoji: str | None) -> None:
    """Bots hear of it in private chats and where they are administrators, when they asked for it."""
    message, user_id = get_message(place.chat, message_id), place.user.id
    old = message.reactions.pop(user_id, None)
    if emoji:
        message.reactions[user_id] = emoji
    show_reactions(world, message)
    payload: Card = {
        "chat": place.chat.card,
        "message_id": message_id,
        "user": place.user.card,
        "date": int(time.time()),
        "old_reaction": [{"type": "emoji", "emoji": old}] if old else [],
        "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
    }
    for bot_id, status in place.chat.bots.items():
        if place.chat.private or status == "administrator":
            world.bots[bot_id].queue.add("message_reaction", payload, chat_id=place.chat.id, lane=f"reaction:{user_id}")


def show_reactions(world: World, message: Message) -> None:
    reactions = message.view()["reactions"]
    world.events.emit(
        "reaction", bot_id=next(iter(message.chat.bots), None), chat_id=message.chat.id, message_id=message.id, reactions=reactions
    )


def block(world: World, bot: Bot, user: User, *, blocked: bool) -> int | None:
    chat = world.private_chat(bot, user)
    if blocked == (user.id in bot.blocked_by):
        return None
    (bot.blocked_by.add if blocked else bot.blocked_by.discard)(user.id)
    old, new = ("member", "kicked") if blocked else ("kicked", "member")
    return tell_membership(bot, chat, user.card, old, new)


def tell_membership(bot: Bot, chat: Chat, by: Card, old: str, new: str) -> int | None:
    payload: Card = {
        "chat": chat.card,
        "from": by,
        "date": int(time.time()),
        "old_chat_member": member_card(bot.card, old),
        "new_chat_member": member_card(bot.card, new),
    }
    return bot.queue.add("my_chat_member", payload, chat_id=chat.id, lane=f"chat:{chat.id}")


_RIGHTS = (
    "can_manage_chat", "can_change_info", "can_delete_messages", "can_invite_users", "can_restrict_members", "can_pin_messages",
    "can_manage_topics", "can_promote_members", "can_manage_video_chats", "can_post_stories", "can_edit_stories", "can_delete_stories",
    "can_send_welcome_messages",
)  # fmt: skip


def member_card(user: Card, status: str) -> Card:
    card: Card = {"user": user, "status": status}
    if status == "kicked":
        card["until_date"] = 0
    elif status == "creator":
        card["is_anonymous"] = False
    elif status == "administrator":
        card.update({"can_be_edited": False, "is_anonymous": False, **dict.fromkeys(_RIGHTS, True)})
        card["can_promote_members"] = False
    return card

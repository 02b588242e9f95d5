"""The whole state of the sandbox. It lives in memory and ends with the process."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from services.sandbox.calls import Calls
from services.sandbox.chats import Card, Chat, Message, User
from services.sandbox.errors import ApiError, not_here
from services.sandbox.events import Events
from services.sandbox.faults import Faults
from services.sandbox.files import Files
from services.sandbox.updates import UpdateQueue, first_update_id
from services.sandbox.webhooks import Webhook

KEPT_MESSAGES = 5_000


@dataclass(slots=True, eq=False)
class Bot:
    id: int
    secret: str
    username: str
    queue: UpdateQueue
    name: str = "Vitte"
    reads_all: bool = False
    private: dict[int, Chat] = field(default_factory=dict)
    blocked_by: set[int] = field(default_factory=set)
    last_message_id: int = 0
    commands: dict[tuple[str, str], list[Card]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_buttons: dict[int | None, Card] = field(default_factory=dict)
    callbacks: dict[str, Any] = field(default_factory=dict)
    webhook: Webhook | None = None
    webhook_set_at: float = 0.0
    logged_out_until: float = 0.0
    card: Card = field(init=False)

    def __post_init__(self) -> None:
        self.rename(self.name)

    def rename(self, name: str) -> None:
        self.name = name
        self.card = {"id": self.id, "is_bot": True, "first_name": name, "username": self.username}

    def view(self) -> Card:
        commands = self.commands.get(("default", "")) or next(iter(self.commands.values()), [])
        return {"id": self.id, "username": self.username, "name": self.name, "commands": commands}


class World:
    """Everything there is. One event loop touches it, and no method waits, so each is atomic."""

    def __init__(self) -> None:
        self.events, self.calls, self.faults, self.files = Events(), Calls(), Faults(), Files()
        self.users: dict[int, User] = {}
        self.bots: dict[int, Bot] = {}
        self.groups: dict[int, Chat] = {}
        self._next_update_ids: dict[int, int] = {}
        self.reset_hooks: list[Callable[[], None]] = []

    async def close(self) -> None:
        """Ends deliveries and long polls."""
        for bot in self.bots.values():
            bot.queue.close()
            if bot.webhook is not None:
                await bot.webhook.close()

    async def reset(self) -> None:
        await self.close()
        self._next_update_ids.update((bot.id, bot.queue.next_id) for bot in self.bots.values())
        for kept in (self.users, self.bots, self.groups):
            kept.clear()
        self.calls.clear()
        self.faults.clear()
        self.files.clear()
        for hook in self.reset_hooks:
            hook()
        self.events.emit("reset")

    def bot_of(self, token: str) -> Bot:
        """The bot of a token; a well-formed token that is new makes its bot, another secret of a known bot is refused."""
        number, colon, secret = token.partition(":")
        if not (
            colon and secret and number.isdecimal() and number.isascii() and len(number) <= 16 and number[0] != "0" and ":" not in secret
        ):
            raise ApiError(401, "Unauthorized: invalid token specified")
        bot = self.bots.get(int(number)) or self.add_bot(int(number))
        if not bot.secret:
            bot.secret = secret
        if not secrets.compare_digest(bot.secret.encode(), secret.encode()):
            raise ApiError(401, "Unauthorized")
        return bot

    def add_bot(self, bot_id: int, *, username: str | None = None, name: str | None = None, reads_all: bool = False) -> Bot:
        queue = UpdateQueue(bot_id, next_id=max(first_update_id(), self._next_update_ids.get(bot_id, 0)))
        bot = Bot(bot_id, "", username or f"sandbox_{bot_id}_bot", queue, name or "Vitte", reads_all)
        bot.last_message_id = secrets.randbelow(50_000)
        self.bots[bot_id] = bot
        self.events.emit("bot", bot=bot)
        return bot

    def get_bot(self, bot_id: int) -> Bot:
        if bot := self.bots.get(bot_id):
            return bot
        raise not_here(f"there is no bot {bot_id} yet: it appears with its first call to the Bot API")

    def get_user(self, user_id: int) -> User:
        if user := self.users.get(user_id):
            return user
        raise not_here(f"there is no user {user_id}: make one with POST /sim/users")

    def add_user(self, first_name: str, username: str | None, language_code: str | None, user_id: int | None = None) -> User:
        user = User(user_id or 5_000_000_000 + secrets.randbelow(2_000_000_000), first_name, username, language_code)
        self.users[user.id] = user
        self.events.emit("user", user=user)
        return user

    def add_group(self, kind: str, title: str, *, is_forum: bool) -> Chat:
        offset = 1_000_000_000_000 if kind == "supergroup" else 0
        chat_id = -(offset + 1_000_000_000 + secrets.randbelow(3_000_000_000))
        card: Card = {"id": chat_id, "title": title, "type": kind}
        if is_forum:
            card["is_forum"] = True
        chat = Chat(chat_id, kind, title, card, is_forum)
        self.groups[chat_id] = chat
        return chat

    def private_chat(self, bot: Bot, user: User) -> Chat:
        """The chat of a bot and a user, made when the user first writes."""
        chat = bot.private.get(user.id)
        if chat is None:
            card: Card = {"id": user.id, "first_name": user.first_name, "type": "private"}
            if user.username:
                card["username"] = user.username
            chat = bot.private[user.id] = Chat(user.id, "private", user.first_name, card, members={user.id: None}, bots={bot.id: "member"})
            self.events.emit("chat", chat=chat)
        return chat

    def find_chat(self, bot_id: int | None, chat_id: int) -> Chat:
        """As a person names it: a group by its id, a private chat by the user's id and the bot's."""
        bot = self.get_bot(bot_id) if chat_id > 0 and bot_id is not None else None
        chat = bot.private.get(chat_id) if bot else self.groups.get(chat_id)
        if chat is None:
            raise not_here(f"there is no chat {chat_id}" + ("" if bot_id is None else f" with bot {bot_id}"))
        return chat

    def add_message(self, chat: Chat, bot: Bot | None, author: Card, content: Card, **extra: Any) -> Message:
        """Gives a message its number and place. Private chats of one bot share their numbers, as an account's do."""
        if bot is not None and chat.private:
            bot.last_message_id += 1
            number = bot.last_message_id
        else:
            chat.last_message_id += 1
            number = chat.last_message_id
        body: Card = {"message_id": number, "from": author, "chat": chat.card, "date": int(time.time()), **content}
        message = Message(chat, number, author["id"], body, **extra)
        chat.messages[number] = message
        if len(chat.messages) > KEPT_MESSAGES:
            del chat.messages[next(iter(chat.messages))]
        return message

    def tell(self, kind: str, chat: Chat, message: Message) -> None:
        """Shows a message to whoever watches."""
        self.events.emit(kind, bot_id=next(iter(chat.bots), None), chat_id=chat.id, message=message)


WORLD: web.AppKey[World] = web.AppKey("world", World)

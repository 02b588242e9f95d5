"""Who and what there is: users, bots, chats and the messages in them, as plain records with the Bot API's shapes."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

Card = dict[str, Any]


@dataclass(slots=True, eq=False)
class User:
    id: int
    first_name: str
    username: str | None
    language_code: str | None
    card: Card = field(init=False)

    def __post_init__(self) -> None:
        self.card = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.username:
            self.card["username"] = self.username
        if self.language_code:
            self.card["language_code"] = self.language_code

    def view(self) -> Card:
        return {"id": self.id, "first_name": self.first_name, "username": self.username, "language_code": self.language_code}


@dataclass(slots=True, eq=False)
class Message:
    """`body` is the Bot API's Message as every bot in the chat sees it; `author` is a user's or bot's id."""

    chat: "Chat"
    id: int
    author: int
    body: Card
    reply_to: int | None = None
    reactions: dict[int, str] = field(default_factory=dict)
    service: str | None = None
    keyboard: Card | None = None

    @property
    def text(self) -> str:
        return str(self.body.get("text") or self.body.get("caption") or "")

    @property
    def thread(self) -> int | None:
        return self.body.get("message_thread_id")

    def view(self) -> Card:
        body, sender = self.body, self.body["from"]
        shown: Card = {key: body[key] for key in _SHOWN if key in body}
        shown["from"] = {"id": sender["id"], "first_name": sender["first_name"], "is_bot": sender["is_bot"]}
        shown.update((key, _file_view(body[key])) for key in _SHOWN_FILES if key in body)
        if "photo" in body:
            shown["photo"] = _file_view(body["photo"][-1])
        if self.reply_to is not None:
            shown["reply_to_message_id"] = self.reply_to
        shown["reactions"] = [{"emoji": emoji, "user_id": user_id} for user_id, emoji in self.reactions.items()]
        if self.keyboard:
            shown["reply_markup"] = self.keyboard
        if self.service:
            shown["service"] = self.service
        return shown


_SHOWN = (
    "message_id",
    "date",
    "edit_date",
    "text",
    "entities",
    "caption",
    "caption_entities",
    "message_thread_id",
    "reply_markup",
    "media_group_id",
)
_SHOWN_FILES = ("voice", "document", "video", "audio", "sticker")


def _file_view(file: Card) -> Card:
    shown: Card = {
        key: file[key] for key in ("file_id", "file_name", "mime_type", "duration", "width", "height", "file_size") if key in file
    }
    return {**shown, "url": f"/sim/files/{file['file_id']}"}


@dataclass(slots=True, eq=False)
class Topic:
    id: int
    name: str
    opening: Message


@dataclass(slots=True, eq=False)
class Chat:
    """A private chat belongs to one bot and one user and has the user's id; groups have negative ids and any number of both."""

    id: int
    type: str
    title: str
    card: Card
    is_forum: bool = False
    members: dict[int, None] = field(default_factory=dict)
    bots: dict[int, str] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    last_message_id: int = 0
    typing: dict[int, float] = field(default_factory=dict)
    sent: dict[int, deque[float]] = field(default_factory=dict)
    drafts: dict[tuple[int, int | None, int], Any] = field(default_factory=dict)
    paced: dict[int, deque[float]] = field(default_factory=dict)

    @property
    def private(self) -> bool:
        return self.type == "private"

    def view(self) -> Card:
        return {
            "id": self.id,
            "type": self.type,
            "title": self.title,
            "is_forum": self.is_forum,
            "member_ids": list(self.members),
            "bot_ids": [bot_id for bot_id, status in self.bots.items() if status not in {"left", "kicked"}],
            "topics": [{"message_thread_id": topic.id, "name": topic.name} for topic in self.topics.values()],
        }

"""People, places, rows and updates for tests, each complete and each changeable by keyword; and a clock that only we move."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import text

from shared.adapters.llm.scripted import ScriptedModel
from shared.application.accounts import AccountService
from shared.application.caches import Cache, Caches, NoCache
from shared.application.characters import CharacterService
from shared.application.chat import ChatService
from shared.application.inbox import InboxService
from shared.application.jobs import MemoryJobs
from shared.application.memory import Finder, MemoryService, Reader, Refresher
from shared.application.ports import ChatModel, Embedder, Models
from shared.application.switches import SwitchService
from shared.database.database import Database, open_engine
from shared.domain.billing import Plan, Subscription
from shared.domain.character import Character
from shared.domain.dialog import Dialog, Message, Turn
from shared.domain.memory import Memory
from shared.domain.speaker import Person, Place, Speaker
from shared.domain.user import User

BOT_ID = 123456
ANN_ID, BOB_ID = 7_000_000_001, 7_000_000_002
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_numbers = count(1)


@dataclass(slots=True)
class SteppedClock:
    """Stands still until it is told to go on."""

    at: datetime = NOON
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def go_on(self, **step: float) -> None:
        self.at += timedelta(**step)
        self.seconds += timedelta(**step).total_seconds()


def make_prose(letter: str, length: int) -> str:
    """One long word that never repeats itself, unlike a model that goes round in circles."""
    return "".join(f"{letter}{number}" for number in range(length))[:length]


def make_person(**overrides: Any) -> Person:
    return Person(**{"telegram_user_id": ANN_ID, "first_name": "Ann", "username": "ann_a", "language_code": "en", **overrides})


def make_place(**overrides: int) -> Place:
    return Place(**{"bot_id": BOT_ID, "chat_id": ANN_ID, **overrides})


def make_user(**overrides: Any) -> User:
    return User(**{"telegram_user_id": 6_000_000_000 + next(_numbers), "first_name": "Kim", **overrides})


def make_plan(**overrides: Any) -> Plan:
    return Plan(**{"code": f"plan{next(_numbers)}", "daily_turns": 10, **overrides})


def make_subscription(user: User, plan: Plan, **overrides: Any) -> Subscription:
    return Subscription(**{"user_id": user.id, "plan_code": plan.code, "starts_at": NOON, **overrides})


def make_character(**overrides: Any) -> Character:
    number = next(_numbers)
    fields = {"slug": f"character{number}", "name": f"Character {number}", "emoji": "🦊", "position": 1000 + number}
    texts = {"tagline": {"en": "A fox"}, "greeting": {"en": f"Hello from {number}."}, "system_prompt": f"You are number {number}."}
    return Character(**{**fields, **texts, **overrides})


def make_dialog(user: User, character: Character, **overrides: Any) -> Dialog:
    fields = {"telegram_bot_id": BOT_ID, "telegram_chat_id": user.telegram_user_id, "entered_at": NOON}
    return Dialog(**{**fields, "user_id": user.id, "character_id": character.id, **overrides})


def make_turn(dialog: Dialog, **overrides: Any) -> Turn:
    fields = {"dialog_id": dialog.id, "user_id": dialog.user_id, "source_id": str(next(_numbers)), "allowance_day": date(2026, 11, 20)}
    return Turn(**{**fields, **overrides})


def make_message(dialog: Dialog, **overrides: Any) -> Message:
    return Message(**{"dialog_id": dialog.id, "role": "user", "text": "Hello", **overrides})


def make_memory(speaker: Speaker, **overrides: Any) -> Memory:
    fields = {"user_id": speaker.user_id, "character_id": speaker.character_id, "topic": "city", "fact": "Lives in Brno"}
    return Memory(**{**fields, "confidence": 0.9, **overrides})


def make_speaker(**overrides: Any) -> Speaker:
    fields = {"user_id": uuid4(), "telegram_user_id": ANN_ID, "language": "en", "place": make_place(), "dialog_id": uuid4()}
    character = {"character_id": uuid4(), "character_name": "Mira", "character_emoji": "🌿"}
    return Speaker(**{**fields, **character, "plan_code": "free", "daily_turns": 100, **overrides})


def make_update(update_id: int, *, kind: str = "message", user: int = ANN_ID, chat: int | None = None, **content: Any) -> bytes:
    """A raw update as Telegram would send it: a text in the private chat unless told otherwise."""
    sender = {"id": user, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    if kind == "callback_query":
        return _raw(update_id, kind, {"id": str(update_id), "from": sender, "chat_instance": "1", **content})
    place = {"id": chat or user, "type": "private" if chat is None else "supergroup"}
    said = {} if content.keys() & {"text", "photo", "sticker"} else {"text": f"message {update_id}"}
    return _raw(update_id, kind, {"message_id": update_id, "date": 1_790_000_000, "chat": place, "from": sender, **said, **content})


def _raw(update_id: int, kind: str, content: dict[str, Any]) -> bytes:
    return json.dumps({"update_id": update_id, kind: content}).encode()


@dataclass(frozen=True, slots=True)
class OneModel:
    """`Models` of which there is one; a token costs two millionths of a US dollar."""

    model: ScriptedModel

    def pool(self, tier: str) -> ChatModel:
        return self.model

    def find(self, name: str) -> ChatModel | None:
        return self.model if name == self.model.name else None

    def tier_of(self, name: str) -> Literal["strong", "simple"] | None:
        return "strong" if name == self.model.name else None

    def names(self) -> list[str]:
        return [self.model.name]

    def estimate_micros(self, tier_or_model: str, prompt_tokens: int, completion_tokens: int) -> int | None:
        return 2 * (prompt_tokens + completion_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The services over one database, with a scripted model and a clock of ours."""

    database: Database
    model: ScriptedModel = field(default_factory=ScriptedModel)
    clock: SteppedClock = field(default_factory=SteppedClock)
    cache: Cache = field(default_factory=NoCache)
    embedder: Embedder | None = None
    reading: Models = field(default_factory=lambda: OneModel(ScriptedModel(say=lambda _: '{"facts": []}')))
    prompt_tokens: int = 1500
    jobs: MemoryJobs = field(default_factory=MemoryJobs)

    @property
    def switches(self) -> SwitchService:
        return SwitchService(database=self.database, clock=self.clock)

    @property
    def accounts(self) -> AccountService:
        return AccountService(database=self.database, switches=self.switches, caches=self.caches, clock=self.clock)

    @property
    def caches(self) -> Caches:
        return Caches(database=self.database, cache=self.cache)

    @property
    def characters(self) -> CharacterService:
        return CharacterService(database=self.database, caches=self.caches)

    @property
    def chat(self) -> ChatService:
        return ChatService(database=self.database, model=self.model, clock=self.clock, recall=self.memory)

    @property
    def memory(self) -> MemoryService:
        finder = Finder(clock=self.clock, embedder=self.embedder)
        reader = Reader(database=self.database, models=self.reading, switches=self.switches, clock=self.clock)
        refresher = Refresher(database=self.database, reader=reader, finder=finder, prompt_tokens=self.prompt_tokens)
        return MemoryService(database=self.database, finder=finder, refresher=refresher, jobs=self.jobs, clock=self.clock)

    @property
    def inbox(self) -> InboxService:
        return InboxService(database=self.database)

    async def speaker(self, **person: Any) -> Speaker:
        """A registered person in their private chat."""
        who = make_person(**person)
        return await self.accounts.recognise(who, make_place(chat_id=who.telegram_user_id))

    async def add(self, *rows: Any) -> None:
        async with self.database.transaction() as tx:
            tx.session.add_all(rows)

    async def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.database.statement() as tx:
            found = await tx.connection.execute(text(statement), values)
            return [tuple(row) for row in found.all()]

    async def messages(self, speaker: Speaker) -> list[tuple[str, str]]:
        """(role, text) of everything said in the speaker's dialog."""
        found = await self.rows("select role, text from messages where dialog_id = :id order by id", id=speaker.dialog_id)
        return [(role, said) for role, said in found]

    async def used(self, speaker: Speaker) -> int:
        return (await self.accounts.allowance(speaker)).used


@asynccontextmanager
async def open_house(url: str, **parts: Any) -> AsyncIterator[House]:
    engine = open_engine(
        url, pool_size=5, max_overflow=20, connect_timeout=5.0, pool_recycle=3600, application_name="vitte-tests", command_timeout=20.0
    )
    house = House(database=Database(engine), **parts)
    try:
        yield house
    finally:
        await house.database.aclose()

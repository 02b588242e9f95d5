"""Live previews of a reply: private chats only, a budget shared with chat actions, 30 seconds of life, a Stop button."""

import asyncio
import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from services.sandbox.chats import Chat
from services.sandbox.entities import Entity
from services.sandbox.errors import too_many_requests
from services.sandbox.world import Bot, World

LIFE = 30.0
TYPING_LIFE = 5.0
BUDGETS = ((20, 5.0), (40, 30.0))

DraftKey = tuple[int, int | None, int]


@dataclass(slots=True, eq=False)
class Draft:
    chat: Chat
    bot_id: int
    id: int
    thread: int | None
    text: str
    entities: list[Entity]
    can_stop: bool
    keep_on_stop: bool
    expires_at: float
    stopped: bool = False

    def view(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "draft_id": self.id,
            "bot_id": self.bot_id,
            "text": self.text,
            "can_stop": self.can_stop,
            "expires_at": self.expires_at,
        }
        if self.thread is not None:
            shown["message_thread_id"] = self.thread
        if self.entities:
            shown["entities"] = self.entities
        return shown


def pace(chat: Chat, bot: Bot) -> None:
    """Counts one draft or chat action against the budget of the chat; 429 beyond it."""
    now = time.monotonic()
    spent = chat.paced.setdefault(bot.id, deque(maxlen=BUDGETS[-1][0]))
    for calls, seconds in BUDGETS:
        if len(spent) >= calls and (wait := spent[-calls] + seconds - now) > 0:
            raise too_many_requests(math.ceil(wait))
    spent.append(now)


def show(world: World, chat: Chat, key: DraftKey, said: tuple[str, list[Entity]], *, can_stop: bool, keep: bool) -> None:
    """A new draft takes the place of the one before it; a known one changes."""
    bot_id, thread, draft_id = key
    draft: Draft | None = chat.drafts.get(key)
    expires_at = time.time() + LIFE
    if draft is None:
        for other in [known for known in chat.drafts if known[:2] == key[:2]]:
            _remove(world, chat, other)
        draft = chat.drafts[key] = Draft(chat, bot_id, draft_id, thread, *said, can_stop, keep, expires_at)
        _watch(world, chat, key)
    elif draft.stopped:
        return
    draft.text, draft.entities = said
    draft.can_stop, draft.keep_on_stop, draft.expires_at = can_stop, keep, expires_at
    world.events.emit("draft", bot_id=bot_id, chat_id=chat.id, draft=draft)


def stop(world: World, chat: Chat, draft: Draft) -> None:
    """The user pressed Stop: later frames of this draft change nothing."""
    draft.stopped, draft.can_stop = True, False
    if not draft.keep_on_stop:
        world.events.emit("draft_gone", bot_id=draft.bot_id, chat_id=chat.id, draft_id=draft.id)


def settle(world: World, chat: Chat, bot: Bot, thread: int | None) -> None:
    """A message of the bot takes the place of its drafts and of "typing"."""
    chat.typing.pop(bot.id, None)
    if chat.drafts:
        for key in [key for key in chat.drafts if key[:2] == (bot.id, thread)]:
            _remove(world, chat, key)


def living(chat: Chat, bot_id: int | None) -> list[Draft]:
    now = time.time()
    return [
        draft
        for draft in chat.drafts.values()
        if draft.expires_at > now and bot_id in {None, draft.bot_id} and (not draft.stopped or draft.keep_on_stop)
    ]


def is_typing(chat: Chat, bot_id: int | None) -> bool:
    now = time.monotonic()
    return any(until > now for known, until in chat.typing.items() if bot_id in {None, known})


def _remove(world: World, chat: Chat, key: DraftKey) -> None:
    draft: Draft = chat.drafts.pop(key)
    if not draft.stopped or draft.keep_on_stop:
        world.events.emit("draft_gone", bot_id=draft.bot_id, chat_id=chat.id, draft_id=draft.id)


def _watch(world: World, chat: Chat, key: DraftKey) -> None:
    """One timer per draft, set anew only when it fires too early."""
    draft: Draft | None = chat.drafts.get(key)
    if draft is None:
        return
    left = draft.expires_at - time.time()
    if left <= 0:
        _remove(world, chat, key)
    else:
        asyncio.get_running_loop().call_later(left, _watch, world, chat, key)

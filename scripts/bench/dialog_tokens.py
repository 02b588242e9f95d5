"""A recorded dialog of 200 turns: what a request costs in tokens, and whether what was told long ago is still in it when it matters.

Three ways: the whole history in every request; only its end, as `PROMPT_TOKENS` allows; and the end with summary and memories.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from scripts.bench.report import aligned
from scripts.bench.stage import staged
from shared.application.chat import Said
from shared.bootstrap import Application, open_application
from shared.domain.prompt import PromptMessage, Role, message_tokens
from shared.domain.speaker import Person, Place, Speaker
from shared.settings import Settings
from shared.telemetry import configure_logging

RECORDING = Path(__file__).with_name("recorded_dialog.json")
READ_EVERY = 4
"""Turns after which the worker reads the dialog, as it does in production."""
WAYS = ("whole history", "trimmed", "trimmed, summary and memories")
_HEAD = ("request holds", "tokens, mean", "median", "at the end", "saved", "facts at hand", "stale facts")
_BOT_ID, _FIRST_USER = 4_290_000, 8_100_000
_DATA = re.compile(r"<data>\n(.*?)\n</data>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Turn:
    """`needs`: beginnings of words by topic that the request should hold; `never`: words that are not true any more."""

    say: str
    reply: str
    plants: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    never: Sequence[str] = ()


@dataclass(slots=True)
class Way:
    """What one way of making requests came to. Tokens are our own estimate, the same for all."""

    name: str
    tokens: list[int] = field(default_factory=list)
    asked: int = 0
    at_hand: int = 0
    stale: int = 0

    @property
    def mean(self) -> float:
        return sum(self.tokens) / len(self.tokens)

    @property
    def median(self) -> int:
        return sorted(self.tokens)[len(self.tokens) // 2]

    @property
    def recall(self) -> float:
        return self.at_hand / self.asked if self.asked else 1.0

    def take(self, turn: Turn, request: Sequence[PromptMessage], *, remembered_only: bool = False) -> None:
        """`remembered_only`: what is stale in the talk itself has its correction after it; what is remembered should be right."""
        self.tokens.append(sum(map(message_tokens, request)))
        before = "\n".join(message.text for message in request[:-1]).lower()
        self.asked += len(turn.needs)
        self.at_hand += sum(has_words(before, words) for words in turn.needs.values())
        told = _memories(request) if remembered_only else before
        self.stale += sum(word in told for word in turn.never)


def has_words(text: str, words: str) -> bool:
    return all(re.search(rf"\b{re.escape(word)}", text.lower()) for word in words.split())


def recorded(path: Path = RECORDING) -> list[Turn]:
    return [Turn(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


@dataclass(slots=True)
class Player:
    """One user's dialog. `model` is the address of the sandbox, whose answers are those of the recording."""

    app: Application
    model: str
    session: ClientSession
    _asked: int = 0

    async def play(self, turns: Sequence[Turn], way: Way, user: int, *, remembers: bool, whole: Way | None = None) -> None:
        """Takes the figures of each request, and for `whole` those of one that holds all that was said until then."""
        talk: list[PromptMessage] = []
        chat = replace(self.app.chat, models=None, limits=None)
        chat = chat if remembers else replace(chat, recall=None)
        for number, turn in enumerate(turns):
            speaker = await self._speaker(user)
            await self._change({"reply": turn.reply})
            async for _ in chat.reply(speaker, [Said(str(number), turn.say)]):
                pass
            request = await self._request()
            way.take(turn, request, remembered_only=remembers)
            if whole is not None:
                talk = talk or [message for message in request if message.role is Role.ASSISTANT]  # the greeting
                talk.append(PromptMessage(Role.USER, turn.say))
                whole.take(turn, [request[0], *talk])
                talk.append(PromptMessage(Role.ASSISTANT, turn.reply))
            if remembers and number % READ_EVERY == READ_EVERY - 1:
                await self._change({"reply": None})
                await self.app.memory.refresh(speaker.dialog_id)

    async def _speaker(self, user: int) -> Speaker:
        person = Person(telegram_user_id=user, first_name="Guest", username=None, language_code="en")
        return await self.app.accounts.recognise(person, Place(bot_id=_BOT_ID, chat_id=user))

    async def _change(self, controls: Mapping[str, Any]) -> None:
        async with self.session.post(f"{self.model}/sim/model", json=dict(controls)) as response:
            response.raise_for_status()

    async def _request(self) -> list[PromptMessage]:
        """The newest one that the model got for the character."""
        async with self.session.get(f"{self.model}/sim/model/calls", params={"after": self._asked}) as response:
            calls = await response.json()
        self._asked = calls[-1]["n"]
        chats = [call["messages"] for call in calls if not call["messages"][0]["content"].startswith("Task:")]
        return [PromptMessage(Role(message["role"]), message["content"]) for message in chats[-1]]


async def measure(sandbox_url: str, database_url: str, redis_url: str, turns: Sequence[Turn]) -> list[Way]:
    """Plays the dialog twice through the real services, by the sandbox's model: without memory, and with it."""
    ways = [Way(name) for name in WAYS]
    async with ClientSession() as session, open_application(_settings(sandbox_url, database_url, redis_url), "worker") as app:
        player = Player(app, sandbox_url, session)
        async with session.post(f"{sandbox_url}/sim/model", json={"first_token_ms": 0, "tokens_per_second": 0, "mistakes": None}) as done:
            done.raise_for_status()
        await player.play(turns, ways[1], _FIRST_USER, remembers=False, whole=ways[0])
        await player.play(turns, ways[2], _FIRST_USER + 1, remembers=True)
    return ways


def section(folder: Path) -> str:
    """Measures with servers of its own below the folder, for the report of `make bench`; the figures go into `dialog_tokens.json`."""
    configure_logging("bench", "WARNING")
    with staged(folder) as stage:
        ways = asyncio.run(measure(stage.sandbox, stage.new_database("bench_dialog"), stage.redis.url(), recorded()))
    (folder / "dialog_tokens.json").write_text(json.dumps(as_figures(ways), indent=1) + "\n", encoding="utf-8")
    title = f"A recorded dialog of {len(ways[0].tokens)} turns, with {ways[0].asked} questions about what was told long before"
    return f"\n{title}\n{aligned(table(ways))}"


def table(ways: Sequence[Way]) -> list[tuple[str, ...]]:
    """Rows as the report aligns them; what is saved is beside the first way."""
    return [_HEAD, *(_row(way, ways[0]) for way in ways)]


def as_figures(ways: Sequence[Way]) -> list[dict[str, Any]]:
    return [{"request": way.name, "tokens_mean": round(way.mean, 1), "recall": round(way.recall, 3), "stale": way.stale} for way in ways]


def _row(way: Way, beside: Way) -> tuple[str, ...]:
    saved = "" if way is beside else f"{1 - way.mean / beside.mean:.0%}"
    return (way.name, f"{way.mean:.0f}", str(way.median), str(way.tokens[-1]), saved, f"{way.at_hand}/{way.asked}", str(way.stale))


def _memories(request: Sequence[PromptMessage]) -> str:
    found = _DATA.search(request[0].text)
    return "\n".join(json.loads(found[1]).get("memories", [])).lower() if found else ""


def _settings(sandbox_url: str, database_url: str, redis_url: str) -> Settings:
    fixed = {"database_url": database_url, "redis_url": redis_url, "vllm_base_url": f"{sandbox_url}/llm/v1", "vllm_api_key": "bench"}
    models = {"llm_strong": "vllm:scripted-strong", "llm_simple": "vllm:scripted-simple"}
    return Settings(**{"_env_file": None, "environment": "dev", "cache_enabled": False, **models, **fixed})  # type: ignore[arg-type]

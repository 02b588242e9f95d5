"""Plays talks through the real services: chat over HTTP with the sandbox's model, memories read as the worker does it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import asyncpg
from aiohttp import web

from services.sandbox.model.character.scene import Said as Heard
from services.sandbox.model.completions import CONTROLS
from services.sandbox.model.controls import Call, ModelControls
from services.sandbox.model.memory import answer_task
from services.sandbox.model.routes import add_routes
from shared.application.chat import ChatService, Said
from shared.bootstrap import Application, open_application
from shared.domain.speaker import Person, Place, Speaker
from shared.settings import Settings
from tests.memory.judging import Kept, Score, foreign_words, judge_kept, judge_raw, remembered
from tests.memory.talks import Line, Talk, has_words

READ_EVERY = 4
"""Lines of a talk after which the worker reads it."""
BOT_ID = 123456
_THINKING_MS = 60
_KEPT = """
    select m.topic, m.fact, m.status, c.slug from memories m left join characters c on c.id = m.character_id
    where m.user_id = $1 and m.status <> 'forgotten' order by m.created_at, m.id
"""
_FOREIGN = """
    select m.topic || ': ' || m.fact from memories m join messages s on s.id = m.source_message_id join dialogs d on d.id = s.dialog_id
    where d.user_id <> m.user_id or s.role <> 'user' or (m.character_id is not null and m.character_id <> d.character_id)
"""


@asynccontextmanager
async def sandbox_model() -> AsyncIterator[tuple[str, ModelControls]]:
    """A model provider on a free port of loopback, as fast as it can; its address and its controls."""
    app = web.Application()
    add_routes(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app[CONTROLS].change({"first_token_ms": 0, "tokens_per_second": 0})
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/llm/v1", app[CONTROLS]
    finally:
        await runner.cleanup()


@dataclass(slots=True)
class House:
    """The application, which can be closed and built again, over a database and a Redis that stay."""

    settings: Settings
    sandbox: ModelControls
    app: Application = field(init=False)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def open(self) -> None:
        self._open = AsyncExitStack()
        self.app = await self._open.enter_async_context(open_application(self.settings, "worker"))

    async def close(self) -> None:
        await self._open.aclose()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    @property
    def chat(self) -> ChatService:
        """Always the strong model, which is the sandbox's, so that the prompts can be looked at."""
        return replace(self.app.chat, models=None)

    async def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement, *values)]

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.settings.database_url.get_secret_value().replace("+asyncpg", ""))
        try:
            yield connection
        finally:
            await connection.close()


@dataclass(slots=True)
class Play:
    """One talk on its way. Each of its people is a user of their own, whoever else is in the house."""

    house: House
    talk: Talk
    first_user: int
    score: Score = field(default_factory=Score)
    dialogs: dict[tuple[str, str], UUID] = field(default_factory=dict)
    user_ids: dict[str, UUID] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=dict)

    async def run(self) -> Score:
        for line in self.talk.lines:
            if line.restart:
                await self.house.restart()
            elif line.dies:
                await self._die()
            else:
                if line.needs or line.never or line.number % READ_EVERY == READ_EVERY - 1:
                    await self._read()
                await self._say(line)
        await self._read()
        for person, user_id in self.user_ids.items():
            rows = [Kept(*row) for row in await self.house.rows(_KEPT, user_id)]
            judge_kept(self.talk, person, rows, self.score)
            judge_raw(self.talk, person, self.answers.get(person, []), self.score)
        return self.score

    async def _say(self, line: Line) -> None:
        speaker = await self._speaker(line)
        before = self.house.sandbox.asked
        self.house.sandbox.reply = line.reply
        try:
            async for _ in self.house.chat.reply(speaker, [Said(f"{self.talk.id}-{line.number}", line.text)]):
                pass
        finally:
            self.house.sandbox.reply = None
        [call] = [call for call in self.house.sandbox.calls if call.n > before]
        await self._look_at(line, call)

    async def _look_at(self, line: Line, call: Call) -> None:
        score, (memories, summary) = self.score, remembered(call.messages)
        score.leaks += foreign_words(self.talk, line.person, line.character, call.messages)
        known, rows = "\n".join([*memories, summary]), []
        if line.needs:
            rows = [Kept(*row) for row in await self.house.rows(_KEPT, self.user_ids[line.person])]
        for need in line.needs:
            is_there = has_words(known, need.words)
            score.asked_for += 1
            score.recalled += is_there
            if any(need.is_told_by(row.topic, row.fact) for row in rows if row.status == "active"):
                score.asked_and_kept += 1
                score.recalled_of_kept += is_there
                if not is_there:
                    score.missed.append(f"{self.talk.id}: kept and not in the prompt: {need.topic}: {need.words}")
        score.stale += [f"{self.talk.id}: in the prompt: {word}" for word in line.never if has_words("\n".join(memories), word)]

    async def _speaker(self, line: Line) -> Speaker:
        number = self.first_user + self.talk.people.index(line.person)
        person = Person(telegram_user_id=number, first_name="Guest", username=None, language_code=self.talk.language)
        place = Place(bot_id=BOT_ID, chat_id=number)
        speaker = await self.house.app.accounts.recognise(person, place)
        wanted = next(tile for tile in await self.house.app.characters.list() if tile.slug == line.character)
        if speaker.character_id != wanted.id:
            await self.house.app.characters.enter(speaker, wanted.id)
            speaker = await self.house.app.accounts.recognise(person, place)
        self.dialogs[line.person, line.character] = speaker.dialog_id
        self.user_ids[line.person] = speaker.user_id
        return speaker

    async def _read(self) -> None:
        """The worker's job for each dialog, twice: the second time finds nothing to do."""
        for (person, _), dialog_id in self.dialogs.items():
            before = self.house.sandbox.asked
            await self.house.app.memory.refresh(dialog_id)
            calls = [call for call in self.house.sandbox.calls if call.n > before]
            self.answers.setdefault(person, []).extend(filter(None, map(self._raw, calls)))

    def _raw(self, call: Call) -> str | None:
        """What the model answered: the same again, as its mistakes hang on the words only."""
        heard = [Heard(message["role"], str(message["content"])) for message in call.messages]
        return answer_task(heard, self.house.sandbox.mistakes) if heard[0].text.startswith("Task: facts") else None

    async def _die(self) -> None:
        """The worker ends between the model's answer and the commit, for every dialog; another one begins anew."""
        for dialog_id in self.dialogs.values():
            self.score.deaths += await die_while_keeping(self.house, dialog_id)


async def die_while_keeping(house: House, dialog_id: UUID) -> bool:
    """Whether there was anything to keep, so that the worker could die over it."""
    before = house.sandbox.asked
    house.sandbox.first_token_ms = _THINKING_MS
    async with house.connection() as connection:
        reading = asyncio.ensure_future(house.app.memory.refresh(dialog_id))
        while not reading.done() and house.sandbox.asked == before:  # noqa: ASYNC110 - it may end without asking
            await asyncio.sleep(0.002)
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '2s'")
            await connection.execute("lock table memories, memory_marks in exclusive mode")
            while not reading.done() and not await _someone_waits(connection):  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.005)
            died = not reading.done()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    house.sandbox.first_token_ms = 0
    await house.restart()
    return died


async def _someone_waits(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval("select exists (select from pg_locks where not granted)"))


def settings_for(database_url: str, redis_url: str, sandbox_url: str, **others: Any) -> Settings:
    """Chat by the sandbox and with the shortest history that there is, so that what is recalled is remembered."""
    provider = "openai" if "vllm:" in str(others.get("llm_simple", "")) else "vllm"
    address = {f"{provider}_base_url": sandbox_url, f"{provider}_api_key": "sandbox"}
    chat = f"{provider}:scripted-strong"
    fixed = {"environment": "dev", "database_url": database_url, "redis_url": redis_url, "prompt_tokens": 200, "cache_enabled": False}
    return Settings(**{"_env_file": None, "llm_simple": chat, **others, **fixed, "llm_strong": chat, **address})


@asynccontextmanager
async def open_house(settings: Settings, sandbox: ModelControls) -> AsyncIterator[House]:
    house = House(settings, sandbox)
    await house.open()
    try:
        async with house.connection() as connection:
            await connection.execute("update plans set daily_turns = null, turns_per_minute = null")
        yield house
    finally:
        await house.close()


async def play(house: House, talks: tuple[Talk, ...]) -> dict[str, Score]:
    """Scores by the id of the talk. Everybody is in the same house; what crosses from one to the other is a leak."""
    scores = {talk.id: await Play(house, talk, 9_000_000 + 10 * number).run() for number, talk in enumerate(talks)}
    foreign = [str(fact) for (fact,) in await house.rows(_FOREIGN)]
    scores[talks[-1].id].leaks += foreign
    return scores

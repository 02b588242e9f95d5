"""The real application with Redis, PostgreSQL and the sandbox's model: who asks the same in other words, and what they are told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from redis import Redis
from structlog.testing import capture_logs

from services.sandbox.model.completions import CONTROLS
from services.sandbox.model.controls import ModelControls
from services.sandbox.model.routes import add_routes
from shared.adapters.alike_replies import GROUP
from shared.application.chat import ChatService, Said
from shared.application.memory import Finder
from shared.application.ports import ModelUnavailableError
from shared.bootstrap import Application, open_application
from shared.domain.prompt import estimate_tokens
from shared.domain.speaker import Speaker
from shared.settings import Settings
from tests.factories import House, make_memory, make_person, make_place

ASKED, ALIKE = "Tell me, what is your favourite film?", "What is your favourite film, please tell me"


@dataclass(slots=True)
class Cinema:
    """An application whose character names another film each time that a model is asked."""

    application: Application
    controls: ModelControls
    embedded: list[str]
    people: int = 0
    asked: int = field(init=False, default=0)

    @property
    def chat(self) -> ChatService:
        return self.application.chat

    @property
    def house(self) -> House:
        return House(database=self.chat.database)

    async def newcomer(self) -> Speaker:
        """Somebody who has said nothing yet."""
        self.people += 1
        number = 7_000_000 + self.people
        return await self.application.accounts.recognise(make_person(telegram_user_id=number), make_place(chat_id=number))

    async def allow(self, percent: int) -> None:
        await self.application.switches.set("semantic_cache_percent", percent, by="ann")

    async def say(self, words: str, speaker: Speaker | None = None, source: str = "1", chat: ChatService | None = None) -> str:
        self.controls.reply = f"Film {self.controls.asked + 1}"
        said = (chat or self.chat).reply(speaker or await self.newcomer(), [Said(source, words)])
        return "".join([piece.text async for piece in said])


@asynccontextmanager
async def showing(database_url: str, redis_url: str, **settings: Any) -> AsyncIterator[Cinema]:
    embedded: list[str] = []

    @web.middleware
    async def listening(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.endswith("/embeddings"):
            embedded.extend((await request.json())["input"])
        answer: web.StreamResponse = await handler(request)
        return answer

    app = web.Application(middlewares=[listening])
    add_routes(app)
    app[CONTROLS].first_token_ms = app[CONTROLS].tokens_per_second = 0
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    address = {"vllm_base_url": f"http://{host}:{port}/llm/v1", "vllm_api_key": "k", "llm_strong": "vllm:scripted-strong"}
    given = {"_env_file": None, "environment": "dev", "database_url": database_url, "redis_url": redis_url, "s3_endpoint": None, **address}
    try:
        async with open_application(Settings(**{**given, "embeddings_model": "vllm:points", **settings}), "bot") as application:
            yield Cinema(application, app[CONTROLS], embedded)
    finally:
        await runner.cleanup()


@pytest.fixture
async def cinema(database_url: str, redis_url: str) -> AsyncIterator[Cinema]:
    async with showing(database_url, redis_url) as cinema:
        yield cinema


def lookups(outcome: str) -> float:
    return REGISTRY.get_sample_value("vitte_cache_requests_total", {"cache": "reply_semantic", "outcome": outcome}) or 0.0


def cached(logs: Sequence[Any]) -> list[str]:
    return [entry["kind"] for entry in logs if entry["event"] == "using_cached_response"]


async def test_switched_on_who_asks_the_same_in_other_words_gets_the_kept_reply_and_no_model_is_asked(cinema: Cinema) -> None:
    await cinema.allow(85)
    hits, misses = lookups("hit"), lookups("miss")
    with capture_logs() as logs:
        told = [await cinema.say(words) for words in (ASKED, ALIKE, ASKED, "What is your favourite colour, please tell me")]
    assert told == ["Film 1", "Film 1", "Film 1", "Film 2"]
    assert (cinema.controls.asked, cached(logs)) == (2, ["semantic", "exact"])
    assert (lookups("hit") - hits, lookups("miss") - misses) == (1, 2)
    turns = await cinema.house.rows("select tier, model, cost_micros::int from turns order by id")
    assert [turn[0] for turn in turns] == ["strong", "cache", "cache", "strong"]
    assert (turns[1], turns[1][1]) == (("cache", "vllm:scripted-strong", 0), turns[0][1])
    assert cinema.embedded == [ASKED, ALIKE, "What is your favourite colour, please tell me"]


async def test_by_default_the_model_is_asked_and_nothing_is_noted(cinema: Cinema, redis_url: str) -> None:
    assert [await cinema.say(words) for words in (ASKED, ALIKE)] == ["Film 1", "Film 2"]
    with Redis.from_url(redis_url) as redis:
        assert list(redis.scan_iter(f"{GROUP}*")) == []


async def test_switched_off_again_the_model_is_asked_at_once(cinema: Cinema) -> None:
    await cinema.allow(85)
    assert [await cinema.say(words) for words in (ASKED, ALIKE)] == ["Film 1", "Film 1"]
    await cinema.allow(0)
    assert await cinema.say(ALIKE) == "Film 2"


async def test_a_higher_likeness_asks_the_model(cinema: Cinema) -> None:
    await cinema.allow(100)
    assert [await cinema.say(words) for words in (ASKED, ALIKE, "Tell me! What is your favourite film")] == ["Film 1", "Film 2", "Film 1"]


@pytest.mark.parametrize("alike", ["What is not your favourite film, tell me", "Tell me, what is my favourite film?"])
async def test_however_alike_it_looks_another_question_asks_the_model(cinema: Cinema, alike: str) -> None:
    await cinema.allow(80)
    assert [await cinema.say(words) for words in (ASKED, alike)] == ["Film 1", "Film 2"]


async def test_who_has_talked_or_is_remembered_is_answered_by_the_model_and_gives_nothing_to_others(cinema: Cinema) -> None:
    await cinema.allow(80)
    talker, known = await cinema.newcomer(), await cinema.newcomer()
    await cinema.say("Hello there, my dear!", talker)
    await cinema.house.add(make_memory(known, fact="Lives in Brno", is_pinned=True))
    assert (await cinema.say(ASKED, talker, "2"), await cinema.say(ASKED, known)) == ("Film 2", "Film 3")
    assert await cinema.say(ALIKE) == "Film 4"
    assert (await cinema.say(ASKED, talker, "3"), await cinema.say(ASKED, known, "2")) == ("Film 5", "Film 6")


async def test_another_reply_never_comes_from_the_cache(cinema: Cinema) -> None:
    await cinema.allow(80)
    await cinema.say(ASKED)
    speaker = await cinema.newcomer()
    assert await cinema.say(ALIKE, speaker) == "Film 1"
    [(turn,)] = await cinema.house.rows("select max(id)::int from turns")
    cinema.controls.reply = "Another film"
    assert "".join([piece.text async for piece in cinema.chat.regenerate(speaker, turn, source_id="again")]) == "Another film"


@pytest.mark.parametrize("change", ["level", "language", "system_prompt = 'You are new.'", """settings = '{"temperature": 0.1}'"""])
async def test_another_level_language_or_version_of_the_character_is_another_reply(cinema: Cinema, change: str) -> None:
    await cinema.allow(80)
    await cinema.say(ASKED)
    speaker = await cinema.newcomer()
    if "=" in change:
        await cinema.house.rows(f"update characters set {change} where id = :id returning id", id=speaker.character_id)
    else:
        speaker = replace(speaker, **{change: "ru" if change == "language" else "beginner"})
    assert await cinema.say(ALIKE, speaker) == "Film 2"


async def test_a_reply_by_likeness_is_not_passed_on_under_its_new_words(cinema: Cinema, redis_url: str) -> None:
    await cinema.allow(80)
    await cinema.say(ASKED)
    with Redis.from_url(redis_url) as redis:
        before = sorted(redis.scan_iter("vitte:replies:*"))
        await cinema.say(ALIKE)
        assert (len(before), sorted(redis.scan_iter("vitte:replies:*"))) == (3, before)


async def test_no_word_of_a_question_is_kept(cinema: Cinema, redis_url: str) -> None:
    await cinema.allow(80)
    await cinema.say("What is your favourite moonlight, Zuzana?")
    with Redis.from_url(redis_url) as redis:
        names = list(redis.scan_iter("vitte:replies:*"))
        values = [b"".join(redis.zrange(name, 0, -1)) if redis.type(name) == b"zset" else redis.get(name) or b"" for name in names]
    kept = b"".join([*names, *values]).lower()
    assert (len(names), b"film 1" in kept) == (3, True)
    assert [word for word in (b"favourite", b"moonlight", b"zuzana") if word in kept] == []


async def test_with_the_cache_switched_off_the_model_is_asked(database_url: str, redis_url: str) -> None:
    async with showing(database_url, redis_url, cache_enabled=False) as cinema:
        await cinema.allow(80)
        assert [await cinema.say(words) for words in (ASKED, ALIKE, ASKED)] == ["Film 1", "Film 2", "Film 3"]


async def test_without_embeddings_only_the_very_same_words_are_answered_from_the_cache(database_url: str, redis_url: str) -> None:
    async with showing(database_url, redis_url, embeddings_model="") as cinema:
        await cinema.allow(80)
        assert [await cinema.say(words) for words in (ASKED, ALIKE, ASKED)] == ["Film 1", "Film 2", "Film 1"]


async def test_without_memory_the_words_are_embedded_for_the_cache_alone_and_their_turn_pays(database_url: str, redis_url: str) -> None:
    prices = "vllm:points=200/0"
    async with showing(database_url, redis_url, memory_enabled=False, llm_prices=prices) as cinema:
        await cinema.allow(80)
        assert [await cinema.say(words) for words in ("How so?", ASKED, ALIKE)] == ["Film 1", "Film 2", "Film 2"]
        assert cinema.embedded == [ASKED, ALIKE]
        costs = await cinema.house.rows("select tier, cost_micros::int from turns order by id")
    assert costs == [("strong", 0), *((tier, 200 * estimate_tokens(words)) for tier, words in (("strong", ASKED), ("cache", ALIKE)))]


@dataclass(slots=True)
class SlowEmbedder:
    name: str = "vllm:points"
    seconds: float = 60.0
    asked: int = 0

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        raise ModelUnavailableError("away", reason="refused")

    async def aclose(self) -> None: ...

    def estimate_micros(self, tokens: int) -> int:
        return tokens


@pytest.mark.parametrize("seconds", [60.0, 0.0])
async def test_a_slow_or_broken_endpoint_costs_a_third_of_a_second_once_and_the_model_answers(cinema: Cinema, seconds: float) -> None:
    await cinema.allow(80)
    await cinema.say(ASKED)
    embedder = SlowEmbedder(seconds=seconds)
    chat = replace(cinema.chat, recall=None, meanings=Finder(clock=cinema.application.clock, embedder=embedder))
    waiting, late = [await cinema.newcomer() for _ in range(2)]
    began = perf_counter()
    assert await cinema.say(ALIKE, waiting, chat=chat) == "Film 2"
    assert perf_counter() - began < 0.3 + 0.3
    assert await cinema.say(ALIKE.lower(), late, chat=chat) == "Film 3"
    assert embedder.asked == 1

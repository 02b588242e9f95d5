"""The composition root: builds engine, clients, adapters and services, and closes them in reverse."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from shared.adapters.alike_replies import RedisAlikeReplies
from shared.adapters.cache import RedisCache
from shared.adapters.clock import SystemClock
from shared.adapters.limits import LocalWindows, SharedWindows
from shared.adapters.llm import (
    Breakers,
    CallLimits,
    ModelChoice,
    ModelPools,
    Prices,
    ProviderEndpoint,
    build_embedder,
    parse_prices,
    parse_seconds,
)
from shared.adapters.llm.breaker_store import RedisBreakerStore
from shared.adapters.passwords import Argon2Passwords
from shared.adapters.redis import RedisGate, open_redis
from shared.adapters.redis_door import RedisDoor
from shared.adapters.reply_cache import RedisReplies
from shared.adapters.storage import open_store
from shared.application.accounts import AccountService
from shared.application.caches import Caches
from shared.application.characters import CharacterService
from shared.application.chat import ChatService
from shared.application.health import HealthService
from shared.application.inbox import InboxService
from shared.application.jobs import JobQueue, MemoryJobs
from shared.application.limits import LimitService
from shared.application.memory import Finder, MemoryService, Reader, Refresher
from shared.application.operators import OperatorService
from shared.application.plans import PlanService
from shared.application.ports import Clock, Embedder, Models, ReplyCache
from shared.application.reports import ReportService
from shared.application.switches import SwitchService
from shared.application.upkeep import UpkeepService
from shared.database.database import Database, open_engine
from shared.database.presence import Presence
from shared.settings import Process, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything a process may ask for."""

    accounts: AccountService
    characters: CharacterService
    chat: ChatService
    models: Models
    embedder: Embedder | None
    inbox: InboxService
    memory: MemoryService
    operators: OperatorService
    reports: ReportService
    switches: SwitchService
    limits: LimitService
    plans: PlanService
    replies: ReplyCache
    upkeep: UpkeepService
    health: HealthService
    jobs: JobQueue
    clock: Clock
    redis: RedisGate
    presence: Presence


@asynccontextmanager
async def open_application(settings: Settings, process: Process, *, jobs: JobQueue | None = None) -> AsyncIterator[Application]:
    """The application of one process. Opening connects to nothing: each part connects when it is first used.

    `jobs` is the worker's queue; the other processes enqueue nothing yet and carry no Celery. Raises `InvalidInputError` in one line that
    names the setting which cannot work.
    """
    async with AsyncExitStack() as closing:
        clock = SystemClock()
        database = _database(settings, process)
        closing.push_async_callback(database.aclose)
        redis = RedisGate(open_redis(settings.redis_url.get_secret_value()))
        closing.push_async_callback(redis.aclose)
        breakers = Breakers(RedisBreakerStore(redis.client))
        prices = Prices(parse_prices(settings.llm_prices))
        models = _models(settings, breakers, prices)
        closing.push_async_callback(models.aclose)
        embedder = _embedder(settings, prices)
        if embedder is not None:
            closing.push_async_callback(embedder.aclose)
        await closing.enter_async_context(breakers.kept_in_step())
        jobs = jobs or MemoryJobs()
        switches = SwitchService(database=database, clock=clock)
        cache = _cache(settings, switches)
        closing.push_async_callback(cache.aclose)
        caches = Caches(database=database, cache=cache)
        keeping = RedisDoor(_cache_url(settings), name="replies")
        closing.push_async_callback(keeping.aclose)
        replies = RedisReplies(keeping, is_on=settings.cache_enabled)
        counting = RedisDoor(settings.redis_url.get_secret_value(), name="limits")
        closing.push_async_callback(counting.aclose)
        limits = LimitService(windows=SharedWindows(counting, LocalWindows(clock)), clock=clock)
        reader = Reader(database=database, models=models, switches=switches, clock=clock)
        memory = _memory(settings, reader, embedder, jobs)
        yield Application(
            accounts=AccountService(database=database, switches=switches, caches=caches, clock=clock),
            characters=CharacterService(database=database, caches=caches),
            chat=replace(_chat(settings, memory, models, replies), limits=limits, switches=switches),
            models=models,
            embedder=embedder,
            inbox=InboxService(database=database),
            memory=memory,
            operators=OperatorService(database=database, passwords=Argon2Passwords(), clock=clock),
            reports=ReportService(database=database, clock=clock),
            switches=switches,
            limits=limits,
            plans=PlanService(database=database, cache=cache),
            replies=replies,
            upkeep=UpkeepService(database=database, switches=switches, clock=clock, jobs=jobs),
            health=HealthService(checks=_checks(settings, database, redis, models)),
            jobs=jobs,
            clock=clock,
            redis=redis,
            presence=Presence(
                settings.database_url.get_secret_value(),
                application_name=f"vitte-{process}-presence",
                connect_timeout=settings.db_connect_timeout,
            ),
        )


def _database(settings: Settings, process: Process) -> Database:
    return Database(
        open_engine(
            settings.database_url.get_secret_value(),
            pool_size=settings.db_pool_size,
            max_overflow=settings.db_max_overflow,
            connect_timeout=settings.db_connect_timeout,
            pool_recycle=settings.db_pool_recycle,
            application_name=f"vitte-{process}",
        ),
        pool_size=settings.db_pool_size,
    )


def _chat(settings: Settings, memory: MemoryService, models: ModelPools, replies: RedisReplies) -> ChatService:
    """A chat that is complete but for limits and switches."""
    return ChatService(
        database=memory.database,
        model=models.pool("strong"),
        models=models,
        recall=memory if memory.is_enabled else None,
        reply_cache=replies,
        alike_replies=RedisAlikeReplies(replies.door, is_on=replies.is_on),
        meanings=memory.finder,
        prompt_tokens=settings.prompt_tokens,
        max_tokens=settings.llm_max_tokens,
        clock=memory.clock,
    )


def _memory(settings: Settings, reader: Reader, embedder: Embedder | None, jobs: JobQueue) -> MemoryService:
    """Without a configured model nobody could read."""
    database, clock = reader.database, reader.clock
    finder = Finder(clock=clock, embedder=embedder)
    refresher = Refresher(database=database, reader=reader, finder=finder, prompt_tokens=settings.prompt_tokens)
    is_enabled = settings.memory_enabled and bool(settings.llm_strong)
    return MemoryService(database=database, finder=finder, refresher=refresher, jobs=jobs, clock=clock, is_enabled=is_enabled)


def _cache(settings: Settings, switches: SwitchService) -> RedisCache:
    """Switched off it keeps nothing itself, and still has others forget what changes here."""
    epoch, next_epoch = switches.cache_epoch, switches.next_cache_epoch
    return RedisCache(_cache_url(settings), epoch=epoch, next_epoch=next_epoch, is_on=settings.cache_enabled)


def _cache_url(settings: Settings) -> str:
    return (settings.cache_url.get_secret_value() if settings.cache_url else "") or settings.redis_url.get_secret_value()


def _models(settings: Settings, breakers: Breakers, prices: Prices) -> ModelPools:
    """A process that has no model configured never asks one."""
    limits = CallLimits(first_token_timeout=settings.llm_first_token_timeout, total_timeout=settings.llm_total_timeout)
    choice = ModelChoice(
        strong=settings.llm_strong or "scripted:parrot",
        simple=settings.llm_simple,
        providers=_providers(settings),
        limits=limits,
        first_token_timeouts=parse_seconds(settings.llm_first_token_timeouts),
        max_tokens=settings.llm_max_tokens,
        hedging=settings.llm_hedging,
    )
    return ModelPools(choice, breakers, prices)


def _embedder(settings: Settings, prices: Prices) -> Embedder | None:
    return build_embedder(settings.embeddings_model, _providers(settings), prices=prices) if settings.embeddings_model.strip() else None


def _providers(settings: Settings) -> dict[str, ProviderEndpoint]:
    return {
        "openai": ProviderEndpoint(settings.openai_base_url, settings.openai_api_key.get_secret_value()),
        "gemini": ProviderEndpoint(settings.gemini_base_url, settings.gemini_api_key.get_secret_value()),
        "openrouter": ProviderEndpoint(settings.openrouter_base_url, settings.openrouter_api_key.get_secret_value()),
        "anthropic": ProviderEndpoint(settings.anthropic_base_url, settings.anthropic_api_key.get_secret_value()),
        "ollama": ProviderEndpoint(settings.ollama_base_url, ""),
        "vllm": ProviderEndpoint(settings.vllm_base_url, settings.vllm_api_key.get_secret_value()),
    }


def _checks(settings: Settings, database: Database, redis: RedisGate, models: ModelPools) -> dict[str, Callable[[], Awaitable[None]]]:
    checks: dict[str, Callable[[], Awaitable[None]]] = {"database": database.check, "redis": redis.check}
    if settings.s3_endpoint:
        checks["storage"] = open_store(settings).check
    if settings.llm_strong:
        checks["model"] = models.check
    return checks

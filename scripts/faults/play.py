"""One fault: the whole application in the middle of it, for as long as the load lasts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from prometheus_client import REGISTRY

from scripts.bench.stage import Stage
from scripts.faults.bills import Ledger
from scripts.faults.catalogue import FIRST, Fault, Load, Speech
from scripts.faults.crowd import Request, acquaint, make_requests, talk
from scripts.faults.judgement import Figures, Pool, judge
from scripts.faults.place import Provider, door_to, settings_for
from shared.adapters.llm import ModelPool
from shared.adapters.llm.breaker import Breaker
from shared.adapters.llm.failures import BREAKER_OPEN, SUSPECTED
from shared.adapters.redis import open_redis
from shared.application.ports import ChatModel
from shared.bootstrap import open_application

COLLECT_EVERY = 5.0
_PASSED = frozenset({BREAKER_OPEN, SUSPECTED})
_TURNS = """
    select t.source_id, t.status::text, t.cost_micros, m.text as reply
    from turns t left join messages m on m.turn_id = t.id and m.role = 'assistant' where t.source_id = any($1::text[])
"""


@dataclass(slots=True)
class Play:
    """Faults one after the other on one database; each begins with closed breakers, in a process that knows how fast its models are."""

    stage: Stage
    database: str
    first: Provider
    second: Provider
    load: Load
    speech: Speech
    next_number: int = 100_001

    async def act(self, fault: Fault) -> Figures:
        await self._forget_breakers()
        requests = make_requests(self.load, self.next_number)
        self.next_number += len(requests)
        ledger = Ledger((self.first, self.second))
        await ledger.open()
        for provider in (self.first, self.second):
            await provider.behave(self.speech, fault.control if provider is self.first else None)
        before = _counted()
        async with collecting(ledger):
            answered = await self._run(fault, requests)
        await ledger.collect()
        counted = {name: value - before[name] for name, value in _counted().items()}
        rows = await self._rows([one.source_id for one in answered])
        return judge(answered, rows, ledger.bills(), self.speech, Pool(**counted))

    async def _run(self, fault: Fault, requests: Sequence[tuple[float, Request]]) -> list[Request]:
        async with door_to(self.first, fault.door) as address:
            settings = settings_for(self.stage, self.database_url, address, self.second)
            async with open_application(settings, "bot") as application:
                speakers = await acquaint(application.accounts, self.load.people)
                breaker = _warmed(application.models.pool("strong"), self.speech)
                return await talk(application.chat, speakers, requests, lambda: not breaker.is_closed)

    @property
    def database_url(self) -> str:
        return self.stage.postgres.url(self.database)

    async def _rows(self, source_ids: list[str]) -> dict[str, dict[str, Any]]:
        connection = await asyncpg.connect(self.stage.postgres.url(self.database, scheme="postgresql"))
        try:
            return {row["source_id"]: dict(row) for row in await connection.fetch(_TURNS, source_ids)}
        finally:
            await connection.close()

    async def _forget_breakers(self) -> None:
        redis = open_redis(self.stage.redis.url())
        await redis.flushdb()
        await redis.aclose()


def _warmed(pool: ChatModel, speech: Speech) -> Breaker:
    """As in a process that has asked the first model before."""
    if not isinstance(pool, ModelPool):
        raise TypeError("the strong models of an application are a pool")
    member = pool.members[0]
    for _ in range(20):
        member.first_tokens.add(speech.first_token_ms / 1000)
    return member.breaker


@contextlib.asynccontextmanager
async def collecting(ledger: Ledger) -> AsyncIterator[None]:
    async def collect() -> None:
        while True:
            await asyncio.sleep(COLLECT_EVERY)
            await ledger.collect()

    task = asyncio.ensure_future(collect())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _counted() -> dict[str, int]:
    """From the metrics of this process, which lives as long as the run."""
    moves = {"failovers": 0.0, "passed_over": 0.0, "openings": 0.0, "probes": 0.0}
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            if sample.name == "vitte_model_failovers_total":
                moves["passed_over" if sample.labels["reason"] in _PASSED else "failovers"] += sample.value
            elif sample.name in ("vitte_breaker_openings_total", "vitte_breaker_probes_total") and sample.labels["model"] == FIRST:
                moves["openings" if "openings" in sample.name else "probes"] += sample.value
    return {name: round(value) for name, value in moves.items()}

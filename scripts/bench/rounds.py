"""One stretch of load on one bot, and what it cost."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from scripts.bench.meters import counters, cpu_seconds, machine_cpu_seconds, memory
from scripts.bench.stage import Stage
from scripts.bench.subjects import Subject
from scripts.local.processes import StartError

Load = Literal["chat", "click", "open", "cached"]
STATEMENTS = 'vitte_db_statements_total{part="%s"}'
FINISHED = 'vitte_chat_turns_total{outcome="finished"}'
CACHED = 'vitte_chat_tier_total{reason="cached",tier="cache"}'
USERS, AT_ONCE = 1_000, 32
QUIET_MILLISECONDS = 250
SWITCHES_HOLD = 6.0
"""Seconds until a bot has heard that a switch was turned."""
SAME_WORDS, OTHER_WORDS = "What do you like best about the sea?", "Hello, how are you today? This is message {n}."


@dataclass(frozen=True, slots=True)
class Shape:
    """What people do and how long model and Bot API take, in milliseconds; without a `rate` `AT_ONCE` wait for an answer at any time,
    all in turn: nobody says more in ten seconds than a person may.

    `is_added` counts only the time beyond model and Bot API. People who must be new have numbers from `first` on.
    """

    users: int = USERS
    does: Literal["say", "press"] = "say"
    text: str = OTHER_WORDS
    rate: float = 0.0
    model_ms: float = 0.0
    telegram_ms: float = 0.0
    is_added: bool = True
    is_new: bool = False
    first: int = 0


SHAPES: dict[Load, Shape] = {
    "chat": Shape(),
    "click": Shape(does="press"),
    "open": Shape(rate=50.0, model_ms=500.0, telegram_ms=30.0),
    "cached": Shape(text=SAME_WORDS, rate=20.0, model_ms=500.0, is_added=False, is_new=True, first=10 * USERS),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one stretch, or medians over several. Times in milliseconds, memory in megabytes; None: not measured for this bot."""

    answered: float
    lost: float
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    postgres_cpu_ms: float
    sandbox_busy: float
    """Share of one core that the sandbox used: near 1 it would be the sandbox that is measured."""
    others_busy: float
    """Cores that everything else on the machine used: above a fraction the times say more about the machine than about the bot."""
    handler_statements: float | None
    batched_statements: float | None
    calls: float | None
    cached: float | None
    """Share of the answers that came out of the reply cache."""
    memory: float
    memory_peak: float


def stretch(stage: Stage, subject: Subject, load: Load, seconds: float) -> Figures:
    """`chat` and `click` are closed loops without any latency; `open` and `cached` are people at random moments."""
    shape = SHAPES[load]
    stage.set_latency(model_ms=shape.model_ms, telegram_ms=shape.telegram_ms)
    who: dict[str, Any] = {"bot_id": subject.bot_id, "users": people(shape, seconds), "first": shape.first}
    how = {"does": shape.does, "text": shape.text, "seconds": seconds, "rate": shape.rate, "at_once": AT_ONCE}
    pids = (subject.pid, stage.postgres_pid, stage.sandbox_pid)
    before, counted = _used(pids), _counted(subject)
    tally = stage.ask("crowd", {**who, **how})
    used = [after - then for after, then in zip(_used(pids), before, strict=True)]
    answered = max(1, tally["answered"])
    grown = {name: (value - counted.get(name, 0.0)) / answered for name, value in _counted(subject).items()}
    if grown and shape.does == "say" and not 0.98 < (replies := grown.get(FINISHED, 0.0)) < 1.02:
        raise StartError(
            f"of the answers of {subject.kind.name} {replies:.0%} were replies of the model: the rest are errors (see its log)"
        )
    beside = shape.model_ms + shape.telegram_ms if shape.is_added else 0.0
    added = sorted(found - beside for found in tally["latencies_ms"])
    now = memory(subject.pid)
    return Figures(
        answered=tally["answered"],
        lost=tally["acted"] - tally["answered"],
        per_second=tally["answered"] / tally["seconds"],
        p50_ms=percentile(added, 50),
        p95_ms=percentile(added, 95),
        p99_ms=percentile(added, 99),
        cpu_ms=used[0] * 1000 / answered,
        postgres_cpu_ms=used[1] * 1000 / answered,
        sandbox_busy=used[2] / tally["seconds"],
        others_busy=max(0.0, used[3] - sum(used[:3])) / tally["seconds"],
        handler_statements=grown.get(STATEMENTS % "work"),
        batched_statements=grown.get(STATEMENTS % "inbox"),
        calls=sum(value for name, value in grown.items() if name.startswith("vitte_telegram_calls_total")) if grown else None,
        cached=grown.get(CACHED, 0.0) if grown else None,
        memory=now.resident,
        memory_peak=now.highest,
    )


def people(shape: Shape, seconds: float) -> int:
    """Who is answered from the cache speaks once; half as many again as are expected are at hand."""
    return round(shape.rate * seconds * 1.5) if shape.is_new else shape.users


def begin(stage: Stage, subject: Subject) -> None:
    """Everybody who will act says /start, so that no stretch pays for registrations."""
    stage.set_latency(model_ms=0.0, telegram_ms=0.0)
    stage.ask("crowd", {"bot_id": subject.bot_id, "does": "start", "users": USERS, "buttons": 1})


def let_rest(stage: Stage, subjects: Sequence[Subject], *, is_on: bool) -> None:
    """Whether replies wait a moment for more words, as they do for people. In the closed loops nobody goes on, and with the model answering
    at once the bot would do nothing but wait: they measure work, and the wait is none.
    """
    ours = [one for one in subjects if not one.kind.bare]
    for one in ours:
        stage.wait_for_more_words(one.database, QUIET_MILLISECONDS if is_on else 0)
    if ours:
        time.sleep(SWITCHES_HOLD)


def begin_cached(stage: Stage, subject: Subject, seconds: float) -> None:
    """People whom nobody knows yet say /start: only who has said nothing can be answered from the cache. One of them asks first."""
    shape = SHAPES["cached"]
    stage.set_latency(model_ms=0.0, telegram_ms=0.0)
    begun: dict[str, Any] = {"bot_id": subject.bot_id, "first": shape.first - 1}
    stage.ask("crowd", {**begun, "does": "start", "users": 1 + people(shape, seconds), "buttons": 1})
    stage.ask("crowd", {**begun, "does": "say", "text": shape.text, "users": 1, "seconds": 0.01})


def _used(pids: Sequence[int]) -> list[float]:
    """CPU seconds of each process tree, and at last of the whole machine."""
    return [*(cpu_seconds(pid) for pid in pids), machine_cpu_seconds()]


def _counted(subject: Subject) -> dict[str, float]:
    return counters(subject.port) if subject.port else {}


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Nearest rank of sorted values; 0 of none."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def median(several: Sequence[Figures]) -> Figures:
    """Of each figure by itself; losses are added up, and the memory's peak is the highest."""
    columns = {name: [asdict(one)[name] for one in several] for name in asdict(several[0])}
    middle = {name: None if None in values else statistics.median(values) for name, values in columns.items()}
    return Figures(**{**middle, "lost": sum(columns["lost"]), "memory_peak": max(columns["memory_peak"])})

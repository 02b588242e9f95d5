"""One stretch of load on one bot, and what it cost."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from scripts.bench.meters import counters, cpu_seconds, machine_cpu_seconds, memory
from scripts.bench.stage import Stage
from scripts.bench.subjects import Subject

Load = Literal["chat", "click", "open"]
STATEMENTS = 'vitte_db_statements_total{part="%s"}'
MODEL_MS, TELEGRAM_MS = 500.0, 30.0
USERS, RATE = 1_000, 50.0
CHATS = 32


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
    memory: float
    memory_peak: float


def stretch(stage: Stage, subject: Subject, load: Load, seconds: float) -> Figures:
    """`chat` and `click` are closed loops without any latency; `open` is people at random moments with the latencies of real life."""
    latency = (MODEL_MS, TELEGRAM_MS) if load == "open" else (0.0, 0.0)
    stage.set_latency(model_ms=latency[0], telegram_ms=latency[1])
    who: dict[str, Any] = {"bot_id": subject.bot_id, "users": USERS if load == "open" else CHATS}
    how = {"does": "press" if load == "click" else "say", "seconds": seconds, "rate": RATE if load == "open" else 0}
    pids = (subject.pid, stage.postgres_pid, stage.sandbox_pid)
    before, counted = _used(pids), _counted(subject)
    tally = stage.ask("crowd", {**who, **how})
    used = [after - then for after, then in zip(_used(pids), before, strict=True)]
    answered = max(1, tally["answered"])
    grown = {name: (value - counted.get(name, 0.0)) / answered for name, value in _counted(subject).items()}
    added = sorted(found - sum(latency) for found in tally["latencies_ms"])
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
        memory=now.resident,
        memory_peak=now.highest,
    )


def begin(stage: Stage, subject: Subject) -> None:
    """Everybody who will act says /start, so that no stretch pays for registrations."""
    stage.set_latency(model_ms=0.0, telegram_ms=0.0)
    stage.ask("crowd", {"bot_id": subject.bot_id, "does": "start", "users": USERS, "buttons": 1})


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

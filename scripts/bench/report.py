"""The table that a person reads, and the file that a program reads."""

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scripts.bench.rounds import Figures, Load
from scripts.bench.subjects import Kind

Results = Mapping[tuple[str, Load], Figures]
TITLES: dict[Load, str] = {
    "chat": "A text answered by the model: closed loop, 32 of 1,000 people at a time, no latency",
    "click": "A button pressed: closed loop, 32 of 1,000 people at a time, no latency",
    "open": "50 messages a second from 1,000 users: model 500 ms, Bot API 30 ms",
    "cached": "What somebody else has asked before: 20 messages a second from people who say it first, from update to sendMessage",
}
BUSY = 0.3
HEAD = (
    "bot",
    "answers/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "CPU ms",
    "ratio",
    "PG ms",
    "SQL",
    "+ batched",
    "calls",
    "cached",
    "MB",
    "peak MB",
    "lost",
    "others",
)


@dataclass(frozen=True, slots=True)
class Goal:
    what: str
    load: Load
    figure: str
    """A field of `Figures`, or the ratio of CPU to the bare bot's."""
    limit: float
    stretch: float
    unit: str = ""


GOALS = (
    Goal("CPU per chat turn", "chat", "ratio", 2.5, 1.5, "×"),
    Goal("CPU per click", "click", "ratio", 2.0, 1.3, "×"),
    Goal("p95 added at 50 messages/s", "open", "p95_ms", 60.0, 25.0, " ms"),
    Goal("statements in a chat turn's handler", "chat", "handler_statements", 4.0, 3.0),
    Goal("statements in a click's handler", "click", "handler_statements", 2.0, 1.0),
    Goal("p95 of a cached reply", "cached", "p95_ms", 100.0, 50.0, " ms"),
    Goal("memory at its peak", "open", "memory_peak", 250.0, 200.0, " MB"),
)


def tables(kinds: Iterable[Kind], results: Results) -> str:
    kinds = list(kinds)
    parts = [f"{machine()}\n"]
    for load, title in TITLES.items():
        rows = [HEAD, *(_row(kind, results, load) for kind in kinds if (kind.name, load) in results)]
        if len(rows) > 1:
            parts.append(f"{title}\n{aligned(rows)}\n")
    return "\n".join([*parts, "Goals (and stretch goals)", aligned(list(_goals(kinds, results))), *_warning(results)])


def _warning(results: Results) -> list[str]:
    busiest = max((found.others_busy for found in results.values()), default=0.0)
    if busiest < BUSY:
        return []
    return [f"\nOther work on this machine used up to {busiest:.1f} cores meanwhile: the times are worse than they would be."]


def ratio(kind: Kind, results: Results, load: Load) -> float | None:
    """CPU beside that of the bare bot with the same intake."""
    if kind.yardstick is None or (kind.yardstick, load) not in results:
        return None
    return results[kind.name, load].cpu_ms / results[kind.yardstick, load].cpu_ms


def _row(kind: Kind, results: Results, load: Load) -> tuple[str, ...]:
    found = results[kind.name, load]
    beside = ratio(kind, results, load)
    return (
        kind.name,
        f"{found.per_second:.0f}",
        f"{found.p50_ms:.1f}",
        f"{found.p95_ms:.1f}",
        f"{found.p99_ms:.1f}",
        f"{found.cpu_ms:.2f}",
        "1" if kind.bare else f"{beside:.2f}" if beside else "–",
        f"{found.postgres_cpu_ms:.2f}" if not kind.bare else "–",
        _short(found.handler_statements),
        _short(found.batched_statements),
        _short(found.calls),
        "–" if found.cached is None else f"{found.cached:.0%}",
        f"{found.memory:.0f}",
        f"{found.memory_peak:.0f}",
        f"{found.lost:.0f}",
        f"{found.others_busy:.1f}",
    )


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _goals(kinds: list[Kind], results: Results) -> Iterable[tuple[str, ...]]:
    for kind in kinds:
        for goal in GOALS:
            reached = None if kind.bare else _reached(kind, results, goal)
            if reached is not None:
                verdict = "stretch goal reached" if reached <= goal.stretch else "reached" if reached <= goal.limit else "NOT reached"
                yield kind.name, goal.what, f"{reached:.2f}{goal.unit}", f"≤ {goal.limit:g} ({goal.stretch:g})", verdict


def _reached(kind: Kind, results: Results, goal: Goal) -> float | None:
    if (kind.name, goal.load) not in results:
        return None
    if goal.figure == "ratio":
        return ratio(kind, results, goal.load)
    figure: float | None = getattr(results[kind.name, goal.load], goal.figure)
    return None if figure is None else round(figure, 2)


def aligned(rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text_like = [not any(character.isdigit() for character in rows[-1][column][:1]) for column in range(len(widths))]
    lines = []
    for row in rows:
        cells = (cell.ljust(width) if is_text else cell.rjust(width) for cell, width, is_text in zip(row, widths, text_like, strict=True))
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def machine() -> str:
    described = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    models = [line.partition(":")[2].strip() for line in described.splitlines() if line.startswith("model name")]
    processor = f"{len(models)} × {models[0]}" if models else platform.processor() or platform.machine()
    return f"{processor}, Python {platform.python_version()}, aiogram {version('aiogram')}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def as_json(kinds: Iterable[Kind], results: Results) -> str:
    found: list[dict[str, Any]] = [
        {"bot": kind.name, "load": load, "cpu_ratio": ratio(kind, results, load), **asdict(results[kind.name, load])}
        for kind in kinds
        for load in TITLES
        if (kind.name, load) in results
    ]
    return json.dumps({"machine": machine(), "results": found}, indent=1, ensure_ascii=False)

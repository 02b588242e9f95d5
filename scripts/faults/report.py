"""The tables: aligned on a terminal, and the same as Markdown between two marks of a document."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.faults.catalogue import FAULTS, NONE, Fault, Load, Speech
from scripts.faults.judgement import Figures
from scripts.local.processes import StartError

BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
BAR_MS = 100.0
Results = Mapping[Fault, Figures]
Rows = list[tuple[str, ...]]

NOTICED = ("fault", "asked", "lost", "first text", "whole reply", "shut yet: no", "yes: first", "whole")
HAPPENED = ("fault", "moved on", "passed", "opened", "probes", "doubled", "missing", "other", "bad cost", "guessed")
ABOUT_NOTICED = (
    "  shut yet: whether the first model's breaker was open when the request came;\n"
    "  no: how many, and the longest wait for the first text; yes: first text and whole reply"
)
ABOUT_HAPPENED = (
    "  moved on: left the first model after a failure; passed: because it was shut or suspected\n"
    "  doubled, missing, other: words; guessed: the bill of calls that broke off, 1 is exact"
)


def noticed(results: Results) -> Rows:
    """Added milliseconds beyond the run without a fault, p50/p95."""
    calm = results[NONE]
    rows: Rows = [NOTICED]
    for fault, found in results.items():
        if fault is NONE:
            base = (f"{calm.first.p50:.0f}/{calm.first.p95:.0f}", f"{calm.whole.p50:.0f}/{calm.whole.p95:.0f}")
            rows.append((fault.title, str(found.asked), str(found.lost), *base, "–", "–", "–"))
            continue
        before = f"{found.closed.count}: ≤ {_plus(found.closed.longest - calm.first.p50)}" if found.closed.count else "–"
        opened = [
            f"{_plus(there.p50 - base.p50)}/{_plus(there.p95 - base.p95)}" if there.count else "–"
            for there, base in (
                (found.first, calm.first),
                (found.whole, calm.whole),
                (found.opened, calm.first),
                (found.opened_whole, calm.whole),
            )
        ]
        rows.append((fault.title, str(found.asked), str(found.lost), *opened[:2], before, *opened[2:]))
    return rows


def happened(results: Results) -> Rows:
    rows: Rows = [HAPPENED]
    for fault, found in results.items():
        pool, texts = found.pool, found.texts
        counts = (pool.failovers, pool.passed_over, pool.openings, pool.probes, texts.doubled, texts.missing, texts.other, found.wrong_cost)
        rows.append((fault.title, *map(str, counts), "–" if found.estimated is None else f"× {found.estimated:.2f}"))
    return rows


def terminal(results: Results) -> str:
    parts = [
        "What people notice: milliseconds added, p50/p95 (first row: as they are)",
        f"{_aligned(noticed(results))}\n\n{ABOUT_NOTICED}",
        "What happened in the house: numbers of replies",
        f"{_aligned(happened(results))}\n\n{ABOUT_HAPPENED}",
        "\n".join(verdicts(results)),
    ]
    return "\n\n".join(parts)


def verdicts(results: Results) -> list[str]:
    lost, doubled = sum(found.lost for found in results.values()), sum(found.texts.wrong for found in results.values())
    wrong = sum(found.wrong_cost for found in results.values())
    asked = sum(found.asked for found in results.values())
    slow = [
        f"{fault.title} {_plus(found.opened.p95 - results[NONE].first.p95)} ms"
        for fault, found in results.items()
        if found.opened.count and found.opened.p95 - results[NONE].first.p95 >= BAR_MS
    ]
    lines = [f"Of {asked} requests {lost} lost, {doubled} with a wrong text, {wrong} with a wrong cost."]
    lines.append(f"Added while the breaker is open, p95 < {BAR_MS:.0f} ms: {'NOT reached: ' + ', '.join(slow) if slow else 'reached'}.")
    lines += [f"{fault.title}: {times} × {why}" for fault, found in results.items() for why, times in found.failures.items()]
    return lines


def markdown(results: Results, load: Load, speech: Speech, made: str) -> str:
    how = (
        f"{made}. {load.rate:g} requests a second at random moments for {load.seconds:g} s each, {load.people} people in turn; "
        f"first text after {speech.first_token_ms:g} ms, {speech.tokens_per_second:g} tokens a second."
    )
    return "\n\n".join(
        [
            how,
            "**What people notice**: milliseconds added, p50/p95; the first row as they are.",
            _table(noticed(results)),
            "**What happened in the house**: numbers of replies.",
            _table(happened(results)),
            " ".join(verdicts(results)),
        ]
    )


def write_into(document: Path, table: str) -> None:
    """Between the marks, nothing else is touched. Raises `StartError` where there are none."""
    text = document.read_text(encoding="utf-8") if document.exists() else ""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise StartError(f"{document} has no place for the table: write a line {BEGIN} and a line {END}")
    document.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}", encoding="utf-8")


def chosen(names: Sequence[str] | None) -> list[Fault]:
    """The run without a fault comes first in any case."""
    return [NONE, *(fault for fault in FAULTS if not names or fault.name in names)]


def _plus(milliseconds: float) -> str:
    rounded = round(milliseconds)
    return f"+{rounded}" if rounded >= 0 else f"−{-rounded}"


def _aligned(rows: Rows) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = (
            cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _table(rows: Rows) -> str:
    head, *body = rows
    lines = [head, ("---", *("---:" for _ in head[1:])), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

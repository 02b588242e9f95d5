"""The result as a person reads it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.memory.judging import Score
from tests.memory.talks import Talk

_HEAD = ("", "talks", "planted", "found", "recall", "kept", "right", "precision", "unverified", "in prompt", "of kept", "succession")


def total(scores: Iterable[Score]) -> Score:
    whole = Score()
    for score in scores:
        whole += score
    return whole


def table(talks: Iterable[Talk], scores: Mapping[str, Score], *, model: str) -> str:
    """A line for each file of talks and one for all, and below what went wrong."""
    talks = list(talks)
    groups = {group: [talk for talk in talks if talk.group == group] for group in sorted({talk.group for talk in talks})}
    rows = [_HEAD, *(_row(name, [scores[talk.id] for talk in some]) for name, some in groups.items()), _row("all", list(scores.values()))]
    whole = total(scores.values())
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    rule = "─" * len(lines[0])
    lines = [f"Memory, read by {model}", rule, lines[0], rule, *lines[1:-1], rule, lines[-1], rule]
    return "\n".join([*lines, *_notes(whole)])


def _row(name: str, scores: list[Score]) -> tuple[str, ...]:
    one = total(scores)
    return (
        name,
        str(len(scores)),
        str(one.planted),
        str(one.found),
        f"{one.recall:.2f}",
        str(one.kept),
        str(one.right),
        f"{one.precision:.3f}",
        f"{one.raw_precision:.3f}" if one.raw else "–",
        f"{one.recalled}/{one.asked_for}",
        f"{one.recalled_of_kept}/{one.asked_and_kept}",
        f"{one.succeeded}/{one.corrections_read}",
    )


def _notes(whole: Score) -> Iterable[str]:
    yield (
        f"Corrections told: {whole.corrections}, both sides read: {whole.corrections_read}, succeeded: {whole.succeeded}, "
        f"asked about: {whole.corrections_asked}. "
        f"Contradictions read: {whole.doubts_read}, asked about: {whole.doubts_asked}. Deaths of the worker: {whole.deaths}."
    )
    yield f"Leaks between users or characters: {len(whole.leaks)}. Stale or forged words in a prompt: {len(whole.stale)}."
    for title, found in (("Junk kept", whole.junk), ("Not found", whole.missed), ("Stale", whole.stale), ("Leaks", whole.leaks)):
        if found:
            yield f"\n{title}:"
            yield from (f"  {one}" + (f" ({times} ×)" if times > 1 else "") for one, times in Counter(found).most_common())

"""From requests, rows and bills to the figures of one fault."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.bench.rounds import percentile
from scripts.faults.bills import Bill
from scripts.faults.catalogue import Speech
from scripts.faults.crowd import Request

MOST_OF_ESTIMATE = 2.0
"""The tokens of a call that broke off are estimated: never fewer than were spoken, and never as if it had been paid twice."""
_WORD = re.compile(r"\bw\d\d\b")


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds."""

    count: int
    p50: float
    p95: float
    longest: float

    @classmethod
    def of(cls, seconds: Iterable[float | None]) -> "Times":
        found = sorted(one * 1000 for one in seconds if one is not None)
        return cls(len(found), percentile(found, 50), percentile(found, 95), percentile(found, 100))


@dataclass(frozen=True, slots=True)
class Texts:
    """Replies whose words are not exactly those expected: some twice, some missing, or something else (as another's reply)."""

    doubled: int
    missing: int
    other: int

    @property
    def wrong(self) -> int:
        return self.doubled + self.missing + self.other


@dataclass(frozen=True, slots=True)
class Pool:
    """What the pool itself counted."""

    failovers: int
    passed_over: int
    openings: int
    probes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`closed` and `opened` are the first texts of requests that came while the first model's breaker was closed or open."""

    asked: int
    lost: int
    first: Times
    whole: Times
    closed: Times
    opened: Times
    opened_whole: Times
    texts: Texts
    wrong_cost: int
    estimated: float | None
    """By how much the bills of broken calls were estimated too high, on average: 1 is exact. None where no call broke."""
    pool: Pool
    failures: Mapping[str, int]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.texts.wrong or self.wrong_cost)


def judge(
    requests: Sequence[Request], rows: Mapping[str, Mapping[str, Any]], bills: Mapping[int, Sequence[Bill]], speech: Speech, pool: Pool
) -> Figures:
    """`rows` are the turns as the database has them, by source id."""
    whole = [one for one in requests if one.whole is not None]
    costs = [cost_of(rows.get(one.source_id), bills.get(one.number, ())) for one in whole]
    broken = [ratio for _, ratio in costs if ratio is not None]
    return Figures(
        asked=len(requests),
        lost=len(requests) - len(whole),
        first=Times.of(one.first for one in whole),
        whole=Times.of(one.whole for one in whole),
        closed=Times.of(one.first for one in whole if not one.was_open),
        opened=Times.of(one.first for one in whole if one.was_open),
        opened_whole=Times.of(one.whole for one in whole if one.was_open),
        texts=texts_of(whole, rows, speech),
        wrong_cost=sum(not is_right for is_right, _ in costs),
        estimated=sum(broken) / len(broken) if broken else None,
        pool=pool,
        failures=Counter(one.failure for one in requests if one.failure),
    )


def texts_of(requests: Iterable[Request], rows: Mapping[str, Mapping[str, Any]], speech: Speech) -> Texts:
    """Both what was shown while it was said and what the dialog remembers."""
    found: Counter[str] = Counter()
    for one in requests:
        stored = rows.get(one.source_id, {}).get("reply") or ""
        faults = (fault_of(one.text, one.said, speech), fault_of(stored, one.said, speech))
        found[next((fault for fault in ("doubled", "missing", "other") if fault in faults), "right")] += 1
    return Texts(found["doubled"], found["missing"], found["other"])


def fault_of(text: str, said: str, speech: Speech) -> str | None:
    if text == speech.expected(said):
        return None
    words = Counter(_WORD.findall(text))
    if any(times > 1 for times in words.values()) or text.count(said) > 1:
        return "doubled"
    return "missing" if set(words) < set(speech.words) or said not in text else "other"


def cost_of(row: Mapping[str, Any] | None, bills: Sequence[Bill]) -> tuple[bool, float | None]:
    """Whether the cost in the turn's row is right, and for broken calls the ratio of estimate to bill."""
    if row is None or row["cost_micros"] is None or not bills:
        return False, None
    told = sum(bill.micros for bill in bills if bill.is_told)
    broken = sum(bill.micros for bill in bills if not bill.is_told)
    rest = row["cost_micros"] - told
    if not broken:
        return rest == 0, None
    return 1 <= rest / broken <= MOST_OF_ESTIMATE, rest / broken

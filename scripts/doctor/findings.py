"""What a check found, in plain words. Standard library only: also the host's Python reads it, where nothing is installed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

LEAST_SECRET = 6
"""Shorter values would hide ordinary words."""
HIDDEN = "********"


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


class Kind(StrEnum):
    """Whose commands and settings the remedies name."""

    COMPOSE = "compose"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Finding:
    """`area` is what was looked at; `do` the setting or command that helps, empty when all is well."""

    area: str
    level: Level
    found: str
    do: str = ""


def ok(area: str, found: str) -> Finding:
    return Finding(area, Level.OK, found)


def warn(area: str, found: str, do: str) -> Finding:
    return Finding(area, Level.WARN, found, do)


def fail(area: str, found: str, do: str) -> Finding:
    return Finding(area, Level.FAIL, found, do)


def count(findings: Iterable[Finding], level: Level) -> int:
    return sum(finding.level is level for finding in findings)


def scrubbed(findings: Iterable[Finding], secrets: Iterable[str]) -> list[Finding]:
    """Without any of these values, whoever quoted them."""
    longest_first = sorted({value for value in secrets if len(value) >= LEAST_SECRET}, key=len, reverse=True)

    def clean(text: str) -> str:
        for value in longest_first:
            text = text.replace(value, HIDDEN)
        return " ".join(text.split())

    return [replace(finding, found=clean(finding.found), do=clean(finding.do)) for finding in findings]


def dumped(findings: Sequence[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings])


def loaded(text: str) -> list[Finding]:
    """What `dumped` wrote. Raises `ValueError` for anything else."""
    try:
        return [Finding(row["area"], Level(row["level"]), row["found"], row["do"]) for row in json.loads(text)]
    except (TypeError, KeyError) as error:
        raise ValueError(f"no findings: {error}") from None


def span(seconds: float) -> str:
    """As a person says it: 40 s, 5 min, 3 h, 2 days."""
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

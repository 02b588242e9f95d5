"""How findings look at a terminal, and to scripts."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

from scripts.doctor.findings import Finding, Level, count

COLOURS = {Level.OK: 32, Level.WARN: 33, Level.FAIL: 31}
WIDTH = 11


def lines(findings: Sequence[Finding], *, coloured: bool) -> list[str]:
    """One line for each finding, a second one where there is something to do, and the count."""
    width = max([WIDTH, *(len(finding.area) for finding in findings)])
    shown = []
    for finding in findings:
        word = f"{finding.level:<4}"
        shown.append(f"  {_painted(word, finding.level) if coloured else word}  {finding.area:<{width}}  {finding.found}")
        if finding.do:
            shown.append(f"        do: {finding.do}")
    return [*shown, "", closing(findings)]


def _painted(word: str, level: Level) -> str:
    return f"\x1b[{COLOURS[level]}m{word}\x1b[0m"


def closing(findings: Sequence[Finding]) -> str:
    problems, warnings = count(findings, Level.FAIL), count(findings, Level.WARN)
    return f"{problems or 'no'} problem{'' if problems == 1 else 's'}, {warnings or 'no'} warning{'' if warnings == 1 else 's'}"


def as_json(looked_at: str, findings: Sequence[Finding]) -> str:
    return json.dumps(
        {
            "looked_at": looked_at,
            "problems": count(findings, Level.FAIL),
            "warnings": count(findings, Level.WARN),
            "findings": [asdict(finding) for finding in findings],
        },
        indent=1,
    )


def is_coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

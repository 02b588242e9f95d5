"""`make bench`: drives our bot and a bare one with the same load in one run, in turns, and says what each answer cost."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from scripts.bench import dialog_tokens, money
from scripts.bench.report import Results, as_json, tables
from scripts.bench.rounds import Figures, Load, begin, begin_cached, let_rest, median, stretch
from scripts.bench.stage import ROOT, staged
from scripts.bench.subjects import KINDS, Kind, subject
from scripts.local.alone import alone
from scripts.local.processes import StartError

FIRST_BOT = 4_300_000
FOLDER = ROOT / ".local" / "bench"

SECTIONS: tuple[tuple[str, Callable[[Path], str]], ...] = (
    ("tokens on a recorded dialog", dialog_tokens.section),
    ("cost per request", money.section),
)
"""What is measured after the bots have gone, each with servers of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds of each load, and how often the closed loops take turns."""

    rounds: int
    warm_up: float
    chat: float
    click: float
    open: float
    cached: float


QUICK = Plan(rounds=1, warm_up=1.0, chat=3.0, click=2.0, open=6.0, cached=3.0)
FULL = Plan(rounds=3, warm_up=3.0, chat=5.0, click=3.0, open=20.0, cached=15.0)


def measure(kinds: list[Kind], plan: Plan, folder: Path) -> Results:
    """All bots live through the whole run; one at a time has work."""
    found: dict[tuple[str, Load], list[Figures]] = defaultdict(list)
    with ExitStack() as stack:
        stage = stack.enter_context(staged(folder))
        subjects = [stack.enter_context(subject(stage, kind, FIRST_BOT + number)) for number, kind in enumerate(kinds)]
        let_rest(stage, subjects, is_on=False)
        for one in subjects:
            begin(stage, one)
            stretch(stage, one, "chat", plan.warm_up)
        closed: list[tuple[Load, float]] = [("chat", plan.chat), ("click", plan.click)]
        for turn in range(plan.rounds):
            for load, seconds in closed:
                for one in subjects:
                    _say(f"round {turn + 1} of {plan.rounds}: {load}, {one.kind.name}")
                    found[one.kind.name, load].append(stretch(stage, one, load, seconds))
        let_rest(stage, subjects, is_on=True)
        for one in subjects:
            if not one.kind.streaming:
                _say(f"50 messages a second: {one.kind.name}")
                found[one.kind.name, "open"].append(stretch(stage, one, "open", plan.open))
        for one in subjects:
            if not one.kind.bare:
                _say(f"replies from the cache: {one.kind.name}")
                begin_cached(stage, one, plan.cached)
                found[one.kind.name, "cached"].append(stretch(stage, one, "cached", plan.cached))
    return {key: median(several) for key, several in found.items()}


def _measured(title: str, section: Callable[[Path], str], folder: Path) -> str:
    _say(title)
    return section(folder)


def _say(progress: str) -> None:
    print(f"  {progress} …", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute instead of four: a first look, not a figure to quote")
    parser.add_argument("--only", action="append", metavar="BOT", help=f"only these bots: {', '.join(kind.name for kind in KINDS)}")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where servers keep their data and bots their logs (.local/bench)")
    arguments = parser.parse_args()
    kinds = [kind for kind in KINDS if not arguments.only or kind.name in arguments.only]
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        results = measure(kinds, QUICK if arguments.quick else FULL, folder)
        sections = [_measured(title, section, folder) for title, section in SECTIONS]
    print(tables(kinds, results), *sections, sep="\n")
    (folder / "results.json").write_text(as_json(kinds, results) + "\n", encoding="utf-8")
    print(f"\nThe same in {folder / 'results.json'}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StartError as failure:
        sys.exit(f"vitte: {failure}")

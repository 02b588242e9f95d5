"""`make faults`: breaks the first of two model providers in seven ways while people talk, and says what they notice of it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import uvloop

from scripts.bench.meters import cpu_seconds, machine_cpu_seconds
from scripts.bench.quiet import log_into
from scripts.bench.report import BUSY, machine
from scripts.bench.stage import ROOT, Stage, staged
from scripts.faults.catalogue import FAULTS, FIRST, SECOND, Fault, Load, Speech
from scripts.faults.judgement import Figures
from scripts.faults.place import Provider, second_sandbox
from scripts.faults.play import Play
from scripts.faults.report import chosen, markdown, terminal, write_into
from scripts.local.alone import alone
from scripts.local.processes import StartError

FOLDER = ROOT / ".local" / "faults"
DATABASE = "faults"


async def run(stage: Stage, second_url: str, faults: Sequence[Fault], load: Load) -> dict[Fault, Figures]:
    found = {}
    async with aiohttp.ClientSession() as session:
        first, second = Provider(FIRST, stage.sandbox, session), Provider(SECOND, second_url, session)
        play = Play(stage, DATABASE, first, second, load, Speech())
        for number, fault in enumerate(faults, 1):
            ticking = asyncio.ensure_future(_tick(f"{number}/{len(faults)} {fault.title}", load.seconds))
            try:
                found[fault] = await play.act(fault)
            finally:
                ticking.cancel()
                await asyncio.wait([ticking])
            _say(f"{number}/{len(faults)} {fault.title}: {_summary(found[fault])}", ends=True)
    return found


def _summary(found: Figures) -> str:
    verdict = "good" if found.is_good else "NOT good"
    return f"{found.asked - found.lost} of {found.asked} answered, first text p95 {found.first.p95:.0f} ms, {verdict}"


async def _tick(title: str, seconds: float) -> None:
    """A line that moves, on a terminal only."""
    if not sys.stderr.isatty():
        return
    for passed in range(10_000):
        _say(f"{title}: {min(passed, round(seconds))} of {seconds:g} s")
        await asyncio.sleep(1)


def _say(progress: str, *, ends: bool = False) -> None:
    before, after = ("\r\033[K", "\n" if ends else "") if sys.stderr.isatty() else ("", "\n")
    print(f"{before}  {progress}", end=after, file=sys.stderr, flush=True)


def measure(folder: Path, faults: Sequence[Fault], load: Load) -> tuple[dict[Fault, Figures], float]:
    """The figures, and how many cores everything else on the machine used meanwhile."""
    with ExitStack() as stack:
        stage = stack.enter_context(staged(folder))
        second_url = stack.enter_context(second_sandbox(folder))
        stage.new_database(DATABASE)
        loop_time, used = os.times().elapsed, machine_cpu_seconds() - cpu_seconds(os.getpid())
        found = uvloop.run(run(stage, second_url, faults, load))
        others = machine_cpu_seconds() - cpu_seconds(os.getpid()) - used
        return found, max(0.0, others) / (os.times().elapsed - loop_time)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each fault (60)")
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second (20)")
    parser.add_argument("--only", action="append", choices=[fault.name for fault in FAULTS], help="this fault; may be given again")
    parser.add_argument("--output", type=Path, metavar="FILE.md", help="write the tables between the marks of this document")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where servers keep their data and logs (.local/faults)")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    load = Load(seconds=arguments.seconds, rate=arguments.rate)
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        log_into(folder / "faults.log")
        results, others = measure(folder, chosen(arguments.only), load)
    made = machine() + (f"; other work used {others:.1f} cores meanwhile" if others >= BUSY else "")
    print(f"\n{made}\n\n{terminal(results)}")
    if arguments.output:
        write_into(arguments.output, markdown(results, load, Speech(), made))
        print(f"\nWritten into {arguments.output}")
    return 0 if all(found.is_good for found in results.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StartError as failure:
        sys.exit(f"vitte: {failure}")

"""`python -m scripts.compose.smoke [--faults | --operations] [--keep]`. Exit codes: 0 passed, 1 failed, 3 there is no engine here."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable

from scripts.compose.engine import ROOT, RefusedError, docker
from scripts.compose.smoke import starting
from scripts.compose.smoke.doctor import check_doctor
from scripts.compose.smoke.faults import check_faults
from scripts.compose.smoke.hardening import check_hardening
from scripts.compose.smoke.operations import check_drill, check_operations
from scripts.compose.smoke.report import Report
from scripts.compose.smoke.stage import Stage, staged
from scripts.compose.smoke.using import check_use

LAB = ROOT.parent / "shared" / "compose-lab"
NO_ENGINE = 3


def engine() -> bool:
    """Whether Docker answers; starts the one of the compose lab where it can be."""
    if docker_answers():
        return True
    if os.geteuid() == 0 and (LAB / "up-engine").exists():
        subprocess.run([str(LAB / "up-engine")], check=False, stdin=subprocess.DEVNULL)
    return docker_answers()


def docker_answers() -> bool:
    try:
        return docker("version").returncode == 0
    except FileNotFoundError:
        return False


def lab_images(stage: Stage) -> None:
    """Where images come from the lab and not from a registry, it builds those that the compose file names."""
    if (LAB / "build-images").exists():
        stage.make("setup", "DEMO=1")
        built = subprocess.run(
            [str(LAB / "build-images"), "--for", str(stage.root)],
            env={**os.environ, **stage.compose.environment},
            check=False,
            stdin=subprocess.DEVNULL,
        )
        (stage.root / ".env").unlink()
        if built.returncode != 0:
            raise RefusedError("the lab has no stand-in for an image that docker-compose.yml names")


def run(report: Report, stage: Stage, special: Callable[[Report, Stage], None] | None) -> None:
    lab_images(stage)
    if special is not None:
        if report.check("make up DEMO=1 from a fresh copy", lambda: starting.up(stage)):
            special(report, stage)
        return
    if not starting.before_and_up(report, stage):
        return
    starting.seen_from_compose(report, stage)
    report.check("only nginx is published", lambda: starting.published(stage))
    check_use(report, stage)
    check_doctor(report, stage)
    check_hardening(report, stage)
    check_drill(report, stage)
    report.check("make down leaves nothing running, and the data", lambda: starting.down(stage))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.compose.smoke", description="Check a copy of the platform in Docker.")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--faults", dest="special", action="store_const", const=check_faults, help="load, replicas, restarts and kills instead"
    )
    instead.add_argument(
        "--operations", dest="special", action="store_const", const=check_operations, help="backup, restore and update instead"
    )
    parser.add_argument("--keep", action="store_true", help="leave the copy running at the end")
    arguments = parser.parse_args()
    if not engine():
        print("The compose smoke did NOT run: no Docker engine answers here and none could be started.", file=sys.stderr)
        return NO_ENGINE
    report = Report()
    try:
        with staged(keep=arguments.keep) as stage:
            run(report, stage, arguments.special)
    except RefusedError as refused:
        print(f"vitte: {refused}", file=sys.stderr)
        return 1
    return report.close()


if __name__ == "__main__":
    sys.exit(main())

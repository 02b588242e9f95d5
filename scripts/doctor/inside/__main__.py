"""`python -m scripts.doctor.inside --process bot --kind compose --known 0001,0002`: one line of JSON with what was found.

Prints nothing else to stdout; the exit code is 0 whatever was found.
"""

import argparse
import asyncio
import os
import sys

from scripts.doctor.findings import Kind, dumped, fail, scrubbed
from scripts.doctor.inside.examination import CHECKS, examine
from scripts.doctor.inside.patient import Patient
from shared.settings import Process, SettingsError, load_settings

AS: dict[str, Process] = {"bot": "bot", "api": "api", "worker": "worker", "admin": "admin", "all": "bot"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.doctor.inside")
    parser.add_argument("--process", choices=sorted(CHECKS), default="all")
    parser.add_argument("--kind", choices=list(Kind), type=Kind, default=Kind.COMPOSE)
    parser.add_argument("--known", default="", help="the code's migrations, oldest first, by comma")
    given = parser.parse_args()
    try:
        settings = load_settings(AS[given.process])
    except SettingsError as error:
        print(dumped([fail("settings", f"{given.process}: {error}", "correct it in .env, then start again")]))
        return
    known = tuple(part for part in given.known.split(",") if part)
    patient = Patient(settings=settings, process=given.process, kind=given.kind, known=known)
    print(dumped(scrubbed(asyncio.run(examine(patient)), patient.secrets())))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # a thread that still waits for a name server must not keep us

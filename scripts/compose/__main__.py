"""`python -m scripts.compose up | down | ps | logs [service …] | setup | backup | restore | update | doctor`: what the Makefile calls."""

import sys
from collections.abc import Callable

from scripts.compose import up
from scripts.compose.backup import backup
from scripts.compose.engine import ROOT, RefusedError, find_compose
from scripts.compose.installation import prepare
from scripts.compose.prerequisites import check_disk, check_memory, memory_bytes
from scripts.compose.restore import restore
from scripts.compose.update import update
from scripts.doctor.command import doctor


def setup() -> None:
    """`.env` and a look at the machine, without starting anything."""
    find_compose()
    memory = memory_bytes()
    check_memory(memory)
    check_disk(ROOT)
    for done in prepare(ROOT, demo=up.wanted_demo(), memory=memory) or ["Nothing to do: .env is complete"]:
        up.say(done)


def ps() -> None:
    find_compose(environment=up.without_demands()).show("--profile", "*", "ps", "--all")


def logs() -> None:
    find_compose(environment=up.without_demands()).show("--profile", "*", "logs", "--follow", "--tail", "100", *sys.argv[2:])


COMMANDS: dict[str, Callable[[], None]] = {
    "up": up.up,
    "down": up.down,
    "setup": setup,
    "ps": ps,
    "logs": logs,
    "backup": backup,
    "restore": restore,
    "update": update,
    "doctor": lambda: sys.exit(doctor(sys.argv[2:])),
}


def main() -> None:
    chosen = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if chosen is None:
        sys.exit(f"usage: python -m scripts.compose {' | '.join(COMMANDS)}")
    try:
        chosen()
    except RefusedError as refused:
        sys.exit(f"vitte: {refused}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

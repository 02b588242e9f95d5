"""Would this process start with the settings it is given? `python scripts/check_settings.py bot` connects to nothing.

Exit codes: 0 yes, 78 no, with one line on stderr that names the variable.
"""

import argparse
import asyncio
from typing import get_args

from shared.bootstrap import open_application
from shared.domain.errors import InvalidInputError
from shared.settings import Process, Settings, SettingsError, exit_with, load_settings

SERVING = ("bot", "api", "worker", "admin")


async def _opens(settings: Settings, process: Process) -> None:
    async with open_application(settings, process):
        pass


def main() -> int:
    parser = argparse.ArgumentParser(prog="check_settings.py", description="Check the settings of one process.")
    parser.add_argument("process", choices=get_args(Process))
    process: Process = parser.parse_args().process
    try:
        settings = load_settings(process)
        if process in SERVING:
            asyncio.run(_opens(settings, process))
    except SettingsError as error:
        exit_with(error)
    except InvalidInputError as error:
        exit_with(SettingsError(str(error)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

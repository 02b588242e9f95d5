"""The bot's process: `python -m services.bot`.

The settings are checked before the rest is imported: aiogram alone takes seconds, and a wrong setting should show at once.
"""

import gc
from importlib import import_module

from shared.settings import SettingsError, exit_with, load_settings


def main() -> int:
    try:
        settings = load_settings("bot")
    except SettingsError as error:
        exit_with(error)
    # Importing makes half a million objects that stay: collecting in between finds nothing and takes a third of the time.
    gc.disable()
    running = import_module("services.bot.running")
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # rarer than 700, 10, 10; what it buys: docs/performance.md
    return int(running.main(settings))


if __name__ == "__main__":
    raise SystemExit(main())

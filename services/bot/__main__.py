"""The bot's process: `python -m services.bot`.

The settings are checked before the rest is imported: aiogram alone takes seconds, and a wrong setting should show at once.
"""

from importlib import import_module

from shared.settings import SettingsError, exit_with, load_settings


def main() -> int:
    try:
        settings = load_settings("bot")
    except SettingsError as error:
        exit_with(error)
    return int(import_module("services.bot.running").main(settings))


if __name__ == "__main__":
    raise SystemExit(main())

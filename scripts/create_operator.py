"""Creates an operator of the dashboard, the first one too.

The password is asked for, or read from stdin; it is never an argument, where other users of the machine could see it.
Exit codes: 0 done or known already, 1 refused or no database, 78 settings.
"""

import argparse
import asyncio
import getpass
import sys

from shared.adapters.clock import SystemClock
from shared.adapters.passwords import Argon2Passwords
from shared.application.operators import OperatorService, Role
from shared.database.database import Database, open_engine
from shared.domain.errors import AppError
from shared.settings import Settings, SettingsError, exit_with, load_settings
from shared.telemetry import configure_logging


class NotTypedTwiceError(Exception):
    """The two passwords differ."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="create_operator.py", description="Create an operator of the dashboard.")
    parser.add_argument("--login", required=True, help="2 to 64 of a-z 0-9 . _ @ -")
    parser.add_argument("--role", choices=[role.value for role in Role], default=Role.OWNER.value, help="a viewer cannot change anything")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")
    arguments = parser.parse_args()
    try:
        settings = load_settings("command")
    except SettingsError as error:
        exit_with(error)
    configure_logging("create_operator", "ERROR")
    try:
        password = _password(from_stdin=arguments.password_stdin)
        created = asyncio.run(_create(settings, arguments.login, password, Role(arguments.role)))
    except (AppError, NotTypedTwiceError) as error:
        sys.stderr.write(f"create_operator: {error}\n")
        return 1
    except (KeyboardInterrupt, EOFError):
        sys.stderr.write("create_operator: nothing was created\n")
        return 1
    login = arguments.login.strip().lower()
    print(f"operator {login} created ({arguments.role})" if created else f"operator {login} exists already; nothing was changed")
    return 0


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password (12 characters or more): ")
    if getpass.getpass("The same again: ") != password:
        raise NotTypedTwiceError("the two passwords differ; nothing was created")
    return password


async def _create(settings: Settings, login: str, password: str, role: Role) -> bool:
    engine = open_engine(
        settings.database_url.get_secret_value(),
        pool_size=1,
        max_overflow=0,
        connect_timeout=settings.db_connect_timeout,
        pool_recycle=settings.db_pool_recycle,
        application_name="vitte-create-operator",
    )
    database = Database(engine)
    try:
        return await OperatorService(database=database, passwords=Argon2Passwords(), clock=SystemClock()).create(login, password, role)
    finally:
        await database.aclose()


if __name__ == "__main__":
    raise SystemExit(main())

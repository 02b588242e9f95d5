"""Brings the database up to date: waits for it, takes a lock, migrates, seeds what a new installation needs, says what it did.

May be run twice, or by two at once: the second waits for the first and finds nothing to do. Exit codes: 0 done, 1 failed, 78 settings.
"""

import asyncio
import logging
import sys
import time
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.application.caches import Caches, NoCache
from shared.application.characters import CharacterService
from shared.database.database import Database, DatabaseUnavailableError, open_engine
from shared.domain.character_files import character_seeds
from shared.settings import Settings, SettingsError, exit_with, load_settings
from shared.telemetry import configure_logging

ROOT = Path(__file__).resolve().parent.parent
LOCK = 0x56_49_54_54_45
"""The advisory lock's key: "VITTE"."""
PATIENCE_SECONDS = 120.0
REFUSALS = {"28", "3D", "42501", "55P03"}
"""Wrong user or password, no such database, no right to do this, somebody holds a lock on a table."""

log = structlog.get_logger("migrations")


async def main() -> int:
    try:
        settings = load_settings("migrations")
    except SettingsError as error:
        exit_with(error)
    configure_logging("migrations", settings.log_level)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    database = Database(_engine(settings), pool_size=2)
    try:
        await _wait_for(database)
        async with database.engine.connect() as connection:
            await _migrate_alone(connection)
        seeded = await CharacterService(database=database, caches=Caches(database=database, cache=NoCache())).seed(character_seeds())
        log.info("characters_seeded", changed=seeded)
    except DatabaseUnavailableError as error:
        reason = _refusal(error.__cause__) or f"PostgreSQL did not answer for {PATIENCE_SECONDS:.0f} s"
        sys.stderr.write(f"vitte: DATABASE_URL: {reason}\n")
        return 1
    except DBAPIError as error:
        if (refusal := _refusal(error)) is None:
            raise
        sys.stderr.write(f"vitte: DATABASE_URL: {refusal}\n")
        return 1
    finally:
        await database.aclose()
    return 0


def _refusal(error: BaseException | None) -> str | None:
    """What an operator has to put right, in PostgreSQL's own words. None for any other failure."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(cause, "sqlstate", None) or "")
    return str(cause).splitlines()[0] if REFUSALS & {state, state[:2]} else None


def _engine(settings: Settings) -> AsyncEngine:
    return open_engine(
        settings.database_url.get_secret_value(),
        pool_size=2,
        max_overflow=0,
        connect_timeout=settings.db_connect_timeout,
        pool_recycle=settings.db_pool_recycle,
        application_name="vitte-migrations",
        command_timeout=3600,
    )


async def _wait_for(database: Database) -> None:
    started, pause = time.monotonic(), 0.2
    while True:
        try:
            await database.check()
        except DatabaseUnavailableError as error:
            if _refusal(error.__cause__) or time.monotonic() - started > PATIENCE_SECONDS:
                raise
            log.info("waiting_for_database", next_try_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
        else:
            return


async def _migrate_alone(connection: AsyncConnection) -> None:
    started = time.monotonic()
    await connection.execute(text("select pg_advisory_lock(:key)"), {"key": LOCK})
    await connection.commit()
    try:
        before, after = await connection.run_sync(_upgrade)
        await connection.commit()
        log.info(
            "migrated" if before != after else "already_up_to_date",
            before=before,
            after=after,
            seconds=round(time.monotonic() - started, 2),
        )
    finally:
        await connection.rollback()
        await connection.execute(text("select pg_advisory_unlock(:key)"), {"key": LOCK})
        await connection.commit()


def _upgrade(connection: Connection) -> tuple[str | None, str | None]:
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "alembic"))
    config.attributes["connection"] = connection
    before = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    scripts = ScriptDirectory.from_config(config)
    if before is not None and before not in {script.revision for script in scripts.walk_revisions()}:
        # Rolled back to the version before: its tables are all there, for no migration takes away what that one needs.
        log.warning("database_is_newer", revision=before)
        return before, before
    connection.execute(text("set lock_timeout = '10s'"))
    command.upgrade(config, "head")
    return before, scripts.get_current_head()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))

"""PostgreSQL: reachable, with the right password, writable, migrated, not crowded; and the inbox that it keeps."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from sqlalchemy.exc import DBAPIError

from scripts.doctor.findings import Finding, Kind, fail, ok, warn
from scripts.doctor.inside import clock, inbox
from scripts.doctor.inside.patient import Patient, host_of
from shared.database.database import Database, DatabaseUnavailableError, open_engine
from shared.database.vitals import VitalRows

CONNECT_SECONDS, STATEMENT_SECONDS = 3.0, 4.0
SLOW_SECONDS = 0.1
CROWDED = 0.8
ROLES = "`docker compose up -d postgres && docker compose exec postgres bash /docker-entrypoint-initdb.d/10-roles.sh`"


async def examined(patient: Patient) -> list[Finding]:
    """Everything; asked of one process, for they all use the same database."""
    try:
        async with _connected(patient) as database:
            findings = [await _speed(database)]
            async with database.statement() as tx:
                before = patient.clock()
                theirs = await VitalRows(tx.connection).clock()
                findings.append(clock.compared("PostgreSQL", theirs, before, patient.clock()))
            return [*findings, *await _inner(patient, database)]
    except (DatabaseUnavailableError, DBAPIError) as error:
        return [_why(patient, error)]


async def reached(patient: Patient) -> list[Finding]:
    try:
        async with _connected(patient) as database:
            return [await _speed(database)]
    except (DatabaseUnavailableError, DBAPIError) as error:
        return [_why(patient, error)]


@asynccontextmanager
async def _connected(patient: Patient) -> AsyncIterator[Database]:
    engine = open_engine(
        patient.settings.database_url.get_secret_value(),
        pool_size=1,
        max_overflow=0,
        connect_timeout=CONNECT_SECONDS,
        pool_recycle=3600,
        application_name="vitte-doctor",
        command_timeout=STATEMENT_SECONDS,
    )
    database = Database(engine, pool_size=1)
    try:
        yield database
    finally:
        await database.aclose()


async def _speed(database: Database) -> Finding:
    await database.check()
    times = []
    for _ in range(3):
        began = time.monotonic()
        await database.check()
        times.append(time.monotonic() - began)
        await asyncio.sleep(0)
    took = median(times)
    if took > SLOW_SECONDS:
        return warn(
            "database",
            f"answers, but takes {took * 1000:.0f} ms for nothing",
            "the server is overloaded or far away: look at its CPU, disk and network",
        )
    return ok("database", f"answers in {took * 1000:.1f} ms")


async def _inner(patient: Patient, database: Database) -> list[Finding]:
    async with database.statement() as tx:
        takes, there, may = await VitalRows(tx.connection).writable()
    async with database.statement() as tx:
        used, most = await VitalRows(tx.connection).connections()
    async with database.statement() as tx:
        revision = await VitalRows(tx.connection).revision()
    findings = [*_about_writing(patient, takes, there, may), _about_connections(used, most), about_revision(patient, revision)]
    if there and may:
        async with database.statement() as tx:
            findings += inbox.judged(patient, await VitalRows(tx.connection).inbox())
    return findings


def _about_writing(patient: Patient, takes: bool, there: bool, may: bool) -> list[Finding]:
    if not takes:
        return [
            fail(
                "database",
                "is read-only: nothing can be kept",
                "DATABASE_URL must lead to the primary server, not to a replica or one in recovery",
            )
        ]
    if there and not may:
        grant = ROLES if patient.kind is Kind.COMPOSE else "grant select, insert, update, delete on all tables to the role of DATABASE_URL"
        return [fail("database", "its role may not write our tables", grant)]
    return []


def _about_connections(used: int, most: int) -> Finding:
    if used >= most * CROWDED:
        return warn(
            "database",
            f"{used} of {most} connections are in use",
            "lower DB_POOL_SIZE, run fewer replicas, or raise max_connections of PostgreSQL",
        )
    return ok("database", f"{used} of {most} connections are in use")


def about_revision(patient: Patient, revision: str | None) -> Finding:
    """The tables beside what the code expects."""
    if not patient.known:
        return ok("migrations", f"the tables are at {revision or 'no migration'}; the code's are not known here")
    newest, do = patient.known[-1], "`make update`" if patient.kind is Kind.COMPOSE else "`make migrate`"
    if revision == newest:
        return ok("migrations", f"the tables are up to date ({newest})")
    if revision is None:
        return fail(
            "migrations",
            f"none has run: there are no tables, and the code needs {newest}",
            do if patient.kind is Kind.DEMO else "`make up`",
        )
    if revision in patient.known:
        behind = len(patient.known) - 1 - patient.known.index(revision)
        return fail("migrations", f"the tables are {behind} behind the code ({revision}, the code has {newest})", do)
    return warn(
        "migrations",
        f"the tables are newer than this code ({revision}, the code knows up to {newest})",
        "check out the version that made them, then `make update`",
    )


def _why(patient: Patient, error: BaseException) -> Finding:
    cause = error.__cause__ or error
    cause = cause.orig if isinstance(cause, DBAPIError) and cause.orig else cause
    state = str(getattr(cause, "sqlstate", None) or "")
    where = host_of(patient.settings.database_url.get_secret_value())
    match state:
        case "28P01" | "28000":
            return fail("database", f"{where} refuses user or password of DATABASE_URL", _password(patient))
        case "3D000":
            return fail("database", f"{where} has no database of the name in DATABASE_URL", f"correct DATABASE_URL, then {patient.apply}")
        case "53300":
            return fail("database", f"{where} has no connection left", "lower DB_POOL_SIZE, run fewer replicas, or raise max_connections")
        case "57P03":
            return fail(
                "database", f"{where} is starting up or recovering", f"wait a minute and look again; then {patient.logs('postgres')}"
            )
        case "42P01":
            return fail("migrations", "a table is missing", "`make up`" if patient.kind is Kind.COMPOSE else "`make migrate`")
        case "":
            return fail("database", f"PostgreSQL at {where} does not answer (DATABASE_URL)", patient.start("postgres"))
    return fail("database", f"PostgreSQL at {where} answers with error {state}", f"look at {patient.logs('postgres')}")


def _password(patient: Patient) -> str:
    if patient.kind is Kind.COMPOSE:
        return f"put the former POSTGRES_APP_PASSWORD back in .env and `make up`; or give the database the one of .env: {ROLES}"
    return f"correct DATABASE_URL, then {patient.apply}"

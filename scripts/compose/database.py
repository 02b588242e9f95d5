"""PostgreSQL of an installation, as its superuser over the socket inside the container, where no password is asked for."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.compose.engine import Compose, RefusedError, last_line
from scripts.compose.manifest import Note, copied, created, settle

NAME, RESTORED, REPLACED = "vitte", "vitte_restored", "vitte_replaced"
IN_POSTGRES = ("exec", "-T", "postgres")
PSQL = (*IN_POSTGRES, "psql", "-U", "postgres", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d")
COUNT = r"""
select format('select %L, count(*) from %s', c.oid::regclass, c.oid::regclass) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by c.oid::regclass::text \gexec
"""
HOLDS_PEOPLE = ("users", "stored_updates", "messages")
TRIES_TO_SWAP = 5
SWAP = f"""
select count(pg_terminate_backend(pid)) from pg_stat_activity where datname in ('{NAME}', '{RESTORED}');
begin;
alter database {NAME} rename to {REPLACED};
alter database {RESTORED} rename to {NAME};
commit;
"""  # noqa: S608 - our own names


def sql(compose: Compose, statements: str, database: str = NAME) -> str:
    """What `psql` prints. Raises `RefusedError` with PostgreSQL's own words."""
    ran = compose.run(*PSQL, database, said=statements, seconds=3600)
    if ran.returncode != 0:
        raise RefusedError(f"PostgreSQL: {last_line(ran.stderr) or 'psql failed'}")
    return ran.stdout.strip()


def is_empty(compose: Compose) -> bool:
    """Whether nobody has ever written here."""
    there = sql(compose, "".join(f"select '{table}' where to_regclass('public.{table}') is not null;\n" for table in HOLDS_PEOPLE))
    return all(sql(compose, f"select exists (select from {table})") == "f" for table in there.split())  # noqa: S608 - our own names


def counts(compose: Compose, database: str) -> dict[str, int]:
    """Rows of every table."""
    return _counted(sql(compose, COUNT, database).splitlines())


def _counted(lines: list[str]) -> dict[str, int]:
    pairs = (line.rpartition("|") for line in lines)
    return {table: int(rows) for table, _, rows in pairs}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the database that several sessions see; it holds while the session that took it is open."""

    name: str
    revision: str
    rows: dict[str, int]


@contextmanager
def snapshot(compose: Compose) -> Iterator[Snapshot]:
    """The platform may go on writing meanwhile. Raises `RefusedError`."""
    session = compose.begin(*PSQL, NAME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    statements = (
        "set idle_in_transaction_session_timeout = 0;\nbegin isolation level repeatable read, read only;\n"
        f"select pg_export_snapshot();\nselect version_num from alembic_version;\n{COUNT}\n\\echo counted\n"
    )
    with session:
        if session.stdin is None or session.stdout is None or session.stderr is None:
            raise RefusedError("the session with PostgreSQL has no pipes")
        session.stdin.write(statements.encode())
        session.stdin.flush()
        lines: list[str] = []
        while (line := session.stdout.readline().decode().strip()) != "counted":
            if not line:
                raise RefusedError(f"PostgreSQL: {last_line(session.stderr.read().decode()) or 'it hung up'}")
            lines.append(line)
        yield Snapshot(lines[0], lines[1], _counted(lines[2:]))


def dump(compose: Compose, of: Snapshot, path: Path) -> Note:
    """Writes PostgreSQL's custom format. Raises `RefusedError`."""
    command = (*IN_POSTGRES, "pg_dump", "-U", "postgres", "-d", NAME, "--format=custom", f"--snapshot={of.name}")
    return received(compose, command, path, "pg_dump")


def received(compose: Compose, command: tuple[str, ...], path: Path, what: str) -> Note:
    """What a command prints, as a file. Raises `RefusedError` with its last line when it fails."""
    with created(path) as file, tempfile.TemporaryFile() as said:
        with compose.begin(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as running:
            if running.stdout is None:
                raise RefusedError(f"{what} has no output")
            note = copied(running.stdout, file)
        settle(file)
        said.seek(0)
        if running.returncode != 0:
            raise RefusedError(last_line(said.read().decode(errors="replace")).removeprefix("vitte: ") or f"{what} failed")
    return note


def load(compose: Compose, path: Path) -> None:
    """Into a database beside the one in use. Raises `RefusedError`."""
    discard(compose)
    sql(compose, f"create database {RESTORED} template template0 owner vitte;", "postgres")
    command = (*IN_POSTGRES, "pg_restore", "-U", "postgres", "-d", RESTORED, "--single-transaction", "--exit-on-error")
    with path.open("rb") as file:
        ran = compose.feed(*command, source=file)
    if ran.returncode != 0:
        raise RefusedError(last_line(ran.stderr) or "pg_restore failed")
    sql(compose, "analyze;", RESTORED)


def discard(compose: Compose) -> None:
    """What an earlier attempt left behind."""
    sql(compose, f"drop database if exists {RESTORED} with (force);\ndrop database if exists {REPLACED} with (force);", "postgres")


def swap(compose: Compose) -> None:
    """The restored database takes the place of the one in use, in one transaction. Raises `RefusedError`, and nothing has changed."""
    for left in reversed(range(TRIES_TO_SWAP)):
        try:
            sql(compose, SWAP, "postgres")
            break
        except RefusedError:
            if not left:
                raise
    sql(compose, f"drop database {REPLACED} with (force);", "postgres")
    ran = compose.run(*IN_POSTGRES, "bash", "/docker-entrypoint-initdb.d/10-roles.sh")
    if ran.returncode != 0:
        raise RefusedError(f"the roles were not granted: {last_line(ran.stderr)}")

"""The schema: as the models say, up and down and up, by one or by two at once, and made by nobody else."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from shared.application.chat import Said
from shared.database.database import Database
from tests.factories import House, open_house

ROOT = Path(__file__).resolve().parents[2]


async def migrate(url: str, **environment: str) -> tuple[int, str, str]:
    """The command as an operator runs it: exit code, its lines, and what it complains of."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "scripts/run_migrations.py", cwd=ROOT, env={**os.environ, "ENVIRONMENT": "dev", "DATABASE_URL": url, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def alembic(database: Database, what: str, *arguments: Any) -> None:
    def run(connection: Connection) -> None:
        config = Config(ROOT / "alembic.ini")
        config.set_main_option("script_location", str(ROOT / "alembic"))
        config.attributes["connection"] = connection
        getattr(command, what)(config, *arguments)

    async with database.engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()


async def shape(house: House) -> list[tuple[Any, ...]]:
    """Every column, constraint and index of ours."""
    return await house.rows("""
        select 'column', table_name || '.' || column_name, data_type || is_nullable || coalesce(column_default, '')
        from information_schema.columns where table_schema = 'public' and table_name <> 'alembic_version'
        union all select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and conrelid <> 'alembic_version'::regclass
        union all select 'index', indexname, indexdef from pg_indexes where schemaname = 'public' and tablename <> 'alembic_version'
        union all select 'sequence', sequencename, data_type::text from pg_sequences where schemaname = 'public'
        order by 1, 2
    """)


async def test_down_leaves_nothing_and_up_again_makes_the_same(database_url: str) -> None:
    async with open_house(database_url) as house:
        before = await shape(house)
        await alembic(house.database, "downgrade", "base")
        assert await shape(house) == []

        await alembic(house.database, "upgrade", "head")
        assert await shape(house) == before
        assert len(before) > 100


async def test_sums_of_memory_come_and_go_and_what_was_half_done_is_done_again(database_url: str) -> None:
    async with open_house(database_url) as house:
        await alembic(house.database, "stamp", "head")
        before = await shape(house)
        for scope in ("bot", "memory"):
            await house.rows("insert into spendings values (:scope, '1', current_date, 0, 5, 5) returning 1", scope=scope)
        await alembic(house.database, "downgrade", "0004")
        assert await house.rows("select scope from spendings") == [("bot",)]
        await alembic(house.database, "upgrade", "head")
        await alembic(house.database, "stamp", "0004")
        await alembic(house.database, "upgrade", "head")
        assert (await shape(house), await house.rows("select scope from spendings")) == (before, [("bot",)])


async def test_the_version_before_can_be_rolled_back_to(database_url: str) -> None:
    async with open_house(database_url) as house:
        await alembic(house.database, "stamp", "head")
        before = await shape(house)
        await house.rows("update alembic_version set version_num = '9998' returning 1")

        code, said, complaint = await migrate(database_url)

        assert (code, complaint) == (0, "")
        assert "database_is_newer" in said
        assert await house.rows("select version_num from alembic_version") == [("9998",)]
        assert await shape(house) == before


async def test_the_models_say_what_the_migrations_make(database_url: str) -> None:
    async with open_house(database_url) as house:
        await alembic(house.database, "check")


async def test_two_at_once_and_one_more_all_end_well_and_only_one_migrates(empty_database_url: str) -> None:
    first, second = await asyncio.gather(migrate(empty_database_url), migrate(empty_database_url))
    third = await migrate(empty_database_url)

    assert [code for code, _, _ in (first, second, third)] == [0, 0, 0], (first, second, third)
    said = [out for _, out, _ in (first, second, third)]
    assert sum('"migrated"' in out for out in said) == 1
    assert sum('"already_up_to_date"' in out for out in said) == 2
    assert '"already_up_to_date"' in said[2]
    assert '"changed": []' in said[2]
    async with open_house(empty_database_url) as house:
        assert await house.rows("select slug from characters order by position") == [("mira",), ("lumen",), ("honzik",)]
        assert await house.rows("select code, daily_turns from plans") == [("free", 100)]


async def test_what_an_operator_edited_survives_the_next_migration(database_url: str) -> None:
    async with open_house(database_url) as house:
        await house.rows("update characters set name = 'Ours', edited_at = now() where slug = 'lumen'")
        await house.rows("update characters set name = 'Typo' where slug = 'honzik'")
        await house.rows("update plans set daily_turns = 7")
        code, out, _ = await migrate(database_url)
        assert (code, '"changed": ["honzik"]' in out) == (0, True)
        assert await house.rows("select name from characters order by position") == [("Mira",), ("Ours",), ("Honzík",)]
        assert await house.rows("select daily_turns from plans") == [(7,)]


@pytest.mark.parametrize(
    ("url", "code", "names"),
    [
        ("", 78, "DATABASE_URL"),
        ("nonsense", 78, "DATABASE_URL"),
        ("mysql://a:b@127.0.0.1/x", 78, "DATABASE_URL"),
        ("postgresql+asyncpg://vitte@127.0.0.1:notaport/x", 78, "DATABASE_URL"),
    ],
)
async def test_a_database_url_that_is_none_is_named_in_one_line(url: str, code: int, names: str) -> None:
    ended, _, complaint = await migrate(url)
    assert (ended, complaint.count("\n")) == (code, 1), complaint
    assert complaint.startswith(f"vitte: {names}")


async def test_a_wrong_password_or_database_is_named_in_one_line_at_once(database_url: str) -> None:
    for wrong in (re.sub(r":[^:@/]+@", ":wrong@", database_url), re.sub(r"/[^/]+$", "/nowhere", database_url)):
        code, _, complaint = await migrate(wrong)
        assert (code, complaint.count("\n")) == (1, 1), complaint
        assert complaint.startswith("vitte: DATABASE_URL: ")
        assert "did not answer" not in complaint, "it waited for what will not come"
        assert "wrong@" not in complaint


def test_nobody_else_makes_tables() -> None:
    guilty = re.compile(r"create_all|create\s+(unlogged\s+)?(table|index|sequence)\b|alter\s+table|drop\s+table", re.IGNORECASE)
    sources = [path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in sources if guilty.search(path.read_text(encoding="utf-8"))] == []
    assert len(sources) > 100


async def test_every_foreign_key_is_led_by_an_index(database_url: str) -> None:
    async with open_house(database_url) as house:
        bare = await house.rows("""
            select conrelid::regclass::text, conname from pg_constraint c
            where contype = 'f' and not exists (
                select from pg_index i where i.indrelid = c.conrelid and (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1] @> c.conkey
                and i.indpred is null
            )
        """)
    # Plans are a handful and are never deleted while somebody holds one.
    assert bare == [("subscriptions", "fk_subscriptions_plan_code_plans")]


async def test_no_table_grows_an_index_twice(database_url: str) -> None:
    async with open_house(database_url) as house:
        assert (
            await house.rows("""
            select a.indexrelid::regclass::text, b.indexrelid::regclass::text from pg_index a join pg_index b
            on a.indrelid = b.indrelid and a.indexrelid < b.indexrelid and a.indkey::text = b.indkey::text
            and coalesce(pg_get_expr(a.indpred, a.indrelid), '') = coalesce(pg_get_expr(b.indpred, b.indrelid), '')
        """)
            == []
        )


async def test_migrating_again_leaves_what_people_said(database_url: str) -> None:
    async with open_house(database_url) as house:
        ann = await house.speaker()
        [_ async for _ in house.chat.reply(ann, [Said("1", "Hi")])]
        before = await house.messages(ann)
        assert (await migrate(database_url))[0] == 0
        assert await house.messages(ann) == before

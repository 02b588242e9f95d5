"""Single statements on kept connections: what dies, hangs or is refused never reaches the next one."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from shared.database.database import STATEMENTS, DatabaseUnavailableError, UnstorableValueError
from tests.factories import House

BACKEND = "select pg_backend_pid()"


async def backend(house: House) -> object:
    return (await house.rows(BACKEND))[0][0]


async def test_the_same_connection_serves_one_statement_after_the_other(house: House) -> None:
    assert len({await backend(house) for _ in range(5)}) == 1


async def test_a_connection_that_died_while_idle_is_replaced_unnoticed(house: House) -> None:
    old = await backend(house)
    async with house.database.transaction() as tx:
        await tx.connection.execute(text("select pg_terminate_backend(:pid)"), {"pid": old})
    await asyncio.sleep(0.1)
    assert await backend(house) != old


async def test_a_connection_that_dies_under_a_statement_is_an_absence_and_is_not_used_again(house: House) -> None:
    with pytest.raises(DatabaseUnavailableError):
        await house.rows("select pg_terminate_backend(pg_backend_pid())")
    assert await house.rows("select 1") == [(1,)]


async def test_a_refused_statement_leaves_its_connection_in_order(house: House) -> None:
    before = await backend(house)
    with pytest.raises(asyncpg.UndefinedColumnError):
        await house.rows("select nothing")
    assert await backend(house) == before


@pytest.mark.parametrize("statement", ["select cast('something private' as int)", "select cast(:value as int)"])
async def test_a_value_that_fits_no_column_is_not_quoted_in_the_error(house: House, statement: str) -> None:
    with pytest.raises(UnstorableValueError) as refused:
        async with house.database.statement() as tx:
            await tx.connection.execute(text(statement), {"value": "something private"})
    assert "private" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert await house.rows("select 1") == [(1,)]


async def test_a_cancelled_statement_takes_its_connection_along(house: House) -> None:
    before = await backend(house)
    working = asyncio.ensure_future(house.rows("select pg_sleep(20)"))
    await asyncio.sleep(0.05)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await backend(house) != before


async def test_more_statements_than_places_wait_for_their_turn(house: House) -> None:
    backends = await asyncio.gather(*[house.rows("select pg_backend_pid() from pg_sleep(0.02)") for _ in range(60)])
    assert len(backends) == 60
    assert len({rows[0] for rows in backends}) <= 20


async def test_neither_a_second_statement_nor_an_object_fits_into_a_statement(house: House) -> None:
    async with house.database.statement() as tx:
        with pytest.raises(TypeError, match="open a transaction"):
            _ = tx.session
        with pytest.raises(RuntimeError, match="do not nest"):
            await house.rows("select 1")


async def test_statements_are_counted_by_what_they_are_for(house: House) -> None:
    work, inbox = (STATEMENTS.labels(part)._value.get() for part in ("work", "inbox"))
    await house.rows("select 1")
    await house.inbox.depth()
    async with house.database.transaction() as tx:
        await tx.connection.execute(text("select 2"))
    assert [STATEMENTS.labels(part)._value.get() for part in ("work", "inbox")] == [work + 2, inbox + 1]

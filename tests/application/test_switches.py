"""Switches: at once here, soon elsewhere, and no outage because PostgreSQL is away."""

import pytest

from shared.application.switches import FRESH_SECONDS, SwitchService
from shared.database.database import Database, DatabaseUnavailableError, open_engine
from shared.domain.errors import InvalidInputError
from shared.domain.switches import Switches, UnknownSwitchError
from tests.factories import House, SteppedClock

NOWHERE = "postgresql+asyncpg://vitte@127.0.0.1:9/nowhere"


def make_database(url: str) -> Database:
    return Database(open_engine(url, pool_size=1, max_overflow=0, connect_timeout=1, pool_recycle=60, application_name="vitte-tests"))


def make_switches(house: House) -> SwitchService:
    return SwitchService(database=house.database, clock=house.clock)


async def test_a_new_installation_has_the_defaults(house: House) -> None:
    assert await make_switches(house).read() == Switches()


async def test_a_change_holds_here_at_once_and_elsewhere_within_five_seconds(house: House) -> None:
    here, elsewhere = make_switches(house), make_switches(house)
    assert (await elsewhere.read()).streaming is True
    assert (await here.set("streaming", False, by="ann")).streaming is False
    assert (await here.read()).streaming is False
    assert (await elsewhere.read()).streaming is True
    house.clock.go_on(seconds=FRESH_SECONDS)
    assert (await elsewhere.read()).streaming is False
    assert await house.rows("select key, value, updated_by from settings where key <> 'cache_epoch'") == [("streaming", False, "ann")]


async def test_reading_costs_one_statement_in_five_seconds(house: House) -> None:
    switches = make_switches(house)
    await switches.read()
    await house.rows("""insert into settings (key, value, updated_at, updated_by) values ('streaming', 'false', now(), 'x')""")
    assert (await switches.read()).streaming is True


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("no_such_switch", True, UnknownSwitchError),
        ("streaming", 1, InvalidInputError),
        ("keep_messages_days", True, InvalidInputError),
        ("keep_messages_days", -1, InvalidInputError),
        ("semantic_cache_percent", 79, InvalidInputError),
        ("semantic_cache_percent", 101, InvalidInputError),
    ],
)
async def test_a_value_that_does_not_fit_changes_nothing(house: House, key: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        await make_switches(house).set(key, value, by="ann")
    assert await house.rows("select key from settings where key <> 'cache_epoch'") == []


async def test_the_last_known_switches_hold_while_postgresql_is_away(house: House) -> None:
    switches = make_switches(house)
    await switches.set("answer_in_groups", False, by="ann")
    object.__setattr__(switches, "database", make_database(NOWHERE))
    house.clock.go_on(minutes=1)
    assert (await switches.read()).answer_in_groups is False


async def test_without_any_known_switches_nothing_is_assumed() -> None:
    with pytest.raises(DatabaseUnavailableError):
        await SwitchService(database=make_database(NOWHERE), clock=SteppedClock()).read()

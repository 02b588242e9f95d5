"""Operators: made once, let in with the right password only, and told nothing about which part was wrong."""

import statistics
import time

import pytest

from shared.adapters.passwords import Argon2Passwords
from shared.application.operators import OperatorService, Role
from shared.domain.errors import InvalidInputError
from shared.domain.operator import LoginRefusedError, WeakPasswordError
from tests.factories import NOON, House

PASSWORD = "three little horses"


def make_operators(house: House, passwords: Argon2Passwords | None = None) -> OperatorService:
    return OperatorService(database=house.database, passwords=passwords or Argon2Passwords(memory_kib=64, iterations=1), clock=house.clock)


async def test_an_operator_is_made_once(house: House) -> None:
    operators = make_operators(house)
    assert await operators.create(" Ann ", PASSWORD) is True
    assert await operators.create("ann", "another password here") is False
    assert (await operators.log_in("ANN", PASSWORD)).login == "ann"
    [(stored, role)] = await house.rows("select password_hash, role from operators")
    assert (stored.startswith("$argon2id$v=19$"), PASSWORD in stored, role) == (True, False, "owner")


def test_the_hash_costs_what_the_standard_asks() -> None:
    assert Argon2Passwords()._hasher.hash(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    "password",
    [
        *("elevenchars", "", "passwordpassword", "Password1234!", "qwerty123456", "123456789012", "098765432109"),
        *("aaaaaaaaaaaaa", "abcabcabcabc", "abcdefghijklm", "annannann123", "12345678ann!", "x" * 1025),
    ],
)
async def test_a_weak_password_is_refused_and_not_repeated(house: House, password: str) -> None:
    with pytest.raises(WeakPasswordError) as refused:
        await make_operators(house).create("ann", password)
    assert not password or password not in str(refused.value)
    assert await house.rows("select login from operators") == []


@pytest.mark.parametrize("login", ["", "a", "with space", "Ünal", "-ann", "a" * 65, "ann;drop"])
async def test_a_login_that_cannot_be_one_is_refused(house: House, login: str) -> None:
    with pytest.raises(InvalidInputError):
        await make_operators(house).create(login, PASSWORD)


@pytest.mark.parametrize(
    ("login", "password"), [("ann", PASSWORD + "!"), ("bob", PASSWORD), ("ann", ""), ("ann", "\ud800"), ("ann\x00", PASSWORD), ("", "")]
)
async def test_wrong_login_and_wrong_password_are_the_same(house: House, login: str, password: str) -> None:
    operators = make_operators(house)
    await operators.create("ann", PASSWORD)
    with pytest.raises(LoginRefusedError, match="^wrong login or wrong password$"):
        await operators.log_in(login, password)
    assert await house.rows("select last_login_at from operators") == [(None,)]


async def test_a_disabled_operator_is_as_unknown(house: House) -> None:
    operators = make_operators(house)
    await operators.create("ann", PASSWORD, Role.VIEWER)
    ann = await operators.log_in("ann", PASSWORD)
    assert (ann.role, ann.may_change) == (Role.VIEWER, False)
    await house.rows("update operators set disabled_at = now()")
    assert await operators.find(ann.id) is None
    with pytest.raises(LoginRefusedError):
        await operators.log_in("ann", PASSWORD)


async def test_a_login_is_noted_and_an_outdated_hash_made_anew(house: House) -> None:
    await make_operators(house).create("ann", PASSWORD)
    await make_operators(house, Argon2Passwords(memory_kib=128, iterations=1)).log_in("ann", PASSWORD)
    [(stored, at)] = await house.rows("select password_hash, last_login_at from operators")
    assert ("m=128" in stored, at) == (True, NOON)


async def test_an_unknown_login_takes_as_long_as_a_known_one() -> None:
    passwords = Argon2Passwords()
    known = await passwords.hash(PASSWORD)
    await passwords.verify("warm", known)

    async def seconds(hashed: str | None) -> float:
        started = time.perf_counter()
        assert (await passwords.verify("wrong", hashed))[0] is False
        return time.perf_counter() - started

    pairs = [(await seconds(known), await seconds(None)) for _ in range(9)]
    assert 0.5 < statistics.median(one / other for one, other in pairs) < 2

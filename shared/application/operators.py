"""Operators: who may look at the dashboard, and who may change something there."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import structlog

from shared.application.ports import Clock
from shared.database.database import Database
from shared.database.operators import OperatorRow
from shared.domain.errors import InvalidInputError
from shared.domain.operator import LoginRefusedError
from shared.domain.passwords import refuse_weak

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
MAX_PASSWORD_LENGTH = 1024

log = structlog.get_logger("operators")


class Role(StrEnum):
    OWNER = "owner"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInOperator:
    id: UUID
    login: str
    role: Role

    @property
    def may_change(self) -> bool:
        return self.role is Role.OWNER


class Passwords(Protocol):
    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, known: str | None) -> tuple[bool, str | None]:
        """Whether it matches, and a new hash when the known one is outdated. Without a known one it takes as long, and refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorService:
    database: Database
    passwords: Passwords
    clock: Clock

    async def create(self, login: str, password: str, role: Role = Role.OWNER) -> bool:
        """False when the operator exists already; nothing is changed then.

        Raises `InvalidInputError` for a login that cannot be one, `WeakPasswordError`.
        """
        login = _as_login(login)
        refuse_weak(password, login=login)
        hashed = await self.passwords.hash(password)
        async with self.database.statement() as tx:
            created = await tx.operators.create(login, hashed, role)
        log.info("operator_created" if created else "operator_exists", login=login, role=role.value)
        return created

    async def log_in(self, login: str, password: str) -> SignedInOperator:
        """Takes equally long whether the login, the password or both are wrong. Raises `LoginRefusedError`."""
        found = await self._find_by_login(login.strip().lower())
        matches, new_hash = await self.passwords.verify(password[:MAX_PASSWORD_LENGTH], found.password_hash if found else None)
        if found is None or not matches:
            raise LoginRefusedError("wrong login or wrong password")
        async with self.database.statement() as tx:
            await tx.operators.logged_in(found.id, self.clock.now(), new_hash)
        return _signed_in(found)

    async def find(self, operator_id: UUID) -> SignedInOperator | None:
        """None when the operator was removed or disabled since."""
        async with self.database.statement() as tx:
            found = await tx.operators.find(operator_id)
        return _signed_in(found) if found else None

    async def _find_by_login(self, login: str) -> OperatorRow | None:
        if not _LOGIN.fullmatch(login):
            return None
        async with self.database.statement() as tx:
            return await tx.operators.find_by_login(login)


def _signed_in(row: OperatorRow) -> SignedInOperator:
    return SignedInOperator(id=row.id, login=row.login, role=Role(row.role))


def _as_login(login: str) -> str:
    cleaned = login.strip().lower()
    if not _LOGIN.fullmatch(cleaned):
        raise InvalidInputError("a login has 2 to 64 of a-z 0-9 . _ @ - and starts with a letter or a digit")
    return cleaned

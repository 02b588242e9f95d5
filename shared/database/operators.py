"""Operators and the switches they set."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from shared.database.lines import Connection

_SET_SWITCH = text("""
    insert into settings (key, value, updated_at, updated_by) values (:key, cast(:value as jsonb), :at, :by)
    on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by
    where settings.value is distinct from excluded.value
""")

CACHE_EPOCH = "cache_epoch"
"""A number beside the switches, read with them: what was cached under another one does not count."""

_NEXT_EPOCH = text("""
    insert into settings (key, value, updated_at, updated_by) values (:key, to_jsonb(1), clock_timestamp(), 'vitte')
    on conflict (key) do update set value = to_jsonb((settings.value #>> '{}')::int + 1), updated_at = excluded.updated_at
    returning (value #>> '{}')::int
""")

_CREATE = text("""
    insert into operators (id, login, password_hash, role) values (gen_random_uuid(), :login, :password_hash, :role)
    on conflict (login) do nothing returning id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    id: UUID
    login: str
    password_hash: str
    role: str


class OperatorRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def switches(self) -> dict[str, Any]:
        """Those that differ, or once differed, from the defaults."""
        rows = await self.connection.execute(text("select key, value from settings"))
        return dict(rows.all())

    async def set_switch(self, key: str, value: bool | int, *, by: str, at: datetime) -> None:
        await self.connection.execute(_SET_SWITCH, {"key": key, "value": orjson.dumps(value).decode(), "by": by, "at": at})

    async def next_cache_epoch(self) -> int:
        return int((await self.connection.execute(_NEXT_EPOCH, {"key": CACHE_EPOCH})).scalar_one())

    async def create(self, login: str, password_hash: str, role: str) -> bool:
        """False when there is an operator of this name already; it stays as it is."""
        found = await self.connection.execute(_CREATE, {"login": login, "password_hash": password_hash, "role": role})
        return found.first() is not None

    async def find_by_login(self, login: str) -> OperatorRow | None:
        """None also for a disabled operator."""
        return await self._find("login = :key", login)

    async def find(self, operator_id: UUID) -> OperatorRow | None:
        """None also for a disabled operator."""
        return await self._find("id = :key", operator_id)

    async def _find(self, condition: str, key: str | UUID) -> OperatorRow | None:
        statement = text(f"select id, login, password_hash, role from operators where disabled_at is null and {condition}")  # noqa: S608
        row = (await self.connection.execute(statement, {"key": key})).mappings().first()
        return OperatorRow(**row) if row else None

    async def logged_in(self, operator_id: UUID, at: datetime, new_hash: str | None) -> None:
        """Notes the login, and the password's hash made anew when its parameters changed."""
        statement = text("update operators set last_login_at = :at, password_hash = coalesce(:hash, password_hash) where id = :id")
        await self.connection.execute(statement, {"at": at, "hash": new_hash, "id": operator_id})

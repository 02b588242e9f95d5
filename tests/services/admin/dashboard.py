"""The dashboard over real stores, and browsers that may sign in to it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from services.admin.app import create_app
from services.admin.auth import Desk
from services.admin.gate import open_gate
from services.admin.sessions import Sessions
from shared.adapters.passwords import Argon2Passwords
from shared.application.operators import OperatorService, Role
from shared.bootstrap import Application
from tests.factories import House, SteppedClock
from tests.services.opening import client, opened

SECRET = "a secret that only these tests have"
PASSWORD = "three little horses"
FORM = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    http: httpx.AsyncClient

    async def token(self, path: str) -> str:
        found = FORM.search((await self.http.get(path)).text)
        assert found is not None, f"no form at {path}"
        return found[1]

    async def post(self, path: str, *, token_from: str | None = None, **fields: str) -> httpx.Response:
        """As a browser sends a form of ours."""
        csrf = {"csrf": await self.token(token_from)} if token_from else {}
        return await self.http.post(
            path, data={**fields, **csrf}, headers={"Sec-Fetch-Site": "same-origin", "Origin": str(self.http.base_url)}
        )

    async def sign_in(self, login: str = "ann", password: str = PASSWORD, **fields: str) -> httpx.Response:
        return await self.post("/admin/login", token_from="/admin/login", login=login, password=password, **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    app: FastAPI
    application: Application
    house: House
    clock: SteppedClock

    @asynccontextmanager
    async def browser(self, **where: Any) -> AsyncIterator[Browser]:
        async with client(self.app, **where) as http:
            yield Browser(http=http)

    @asynccontextmanager
    async def signed_in(self, login: str = "ann", **where: Any) -> AsyncIterator[Browser]:
        async with self.browser(**where) as browser:
            assert (await browser.sign_in(login)).status_code == 303
            yield browser


@asynccontextmanager
async def open_dashboard(house: House, database_url: str, redis_url: str, clock: SteppedClock | None = None) -> AsyncIterator[Dashboard]:
    """With two operators: ann, an owner, and vic, a viewer."""
    cheap = OperatorService(database=house.database, passwords=Argon2Passwords(memory_kib=64, iterations=1), clock=house.clock)
    await cheap.create("ann", PASSWORD)
    await cheap.create("vic", PASSWORD, Role.VIEWER)
    clock = clock or SteppedClock()
    async with opened("admin", database_url=database_url, redis_url=redis_url) as application:
        sessions = Sessions(application.redis, clock, SECRET)
        desk = Desk(application=application, sessions=sessions, gate=open_gate(application.redis), secret=SECRET)
        yield Dashboard(app=create_app(desk), application=application, house=house, clock=clock)

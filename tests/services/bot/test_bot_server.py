"""The bot's HTTP: who may bring updates, what is said when they cannot be kept, health and metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.bot.ingest import Intake
from services.bot.server import MAX_BODY, SECRET_HEADER, Server
from shared.application.health import HealthService
from shared.application.inbox import InboxService
from shared.bootstrap import Application
from tests.factories import BOT_ID, House, make_update, open_house

SECRET = "a-secret"
PATH = f"/telegram/webhook/{BOT_ID}"
AWAY = "postgresql+asyncpg://nobody@127.0.0.1:9/nowhere"


@asynccontextmanager
async def served(
    inbox: InboxService, health: HealthService, *, secret: str | None = SECRET
) -> AsyncIterator[tuple[TestClient[Any, Any], Server, list[bool]]]:
    woken: list[bool] = []
    intake = Intake(inbox, lambda received: woken.append(received.normal), bot_id=BOT_ID, notice="test")
    writing = asyncio.ensure_future(intake.run())
    server = Server(intake, health, bot_id=BOT_ID, secret=secret)
    async with TestClient(TestServer(server.app())) as client:
        yield client, server, woken
    writing.cancel()
    await asyncio.wait([writing])


async def post(client: TestClient[Any, Any], body: bytes, *secrets: str) -> aiohttp.ClientResponse:
    return await client.post(PATH, data=body, headers=[(SECRET_HEADER, secret) for secret in secrets])


async def kept(application: Application) -> list[tuple[Any, ...]]:
    return await House(database=application.chat.database).rows("select telegram_update_id, status from stored_updates order by sequence")


async def test_an_update_is_kept_before_it_is_acknowledged_and_wakes_the_consumer(application: Application) -> None:
    async with served(application.inbox, application.health) as (client, _, woken):
        response = await post(client, make_update(1), SECRET)
        assert (response.status, await response.read()) == (200, b"")
        assert (await kept(application), woken) == ([(1, "pending")], [True])
        assert (await post(client, make_update(1), SECRET)).status == 200
    assert await kept(application) == [(1, "pending")]


@pytest.mark.parametrize(
    "secrets", [(), ("",), ("wrong",), (SECRET + "x",), (SECRET[:-1],), (SECRET.upper(),), (SECRET, SECRET), ("пароль",)]
)
async def test_whoever_does_not_know_the_secret_is_refused_and_nothing_is_kept(application: Application, secrets: tuple[str, ...]) -> None:
    async with served(application.inbox, application.health) as (client, _, _woken):
        response = await post(client, make_update(1), *secrets)
        problem = await response.json(content_type="application/problem+json")
        assert (response.status, problem["code"]) == (401, "webhook_secret_wrong")
    assert await kept(application) == []


async def test_a_secret_of_foreign_bytes_is_refused_too(application: Application) -> None:
    async with served(application.inbox, application.health) as (client, _, _woken):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n{SECRET_HEADER}: ".encode() + b"\xff\xfe\r\n\r\n{}")
        assert (await reader.readline()).split()[1] in {b"400", b"401"}
        writer.close()
    assert await kept(application) == []


async def test_what_nobody_can_understand_is_acknowledged_and_kept_as_a_dead_letter(application: Application) -> None:
    async with served(application.inbox, application.health) as (client, _, _woken):
        for body in (b"", b"{", b'{"update_id": 5, "message": {', b"\xff\xfe"):
            assert (await post(client, body, SECRET)).status == 200
    assert [status for _, status in await kept(application)] == ["dead"] * 4


async def test_a_body_larger_than_any_update_is_refused(application: Application) -> None:
    async with served(application.inbox, application.health) as (client, _, _woken):
        response = await client.post(PATH, data=BytesIO(b"x" * (MAX_BODY + 1)), headers={SECRET_HEADER: SECRET})
        assert response.status == 413
        assert (await post(client, make_update(1), SECRET)).status == 200
    assert await kept(application) == [(1, "pending")]


async def test_telegram_is_asked_to_come_again_while_the_database_is_away(application: Application) -> None:
    async with open_house(AWAY) as nowhere, served(nowhere.inbox, application.health) as (client, _, woken):
        responses = await asyncio.gather(*(post(client, make_update(number), SECRET) for number in range(1, 6)))
        assert {(response.status, response.headers["Retry-After"]) for response in responses} == {(503, "2")}
        assert woken == []


async def test_a_process_that_is_stopping_takes_no_updates(application: Application) -> None:
    async with served(application.inbox, application.health) as (client, server, _woken):
        server.is_draining = True
        response = await post(client, make_update(1), SECRET)
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        health = await client.get("/health")
        assert (health.status, (await health.json())["status"]) == (503, "stopping")
    assert await kept(application) == []


async def test_without_a_secret_there_is_no_webhook(application: Application) -> None:
    async with served(application.inbox, application.health, secret=None) as (client, _, _woken):
        response = await post(client, make_update(1), "")
        assert (response.status, (await response.json(content_type=None))["code"]) == (404, "not_found")
        assert (await client.post("/telegram/webhook/99", data=b"{}")).status == 404


async def test_other_methods_are_refused_as_a_problem(application: Application) -> None:
    async with served(application.inbox, application.health) as (client, _, _woken):
        response = await client.get(PATH)
        assert (response.status, response.content_type) == (405, "application/problem+json")


async def test_health_shows_what_the_bot_depends_on(application: Application) -> None:
    async with served(application.inbox, application.health) as (client, _, _woken):
        response = await client.get("/health")
        health = await response.json()
        assert (response.status, health["status"]) == (200, "ok")
        assert {name: found["ok"] for name, found in health["dependencies"].items()} == {"database": True, "redis": True}


async def test_without_redis_the_bot_works_on_and_without_the_database_it_does_not(application: Application) -> None:
    async def away() -> None:
        raise OSError("gone")

    checks = dict(application.health.checks)
    for broken, expected in (("redis", (200, "degraded")), ("database", (503, "unavailable"))):
        health = replace(application.health, checks={**checks, broken: away})
        async with served(application.inbox, health) as (client, _, _woken):
            response = await client.get("/health")
            assert (response.status, (await response.json())["status"]) == expected


async def test_metrics_are_prometheus_text_and_count_requests_by_route(application: Application) -> None:
    async with served(application.inbox, application.health) as (client, _, _woken):
        await post(client, make_update(1), SECRET)
        await client.get("/nowhere/at/all")
        response = await client.get("/metrics")
        text = await response.text()
    assert response.content_type == "text/plain"
    assert f'vitte_http_request_seconds_count{{method="POST",route="{PATH}",service="bot",status="200"}}' in text
    assert 'route="none"' in text
    assert "/nowhere" not in text
    assert SECRET not in text

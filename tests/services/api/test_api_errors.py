"""What a caller reads when something is wrong: one form, a stable code, nothing from inside."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from services.api.app import create_app
from services.api.errors import UNKNOWN, status_of
from shared.domain.allowance import DailyTurnsSpentError
from shared.domain.errors import AppError
from tests.services.error_kinds import all_error_kinds
from tests.services.opening import client, opened


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    async with opened("api") as application:
        yield create_app(application)


@pytest.fixture
async def caller(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app) as caller:
        yield caller


def test_every_error_of_ours_has_a_status() -> None:
    kinds = all_error_kinds()
    assert len(kinds) > 15
    assert [kind.__name__ for kind in kinds if status_of(kind) is UNKNOWN] == []


def test_every_error_of_ours_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in all_error_kinds()]
    assert sorted(code for code in set(codes) if codes.count(code) > 1) == []
    assert AppError.code not in codes


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/v1/characters/", 404, "not_found"),
        ("GET", "/api/static/nothing.js", 404, "not_found"),
        ("DELETE", "/api/v1/characters", 405, "method_not_allowed"),
        ("GET", f"/api/v1/characters?language={'x' * 40}", 422, "invalid_input"),
        ("GET", "/api/v1/characters", 503, "database_unavailable"),
    ],
)
async def test_errors_have_one_form(caller: httpx.AsyncClient, method: str, path: str, status: int, code: str) -> None:
    answer = await caller.request(method, path, headers={"X-Request-ID": "abc-12345678"})
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert {name: body[name] for name in ("type", "status", "code", "request_id")} == {
        "type": "about:blank",
        "status": status,
        "code": code,
        "request_id": "abc-12345678",
    }
    assert body["title"]


async def test_an_unavailable_part_says_when_to_try_again(caller: httpx.AsyncClient) -> None:
    assert (await caller.get("/api/v1/characters")).headers["retry-after"] == "2"


async def test_a_wrong_method_names_the_right_ones(caller: httpx.AsyncClient) -> None:
    assert (await caller.post("/api/v1/health")).headers["allow"] == "GET"


async def test_what_was_sent_wrongly_is_not_repeated(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/api/v1/characters", params={"language": "my-secret-" * 5})
    assert answer.json()["errors"] == [{"where": "query.language", "why": "String should have at most 35 characters"}]
    assert "my-secret" not in answer.text


async def test_an_unexpected_error_tells_nothing_from_inside(app: FastAPI, caller: httpx.AsyncClient) -> None:
    async def fail() -> None:
        raise RuntimeError("password of the database is hunter2")

    app.add_api_route("/fail", fail)
    answer = await caller.get("/fail", headers={"X-Request-ID": "abc-12345678"})
    assert (answer.status_code, answer.headers["content-type"], answer.json()["code"]) == (
        500,
        "application/problem+json",
        "internal_error",
    )
    assert (answer.headers["x-request-id"], answer.headers["x-content-type-options"]) == ("abc-12345678", "nosniff")
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text


async def test_a_spent_allowance_says_when_it_comes_back(app: FastAPI, caller: httpx.AsyncClient) -> None:
    async def spend() -> None:
        raise DailyTurnsSpentError(limit=100, resets_at=datetime(2026, 11, 22, tzinfo=UTC))

    app.add_api_route("/spend", spend)
    answer = await caller.get("/spend")
    body = answer.json()
    assert (answer.status_code, body["code"], body["limit"], body["resets_at"]) == (
        429,
        "daily_turns_spent",
        100,
        "2026-11-22T00:00:00+00:00",
    )


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_body_that_is_too_large_is_refused(app: FastAPI, caller: httpx.AsyncClient, is_announced: bool) -> None:
    async def take(body: dict[str, str]) -> int:
        return len(body)

    app.add_api_route("/take", take, methods=["POST"])

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100_000

    content = b"x" * 3_000_000 if is_announced else pieces()
    answer = await caller.post("/take", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    small = await caller.post("/take", content=json.dumps({"a": "b"}), headers={"content-type": "application/json"})
    assert (small.status_code, small.json()) == (200, 1)

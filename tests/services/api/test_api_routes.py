"""The API as an integration or a monitor sees it."""

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from services.admin.rendering import STATIC as ADMIN_STATIC
from services.api.app import HEADERS, create_app
from services.api.docs import STATIC
from tests.factories import make_character, open_house
from tests.services.opening import client, opened


@pytest.fixture
async def caller(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened("api", database_url=database_url, redis_url=redis_url) as application, client(create_app(application)) as caller:
        yield caller


@pytest.fixture
async def lonely_caller() -> AsyncIterator[httpx.AsyncClient]:
    """Neither PostgreSQL nor Redis answers."""
    async with opened("api") as application, client(create_app(application)) as caller:
        yield caller


async def test_it_is_alive_whoever_else_is_not(lonely_caller: httpx.AsyncClient) -> None:
    answer = await lonely_caller.get("/api/v1/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(("path", "name"), [("db", "database"), ("redis", "redis")])
async def test_a_dependency_that_answers(caller: httpx.AsyncClient, path: str, name: str) -> None:
    answer = await caller.get(f"/api/v1/health/{path}")
    body = answer.json()
    latency = body["dependencies"][name].pop("latency_ms")
    assert (answer.status_code, body) == (200, {"status": "ok", "dependencies": {name: {"status": "ok"}}})
    assert 0 < latency < 2000


@pytest.mark.parametrize(("path", "name", "code"), [("db", "database", "database_unavailable"), ("redis", "redis", "redis_unavailable")])
async def test_a_dependency_that_is_away_is_named(lonely_caller: httpx.AsyncClient, path: str, name: str, code: str) -> None:
    answer = await lonely_caller.get(f"/api/v1/health/{path}")
    body = answer.json()
    del body["dependencies"][name]["latency_ms"]
    assert (answer.status_code, body) == (503, {"status": "unavailable", "dependencies": {name: {"status": "failed", "code": code}}})


async def test_characters_are_shown_in_order_and_without_what_the_model_is_told(database_url: str, caller: httpx.AsyncClient) -> None:
    async with open_house(database_url) as house:
        await house.rows("delete from characters")
        second = make_character(slug="wolf", name="Wolf", tagline={"en": "A wolf", "ru": "Волк"}, position=2)
        first = make_character(slug="fox", name="Fox", tagline={"en": "A fox"}, position=1, system_prompt="never show this")
        await house.add(second, first)
    answer = await caller.get("/api/v1/characters", params={"language": "ru-RU"})
    assert [(one["slug"], one["tagline"]) for one in answer.json()["characters"]] == [("fox", "A fox"), ("wolf", "Волк")]
    assert set(answer.json()["characters"][0]) == {"id", "slug", "name", "emoji", "tagline", "description", "is_default"}
    assert "never show this" not in answer.text


async def test_every_answer_has_the_protecting_headers(caller: httpx.AsyncClient) -> None:
    for path in ("/api/v1/health", "/nowhere", "/metrics"):
        answer = await caller.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("given", ["short", "with space and more", "x" * 65, "новый-идентификатор".encode(), 'quote"12345'])
async def test_a_request_id_that_is_none_is_replaced(caller: httpx.AsyncClient, given: str | bytes) -> None:
    answer = await caller.get("/api/v1/health", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_a_request_id_is_kept_and_given_back(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/api/v1/health", headers={"X-Request-ID": "from.nginx_0123-AB"})
    assert answer.headers["x-request-id"] == "from.nginx_0123-AB"


async def test_figures_go_by_route_and_never_by_address(caller: httpx.AsyncClient) -> None:
    await caller.get("/api/v1/characters?language=en")
    await caller.get("/api/v1/some-secret-place")
    figures = (await caller.get("/metrics")).text
    assert re.search(r'vitte_http_request_seconds_count\{method="GET",route="/api/v1/characters",service="api",status="200"\} \d', figures)
    assert re.search(r'vitte_http_request_seconds_count\{method="any",route="unmatched",service="api",status="404"\} \d', figures)
    assert "some-secret-place" not in figures


async def test_a_file_of_a_page_is_no_address_that_nobody_knows_and_needs_no_log_line(caller: httpx.AsyncClient) -> None:
    page = await caller.get("/api/docs")
    [file, *_] = re.findall(r'(?:src|href)="(/api/static/[^"]+)"', page.text)
    with capture_logs() as logs:
        assert (await caller.get(file)).status_code == 200
        assert (await caller.get("/api/static/a-secret-file.js")).status_code == 404
    told = [(entry["route"], entry["status"], entry["log_level"]) for entry in logs if entry["event"] == "request_served"]
    assert told == [("/api/static", 200, "debug"), ("/api/static", 404, "info")]
    figures = (await caller.get("/metrics")).text
    assert re.search(r'vitte_http_request_seconds_count\{method="GET",route="/api/static",service="api",status="200"\} \d', figures)
    assert "a-secret-file" not in figures


async def test_the_reference_needs_nothing_from_elsewhere(caller: httpx.AsyncClient) -> None:
    page = await caller.get("/api/docs")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert page.status_code == 200
    assert [address for address in addresses if not address.startswith(("/api/static/", "data:"))] == []
    for address in addresses:
        if address.startswith("/"):
            assert (await caller.get(address)).status_code == 200
    assert "/api/v1/characters" in (await caller.get("/api/openapi.json")).json()["paths"]


@pytest.mark.parametrize("folder", [STATIC / "vendor/swagger-ui", ADMIN_STATIC / "vendor"], ids=["api", "admin"])
def test_vendored_files_are_those_that_were_published(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    listed = {name: digest for digest, name in (line.split() for line in lines)}
    present = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.name != "SHA256SUMS"}
    assert listed == present

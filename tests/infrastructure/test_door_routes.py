"""Who is reached by which path, and what no path reaches."""

import json

import pytest
from aiohttp import web

from tests.infrastructure.door import Door
from tests.infrastructure.stand_ins import House

TOKEN = "123456" + ":" + "A" * 35


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/v1/health", "api"),
        ("/api/docs", "api"),
        ("/api/v1/characters?limit=2", "api"),
        ("/admin/", "admin"),
        ("/admin/login", "admin"),
        ("/admin/static/frame.css", "admin"),
        ("/telegram/webhook/1", "bot"),
        ("/grafana/d/vitte-overview", "grafana"),
        ("/grafana/explore/metrics", "grafana"),
    ],
)
async def test_each_path_reaches_its_service_as_it_was_asked(door: Door, house: House, path: str, service: str) -> None:
    answer = await door.ask(path)

    assert (answer.status, answer.json()["service"]) == (200, service)
    assert [heard.path for heard in house.only(service).heard] == [path]


@pytest.mark.parametrize(
    "path",
    [
        "/metrics", "/metrics/", "/METRICS", "/api/metrics", "/admin/metrics", "/grafana/metrics", "/grafana//metrics", "/api/v1/metrics",
        "/admin/%6detrics", "/api/../metrics", "/api/%2e%2e/metrics", "/grafana/x/../metrics", "/telegram/metrics", "//metrics",
    ],
)  # fmt: skip
async def test_figures_are_closed_to_the_outside(door: Door, house: House, path: str) -> None:
    answer = await door.ask(path)

    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    assert not any(upstream.heard for upstreams in house.upstreams.values() for upstream in upstreams)


@pytest.mark.parametrize("path", ["/", "/admin"])
async def test_a_person_who_types_the_bare_address_comes_to_the_dashboard(door: Door, path: str) -> None:
    answer = await door.ask(path)

    assert (answer.status, answer.headers["location"]) == (303, "/admin/")


@pytest.mark.parametrize(
    "path", ["/health", "/stub_status", "/healthz", "/.env", "/-/problem", "/wp-login.php", "/telegram/", "/prometheus/"]
)
async def test_what_is_not_promised_is_not_there(door: Door, path: str) -> None:
    answer = await door.ask(path)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() | {"request_id": ""} == {
        "type": "about:blank", "title": "There is nothing here", "code": "not_found", "status": 404, "request_id": ""
    }  # fmt: skip


async def test_the_chat_page_has_a_host_name_of_its_own(door: Door, house: House) -> None:
    sandbox = await house.start("sandbox")

    page = await door.ask("/", headers={"Host": "sandbox.localhost"})
    elsewhere = await door.ask("/sim/state")

    assert (page.status, page.json()["service"], elsewhere.status) == (200, "sandbox", 404)
    assert [(heard.path, heard.headers["host"]) for heard in sandbox.heard] == [("/", "sandbox.localhost")]


@pytest.mark.parametrize(
    "path", [f"/bot{TOKEN}/getMe", f"/file/bot{TOKEN}/photo.jpg", "/llm/v1/chat/completions", "//bot1/getMe", "/%62ot1/x"]
)
async def test_bots_and_models_of_the_sandbox_are_not_for_the_outside(door: Door, house: House, path: str) -> None:
    sandbox = await house.start("sandbox")

    answer = await door.ask(path, headers={"Host": "sandbox.localhost"})

    assert (answer.status, sandbox.heard) == (404, [])


async def test_without_the_demo_the_chat_page_says_that_it_is_away(door: Door) -> None:
    answer = await door.ask("/", headers={"Host": "sandbox.localhost"})

    assert (answer.status, answer.json()["code"]) == (502, "unavailable")


@pytest.mark.parametrize(
    ("service", "host", "path"),
    [("sandbox", "sandbox.localhost", "/sim/events?after=1"), ("api", "localhost", "/api/v1/dialogs/7/events")],
)
async def test_what_comes_piece_by_piece_arrives_piece_by_piece(door: Door, house: House, service: str, host: str, path: str) -> None:
    upstream = await house.start("sandbox") if service == "sandbox" else house.only(service)

    async with door.asking(path, headers={"Host": host}) as response:
        first = await response.content.readuntil(b"\n\n")
        upstream.stream.set()
        second = await response.content.readuntil(b"\n\n")

    assert (first, second) == (b"data: one\n\n", b"data: two\n\n")


async def test_upstreams_hear_who_asks_and_under_which_number(door: Door, house: House) -> None:
    await door.ask("/api/v1/characters", headers={"Host": "localhost:8080", "X-Request-ID": "mine", "Forwarded": "for=1.2.3.4"})

    [heard] = house.only("api").heard
    told = {name: heard.headers.get(name) for name in ("host", "x-forwarded-for", "x-real-ip", "x-forwarded-proto", "forwarded")}
    assert told == {
        "host": "localhost:8080", "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "x-forwarded-proto": "http", "forwarded": None
    }  # fmt: skip
    assert len(heard.headers["x-request-id"]) == 32


async def test_answers_of_the_services_pass_as_they_are(door: Door, house: House) -> None:
    def refuse(_: web.Request) -> web.Response:
        return web.json_response({"code": "database_unavailable"}, status=503, headers={"Retry-After": "9", "Server": "secret/1"})

    house.only("bot").answer = refuse
    answer = await door.ask("/telegram/webhook/1", "POST", data=b"{}")

    assert (answer.status, answer.json()) == (503, {"code": "database_unavailable"})
    assert (answer.headers["retry-after"], answer.headers["server"]) == ("9", "nginx")


async def test_the_log_has_no_query_and_no_token(door: Door, house: House) -> None:
    await house.start("sandbox")
    await door.ask("/api/v1/characters?key=sk-private", headers={"Referer": "http://localhost/?key=sk-private"})
    await door.ask(f"/bot{TOKEN}/getMe?text=private", headers={"Host": "sandbox.localhost"})
    await door.ask(f"/api/v1/x/{TOKEN}")
    await house.remove(house.only("admin"))
    await door.ask("/admin/?password=private")
    await door.say(b"GET /?private HTTP/1.1\r\nHost: a b\r\n\r\n")

    lines = await door.logged(5)
    assert [line["path"] for line in lines][:4] == ["/api/v1/characters", "[redacted]", "[redacted]", "/admin/"]
    assert [line["status"] for line in lines] == ["200", "404", "200", "502", "400"]
    assert "private" not in door.said()
    assert "A" * 35 not in door.said()
    assert json.dumps(lines[0]["upstream"]).count(":8000") == 1

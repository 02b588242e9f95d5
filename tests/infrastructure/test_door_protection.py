"""Limits, headers, and whom the door believes."""

import asyncio
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web

from tests.infrastructure.door import Door
from tests.infrastructure.stand_ins import House

POLICY = "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("path", "allowed", "refused"),
    [("/telegram/webhook/1", 1_000_000, 1_100_000), ("/api/v1/dialogs", 2_000_000, 2_200_000), ("/admin/login", 60_000, 70_000)],
)
async def test_a_body_is_taken_up_to_its_limit(door: Door, house: House, path: str, allowed: int, refused: int) -> None:
    taken = await door.ask(path, "POST", data=BytesIO(b"x" * allowed))
    too_large = await door.ask(path, "POST", data=BytesIO(b"x" * refused))

    assert (taken.status, too_large.status, too_large.json()["code"]) == (200, 413, "body_too_large")
    assert [heard.size for upstreams in house.upstreams.values() for upstream in upstreams for heard in upstream.heard] == [allowed]


async def asked_at_once(door: Door, times: int, path: str, method: str = "GET", **more: Any) -> dict[int, int]:
    answers = await asyncio.gather(*(door.ask(path, method, **more) for _ in range(times)))
    statuses = [answer.status for answer in answers]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


async def test_passwords_cannot_be_tried_in_a_row(door: Door, house: House) -> None:
    assert await asked_at_once(door, 20, "/admin/login", "POST", data=b"password=x") == {200: 11, 429: 9}
    assert await asked_at_once(door, 20, "/admin/login") == {200: 20}  # looking at the form is no try

    refused = await door.ask("/grafana/login", "POST", data=b"{}")  # the same budget
    assert (refused.status, refused.json()["code"], refused.headers["retry-after"]) == (429, "too_many_requests", "1")
    assert house.only("grafana").heard == []


async def test_one_who_asks_too_often_does_not_slow_others_down(make_door: type[Door], house: House) -> None:
    door = make_door(RATE_API="1r/s", TRUSTED_PROXIES="127.0.0.1")
    await door.open()

    greedy = await asked_at_once(door, 120, "/api/v1/characters", headers={"X-Forwarded-For": "203.0.113.1"})
    other = await door.ask("/api/v1/characters", headers={"X-Forwarded-For": "203.0.113.2"})
    hook = await asked_at_once(door, 150, "/telegram/webhook/1", "POST", data=b"{}", headers={"X-Forwarded-For": "203.0.113.1"})

    assert greedy[200] in (101, 102)
    assert greedy[429] == 120 - greedy[200]
    assert (other.status, hook) == (200, {200: 150})


async def test_what_the_services_do_not_say_the_door_adds(door: Door) -> None:
    answer = await door.ask("/api/v1/characters")

    said = {name: answer.headers.get(name) for name in ("x-content-type-options", "x-frame-options", "referrer-policy")}
    assert said == {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer"}
    assert answer.headers["content-security-policy"] == POLICY
    assert "strict-transport-security" not in answer.headers  # nobody can keep that promise over plain http
    assert answer.headers["server"] == "nginx"


async def test_what_a_service_says_itself_stays(door: Door, house: House) -> None:
    own = {"Content-Security-Policy": "default-src 'self'", "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "same-origin"}
    promise = {"Strict-Transport-Security": "max-age=31536000"}
    house.only("admin").answer = lambda _: web.Response(headers=own | promise)

    answer = await door.ask("/admin/")

    assert {name: answer.headers[name.lower()] for name in own} == own
    assert "strict-transport-security" not in answer.headers


async def test_our_own_refusals_have_the_headers_too(door: Door) -> None:
    answer = await door.ask("/metrics")

    assert (answer.headers["x-content-type-options"], answer.headers["content-security-policy"]) == ("nosniff", POLICY)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"])
async def test_an_address_that_somebody_claims_is_not_believed(door: Door, house: House, header: str) -> None:
    await door.ask("/api/v1/characters", headers={header: "149.154.167.1", "X-Forwarded-Proto": "https"})

    [heard] = house.only("api").heard
    assert (heard.headers["x-forwarded-for"], heard.headers["x-real-ip"], heard.headers["x-forwarded-proto"]) == (
        "127.0.0.1", "127.0.0.1", "http"
    )  # fmt: skip


async def test_a_trusted_proxy_is_believed_for_its_own_hop_only(make_door: type[Door], house: House) -> None:
    door = make_door(TRUSTED_PROXIES="10.0.0.0/8 127.0.0.1")
    await door.open()

    answer = await door.ask("/api/v1/x", headers={"X-Forwarded-For": "1.1.1.1, 203.0.113.9, 10.0.0.7", "X-Forwarded-Proto": "https"})

    [heard] = house.only("api").heard
    assert (heard.headers["x-forwarded-for"], heard.headers["x-forwarded-proto"]) == ("203.0.113.9", "https")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_with_the_allow_list_only_telegram_reaches_the_webhook(make_door: type[Door], house: House) -> None:
    door = make_door(TELEGRAM_ALLOW_LIST="on", TRUSTED_PROXIES="127.0.0.1")
    await door.open()

    async def status(source: str) -> int:
        return (await door.ask("/telegram/webhook/1", "POST", data=b"{}", headers={"X-Forwarded-For": source})).status

    inside = ("149.154.160.1", "149.154.175.254", "91.108.4.1", "91.108.7.254")
    outside = ("149.154.176.1", "91.108.8.1", "203.0.113.1", "149.154.160.1, 203.0.113.1")
    assert [await status(source) for source in inside] == [200] * 4
    assert [await status(source) for source in outside] == [403] * 4
    assert len(house.only("bot").heard) == 4


async def test_the_allow_list_is_not_passed_by_a_claim(make_door: type[Door], house: House) -> None:
    door = make_door(TELEGRAM_ALLOW_LIST="on")
    await door.open()

    answer = await door.ask("/telegram/webhook/1", "POST", data=b"{}", headers={"X-Forwarded-For": "149.154.160.1"})

    assert (answer.status, answer.json()["code"], house.only("bot").heard) == (403, "not_allowed", [])


@pytest.mark.parametrize("host", ["vitte.example", "WWW.vitte.example:8443", "localhost", "127.0.0.1", "nginx"])
async def test_our_names_are_answered(make_door: type[Door], host: str) -> None:
    door = make_door(SERVER_NAME="vitte.example www.vitte.example")
    await door.open()

    assert (await door.ask("/api/v1/health", headers={"Host": host})).status == 200


@pytest.mark.parametrize("host", ["evil.example", "vitte.example.evil.example", "notvitte.example", "203.0.113.1", "vitte", "example"])
async def test_a_foreign_host_name_reaches_nobody(make_door: type[Door], house: House, host: str) -> None:
    door = make_door(SERVER_NAME="vitte.example www.vitte.example")
    await door.open()

    answer = await door.ask("/admin/", headers={"Host": host})

    assert (answer.status, answer.json()["code"], house.only("admin").heard) == (421, "unknown_host", [])


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /admin/ HTTP/1.1\r\n\r\n",
        b"GET /admin/ HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /admin/ HTTP/1.1\r\nHost: local host\r\n\r\n",
        b"GET /admin/ HTTP/1.1\r\nHost: localhost/evil\r\n\r\n",
        b"POST /admin/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
async def test_malformed_requests_reach_nobody(door: Door, house: House, raw: bytes) -> None:
    answer = await door.say(raw)

    assert answer.split()[1] in (b"400", b"414")
    assert b"application/problem+json" in answer
    assert house.only("admin").heard == []


async def test_figures_for_the_exporter_are_inside(door: Door) -> None:
    answer = await door.ask("/stub_status", port=door.status_port)

    assert (answer.status, answer.body.splitlines()[0][:19]) == (200, b"Active connections:")

"""Upstreams come, go and come back elsewhere; the door finds them."""

import asyncio
import time

import pytest
from aiohttp import web

from tests.infrastructure.door import Door
from tests.infrastructure.stand_ins import House

LOOKED_UP_AGAIN = 5.0
"""Seconds for which nginx believes a name's old address."""


async def until_answered(door: Door, path: str, seconds: float) -> float:
    """How long it took."""
    began = time.monotonic()
    while (await door.ask(path)).status != 200:
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.1)
    return time.monotonic() - began


@pytest.mark.parametrize(("path", "service"), [("/telegram/webhook/1", "bot"), ("/api/v1/x", "api"), ("/admin/", "admin")])
async def test_a_service_that_is_away_is_explained_and_asked_again_later(door: Door, house: House, path: str, service: str) -> None:
    await house.remove(house.only(service))

    answer = await door.ask(path, "POST", data=b"{}")

    assert (answer.status, answer.headers["retry-after"]) == (502, "2")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], b"nginx" in answer.body) == ("unavailable", False)


async def test_a_service_that_restarts_elsewhere_is_found(door: Door, house: House) -> None:
    assert (await door.ask("/api/v1/x")).status == 200

    await house.remove(house.only("api"))
    assert (await door.ask("/api/v1/x")).status == 502
    new = await house.start("api")

    assert await until_answered(door, "/api/v1/x", seconds=10) < LOOKED_UP_AGAIN + 2
    assert len(new.heard) == 1


async def test_a_service_that_restarts_at_its_address_is_there_at_once(door: Door, house: House) -> None:
    upstream = house.only("admin")
    await upstream.stop()
    assert (await door.ask("/admin/")).status == 502

    await upstream.start()

    assert (await door.ask("/admin/")).status == 200


async def test_the_door_opens_before_anybody_is_behind_it(make_door: type[Door], house: House) -> None:
    for service in ("bot", "api", "admin", "grafana"):
        await house.remove(house.only(service))
    door = make_door()
    await door.open()
    assert (await door.ask("/api/v1/health")).status == 502

    await house.start("api")

    assert (await door.ask("/api/v1/health")).status == 200


async def test_replicas_share_the_updates(door: Door, house: House) -> None:
    await house.start("bot")
    await house.start("bot")

    answers = [await door.ask("/telegram/webhook/1", "POST", data=b"{}") for _ in range(90)]

    assert {answer.status for answer in answers} == {200}
    shares = [len(upstream.heard) for upstream in house.upstreams["bot"]]
    assert (sum(shares), min(shares) >= 10) == (90, True), shares


async def test_a_replica_that_died_costs_no_update(door: Door, house: House) -> None:
    dead = await house.start("bot")
    await dead.stop()  # its name still points there

    answers = [await door.ask("/telegram/webhook/1", "POST", data=b"{}") for _ in range(20)]

    assert [answer.status for answer in answers] == [200] * 20


async def test_a_replica_that_stops_hands_its_updates_on(door: Door, house: House) -> None:
    leaving = await house.start("bot")
    leaving.answer = lambda _: web.json_response({"code": "stopping"}, status=503)

    answers = [await door.ask("/telegram/webhook/1", "POST", data=b"{}") for _ in range(20)]

    assert [answer.status for answer in answers] == [200] * 20
    assert leaving.heard


async def test_a_change_that_may_have_happened_is_not_sent_twice(door: Door, house: House) -> None:
    def breaks(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    second = await house.start("api")
    for upstream in house.upstreams["api"]:
        upstream.answer = breaks

    answer = await door.ask("/api/v1/dialogs", "POST", data=b"{}")

    assert answer.status == 502
    assert len(house.upstreams["api"][0].heard) + len(second.heard) == 1


async def test_a_question_that_broke_off_is_asked_elsewhere(door: Door, house: House) -> None:
    def breaks(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    (await house.start("api")).answer = breaks

    assert {(await door.ask("/api/v1/characters")).status for _ in range(20)} == {200}

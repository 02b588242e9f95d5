"""What may not be done: from another site, without our token, by a viewer, by nobody. The routes come from the app itself."""

from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from services.admin.app import create_app
from services.admin.security import UNSAFE
from tests.services.admin.dashboard import Browser, Dashboard

OPEN_TO_ALL = {"/", "/admin", "/admin/login", "/admin/health", "/metrics"}
OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
FOREIGN: list[Mapping[str, str]] = [
    {},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.test"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.test"},
]


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path) of everything that the app serves, with numbers filled in."""
    found = [(method, str(one.path)) for one in iter_route_contexts(app.routes) for method in one.methods or ()]
    return [(method, path.replace("{bot_id}", "1").replace("{update_id}", "2")) for method, path in found]


UNSAFE_ROUTES = [(method, path) for method, path in routes(create_app(None)) if method in UNSAFE]  # type: ignore[arg-type]
CLOSED_PAGES = [path for method, path in routes(create_app(None)) if method == "GET" and path not in OPEN_TO_ALL]  # type: ignore[arg-type]


def test_the_routes_were_found() -> None:
    assert ("POST", "/admin/settings") in UNSAFE_ROUTES
    assert ("POST", "/admin/dead-letters/1/2/replay") in UNSAFE_ROUTES
    assert len(UNSAFE_ROUTES) >= 4
    assert len(CLOSED_PAGES) >= 6


async def send(browser: Browser, method: str, path: str, headers: Mapping[str, str], token: str | None) -> httpx.Response:
    form = {"login": "ann", "password": "x", "keep_messages_days": "1", **({"csrf": token} if token is not None else {})}
    return await browser.http.request(method, path, data=form, headers=headers)


async def nothing_changed(dashboard: Dashboard, browser: Browser) -> bool:
    switched = await dashboard.house.rows("select key from settings where key <> 'cache_epoch'")
    return not switched and (await browser.http.get("/admin/settings")).status_code == 200


@pytest.mark.parametrize(("method", "path"), UNSAFE_ROUTES)
async def test_nothing_is_done_for_another_site(dashboard: Dashboard, owner: Browser, method: str, path: str) -> None:
    token = await owner.token("/admin/settings")
    answers = [await send(owner, method, path, headers, token) for headers in FOREIGN]
    assert [answer.status_code for answer in answers] == [403] * len(FOREIGN)
    assert await nothing_changed(dashboard, owner)


@pytest.mark.parametrize(("method", "path"), UNSAFE_ROUTES)
async def test_nothing_is_done_without_our_token(dashboard: Dashboard, owner: Browser, viewer: Browser, method: str, path: str) -> None:
    others = await viewer.token("/admin/settings")
    answers = [await send(owner, method, path, OURS, token) for token in (None, "", "wrong", others)]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert await nothing_changed(dashboard, owner)


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path in UNSAFE_ROUTES if "/log" not in path])
async def test_a_viewer_changes_nothing(dashboard: Dashboard, viewer: Browser, method: str, path: str) -> None:
    answer = await send(viewer, method, path, OURS, await viewer.token("/admin/settings"))
    assert (answer.status_code, "may look, but not change" in answer.text) == (403, True)
    assert await nothing_changed(dashboard, viewer)


async def test_a_viewer_may_leave(viewer: Browser) -> None:
    assert (await viewer.post("/admin/logout", token_from="/admin/settings")).status_code == 303


@pytest.mark.parametrize("path", CLOSED_PAGES)
async def test_strangers_see_no_page(dashboard: Dashboard, path: str) -> None:
    async with dashboard.browser() as stranger:
        answer = await stranger.http.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0], answer.text) == (303, "/admin/login", "")


@pytest.mark.parametrize(("method", "path"), UNSAFE_ROUTES)
async def test_strangers_do_nothing(dashboard: Dashboard, method: str, path: str) -> None:
    async with dashboard.browser() as stranger:
        answer = await send(stranger, method, path, OURS, "anything")
        assert (answer.status_code, answer.headers.get("location", "/admin/login")) in {(303, "/admin/login"), (403, "/admin/login")}
    assert await dashboard.house.rows("select key from settings where key <> 'cache_epoch'") == []


@pytest.mark.parametrize("path", ["/admin/", "/admin/settings", "/admin/dead-letters"])
async def test_a_strange_host_opens_nothing(dashboard: Dashboard, path: str) -> None:
    async with dashboard.browser() as stranger:
        for host in ("evil.test/admin/health?", "localhost/metrics#", "a b", "localhost:99999"):
            assert (await stranger.http.get(path, headers={"Host": host})).status_code in {303, 400, 421}

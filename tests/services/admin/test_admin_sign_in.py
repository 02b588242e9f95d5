"""Getting in, staying in, getting out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from services.admin.gate import LoginGate, TooManyLoginsError, open_gate
from shared.adapters.redis import RedisGate, open_redis
from tests.services.admin.dashboard import PASSWORD, Browser, Dashboard
from tests.services.opening import NOWHERE_REDIS

OVERVIEW = "/admin/"


async def is_in(browser: Browser) -> bool:
    answer = await browser.http.get(OVERVIEW)
    assert answer.status_code in {200, 303}
    return answer.status_code == 200


async def test_the_right_password_lets_in(dashboard: Dashboard) -> None:
    async with dashboard.browser() as browser:
        assert not await is_in(browser)
        answer = await browser.sign_in(" ANN ")
        assert (answer.status_code, answer.headers["location"]) == (303, OVERVIEW)
        assert await is_in(browser)
    [(at,)] = await dashboard.house.rows("select last_login_at is not null from operators where login = 'ann'")
    assert at is True


@pytest.mark.parametrize(
    ("login", "password"), [("ann", "wrong password"), ("nobody", PASSWORD), ("ann\x00", PASSWORD), ("ann", "x" * 1500)]
)
async def test_a_wrong_login_is_told_from_a_wrong_password_by_nobody(dashboard: Dashboard, login: str, password: str) -> None:
    async with dashboard.browser() as browser:
        answer = await browser.sign_in(login, password)
        assert (answer.status_code, "Login or password is wrong." in answer.text, password in answer.text) == (403, True, False)
        assert not await is_in(browser)


async def test_the_cookie_cannot_be_read_by_scripts_and_stays_here(dashboard: Dashboard) -> None:
    async with dashboard.browser() as browser:
        cookie = (await browser.sign_in()).headers["set-cookie"]
    assert cookie.startswith("vitte_admin=")
    assert [part.strip() for part in cookie.split(";")[1:]] == ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"]


async def test_over_https_the_cookie_belongs_to_this_host_alone(dashboard: Dashboard) -> None:
    async with dashboard.browser(base="https://vitte.test") as browser:
        cookie = (await browser.sign_in()).headers["set-cookie"]
        assert cookie.startswith("__Host-vitte_admin=")
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
        assert "domain" not in cookie.lower()
        assert await is_in(browser)


async def test_nobody_signs_in_over_plain_http_from_elsewhere(dashboard: Dashboard) -> None:
    async with dashboard.browser(base="http://192.0.2.7:8001") as browser:
        answer = await browser.sign_in()
        assert (answer.status_code, "Signing in needs https" in answer.text) == (403, True)
        assert not await is_in(browser)


async def test_a_session_made_before_is_not_the_one_after(dashboard: Dashboard) -> None:
    async with dashboard.signed_in() as browser, dashboard.browser() as thief:
        before = browser.http.cookies["vitte_admin"]
        token = await thief.token("/admin/login")
        visit = thief.http.cookies["vitte_visit"]
        form = {"login": "ann", "password": PASSWORD, "csrf": token}
        headers = {"Origin": "http://localhost", "Cookie": f"vitte_visit={visit}; vitte_admin={before}"}
        answer = await thief.http.post("/admin/login", data=form, headers=headers)
        assert (answer.status_code, before in answer.headers["set-cookie"]) == (303, False)
        assert await is_in(thief)
        thief.http.cookies.clear()
        thief.http.cookies.set("vitte_admin", before)
        assert not await is_in(thief)


async def test_after_signing_out_the_cookie_is_worth_nothing(dashboard: Dashboard, owner: Browser) -> None:
    cookie = owner.http.cookies["vitte_admin"]
    answer = await owner.post("/admin/logout", token_from="/admin/settings")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login")
    assert 'vitte_admin=""' in answer.headers["set-cookie"]
    async with dashboard.browser() as replay:
        replay.http.cookies.set("vitte_admin", cookie)
        assert not await is_in(replay)


@pytest.mark.parametrize("change", ["", "x", "first"])
async def test_a_cookie_that_was_changed_is_worth_nothing(dashboard: Dashboard, owner: Browser, change: str) -> None:
    cookie = owner.http.cookies["vitte_admin"]
    forged = {"": "", "x": cookie + "x", "first": ("A" if cookie[0] != "A" else "B") + cookie[1:]}[change]
    async with dashboard.browser() as browser:
        browser.http.cookies.set("vitte_admin", forged)
        assert not await is_in(browser)


async def test_redis_holds_no_cookie(dashboard: Dashboard, owner: Browser) -> None:
    session_id = owner.http.cookies["vitte_admin"].rpartition(".")[0]
    keys = await dashboard.application.redis.client.keys("*")
    held = "".join([*keys, *[await dashboard.application.redis.client.get(key) for key in keys if "session" in key]])
    assert "vitte:admin:session:" in held
    assert session_id not in held


async def test_a_session_ends_after_half_an_hour_without_use(dashboard: Dashboard, owner: Browser) -> None:
    dashboard.clock.go_on(minutes=29)
    assert await is_in(owner)
    dashboard.clock.go_on(minutes=29)
    assert await is_in(owner)
    dashboard.clock.go_on(minutes=30)
    assert not await is_in(owner)


async def test_a_page_that_refreshes_itself_keeps_no_session_awake(dashboard: Dashboard, owner: Browser) -> None:
    for _ in range(3):
        dashboard.clock.go_on(minutes=9)
        assert (await owner.http.get("/admin/overview/figures", headers={"HX-Request": "true"})).status_code == 200
    dashboard.clock.go_on(minutes=4)
    answer = await owner.http.get("/admin/overview/figures", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/admin/login")


async def test_a_session_ends_after_twelve_hours_of_use(dashboard: Dashboard, owner: Browser) -> None:
    for _ in range(35):
        dashboard.clock.go_on(minutes=20)
        assert await is_in(owner)
    dashboard.clock.go_on(minutes=20)
    assert not await is_in(owner)


async def test_an_operator_who_is_disabled_is_out_at_once(dashboard: Dashboard, owner: Browser) -> None:
    await dashboard.house.rows("update operators set disabled_at = now() where login = 'ann'")
    assert not await is_in(owner)


async def test_after_ten_attempts_even_the_right_password_waits(dashboard: Dashboard) -> None:
    async with dashboard.browser() as browser:
        codes = [(await browser.sign_in(password=f"wrong password {number}")).status_code for number in range(10)]
        late = await browser.sign_in()
        assert (codes, late.status_code, "Wait five minutes" in late.text) == ([403] * 10, 429, True)
        assert not await is_in(browser)
    async with dashboard.browser(address="192.0.2.9") as elsewhere:
        assert (await elsewhere.sign_in()).status_code == 303


@pytest.fixture
async def gates(redis_url: str) -> AsyncIterator[list[LoginGate]]:
    """Those of two processes."""
    async with AsyncExitStack() as closing:
        redis = [RedisGate(open_redis(redis_url)) for _ in range(2)]
        for one in redis:
            closing.push_async_callback(one.aclose)
        yield [open_gate(one) for one in redis]


async def test_one_address_cannot_try_many_logins(gates: list[LoginGate]) -> None:
    gate = gates[0]
    for number in range(30):
        await gate.pass_or_refuse(f"login{number}", "192.0.2.1")
    with pytest.raises(TooManyLoginsError):
        await gate.pass_or_refuse("another", "192.0.2.1")
    await gate.pass_or_refuse("another", "192.0.2.2")


async def test_two_processes_count_together(gates: list[LoginGate]) -> None:
    passed = await asyncio.gather(*(gates[number % 2].pass_or_refuse("ann", "192.0.2.1") for number in range(16)), return_exceptions=True)
    assert sum(one is None for one in passed) == 10
    assert sum(isinstance(one, TooManyLoginsError) for one in passed) == 6


async def test_without_redis_the_limit_stays() -> None:
    gate = open_gate(RedisGate(open_redis(NOWHERE_REDIS)))
    for _ in range(10):
        await gate.pass_or_refuse("ann", "192.0.2.1")
    with pytest.raises(TooManyLoginsError):
        await gate.pass_or_refuse("Ann ", "192.0.2.1")


@pytest.mark.parametrize(
    ("wanted", "lands"),
    [
        ("/admin/settings", "/admin/settings"),
        ("//evil.test/admin/", OVERVIEW),
        ("https://evil.test", OVERVIEW),
        ("/admin/..//evil.test", OVERVIEW),
        ("/admin/\r\nSet-Cookie: a=b", OVERVIEW),
        ("javascript:alert(1)", OVERVIEW),
    ],
)
async def test_after_signing_in_only_our_own_pages_come_next(dashboard: Dashboard, wanted: str, lands: str) -> None:
    async with dashboard.browser() as browser:
        assert (await browser.sign_in(next=wanted)).headers["location"] == lands


async def test_who_was_sent_to_the_door_comes_back_to_the_page(dashboard: Dashboard) -> None:
    async with dashboard.browser() as browser:
        sent = await browser.http.get("/admin/settings")
        assert sent.headers["location"] == "/admin/login?next=/admin/settings"
        assert 'name="next" value="/admin/settings"' in (await browser.http.get(sent.headers["location"])).text

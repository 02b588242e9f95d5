"""What an operator reads when one thing of a running installation is broken: the thing, the setting, and what to do."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from aiohttp import web
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from scripts.doctor import showing
from scripts.doctor.findings import Finding, Kind, Level, dumped, loaded, scrubbed
from scripts.doctor.inside import redis
from scripts.doctor.inside.database import about_revision
from scripts.doctor.inside.webhook import judged
from scripts.local.ports import free_port
from scripts.local.valkey import ValkeyServer
from shared.adapters import celery_jobs
from tests.scripts.clinic import BOT_ID, KNOWN, Clinic, only, provider, secret


async def test_in_a_healthy_installation_everything_is_ok(clinic: Clinic) -> None:
    found = await clinic.examine()

    assert [finding for finding in found if finding.level is not Level.OK or finding.do] == []
    areas = {finding.area for finding in found}
    assert areas == {
        "BOT_TOKEN",
        "clock",
        "webhook",
        "models",
        "S3",
        "database",
        "migrations",
        "inbox",
        "Redis",
        "cache",
        "jobs",
        "schedule",
    }
    assert [finding.found for finding in found if finding.area == "migrations"] == [f"the tables are up to date ({KNOWN[-1]})"]


async def test_looking_leaves_nothing_behind(clinic: Clinic, redis_server: ValkeyServer) -> None:
    before = redis_server.ask(b"DBSIZE\r\n")
    await clinic.examine()
    assert redis_server.ask(b"DBSIZE\r\n") == before
    async with clinic.session.get(f"{clinic.settings['s3_endpoint']}/vitte") as listed:
        assert b"doctor/" not in await listed.read()


async def test_a_revoked_token(clinic: Clinic) -> None:
    found = only(await clinic.wrong(bot_token=f"{BOT_ID}:{secret('R')}"), Level.FAIL, "BOT_TOKEN")
    assert found.found == "is refused by Telegram (401): revoked or mistyped"
    assert "@BotFather" in found.do
    assert "`make up`" in found.do


async def test_telegram_out_of_reach(clinic: Clinic) -> None:
    port = free_port()
    found = only(await clinic.wrong(telegram_api_url=f"http://127.0.0.1:{port}"), Level.FAIL, "Telegram")
    assert found.found == f"127.0.0.1:{port} cannot be reached"
    assert "TELEGRAM_API_URL" in found.do


async def test_a_webhook_while_the_bot_polls(clinic: Clinic) -> None:
    await clinic.call("setWebhook", url="http://127.0.0.1:9/elsewhere")
    found = only(await clinic.wrong(), Level.FAIL, "webhook")
    assert "TELEGRAM_MODE is polling" in found.found
    assert "409" in found.found
    assert "`docker compose restart bot`" in found.do


async def test_no_webhook_where_one_is_wanted(clinic: Clinic) -> None:
    found = only(await clinic.wrong(telegram_mode="webhook", webhook_url="https://bot.vitte.test"), Level.FAIL, "webhook")
    assert found.found == "none is set, and TELEGRAM_MODE is webhook: nothing arrives"


async def test_a_webhook_that_leads_elsewhere_is_named_by_its_host_alone(clinic: Clinic) -> None:
    await clinic.call("setWebhook", url=f"http://127.0.0.1:9/{secret('H')}")
    found = only(await clinic.wrong(telegram_mode="webhook", webhook_url="https://bot.vitte.test"), Level.FAIL, "webhook")
    assert found.found == "is set to 127.0.0.1:9, and WEBHOOK_URL says bot.vitte.test"


async def test_the_right_webhook_is_ok(clinic: Clinic) -> None:
    await clinic.call("setWebhook", url=f"https://bot.vitte.test/telegram/webhook/{BOT_ID}")
    assert await clinic.wrong(telegram_mode="webhook", webhook_url="https://bot.vitte.test/") == []


@pytest.mark.parametrize(
    ("said", "meaning", "remedy"),
    [
        ("SSL error {error:1416F086:SSL routines:certificate verify failed}", "does not trust the certificate", "fullchain.pem"),
        ("Wrong response from the webhook: 401 Unauthorized", "refuses Telegram's secret", "WEBHOOK_SECRET"),
        ("Wrong response from the webhook: 502 Bad Gateway", "the bot behind it does not", "make logs s=bot"),
        ("Connection timed out", "does not answer Telegram", "port 443"),
        ("Failed to resolve host: Name or service not known", "is not known", "DNS"),
        ("Something new", "the call failed", "make logs s=bot"),
    ],
)
def test_what_telegram_complained_of_is_explained(clinic: Clinic, said: str, meaning: str, remedy: str) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    patient = clinic.patient(telegram_mode="webhook", webhook_url="https://b.test", clock=lambda: now)
    info = {"url": f"https://b.test/telegram/webhook/{BOT_ID}", "last_error_date": int(now.timestamp()) - 300, "last_error_message": said}
    late = only(judged(patient, {**info, "pending_update_count": 3}, BOT_ID)[1:], Level.FAIL, "webhook")
    assert late.found.startswith("Telegram could not deliver 5 min ago: ")
    assert meaning in late.found
    assert remedy in late.do
    assert judged(patient, info, BOT_ID)[1].level is Level.WARN
    old = {**info, "last_error_date": int(now.timestamp()) - 86_400}
    assert judged(patient, old, BOT_ID)[1].level is Level.OK


def test_what_telegram_said_is_shown_without_addresses(clinic: Clinic) -> None:
    now = datetime.now(UTC)
    address = f"https://x.test/{secret('P')}"
    info = {"url": "", "last_error_date": int(now.timestamp()), "last_error_message": f"bad {address} {BOT_ID}:{secret('Q')}"}
    shown = dumped(judged(clinic.patient(), info, BOT_ID))
    assert secret("P") not in shown
    assert secret("Q") not in shown


async def test_many_updates_wait_at_telegram(clinic: Clinic) -> None:
    found = judged(clinic.patient(), {"url": "", "pending_update_count": 201}, BOT_ID)
    assert only(found[1:], Level.WARN, "webhook").found == "201 updates wait at Telegram"


async def test_a_database_that_is_away(clinic: Clinic) -> None:
    port = free_port()
    found = only(await clinic.wrong(database_url=f"postgresql+asyncpg://v:{secret('D')}@127.0.0.1:{port}/vitte"), Level.FAIL, "database")
    assert found.found == f"PostgreSQL at 127.0.0.1:{port} does not answer (DATABASE_URL)"
    assert "make logs s=postgres" in found.do


async def test_a_wrong_password_of_the_database(clinic: Clinic) -> None:
    url = make_url(clinic.settings["database_url"]).set(password=secret("D")).render_as_string(hide_password=False)
    found = only(await clinic.wrong(database_url=url), Level.FAIL, "database")
    assert found.found.endswith("refuses user or password of DATABASE_URL")
    assert "POSTGRES_APP_PASSWORD" in found.do
    assert "10-roles.sh" in found.do


async def test_a_database_that_does_not_exist(clinic: Clinic) -> None:
    url = make_url(clinic.settings["database_url"]).set(database="nowhere").render_as_string(hide_password=False)
    assert "has no database" in only(await clinic.wrong(database_url=url), Level.FAIL, "database").found


async def test_a_role_that_may_not_write(clinic: Clinic) -> None:
    address = make_url(clinic.settings["database_url"])
    owner = await asyncpg.connect(address.set(drivername="postgresql").render_as_string(hide_password=False))
    reader, password = f"reader_{address.database}", secret("V")
    await owner.execute(f"create role {reader} login password '{password}'; grant select on all tables in schema public to {reader}")
    try:
        url = address.set(username=reader, password=password).render_as_string(hide_password=False)
        found = only(await clinic.wrong(database_url=url), Level.FAIL, "database")
        assert found.found == "its role may not write our tables"
    finally:
        await owner.execute(f"drop owned by {reader}; drop role {reader}")
        await owner.close()


async def test_an_empty_database_was_never_migrated(clinic: Clinic, empty_database_url: str) -> None:
    found = only(await clinic.wrong(database_url=empty_database_url), Level.FAIL, "migrations")
    assert found.found == f"none has run: there are no tables, and the code needs {KNOWN[-1]}"
    assert found.do == "`make up`"


async def test_tables_that_are_behind_or_ahead_of_the_code(clinic: Clinic) -> None:
    behind = only(await clinic.wrong(known=(*KNOWN, "0098", "0099")), Level.FAIL, "migrations")
    assert behind.found == f"the tables are 2 behind the code ({KNOWN[-1]}, the code has 0099)"
    assert behind.do == "`make update`"
    ahead = only(await clinic.wrong(known=("0000",)), Level.WARN, "migrations")
    assert ahead.found == f"the tables are newer than this code ({KNOWN[-1]}, the code knows up to 0000)"


def test_the_demo_is_told_its_own_commands(clinic: Clinic) -> None:
    patient = clinic.patient()
    demo = type(patient)(settings=patient.settings, kind=Kind.DEMO, known=KNOWN)
    assert about_revision(demo, None).do == "`make migrate`"


async def _execute(clinic: Clinic, statement: str) -> None:
    address = make_url(clinic.settings["database_url"]).set(drivername="postgresql")
    connection = await asyncpg.connect(address.render_as_string(hide_password=False))
    await connection.execute(statement)
    await connection.close()


STORED = """
insert into stored_updates (telegram_bot_id, telegram_update_id, lane, kind, body, status, received_at, handled_at)
values (1, {id}, 'chat:1', 'message', 'x', '{status}', now() - interval '{age}', {handled});
"""
LANE = """
insert into lanes (telegram_bot_id, lane, is_priority, arrivals, handled, attempts, failures, token, due_at)
values (1, '{lane}', false, 1, 0, 0, {failures}, 0, {due});
"""


async def test_updates_that_wait_too_long(clinic: Clinic) -> None:
    await _execute(
        clinic, STORED.format(id=1, status="pending", age="10 min", handled="null") + LANE.format(lane="x", failures=0, due="now()")
    )
    found = only(await clinic.wrong(), Level.FAIL, "inbox")
    assert found.found == "1 updates wait, the oldest for 10 min: people get no answer"


async def test_lanes_that_nobody_takes_or_that_fail(clinic: Clinic) -> None:
    lanes = LANE.format(lane="late", failures=0, due="now() - interval '5 min'") + LANE.format(
        lane="bad", failures=2, due="now() + interval '1 min'"
    )
    forgotten = STORED.format(id=2, status="pending", age="1 s", handled="null") + LANE.format(lane="chat:1", failures=0, due="null")
    await _execute(clinic, lanes + forgotten)
    assert [(finding.level, finding.found) for finding in await clinic.wrong()] == [
        (Level.FAIL, "1 chats are due and nobody takes them"),
        (Level.WARN, "1 chats have updates that nobody looks at"),
        (Level.WARN, "1 chats failed and are tried again"),
    ]


async def test_dead_letters_are_told_and_old_ones_do_not_warn(clinic: Clinic) -> None:
    await _execute(clinic, STORED.format(id=3, status="dead", age="3 days", handled="now() - interval '2 days'"))
    assert await clinic.wrong() == []
    await _execute(clinic, STORED.format(id=4, status="dead", age="1 h", handled="now()"))
    found = only(await clinic.wrong(), Level.WARN, "inbox")
    assert found.found == "1 updates of the last 24 h were given up (2 in all)"


async def test_a_wrong_password_of_redis(clinic: Clinic, redis_server: ValkeyServer) -> None:
    url = f"redis://:{secret('X')}@127.0.0.1:{redis_server.port}/0"
    found = await clinic.wrong(process="api", redis_url=url)
    assert "refuses user or password of REDIS_URL" in only(found, Level.FAIL, "Redis").found
    assert "REDIS_PASSWORD_API" in found[0].do


async def test_a_redis_that_is_away(clinic: Clinic) -> None:
    port = free_port()
    found = only(await clinic.wrong(process="admin", redis_url=f"redis://127.0.0.1:{port}/0"), Level.FAIL, "Redis")
    assert found.found == f"Redis at 127.0.0.1:{port} does not answer (REDIS_URL)"


@asynccontextmanager
async def configured(server: ValkeyServer, name: str, value: str, before: str) -> AsyncIterator[None]:
    client = Redis.from_url(server.url())
    await client.config_set(name, value)
    try:
        yield
    finally:
        await client.config_set(name, before)
        await client.aclose()


async def test_a_redis_that_forgets(clinic: Clinic, redis_server: ValkeyServer) -> None:
    async with configured(redis_server, "maxmemory-policy", "allkeys-lru", "noeviction"):
        found = only(await clinic.wrong(process="api"), Level.FAIL, "Redis")
    assert "noeviction" in found.do


async def test_a_redis_that_is_full(clinic: Clinic, redis_server: ValkeyServer) -> None:
    async with configured(redis_server, "maxmemory", "1", "0"):
        found = await clinic.wrong(process="api", cache_url=None)
    assert only(found, Level.FAIL, "Redis").found.endswith("is full and refuses writes")


def job(age: float) -> str:
    return json.dumps({"body": "secret", "headers": {"vitte_queued_at": time.time() - age}})


@pytest.mark.parametrize(("age", "level"), [(5, Level.OK), (90, Level.WARN), (400, Level.FAIL)])
async def test_jobs_that_no_worker_takes(clinic: Clinic, redis_server: ValkeyServer, age: float, level: Level) -> None:
    broker = Redis.from_url(redis_server.url(1))
    await broker.lpush("upkeep", job(age), job(1))
    await broker.aclose()
    [found] = [finding for finding in await clinic.examine(process="worker") if finding.area == "jobs"]
    assert found.level is level
    assert found.found.startswith("2 ")


def test_the_queues_are_those_that_jobs_are_sent_to() -> None:
    assert (redis.QUEUES, redis.QUEUED_HEADER) == (celery_jobs.QUEUES, celery_jobs.QUEUED_HEADER)


async def test_no_schedule(clinic: Clinic, redis_server: ValkeyServer) -> None:
    broker = Redis.from_url(redis_server.url(1))
    await broker.delete("vitte:schedule::lock")
    await broker.aclose()
    assert "make logs s=schedule" in only(await clinic.wrong(process="worker"), Level.FAIL, "schedule").do


async def test_a_bucket_that_is_not_there(clinic: Clinic) -> None:
    found = only(await clinic.wrong(s3_bucket="elsewhere"), Level.FAIL, "S3")
    assert "the bucket elsewhere does not exist" in found.found
    assert "`docker compose run --rm bucket`" in found.do


async def test_keys_that_the_store_refuses(clinic: Clinic) -> None:
    checks_keys = f"{clinic.settings['s3_endpoint']}/moto-api/reset-auth"
    async with clinic.session.post(checks_keys, data=b"0"):
        found = await clinic.wrong()
    async with clinic.session.post(checks_keys, data=b"inf"):
        only(found, Level.FAIL, "S3")
    assert "refuses the keys (InvalidAccessKeyId)" in found[0].found
    assert "S3_ACCESS_KEY and S3_SECRET_KEY" in found[0].do


async def test_a_store_that_is_away(clinic: Clinic) -> None:
    found = only(await clinic.wrong(s3_endpoint=f"http://127.0.0.1:{free_port()}"), Level.FAIL, "S3")
    assert found.found.endswith("does not answer (S3_ENDPOINT)")


@pytest.mark.parametrize(("apart", "level"), [(-10, Level.WARN), (10, Level.WARN), (300, Level.FAIL)])
async def test_a_clock_that_goes_wrong(clinic: Clinic, apart: float, level: Level) -> None:
    found = await clinic.wrong(clock=lambda: datetime.now(UTC) + timedelta(seconds=apart))
    assert [(finding.level, finding.area) for finding in found] == [(level, "clock")] * 2
    side = "ahead of" if apart > 0 else "behind"
    assert found[0].found.endswith(f"s {side} Telegram")
    assert found[1].found.endswith(f"s {side} PostgreSQL")
    assert "timedatectl" in found[0].do


async def test_what_hangs_is_told_within_its_time_and_holds_up_nothing_else(clinic: Clinic) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and says nothing
        url = f"postgresql+asyncpg://v:{secret('D')}@127.0.0.1:{deaf.getsockname()[1]}/vitte"
        began = time.monotonic()
        found = await clinic.wrong(limit=0.5, database_url=url)
        assert time.monotonic() - began < 3
    assert only(found, Level.FAIL, "database").found == "did not answer within 0.5 s"


async def test_no_secret_is_shown_whatever_is_broken(clinic: Clinic) -> None:
    """Every secret is a wrong one, and every server says no in its own way."""

    def quoting(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": f"bad {request.headers.get('Authorization')}"}}, status=418)

    port = free_port()
    async with provider(models=quoting) as address:
        broken = {
            "bot_token": f"{BOT_ID}:{secret('R')}",
            "database_url": f"postgresql+asyncpg://v:{secret('D')}@127.0.0.1:{port}/vitte",
            "redis_url": f"redis://:{secret('X')}@127.0.0.1:{port}/0",
            "cache_url": f"redis://:{secret('Y')}@127.0.0.1:{port}/0",
            "openai_base_url": address,
            "s3_bucket": "elsewhere",
        }
        patient = clinic.patient(**broken)
        found = await clinic.examine(**broken)
    shown = "\n".join(showing.lines(found, coloured=True)) + showing.as_json("compose", found)
    assert {finding.area for finding in found if finding.level is Level.FAIL} == {"BOT_TOKEN", "database", "models", "Redis", "cache", "S3"}
    assert [value for value in patient.secrets() if len(value) > 6 and value in shown] == []
    assert [letter for letter in "TKASWRDXY" if secret(letter) in shown] == []


def test_a_secret_that_a_server_quotes_is_hidden_and_lines_stay_single(clinic: Clinic) -> None:
    quoted = Finding("S3", Level.FAIL, f"said\n{secret('S')} twice", f"redis://:{secret('K')}@h")
    [clean] = scrubbed([quoted], [secret("S"), secret("K"), "", "abc"])
    assert (clean.found, clean.do) == ("said ******** twice", "redis://:********@h")


async def test_findings_travel_as_json(clinic: Clinic) -> None:
    found = await clinic.examine()
    assert loaded(dumped(found)) == found
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="no findings"):
        loaded('[{"area": 1}]')

"""Worker and schedule as an operator runs them: real Redis, real PostgreSQL, real signals."""

import os
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from services.worker.runtime import Runtime
from shared.adapters.celery_jobs import CeleryJobs
from shared.application.jobs import ResendPending
from shared.settings import Settings
from shared.telemetry import correlated
from tests.factories import BOT_ID, House, make_update, make_user, open_house
from tests.services.opening import NOWHERE_DATABASE, NOWHERE_REDIS
from tests.services.running_process import free_port, running


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with open_house(database_url) as house:
        yield house


def settings(database_url: str, redis_url: str, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CELERY_BROKER_URL": redis_url.replace("/0", "/3"),
        "WORKER_PORT": str(port),
        "WORKER_CONCURRENCY": "2",
        "DB_CONNECT_TIMEOUT": "1",
    }


async def test_a_job_is_done_and_its_id_is_on_every_line(house: House, database_url: str, redis_url: str, tmp_path: Path) -> None:
    await house.inbox.receive(BOT_ID, [make_update(1)], notice="a")
    await house.rows("update lanes set due_at = null")
    port = free_port()
    with running("services.worker", settings(database_url, redis_url, port), tmp_path) as worker:
        health = worker.wait_for_status(f"http://127.0.0.1:{port}/health", 200).json()
        assert (health["status"], sorted(health["dependencies"])) == ("ok", ["broker", "database", "redis"])
        jobs = CeleryJobs(redis_url.replace("/0", "/3"))
        with correlated("asked-by-test-1"):
            assert await jobs.enqueue(ResendPending()) is True
        await jobs.aclose()
        ended = worker.wait_for_event("task_ended")
        assert (ended["task"], ended["outcome"], ended["correlation_id"]) == ("resend_pending", "done", "asked-by-test-1")
        assert worker.wait_for_event("resent_pending")["correlation_id"] == "asked-by-test-1"
        [(is_due,)] = await house.rows("select due_at is not null from lanes")
        assert is_due is True
        figures = worker.wait_for_status(f"http://127.0.0.1:{port}/metrics", 200).text
        assert 'vitte_task_seconds_count{outcome="done",task="resend_pending"} 1.0' in figures
        assert 'vitte_task_wait_seconds_bucket{le="30.0",task="resend_pending"} 1.0' in figures
        assert 'vitte_task_wait_seconds_sum{task="resend_pending"} 0.0\n' not in figures
        assert "vitte_event_loop_lag_seconds_bucket" in figures
        assert "vitte_db_wait_seconds_bucket" in figures
        code, seconds = worker.terminate()
        assert (code, worker.errors, worker.events()[-1]["event"]) == (0, [], "worker_stopped")
        assert seconds < 5


async def test_what_a_task_leaves_for_later_is_done_next(house: House, database_url: str, redis_url: str, tmp_path: Path) -> None:
    with running("services.worker", settings(database_url, redis_url, free_port()), tmp_path) as worker:
        runtime = Runtime(
            Settings(
                _env_file=None,
                environment="dev",
                database_url=database_url,
                redis_url=redis_url,
                celery_broker_url=redis_url.replace("/0", "/3"),
                worker_port=0,
                llm_strong="",
            )
        )
        runtime.start()
        runtime.run(leave_for_later(runtime))
        runtime.stop()
        assert worker.wait_for_event("task_ended", task="cleanup_old_messages")["outcome"] == "done"


async def leave_for_later(runtime: Runtime) -> None:
    upkeep = replace(runtime.application.upkeep, batch=1)
    async with upkeep.database.transaction() as tx:
        tx.session.add_all(make_user(telegram_user_id=number) for number in (1, 2))
        await tx.session.flush()
        await tx.connection.execute(text("insert into allowance_usages (user_id, day, used) select id, '2020-01-01', 1 from users"))
    assert (await upkeep.clean_up(seconds=-1)).is_complete is False


def test_it_starts_before_anybody_else_and_says_so(tmp_path: Path) -> None:
    port = free_port()
    with running("services.worker", settings(NOWHERE_DATABASE, NOWHERE_REDIS, port), tmp_path) as worker:
        worker.wait_for_event("waiting_for_redis")
        health = worker.wait_for_status(f"http://127.0.0.1:{port}/health", 503).json()
        found = {name: one.get("code") for name, one in health["dependencies"].items()}
        assert found == {"broker": "redis_unavailable", "database": "database_unavailable", "redis": "redis_unavailable"}
        code, seconds = worker.terminate()
        assert (code, worker.errors) == (0, [])
        assert seconds < 5


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running("services.worker", settings(NOWHERE_DATABASE, NOWHERE_REDIS, port), tmp_path) as worker:
            assert worker.process.wait(timeout=20) == 1
            worker.terminate()
            assert [line for line in worker.errors if line.startswith(f"vitte: WORKER_PORT {port}: ")] == worker.errors != []


def test_of_two_schedules_one_sends_and_the_other_takes_over(redis_url: str, tmp_path: Path) -> None:
    environment = settings(NOWHERE_DATABASE, redis_url, 0)
    with running("services.worker.schedule", environment, tmp_path) as first:
        first.wait_for_event("beat: Acquired lock")
        with running("services.worker.schedule", environment, tmp_path) as second:
            second.wait_for_event("schedule_starting")
            code, seconds = first.terminate()
            assert (code, first.errors, seconds < 5) == (0, [], True)
            second.wait_for_event("beat: Acquired lock")
            code, seconds = second.terminate()
            assert (code, second.errors, seconds < 5) == (0, [], True)
            assert second.events()[-1]["event"] == "schedule_stopped"


def test_a_schedule_that_waits_for_its_turn_stops_too(redis_url: str, tmp_path: Path) -> None:
    environment = settings(NOWHERE_DATABASE, redis_url, 0)
    with (
        running("services.worker.schedule", environment, tmp_path) as first,
        running("services.worker.schedule", environment, tmp_path) as second,
    ):
        first.wait_for_event("schedule_starting")
        second.wait_for_event("schedule_starting")
        os.kill(second.process.pid, signal.SIGINT)
        assert second.process.wait(timeout=5) == 0
        assert first.terminate()[0] == 0


def test_the_schedule_waits_for_redis(tmp_path: Path) -> None:
    with running("services.worker.schedule", settings(NOWHERE_DATABASE, NOWHERE_REDIS, 0), tmp_path) as schedule:
        schedule.wait_for_event("waiting_for_redis")
        code, seconds = schedule.terminate()
        assert (code, schedule.errors, seconds < 5) == (0, [], True)

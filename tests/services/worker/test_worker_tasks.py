"""How a task ends, whatever happens inside it."""

import asyncio
from typing import Any

import pytest
from celery.exceptions import Reject, Retry

from services.worker.app import TASKS, create_worker_app
from services.worker.runtime import Runtime
from services.worker.schedule import SCHEDULE
from services.worker.task import Task, task
from shared.adapters.celery_jobs import QUEUES, CeleryJobs, celery_app
from shared.application.jobs import Job, RefreshMemory, ResendPending
from shared.database.database import DatabaseUnavailableError, NetworkInsideTransactionError, _open_transaction
from shared.settings import Settings
from tests.services.opening import NOWHERE_DATABASE, NOWHERE_REDIS


def jobs_below(kind: type[Job]) -> set[type[Job]]:
    children = set(kind.__subclasses__())
    return children.union(*(jobs_below(child) for child in children))


def test_every_job_has_one_task_and_a_queue_that_is_worked_on() -> None:
    jobs = {job for job in jobs_below(Job) if job.__module__.startswith("shared.")}
    assert sorted(one.job.name for one in TASKS) == sorted({job.name for job in jobs}) != []
    assert {job.queue for job in jobs} <= set(QUEUES)


def test_what_is_scheduled_exists() -> None:
    names = {one.job.name for one in TASKS}
    assert {entry["task"] for entry in SCHEDULE.values()} == names - {RefreshMemory.name}
    assert {entry["options"]["queue"] for entry in SCHEDULE.values()} <= set(QUEUES)


def test_only_json_is_read() -> None:
    conf = celery_app(NOWHERE_REDIS).conf
    assert (conf.accept_content, conf.task_serializer, conf.task_acks_late) == (["json"], "json", True)


async def test_a_broker_that_is_away_stops_nobody() -> None:
    jobs = CeleryJobs(NOWHERE_REDIS)
    assert await jobs.enqueue(ResendPending()) is False
    await jobs.aclose()


async def test_no_job_goes_out_inside_a_transaction() -> None:
    jobs = CeleryJobs(NOWHERE_REDIS)
    mark = _open_transaction.set(True)
    try:
        with pytest.raises(NetworkInsideTransactionError):
            await jobs.enqueue(ResendPending())
    finally:
        _open_transaction.reset(mark)
        await jobs.aclose()


@pytest.fixture(scope="module")
def runtime() -> Any:
    runtime = Runtime(Settings(_env_file=None, environment="dev", database_url=NOWHERE_DATABASE, redis_url=NOWHERE_REDIS, worker_port=0))
    runtime.start()
    yield runtime
    runtime.stop()


class DoIt(Job):
    name = "do_it"


def run(runtime: Runtime, work: Any, **limits: float) -> None:
    """As Celery's pool would, in this thread."""
    app = create_worker_app(NOWHERE_REDIS, runtime)
    marked: Task = task(DoIt, **{"timeout": 5.0, **limits})(work)
    marked.add_to(app, runtime)
    app.tasks["do_it"]()


def test_a_task_gets_the_application_and_runs_on_the_loop(runtime: Runtime) -> None:
    seen: list[object] = []

    async def work(application: object) -> None:
        seen.append((application, asyncio.get_running_loop()))

    run(runtime, work)
    run(runtime, work)
    assert seen == [(runtime.application, runtime._loop)] * 2


def test_a_task_that_takes_too_long_ends(runtime: Runtime) -> None:
    async def work(_: object) -> None:
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        run(runtime, work, timeout=0.05)


def test_an_unavailable_part_makes_the_task_come_again(runtime: Runtime) -> None:
    async def work(_: object) -> None:
        raise DatabaseUnavailableError("PostgreSQL is away", retry_after=7.0)

    app = create_worker_app(NOWHERE_REDIS, runtime)
    task(DoIt, timeout=5)(work).add_to(app, runtime)
    with pytest.raises(Retry) as postponed:
        app.tasks["do_it"].apply(throw=True)
    assert postponed.value.when == 7.0


def test_another_error_is_no_reason_to_try_again(runtime: Runtime) -> None:
    async def work(_: object) -> None:
        raise ValueError("wrong for ever")

    with pytest.raises(ValueError, match="wrong for ever"):
        run(runtime, work)


def test_a_worker_that_ends_puts_its_task_back(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.worker.runtime.GRACE_SECONDS", 0.05)

    async def work(_: object) -> None:
        runtime.end_soon()
        await asyncio.sleep(60)

    with pytest.raises(Reject) as put_back:
        run(runtime, work)
    assert put_back.value.requeue is True

"""What every task has around it: a time limit, a correlation id, its duration, and a way to come again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from celery import Celery
from celery import Task as CeleryTask
from celery.exceptions import Reject
from prometheus_client import Gauge, Histogram

from services.worker.runtime import Runtime
from shared.adapters.celery_jobs import CORRELATION_HEADER, QUEUED_HEADER
from shared.application.jobs import Job
from shared.domain.errors import UnavailableError
from shared.telemetry import correlated

RETRIES = 5
RETRY_SECONDS = 5.0

TASK_SECONDS = Histogram(
    "vitte_task_seconds", "Tasks of the worker, by how they ended", ["task", "outcome"], buckets=(0.01, 0.05, 0.25, 1, 5, 20, 60, 300)
)

TASK_WAIT_SECONDS = Histogram(
    "vitte_task_wait_seconds", "From when a task may run to its start", ["task"], buckets=(0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 300, 1800)
)
TASKS_RUNNING = Gauge("vitte_tasks_running", "Tasks that are worked on")

log = structlog.get_logger("worker")


class Work(Protocol):
    def __call__(self, *args: Any, **arguments: Any) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A job's name with what is done for it; `timeout` is in seconds, as the threads pool has no limits of its own."""

    job: type[Job]
    timeout: float
    work: Work

    def add_to(self, app: Celery, runtime: Runtime) -> None:
        def run(celery_task: CeleryTask, **arguments: Any) -> None:
            self._attend(celery_task, runtime, arguments)

        app.task(run, name=self.job.name, bind=True, shared=False, max_retries=RETRIES, typing=False)

    def _attend(self, celery_task: CeleryTask, runtime: Runtime, arguments: dict[str, Any]) -> None:
        request = celery_task.request
        correlation_id = (request.headers or {}).get(CORRELATION_HEADER)
        started = time.monotonic()
        TASK_WAIT_SECONDS.labels(self.job.name).observe(_waited(request))
        with correlated(correlation_id, task=self.job.name, task_id=request.id), TASKS_RUNNING.track_inprogress():
            outcome = "failed"
            try:
                runtime.run(self._bounded(runtime, arguments))
                outcome = "done"
            except CancelledError:
                outcome = "put_back"
                raise Reject("the worker ends", requeue=True) from None
            except UnavailableError as error:
                outcome = "postponed"
                raise celery_task.retry(exc=error, countdown=error.retry_after or RETRY_SECONDS) from error
            finally:
                seconds = time.monotonic() - started
                TASK_SECONDS.labels(self.job.name, outcome).observe(seconds)
                log.info("task_ended", outcome=outcome, milliseconds=round(seconds * 1000, 1))

    async def _bounded(self, runtime: Runtime, arguments: dict[str, Any]) -> None:
        async with asyncio.timeout(self.timeout):
            await self.work(runtime.application, **arguments)


def _waited(request: Any) -> float:
    """Seconds; a repetition waits only from its own time on. Nought for what some other program has sent without a time."""
    due = (request.headers or {}).get(QUEUED_HEADER)
    if not isinstance(due, (int, float)):
        return 0.0
    if request.eta:
        due = max(due, datetime.fromisoformat(request.eta).timestamp())
    return max(0.0, time.time() - due)


def task(job: type[Job], *, timeout: float) -> Callable[[Work], Task]:
    def mark(work: Work) -> Task:
        return Task(job=job, timeout=timeout, work=work)

    return mark

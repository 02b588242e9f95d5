"""Jobs over Celery. The broker gets a task's name and ids, as JSON."""

import asyncio
import time
from collections.abc import MutableMapping
from dataclasses import asdict
from typing import Any

import structlog
from celery import Celery, signals
from celery.exceptions import CeleryError
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from shared.application.jobs import Job
from shared.database.database import refuse_inside_transaction

QUEUES = ("default", "media", "upkeep", "memory")
SEND_SECONDS = 3.0
CORRELATION_HEADER = "vitte_correlation_id"
QUEUED_HEADER = "vitte_queued_at"
"""When the task was sent, in seconds of the epoch; the schedule's tasks and repetitions have it as well."""

# The visibility timeout must be longer than the longest task, or it is run again while it still runs.
_TRANSPORT = {
    "visibility_timeout": 1800,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}

log = structlog.get_logger("jobs")


def celery_app(broker_url: str) -> Celery:
    """Celery as the worker and everybody who enqueues must see it. It connects when it is first used."""
    app = Celery("vitte", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_queues={name: {} for name in QUEUES},
        task_default_queue=QUEUES[0],
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options=_TRANSPORT,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=5,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        enable_utc=True,
        timezone="UTC",
    )
    return app


def _note_time(headers: MutableMapping[str, Any] | None = None, **_: object) -> None:
    if headers is not None:
        headers[QUEUED_HEADER] = time.time()


signals.before_task_publish.connect(_note_time)


class CeleryJobs:
    def __init__(self, broker_url: str) -> None:
        self._app = celery_app(broker_url)
        # Without these Celery tries for ever to connect, in a thread that nobody could end.
        self._app.conf.broker_transport_options = _TRANSPORT | {
            "max_retries": 1,
            "interval_start": 0.1,
            "interval_step": 0,
            "interval_max": 0.1,
        }

    async def enqueue(self, job: Job) -> bool:
        """See `JobQueue`. A broker that is down blocks Celery for a while, so it waits in a thread."""
        refuse_inside_transaction()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await asyncio.to_thread(self._send, job, structlog.contextvars.get_contextvars())
        except (CeleryError, KombuError, RedisError, OSError, TimeoutError) as error:
            log.warning("job_not_enqueued", job=job.name, error=type(error).__name__)
            return False
        return True

    def _send(self, job: Job, context: dict[str, Any]) -> None:
        headers = {CORRELATION_HEADER: context["correlation_id"]} if "correlation_id" in context else {}
        self._app.send_task(job.name, kwargs=asdict(job), queue=job.queue, headers=headers, retry=False, ignore_result=True)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._app.close)

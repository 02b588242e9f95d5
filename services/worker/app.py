"""The Celery worker: which tasks there are, and how the process stops."""

import logging
import signal
import warnings
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from celery.worker import state

from services.worker.runtime import Runtime
from services.worker.task import Task
from services.worker.tasks import memory, upkeep
from shared.adapters.celery_jobs import QUEUES, celery_app

TASKS: tuple[Task, ...] = (
    upkeep.cleanup_old_messages,
    upkeep.resend_pending,
    upkeep.ask_storage,
    upkeep.take_figures,
    memory.refresh_memory,
    memory.catch_up_memory,
)


def create_worker_app(broker_url: str, runtime: Runtime) -> Celery:
    app = celery_app(broker_url)
    for task in TASKS:
        task.add_to(app, runtime)
    return app


def work_until_stopped(app: Celery, runtime: Runtime, *, concurrency: int) -> int:
    """Blocks until SIGTERM or SIGINT; answers the exit code. Running tasks have a moment to end, then go back to their queue."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        state.should_stop = 0
        runtime.end_soon()

    signals.setup_logging.connect(_leave_logging_alone, weak=False)
    # Root in a container is no risk as long as no pickle is read, and none is.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    for chatty in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    worker = app.Worker(
        pool="threads",
        concurrency=concurrency,
        queues=list(QUEUES),
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    # In place of Celery's signal manners, which print to stdout between our lines of JSON.
    worker.install_platform_tweaks = lambda _worker: _heed(stop)
    worker.start()
    return int(worker.exitcode or 0)


def _heed(stop: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _leave_logging_alone(**_: Mapping[str, Any]) -> bool:
    return True

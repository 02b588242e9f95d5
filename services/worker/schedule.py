"""What is done when: Celery beat with its state in Redis, so that of several only one sends."""

import signal
import time
from types import FrameType

import structlog
from celery.beat import Service
from celery.schedules import crontab
from kombu.exceptions import KombuError
from redbeat import RedBeatScheduler
from redis.exceptions import RedisError

from services.worker.waiting import wait_for_broker
from shared.adapters.celery_jobs import celery_app
from shared.application.jobs import AskStorage, CatchUpMemory, CleanUpOldMessages, ResendPending, TakeFigures
from shared.settings import Settings, SettingsError, exit_with, load_settings
from shared.telemetry import configure_logging

LOCK_SECONDS = 15
"""After this time another schedule takes over from one that was killed."""
TICK_SECONDS = 5

# What waits longer than the next one is due is dropped: they would all do the same.
SCHEDULE = {
    "resend-pending": {"task": ResendPending.name, "schedule": 60.0, "options": {"queue": ResendPending.queue, "expires": 55}},
    "ask-storage": {"task": AskStorage.name, "schedule": 30.0, "options": {"queue": AskStorage.queue, "expires": 25}},
    "take-figures": {"task": TakeFigures.name, "schedule": 60.0, "options": {"queue": TakeFigures.queue, "expires": 55}},
    "catch-up-memory": {"task": CatchUpMemory.name, "schedule": 30.0, "options": {"queue": CatchUpMemory.queue, "expires": 25}},
    "cleanup-old-messages": {
        "task": CleanUpOldMessages.name,
        "schedule": crontab(minute="17"),
        "options": {"queue": CleanUpOldMessages.queue, "expires": 3500},
    },
}

log = structlog.get_logger("schedule")


def run(settings: Settings) -> None:
    """Sends until SIGTERM or SIGINT; when Redis goes away it waits for it."""
    app = celery_app(settings.broker_url)
    app.conf.update(
        beat_schedule=SCHEDULE,
        beat_max_loop_interval=TICK_SECONDS,
        redbeat_redis_url=settings.broker_url,
        redbeat_redis_options={"socket_timeout": 5, "socket_connect_timeout": 5, "socket_keepalive": True},
        redbeat_key_prefix="vitte:schedule:",
        redbeat_lock_timeout=LOCK_SECONDS,
    )
    while True:
        wait_for_broker(settings.broker_url)
        log.info("schedule_starting", entries=sorted(SCHEDULE))
        try:
            Service(app, scheduler_cls=RedBeatScheduler).start()
        except (RedisError, KombuError, OSError) as error:
            log.warning("schedule_interrupted", error=type(error).__name__)
            time.sleep(1.0)
        else:
            log.info("schedule_stopped")
            return


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    try:
        settings = load_settings("worker")
    except SettingsError as error:
        exit_with(error)
    configure_logging("schedule", settings.log_level)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    run(settings)


if __name__ == "__main__":
    main()

import signal
import sys
from types import FrameType

import structlog

from services.worker.app import create_worker_app, work_until_stopped
from services.worker.runtime import Runtime
from services.worker.waiting import wait_for_broker
from shared.domain.errors import InvalidInputError
from shared.settings import Settings, SettingsError, exit_with, load_settings
from shared.telemetry import configure_logging

log = structlog.get_logger("worker")


def run(settings: Settings) -> int:
    runtime = Runtime(settings)
    runtime.start()
    try:
        wait_for_broker(settings.broker_url)
        log.info("worker_starting", concurrency=settings.worker_concurrency)
        return work_until_stopped(create_worker_app(settings.broker_url, runtime), runtime, concurrency=settings.worker_concurrency)
    finally:
        runtime.stop()
        log.info("worker_stopped")


def _end(_number: int, _frame: FrameType | None) -> None:
    """Until Celery runs, there is nothing to wait for."""
    raise SystemExit(0)


def main() -> None:
    try:
        settings = load_settings("worker")
    except SettingsError as error:
        exit_with(error)
    configure_logging("worker", settings.log_level)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        raise SystemExit(run(settings))
    except InvalidInputError as error:
        exit_with(SettingsError(str(error)))
    except OSError as error:
        sys.stderr.write(f"vitte: WORKER_PORT {settings.worker_port}: {error.strerror or error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()

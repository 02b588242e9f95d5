"""Makes the bucket that files are kept in, unless it is there. Waits for the store; may be run again.

Exit codes: 0 it is there (or no store is set), 1 the store did not answer, 78 settings.
"""

import asyncio
import sys
import time

import structlog

from shared.adapters.storage import MinioStore, open_store
from shared.application.ports import StoreUnavailableError
from shared.domain.errors import InvalidInputError
from shared.settings import Settings, SettingsError, exit_with, load_settings
from shared.telemetry import configure_logging

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 1.0

log = structlog.get_logger("bucket")


async def main() -> int:
    try:
        settings = load_settings("command")
    except SettingsError as error:
        exit_with(error)
    configure_logging("bucket", settings.log_level)
    if not settings.s3_endpoint:
        log.info("no_store_set")
        return 0
    try:
        await _make(settings)
    except InvalidInputError as error:
        exit_with(SettingsError(str(error)))
    except StoreUnavailableError as error:
        sys.stderr.write(f"vitte: S3_ENDPOINT, S3_ACCESS_KEY or S3_SECRET_KEY: {error}\n")
        return 1
    log.info("bucket_is_there", bucket=settings.s3_bucket)
    return 0


async def _make(settings: Settings) -> None:
    """Raises `StoreUnavailableError` when the store did not take it within a minute."""
    store = open_store(settings)
    if not isinstance(store, MinioStore):
        return
    started = time.monotonic()
    try:
        while True:
            try:
                await store.make_bucket()
            except StoreUnavailableError as error:
                if time.monotonic() - started > PATIENCE_SECONDS:
                    raise
                log.info("waiting_for_storage", error=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return
    finally:
        await store.aclose()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))

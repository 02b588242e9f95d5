import asyncio

import structlog

from services.api.app import create_app
from shared.adapters.http_server import serve
from shared.bootstrap import open_application
from shared.domain.errors import InvalidInputError
from shared.settings import Settings, SettingsError, exit_with, load_settings
from shared.telemetry import configure_logging, watched_loop

log = structlog.get_logger("api")


async def run(settings: Settings) -> None:
    async with open_application(settings, "api") as application, watched_loop():
        log.info("api_starting", host=settings.bind_host, port=settings.api_port)
        await serve(create_app(application), host=settings.bind_host, port=settings.api_port)
    log.info("api_stopped")


def main() -> None:
    try:
        settings = load_settings("api")
    except SettingsError as error:
        exit_with(error)
    configure_logging("api", settings.log_level)
    try:
        asyncio.run(run(settings))
    except InvalidInputError as error:
        exit_with(SettingsError(str(error)))


if __name__ == "__main__":
    main()

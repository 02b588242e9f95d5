import asyncio

import structlog

from services.admin.app import create_app
from services.admin.auth import Desk
from services.admin.gate import open_gate
from services.admin.sessions import Sessions
from shared.adapters.http_server import serve
from shared.bootstrap import open_application
from shared.domain.errors import InvalidInputError
from shared.settings import Settings, SettingsError, exit_with, load_settings
from shared.telemetry import configure_logging, watched_loop

log = structlog.get_logger("admin")


async def run(settings: Settings) -> None:
    secret = settings.admin_secret_key.get_secret_value()
    async with open_application(settings, "admin") as application, watched_loop():
        desk = Desk(
            application=application,
            sessions=Sessions(application.redis, application.clock, secret),
            gate=open_gate(application.redis),
            secret=secret,
        )
        log.info("admin_starting", host=settings.bind_host, port=settings.admin_port)
        await serve(create_app(desk), host=settings.bind_host, port=settings.admin_port)
    log.info("admin_stopped")


def main() -> None:
    try:
        settings = load_settings("admin")
    except SettingsError as error:
        exit_with(error)
    configure_logging("admin", settings.log_level)
    try:
        asyncio.run(run(settings))
    except InvalidInputError as error:
        exit_with(SettingsError(str(error)))


if __name__ == "__main__":
    main()

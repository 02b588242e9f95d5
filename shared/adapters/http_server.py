"""uvicorn as our processes want it: no log format and no signal manners of its own."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 3


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would end the process with the signal again; a clean stop is no failure."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


async def serve(app: ASGIApp, *, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT, and lets running requests end for three seconds.

    Whose forwarded addresses are believed is uvicorn's own variable, FORWARDED_ALLOW_IPS; by default only a proxy on this machine.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        proxy_headers=True,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    await _Server(config).serve()

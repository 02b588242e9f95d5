"""`python -m services.sandbox`: one process, one port, loopback unless told otherwise."""

import argparse
import asyncio
import os
import signal
import sys

from aiohttp import web

from services.sandbox.app import create_app
from services.sandbox.logs import LOGGER, AccessLog, configure_logging

REFUSED = 78


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services.sandbox", description="A stand-in for Telegram and a model provider.")
    parser.add_argument("--host", default=os.environ.get("SANDBOX_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=os.environ.get("SANDBOX_PORT", "8080"))
    quiet = os.environ.get("SANDBOX_QUIET", "0" if sys.stdout.isatty() else "1").lower() in {"1", "true", "yes"}
    parser.add_argument(
        "--quiet", action=argparse.BooleanOptionalAction, default=quiet, help="no line per request (so unless on a terminal)"
    )
    parser.add_argument(
        "--mistakes",
        type=_rate,
        default=os.environ.get("SANDBOX_MISTAKES") or None,
        help="how often the model misreads, 0 to 1 (as small models do, unless told)",
    )
    return parser.parse_args()


def _rate(text: str) -> float:
    if not 0 <= (rate := float(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return rate


async def serve(host: str, port: int, *, quiet: bool, mistakes: float | None = None) -> None:
    """Runs until SIGTERM or SIGINT. Open long polls and event streams do not hold it up."""
    hosts = {name.strip().lower() for name in os.environ.get("SANDBOX_ALLOWED_HOSTS", "").split(",") if name.strip()}
    runner = web.AppRunner(
        create_app(frozenset(hosts | {host.lower()}), mistakes=mistakes),
        handler_cancellation=True,
        access_log_class=AccessLog,
        access_log=None if quiet else LOGGER,
        shutdown_timeout=0.1,
    )
    await runner.setup()
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    try:
        await web.TCPSite(runner, host, port).start()
        LOGGER.info("sandbox listens on http://%s:%d", host, port)
        await stopped.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    if os.environ.get("ENVIRONMENT", "").strip().lower() == "production":
        sys.stderr.write("the sandbox stands in for Telegram and refuses to run with ENVIRONMENT=production\n")
        return REFUSED
    arguments = read_arguments()
    configure_logging()
    try:
        asyncio.run(serve(arguments.host, arguments.port, quiet=arguments.quiet, mistakes=arguments.mistakes))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        sys.stderr.write(
            f"the sandbox cannot listen on {arguments.host}:{arguments.port} ({reason}): choose another with SANDBOX_PORT or --port\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m services.sandbox`: one process, one port, loopback unless told otherwise."""

import argparse
import asyncio
import logging
import os
import signal
import sys

from aiohttp import web

from services.sandbox.app import create_app

REFUSED = 78


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services.sandbox", description="A stand-in for Telegram and a model provider.")
    parser.add_argument("--host", default=os.environ.get("SANDBOX_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=os.environ.get("SANDBOX_PORT", "8080"))
    parser.add_argument("--quiet", action="store_true", default=os.environ.get("SANDBOX_QUIET", "").lower() in {"1", "true", "yes"})
    return parser.parse_args()


async def serve(host: str, port: int, *, quiet: bool) -> None:
    """Runs until SIGTERM or SIGINT. Open long polls and event streams do not hold it up."""
    hosts = {name.strip().lower() for name in os.environ.get("SANDBOX_ALLOWED_HOSTS", "").split(",") if name.strip()}
    log = None if quiet else logging.getLogger("sandbox")
    runner = web.AppRunner(create_app(frozenset(hosts | {host.lower()})), handler_cancellation=True, access_log=log, shutdown_timeout=0.1)
    await runner.setup()
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    try:
        await web.TCPSite(runner, host, port).start()
        logging.getLogger("sandbox").info("sandbox listens on http://%s:%d", host, port)
        await stopped.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    if os.environ.get("ENVIRONMENT", "").strip().lower() == "production":
        sys.stderr.write("the sandbox stands in for Telegram and refuses to run with ENVIRONMENT=production\n")
        return REFUSED
    arguments = read_arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        asyncio.run(serve(arguments.host, arguments.port, quiet=arguments.quiet))
    except OSError as error:
        reason = error.strerror or str(error)
        sys.stderr.write(
            f"the sandbox cannot listen on {arguments.host}:{arguments.port} ({reason}): choose another with SANDBOX_PORT or --port\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

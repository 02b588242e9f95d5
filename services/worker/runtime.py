"""One event loop and one Application per worker process. Celery's threads hand their work to it and wait."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from services.worker.health import served_health
from shared.adapters.celery_jobs import CeleryJobs
from shared.adapters.redis import RedisGate, open_redis
from shared.application.health import HealthService
from shared.bootstrap import Application, open_application
from shared.settings import Settings
from shared.telemetry import watched_loop

GRACE_SECONDS = 2.5
T = TypeVar("T")


class Runtime:
    """First `start`, then `run` from any thread, at last `stop`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.application: Application
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        self._running: set[Future[Any]] = set()
        self._asked_to_close: asyncio.Event
        self._life: Future[None]

    def start(self) -> None:
        """Opens the application. It connects to nothing yet, so it does not matter who else is up."""
        self._thread.start()
        opened = threading.Event()
        self._life = asyncio.run_coroutine_threadsafe(self._live(opened), self._loop)
        self._life.add_done_callback(lambda _: opened.set())
        opened.wait()
        if self._life.done():
            self._life.result()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does the work on the loop, in the calling thread's context, and waits for it.

        Raises what the work raises, and `concurrent.futures.CancelledError` when the process is about to end.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._running.add(future)
        try:
            return future.result()
        finally:
            self._running.discard(future)

    def end_soon(self) -> None:
        """Work that is not done by itself in a moment is cancelled. May be called from a signal handler."""
        self._loop.call_soon_threadsafe(self._loop.call_later, GRACE_SECONDS, self._cancel_all)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._asked_to_close.set)
        self._life.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _live(self, opened: threading.Event) -> None:
        """Opening and closing in one task, as cancel scopes inside need it."""
        self._asked_to_close = asyncio.Event()
        async with AsyncExitStack() as closing:
            jobs = CeleryJobs(self.settings.broker_url)
            closing.push_async_callback(jobs.aclose)
            self.application = await closing.enter_async_context(open_application(self.settings, "worker", jobs=jobs))
            broker = RedisGate(open_redis(self.settings.broker_url))
            closing.push_async_callback(broker.aclose)
            # Only what tasks stand on: a model provider that is down is no reason to restart the worker.
            needed = {name: self.application.health.checks[name] for name in ("database", "redis")}
            health = HealthService(checks={**needed, "broker": broker.check})
            await closing.enter_async_context(served_health(health, host=self.settings.bind_host, port=self.settings.worker_port))
            await closing.enter_async_context(watched_loop())
            opened.set()
            await self._asked_to_close.wait()

    def _cancel_all(self) -> None:
        for future in tuple(self._running):
            future.cancel()

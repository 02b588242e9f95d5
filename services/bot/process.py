"""The parts of a running bot, how they start, and in which order they stop."""

import asyncio
import json

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramRetryAfter, TelegramUnauthorizedError
from prometheus_client import Counter, Histogram

from services.bot.commands import publish_commands
from services.bot.consumer import Consumer
from services.bot.dispatcher import create_dispatcher
from services.bot.ingest import Intake
from services.bot.polling import AnotherPollerError, Poller
from services.bot.server import Server, serving
from services.bot.session import build_session
from services.bot.updates import UpdateHandler
from services.bot.webhook_watch import watch_webhook
from shared.application.inbox import Received
from shared.application.stop import StopRegistry
from shared.bootstrap import Application
from shared.settings import Settings

DRAIN_SECONDS = 25.0
SETTLE_SECONDS = 5.0
CALL_TIMEOUT = 20.0

CALLS = Counter("vitte_telegram_calls_total", "Bot API calls", ["method", "outcome"])
CALL_SECONDS = Histogram("vitte_telegram_call_seconds", "Bot API calls", ["method"], buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30))

log = structlog.get_logger("bot")


class BotProcess:
    """Intake, consumer, server and the connection that shows that we live."""

    def __init__(self, application: Application, settings: Settings) -> None:
        self._application = application
        self._settings = settings
        self._stops = StopRegistry()
        self._intake_ended: Exception | None = None
        self._session = build_session(settings.telegram_api_url, settings.telegram_pool_size, CALL_TIMEOUT, observe=_observe)
        self._bot = Bot(settings.bot_token.get_secret_value(), session=self._session)
        self._dispatcher = create_dispatcher(application, self._bot, stops=self._stops, operator_ids=settings.operators)
        handler = UpdateHandler(self._bot, self._dispatcher, inbox=application.inbox, accounts=application.accounts)
        self._presence = application.presence
        self._consumer = Consumer(application.inbox, self._presence, handler, bot_id=self._bot.id, places=settings.max_concurrent_updates)
        self._notice = str(self._presence.consumer)
        self._intake = Intake(application.inbox, self._wake, bot_id=self._bot.id, notice=self._notice)
        self._allowed_updates = self._dispatcher.resolve_used_update_types()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set: then intake ends, what is begun is finished, and the connections close last.

        Raises an exception group with `AnotherPollerError`, `TelegramUnauthorizedError` or `OSError` (port taken).
        """
        webhook = self._settings.telegram_mode == "webhook"
        secret = self._settings.webhook_secret.get_secret_value() if webhook else None
        server = Server(self._intake, self._application.health, bot_id=self._bot.id, secret=secret)
        try:
            async with asyncio.TaskGroup() as group, serving(server.app(), self._settings.bind_host, self._settings.bot_port):
                presence = group.create_task(self._presence.keep(self._hear))
                consumer = group.create_task(self._consumer.run())
                writer = group.create_task(self._intake.run())
                intake = group.create_task(self._take_in_or_stop(stopping, webhook=webhook))
                log.info("started", mode=self._settings.telegram_mode, port=self._settings.bot_port)
                await stopping.wait()
                server.is_draining = True
                intake.cancel()
                await self._drain(consumer)
                writer.cancel()
                presence.cancel()
        finally:
            await self._session.close()
        if self._intake_ended is not None:
            raise ExceptionGroup("intake ended by itself", [self._intake_ended])

    async def _take_in_or_stop(self, stopping: asyncio.Event, *, webhook: bool) -> None:
        """What ends intake for good stops the process like a signal does: what is begun is finished first."""
        try:
            await self._take_in(webhook=webhook)
        except (AnotherPollerError, TelegramUnauthorizedError) as error:
            self._intake_ended = error
            stopping.set()

    async def _drain(self, consumer: asyncio.Task[None]) -> None:
        log.info("draining")
        self._consumer.drain()
        done, _ = await asyncio.wait({consumer}, timeout=DRAIN_SECONDS)
        if not done:
            log.warning("drain_took_too_long")
            self._consumer.abort()
            done, _ = await asyncio.wait({consumer}, timeout=SETTLE_SECONDS)
        if not done:
            consumer.cancel()

    async def _take_in(self, *, webhook: bool) -> None:
        await self._introduce(webhook=webhook)
        if webhook:
            await watch_webhook(self._bot, self._webhook)
        poller = Poller(self._bot, self._session, self._intake, self._presence, allowed_updates=self._allowed_updates)
        await poller.run()

    async def _introduce(self, *, webhook: bool) -> None:
        """Tells Telegram how updates come to us; tried until it answers. Updates that wait there are never dropped."""
        pause = 0.5
        while True:
            try:
                await self._bot.me()
                if webhook:
                    await self._set_webhook()
                else:
                    await self._bot.delete_webhook(drop_pending_updates=False)
                await publish_commands(self._bot)
            except TelegramUnauthorizedError:
                raise
            except TelegramAPIError as error:
                wait = float(error.retry_after) if isinstance(error, TelegramRetryAfter) else pause
                log.warning("waiting_for_telegram", error=type(error).__name__, next_try_seconds=wait)
                await asyncio.sleep(wait)
                pause = min(pause * 2, 10.0)
            else:
                return

    @property
    def _webhook(self) -> str:
        base, path = (self._settings.webhook_url or "").rstrip("/"), f"/telegram/webhook/{self._bot.id}"
        return base if base.endswith(path) else base + path

    async def _set_webhook(self) -> None:
        await self._bot.set_webhook(
            self._webhook,
            secret_token=self._settings.webhook_secret.get_secret_value(),
            allowed_updates=self._allowed_updates,
            drop_pending_updates=False,
        )

    def _wake(self, received: Received) -> None:
        self._consumer.go_on(received.gone_on)
        self._consumer.wake(priority=received.priority, normal=received.normal)

    def _hear(self, channel: str, payload: str) -> None:
        """A notice from another process: new updates, Stop for a reply that may be written here, more words of somebody answered here."""
        if channel == "vitte_inbox" and payload != self._notice:
            self._consumer.wake()
        elif channel == "vitte_stop":
            self._stops.press(*json.loads(payload))
        elif channel == "vitte_gone_on":
            bot_id, lanes = json.loads(payload)
            if bot_id == self._bot.id:
                self._consumer.go_on(lanes)


def _observe(method: str, outcome: str, seconds: float) -> None:
    CALLS.labels(method, outcome).inc()
    CALL_SECONDS.labels(method).observe(seconds)

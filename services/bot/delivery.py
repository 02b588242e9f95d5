"""What one update answers: calls are put in the outbox first and sent after, so that a crash in between loses none."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiogram.exceptions import AiogramError
from aiogram.types import InlineKeyboardMarkup
from prometheus_client import Counter

from services.bot.consumer import Hold
from services.bot.sender import RefusedError, Sender, TelegramAwayError, UnreachableError
from shared.application.inbox import InboxService
from shared.domain.inbox import Follower, LeaseLostError, Outcome, Outgoing, ParcelStatus, Settlement

MAYBE_DUPLICATE = Counter("vitte_outbox_maybe_duplicate_total", "Calls made again because nobody knows whether they arrived")
UNKNOWN = Counter("vitte_outbox_unknown_total", "Calls given up without knowing whether they arrived")

log = structlog.get_logger("delivery")


class Delivery:
    """The answers to one leased update."""

    def __init__(self, hold: Hold, inbox: InboxService, sender: Sender) -> None:
        self.lease = hold.lease
        self._hold = hold
        self._inbox = inbox
        self._sender = sender
        self._queued: list[Outgoing] = []
        self._sent: list[tuple[int, int | None]] = []
        self._failed: list[tuple[int, str]] = []
        self.unreachable = False
        self.language: str | None = None
        """Of the person who speaks, once known: errors are said in it."""
        self.is_paid: bool | None = None
        """Whether that person pays, once known: then their lane is taken first."""
        self.merged: tuple[int, ...] = ()
        """Updates behind this one in the lane that its answer answers too."""
        self.passed: tuple[Settlement, ...] = ()
        """How updates behind this one ended that were tried before it."""
        self.is_press_answered = False
        """The button's spinner has ended: what goes wrong later can only be said in a message."""

    @property
    def crowded(self) -> float:
        """Seconds that the update has waited because all places were taken."""
        return self._hold.crowded

    @property
    def is_alone(self) -> bool:
        """Handling the update failed before, or the process died with it: what breaks it may be one that was handled with it."""
        return self.lease.attempts > 1 or self.lease.failures > 0

    @property
    def has_followers(self) -> bool:
        """Whether something is known to wait behind this update."""
        return self.lease.waiting > 0 or self._hold.has_gone_on

    async def followers(self, most: int) -> list[Follower]:
        """What waits behind this update, oldest first."""
        self._hold.has_gone_on = False
        return await self._inbox.followers(self.lease, most)

    def on_going_on(self, call: Callable[[], object]) -> None:
        """Calls when the person says more: at once when they have since the last look at `followers`."""
        self._hold.on_going_on = call
        if self._hold.has_gone_on:
            call()

    async def try_to_say(self, html: str, place: dict[str, Any]) -> None:
        """A sentence that may get lost, besides the update's answer."""
        try:
            await self._sender.send(Outgoing(method="sendMessage", params={**place, "text": html, "parse_mode": "HTML"}))
        except (TelegramAwayError, UnreachableError, RefusedError, AiogramError) as error:
            log.info("sentence_not_sent", error=type(error).__name__)

    def say(self, html: str, place: dict[str, Any], keyboard: InlineKeyboardMarkup | None = None) -> None:
        """Queues a sentence of ours; it leaves when the handler has ended. `place` holds `chat_id` and, in topics, `message_thread_id`."""
        params = {**place, "text": html, "parse_mode": "HTML"}
        if keyboard is not None:
            params["reply_markup"] = keyboard.model_dump(exclude_none=True)
        self._queued.append(Outgoing(method="sendMessage", params=params))

    def queue(self, call: Outgoing) -> None:
        self._queued.append(call)

    def drop_queued(self) -> None:
        """What a failed handler had begun to say is not said."""
        self._queued.clear()

    async def flush(self) -> None:
        """Keeps what is queued in the outbox, then sends it. Raises `LeaseLostError`, and then nothing was sent."""
        if self._queued:
            calls, self._queued = self._queued, []
            await self._inbox.post(self.lease, calls)
            await self.send(calls)

    async def send(self, calls: Sequence[Outgoing]) -> None:
        """Sends calls that are in the outbox as steps 1, 2, … of this update."""
        for step, call in enumerate(calls, start=1):
            await self._send(step, call)

    async def resume(self) -> bool:
        """Sends what an earlier attempt left in the outbox. False when it left nothing, and the update is to be handled anew."""
        parcels = await self._inbox.parcels(self.lease)
        for parcel in parcels:
            if parcel.status == ParcelStatus.PENDING:
                MAYBE_DUPLICATE.inc()
                await self._send(parcel.step, Outgoing(method=parcel.method, params=parcel.params))
        return bool(parcels)

    async def _send(self, step: int, call: Outgoing) -> None:
        if not self._hold.is_fresh:
            raise LeaseLostError("this process slept for too long to be sure of its lease")
        if self.unreachable:
            self._failed.append((step, "unreachable"))
            return
        try:
            self._sent.append((step, await self._sender.send(call)))
        except TelegramAwayError as error:
            if error.most_sends is None or self.lease.failures + 1 < error.most_sends:
                raise
            UNKNOWN.inc()
            self._failed.append((step, "unknown"))
        except (UnreachableError, RefusedError) as error:
            self.unreachable = isinstance(error, UnreachableError)
            self._failed.append((step, str(error)))

    def settlement(self, outcome: Outcome, *, delay: float = 0.0, error: str | None = None) -> Settlement:
        return Settlement(
            lease=self.lease,
            outcome=outcome,
            delay=delay,
            error=error,
            sent=tuple(self._sent),
            failed=tuple(self._failed),
            merged=self.merged if outcome is Outcome.HANDLED else (),
            passed=self.passed,
            is_paid=self.is_paid,
        )

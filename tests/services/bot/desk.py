"""The bot's desk: everything between Telegram and the database, worked on step by step so that tests need no waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import orjson
from aiogram import Bot, Dispatcher

from services.bot.consumer import Hold
from services.bot.ingest import Intake
from services.bot.polling import split_updates
from services.bot.session import LeanSession
from services.bot.updates import UpdateHandler
from shared.adapters.llm.scripted import ScriptedModel
from shared.application.stop import StopRegistry
from shared.bootstrap import Application
from shared.database.database import STATEMENTS
from shared.domain.inbox import Lease, Settlement
from tests.factories import ANN_ID, BOT_ID, House
from tests.services.sandbox.emulator import Sandbox

TOKEN = f"{BOT_ID}:TEST"
Message = dict[str, Any]


@dataclass(slots=True)
class Desk:
    """A person acts through `sandbox`; `run` lets the bot see it and work until nothing is due."""

    sandbox: Sandbox
    application: Application
    house: House
    bot: Bot
    session: LeanSession
    dispatcher: Dispatcher
    stops: StopRegistry
    handler: UpdateHandler
    pauses: list[float]
    statements: list[tuple[str, int]] = field(default_factory=list)
    """(kind of update, SQL statements of its handler)"""
    ended: list[Settlement] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    """What is being worked on."""
    _consumers: Any = field(default_factory=lambda: count(1))

    @property
    def model(self) -> ScriptedModel:
        return self.house.model

    async def fetch(self) -> int:
        """What waits at Telegram is stored and confirmed."""
        url = f"{self.sandbox.url}/bot{TOKEN}/getUpdates"
        intake = Intake(self.application.inbox, lambda _: None, bot_id=BOT_ID, notice="desk")
        stored = 0
        request: dict[str, int] = {}
        while True:
            async with self.sandbox.session.post(url, data=orjson.dumps(request), headers={"Content-Type": "application/json"}) as response:
                batch = split_updates(await response.read())
            assert batch is not None
            if not batch.bodies:
                return stored
            await intake.store_all(batch.bodies)
            stored += len(batch.bodies)
            request = {"offset": (batch.newest or 0) + 1}

    async def take(self) -> list[Lease]:
        consumer = next(self._consumers)
        inbox = self.application.inbox
        leases = [await inbox.claim(BOT_ID, consumer=consumer, is_priority=priority, places=50) for priority in (True, False)]
        return [lease for some in leases for lease in some]

    async def work(self) -> None:
        """Handles everything that is due, lanes at the same time, and settles it."""
        while leases := await self.take():
            async with asyncio.TaskGroup() as group:
                working = [group.create_task(self.handle(lease)) for lease in leases]
            settlements = [task.result() for task in working]
            self.ended += settlements
            await self.application.inbox.settle(BOT_ID, settlements)

    async def handle(self, lease: Lease) -> Settlement:
        before = STATEMENTS.labels("work")._value.get()
        hold = Hold(lease, is_priority=False, seconds=60.0)
        self.holds.append(hold)
        try:
            return await self.handler(hold)
        finally:
            self.holds.remove(hold)
            self.statements.append((lease.kind, int(STATEMENTS.labels("work")._value.get() - before)))

    async def run(self) -> None:
        await self.fetch()
        await self.work()

    async def go_on(self, *said: str) -> None:
        """A person says more while the bot works on what they said before, and the worker hears of it."""
        for text in said:
            await self.sandbox.say(text)
        await self.fetch()
        for hold in self.holds:
            hold.go_on()

    async def later(self) -> None:
        """What was postponed is due now."""
        await self.house.rows("update lanes set due_at = clock_timestamp() where due_at is not null")
        await self.work()

    async def tell(self, text: str, user: int = ANN_ID, chat: int | None = None, **more: Any) -> Any:
        """A person says something, and the bot has worked on it."""
        said = await self.sandbox.say(text, user, chat, **more)
        await self.run()
        return said

    async def press(self, message: Message, label: str, user: int = ANN_ID, chat: int | None = None) -> None:
        """Presses the button with this label."""
        data = dict(self.buttons(message))[label]
        await self.press_data(message, data, user, chat)

    async def press_data(self, message: Message, data: str, user: int = ANN_ID, chat: int | None = None) -> None:
        pressed = {"bot_id": BOT_ID, "chat_id": chat or user, "user_id": user, "message_id": message["message_id"], "data": data}
        await self.sandbox.sim("press", pressed)
        await self.run()

    @staticmethod
    def buttons(message: Message) -> list[tuple[str, str]]:
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        return [(button["text"], button["callback_data"]) for row in rows for button in row]

    @staticmethod
    def marked(message: Message) -> list[tuple[str, str]]:
        """(kind, words) of everything that is emphasised."""
        units = message["text"].encode("utf-16-le")
        places = [(entity["type"], 2 * entity["offset"], 2 * entity["length"]) for entity in message.get("entities", [])]
        return [(kind, units[start : start + length].decode("utf-16-le")) for kind, start, length in places]

    async def seen(self, chat: int = ANN_ID) -> list[Message]:
        """The bot's messages in a chat, oldest first."""
        messages = (await self.sandbox.transcript(chat))["messages"]
        return [message for message in messages if message["from"]["id"] == BOT_ID]

    async def texts(self, chat: int = ANN_ID) -> list[str]:
        return [message["text"] for message in await self.seen(chat)]

    async def calls(self, method: str) -> list[dict[str, Any]]:
        """What the bot asked of Telegram, with the answers' statuses."""
        found: list[dict[str, Any]] = await self.sandbox.sim(f"calls?bot_id={BOT_ID}&method={method}")
        return found

    async def answered(self) -> list[dict[str, Any]]:
        """Parameters of every answer to a pressed button."""
        return [call["params"] for call in await self.calls("answerCallbackQuery")]

    async def faults(self, *faults: dict[str, Any]) -> None:
        await self.sandbox.sim("faults", {"faults": list(faults)})

    async def statuses(self) -> list[str]:
        return [status for (status,) in await self.house.rows("select status from stored_updates order by sequence")]


def statements_sent() -> int:
    return sum(int(sample.value) for metric in STATEMENTS.collect() for sample in metric.samples if sample.name.endswith("_total"))


async def until(ready: Callable[[], Awaitable[Any]] | Callable[[], Any], seconds: float = 5.0) -> Any:
    """Waits for what another task or the sandbox does meanwhile."""
    async with asyncio.timeout(seconds):
        while True:
            found = ready()
            found = await found if isinstance(found, Awaitable) else found
            if found:
                return found
            await asyncio.sleep(0.005)

"""`/health`, for operators: every dependency and the inbox."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import Message

from services.bot.delivery import Delivery
from services.bot.filters import Holds
from services.bot.sentences import say
from services.bot.streaming import place_of
from shared.application.health import HealthService
from shared.application.inbox import InboxService
from shared.domain.speaker import Speaker


async def on_denied(message: Message, speaker: Speaker, delivery: Delivery) -> None:
    delivery.say(say("health-denied", speaker.language), place_of(message))


async def on_health(message: Message, speaker: Speaker, delivery: Delivery, health: HealthService, inbox: InboxService) -> None:
    report = await health.check()
    depth, age = await inbox.depth()
    lines = [
        say(
            "health-line",
            speaker.language,
            state="ok" if found.is_ok else "bad",
            name=found.name,
            ms=round(found.latency_ms),
            problem=found.code or "",
        )
        for found in report.dependencies
    ]
    inbox_line = say("health-inbox", speaker.language, depth=depth, age=round(age))
    delivery.say("\n".join([say("health", speaker.language), *lines, inbox_line]), place_of(message))


def create_router(operator_ids: frozenset[int]) -> Router:
    router = Router(name="health")
    router.message.register(on_health, Command("health"), Holds(F.from_user.id.in_(operator_ids)))
    router.message.register(on_denied, Command("health"))
    return router

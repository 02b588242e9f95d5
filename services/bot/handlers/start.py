"""`/start`: the character's greeting and the menu."""

from aiogram import Router
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from services.bot import replies, screens
from services.bot.delivery import Delivery
from services.bot.streaming import place_of
from shared.application.accounts import AccountService
from shared.application.characters import CharacterService
from shared.domain.speaker import Speaker


async def on_start(message: Message, speaker: Speaker, characters: CharacterService, delivery: Delivery) -> None:
    greeting = await characters.greeting(speaker)
    for call in replies.anew(replies.written(greeting), place_of(message), None):
        delivery.queue(call)
    screen = screens.menu(speaker)
    delivery.say(screen.html, place_of(message), screen.keyboard)


async def on_help(message: Message, speaker: Speaker, delivery: Delivery) -> None:
    screen = screens.help_screen(speaker)
    delivery.say(screen.html, place_of(message), screen.keyboard)


async def on_status(message: Message, speaker: Speaker, accounts: AccountService, delivery: Delivery) -> None:
    screen = screens.status(speaker, await accounts.allowance(speaker))
    delivery.say(screen.html, place_of(message), screen.keyboard)


async def on_language(message: Message, speaker: Speaker, delivery: Delivery) -> None:
    screen = screens.languages(speaker.language)
    delivery.say(screen.html, place_of(message), screen.keyboard)


def create_router() -> Router:
    router = Router(name="start")
    router.message.register(on_start, CommandStart())
    router.message.register(on_help, Command("help"))
    router.message.register(on_status, Command("status"))
    router.message.register(on_language, Command("language"))
    return router

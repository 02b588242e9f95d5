"""aiogram's dispatcher with our routers, who speaks, and errors in words."""

from html import unescape

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramForbiddenError, TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from aiogram.types import ErrorEvent, Message

from services.bot.albums import RecentAlbums
from services.bot.delivery import Delivery
from services.bot.drafts.budget import DraftBudgets
from services.bot.errors import sentence_of
from services.bot.handlers import routers
from services.bot.handlers.menu import answer
from services.bot.handlers.settings import KnownModels
from services.bot.middlewares import FloodMiddleware, SpeakerMiddleware
from services.bot.sender import TelegramAwayError
from services.bot.streaming import Stage, place_of
from shared.application.ports import ModelUnavailableError
from shared.application.stop import StopRegistry
from shared.bootstrap import Application
from shared.domain.errors import AppError, UnavailableError
from shared.domain.inbox import LeaseLostError
from shared.domain.user import spoken_language

log = structlog.get_logger("dispatcher")


def create_dispatcher(application: Application, bot: Bot, *, stops: StopRegistry, operator_ids: frozenset[int]) -> Dispatcher:
    """Handlers get services by the names of `Application`'s fields."""
    dispatcher = Dispatcher(disable_fsm=True)
    dispatcher.workflow_data.update(
        accounts=application.accounts,
        characters=application.characters,
        chat=application.chat,
        models=KnownModels({name: application.models.tier_of(name) or "strong" for name in application.models.names()}),
        memory=application.memory,
        inbox=application.inbox,
        limits=application.limits,
        health=application.health,
        switches=application.switches,
        presence=application.presence,
        stops=stops,
        stage=Stage(bot=bot, budgets=DraftBudgets(), stops=stops, switches=application.switches),
        albums=RecentAlbums(),
    )
    speaker = SpeakerMiddleware(application.accounts)
    flood = FloodMiddleware(application.limits)
    for observer in (dispatcher.message, dispatcher.edited_message, dispatcher.callback_query):
        observer.outer_middleware(flood)
        observer.middleware(speaker)
    dispatcher.include_routers(*routers(operator_ids))
    dispatcher.error.register(on_error)
    return dispatcher


async def on_error(event: ErrorEvent, delivery: Delivery) -> None:
    """What a person can be told is said in their language; everything else goes on to the consumer, which tries again."""
    error = event.exception
    if isinstance(error, (TelegramNetworkError, TelegramServerError, TelegramRetryAfter)):
        raise TelegramAwayError(type(error).__name__, retry_after=getattr(error, "retry_after", 2.0)) from error
    if isinstance(error, TelegramForbiddenError):
        log.info("nobody_to_show_it_to", reason=error.message)
        return
    if not isinstance(error, AppError) or isinstance(error, LeaseLostError):
        raise error
    if isinstance(error, UnavailableError) and not isinstance(error, ModelUnavailableError):
        raise error
    said_to = event.update.message or event.update.edited_message or event.update.callback_query
    if said_to is None or said_to.from_user is None:
        log.warning("error_not_shown", code=error.code)
        return
    sentence = sentence_of(error, delivery.language or spoken_language(said_to.from_user.language_code))
    log.info("error_shown", code=error.code)
    if isinstance(said_to, Message):
        delivery.drop_queued()
        delivery.say(sentence, place_of(said_to))
        return
    if not delivery.is_press_answered:
        await answer(said_to, unescape(sentence))
    elif isinstance(said_to.message, Message):
        delivery.drop_queued()
        delivery.say(sentence, place_of(said_to.message))

"""The bot's handlers; the last router takes what no other understood."""

from aiogram import Router

from services.bot.handlers import chat, health, menu, places, settings, start, turns


def routers(operator_ids: frozenset[int]) -> list[Router]:
    return [
        chat.create_text_router(),
        start.create_router(),
        settings.create_router(),
        turns.create_router(),
        menu.create_router(),
        health.create_router(operator_ids),
        places.create_router(),
        chat.create_router(),
    ]

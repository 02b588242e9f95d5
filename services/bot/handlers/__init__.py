"""The bot's handlers; the last router takes what no other understood."""

from aiogram import Router

from services.bot.handlers import chat, health, memory, menu, places, settings, start, turns


def routers(operator_ids: frozenset[int]) -> list[Router]:
    return [
        memory.create_answer_router(),
        chat.create_text_router(),
        settings.create_router(),
        turns.create_router(),
        memory.create_router(),
        start.create_router(),
        menu.create_router(),
        health.create_router(operator_ids),
        places.create_router(),
        chat.create_router(),
    ]

"""Bots of other people's libraries, unmodified: the emulator must not be a mirror of our own assumptions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import telegram
import telegram.error
import telegram.ext
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramRetryAfter
from aiogram.filters import CommandObject, CommandStart
from aiogram.types import BotCommand, BufferedInputFile, CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

from tests.services.sandbox.emulator import ANN, BOT_ID, Sandbox
from tests.services.sandbox.test_emulator_media import ogg, png


@asynccontextmanager
async def aiogram_bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.url))
    bot = Bot(sandbox.token, session=session)
    yield bot
    await session.close()


def talkative() -> Dispatcher:
    """An ordinary aiogram bot: a deep link, a button, an echo."""
    dispatcher = Dispatcher()

    @dispatcher.message(CommandStart(deep_link=True))
    async def start(message: Message, command: CommandObject) -> None:
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Press", callback_data="pressed")]])
        await message.answer(f"payload {command.args}", reply_markup=keyboard)

    @dispatcher.callback_query(F.data == "pressed")
    async def pressed(query: CallbackQuery) -> None:
        await query.answer("thank you")
        assert isinstance(query.message, Message)
        await query.message.edit_text("you pressed")

    @dispatcher.message(F.photo)
    async def photo(message: Message, bot: Bot) -> None:
        assert message.photo is not None
        data = await bot.download(message.photo[-1])
        assert data is not None
        await message.answer(f"{len(data.read())} bytes")

    @dispatcher.message(F.text)
    async def echo(message: Message) -> None:
        await message.reply(message.text or "")

    return dispatcher


async def bot_says(sandbox: Sandbox, text: str) -> dict[str, Any]:
    """Waits until the bot's last message is this."""
    seen: list[str] = []
    for _ in range(300):
        messages = (await sandbox.transcript())["messages"]
        seen = [message.get("text", "") for message in messages]
        if messages[-1]["from"]["is_bot"] and messages[-1].get("text") == text:
            return dict(messages[-1])
        await asyncio.sleep(0.01)
    raise AssertionError(seen)


async def converse(sandbox: Sandbox) -> None:
    await sandbox.say("/start ref-7")
    shown = await bot_says(sandbox, "payload ref-7")
    place = {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "message_id": shown["message_id"]}
    await sandbox.sim("press", {**place, "data": "pressed"})
    await bot_says(sandbox, "you pressed")
    await sandbox.say("hello 😀")
    assert (await bot_says(sandbox, "hello 😀"))["reply_to_message_id"] > shown["message_id"]
    assert [event[2]["text"] for event in sandbox.world.events.after(0) if event[1] == "callback_answer"] == ["thank you"]


async def test_an_aiogram_bot_by_polling(sandbox: Sandbox) -> None:
    dispatcher = talkative()
    async with aiogram_bot(sandbox) as bot, asyncio.TaskGroup() as group:
        polling = group.create_task(dispatcher.start_polling(bot, polling_timeout=5, handle_signals=False, close_bot_session=False))
        await converse(sandbox)
        await dispatcher.stop_polling()
        await polling
    assert all(record["acknowledged_at"] for record in await sandbox.records())


async def test_an_aiogram_bot_by_webhook(sandbox: Sandbox) -> None:
    dispatcher, app = talkative(), web.Application()
    async with aiogram_bot(sandbox) as bot:
        SimpleRequestHandler(dispatcher, bot, secret_token="s3cret", handle_in_background=False).register(app, path="/hook")
        setup_application(app, dispatcher, bot=bot)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token="s3cret")
        await converse(sandbox)
        await bot.delete_webhook()
        await runner.cleanup()
    assert all(record["acknowledged_at"] for record in await sandbox.records())


async def test_aiograms_calls_and_errors(sandbox: Sandbox) -> None:
    async with aiogram_bot(sandbox) as bot:
        assert (await bot.me()).id == BOT_ID
        await bot.set_my_commands([BotCommand(command="start", description="Begin")])
        assert await bot.send_message_draft(ANN, draft_id=1, text="thinking")
        sent = await bot.send_photo(ANN, BufferedInputFile(png(50, 40), "a.png"), caption="<i>x</i>", parse_mode="HTML")
        assert sent.photo is not None
        assert sent.caption_entities is not None
        assert (sent.photo[-1].width, sent.caption_entities[0].type) == (50, "italic")
        voice = await bot.send_voice(ANN, BufferedInputFile(ogg(3), "a.ogg"))
        assert voice.voice is not None
        assert voice.voice.duration == 3
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await bot.edit_message_text("x", chat_id=ANN, message_id=1)
        await sandbox.sim("faults", {"faults": [{"kind": "flood", "retry_after": 3, "times": 1}]})
        with pytest.raises(TelegramRetryAfter) as caught:
            await bot.send_message(ANN, "x")
        assert caught.value.retry_after == 3


async def test_python_telegram_bots_echo_bot(sandbox: Sandbox) -> None:
    application = (
        telegram.ext.ApplicationBuilder()
        .token(sandbox.token)
        .base_url(f"{sandbox.url}/bot")
        .base_file_url(f"{sandbox.url}/file/bot")
        .build()
    )

    async def start(update: telegram.Update, _: Any) -> None:
        assert update.effective_user is not None
        assert update.message is not None
        await update.message.reply_html(rf"Hi {update.effective_user.mention_html()}!", reply_markup=telegram.ForceReply(selective=True))

    async def echo(update: telegram.Update, _: Any) -> None:
        assert update.message is not None
        await update.message.reply_text(update.message.text or "")

    application.add_handler(telegram.ext.CommandHandler("start", start))
    application.add_handler(telegram.ext.MessageHandler(telegram.ext.filters.TEXT & ~telegram.ext.filters.COMMAND, echo))
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling(timeout=5)
        await sandbox.say("/start")
        shown = await bot_says(sandbox, "Hi Ann!")
        assert shown["reply_markup"] == {"force_reply": True, "selective": True}
        await sandbox.say("echo this")
        await bot_says(sandbox, "echo this")
        with pytest.raises(telegram.error.BadRequest, match="Chat not found"):
            await application.bot.send_message(1, "x")
        await application.updater.stop()
        await application.stop()

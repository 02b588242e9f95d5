"""The least that an aiogram bot can do: one model call and one message. Stock polling or webhook, no storage, no order, no limits.

What is lost on a restart, doubled or answered out of order is not its concern; it is the yardstick for CPU, not an example.
"""

import argparse
import asyncio
import os
from typing import Any

import aiohttp
import orjson
import uvloop
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

SCREENS = ("characters", "status", "language", "help")
SYSTEM = {"role": "system", "content": "You are a kind companion who answers in two sentences."}


def menu() -> InlineKeyboardMarkup:
    buttons = [InlineKeyboardButton(text=name.title(), callback_data=f"screen:{name}") for name in SCREENS]
    return InlineKeyboardMarkup(inline_keyboard=[buttons[:2], buttons[2:]])


def back() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Back", callback_data="screen:menu")]])


class Model:
    def __init__(self, url: str, *, streaming: bool) -> None:
        self._url, self._streaming = f"{url}/chat/completions", streaming
        self._session: aiohttp.ClientSession | None = None

    async def reply(self, said: str) -> str:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers={"Authorization": "Bearer bench"})
        body: dict[str, Any] = {"model": "sandbox", "messages": [SYSTEM, {"role": "user", "content": said}]}
        if self._streaming:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        async with self._session.post(self._url, json=body) as response:
            if not self._streaming:
                return str((await response.json())["choices"][0]["message"]["content"])
            return "".join([_delta(line) async for line in response.content])


def _delta(line: bytes) -> str:
    if not line.startswith(b"data: {"):
        return ""
    choices = orjson.loads(line[6:])["choices"]
    return choices[0]["delta"].get("content") or "" if choices else ""


async def on_start(message: Message) -> None:
    await message.answer("Hello!", reply_markup=menu())


async def on_text(message: Message, model: Model) -> None:
    await message.answer(await model.reply(message.text or ""))


async def on_press(press: CallbackQuery) -> None:
    await press.answer()
    name = (press.data or "").removeprefix("screen:")
    if isinstance(press.message, Message):
        await press.message.edit_text(f"<b>{name}</b>", parse_mode="HTML", reply_markup=menu() if name == "menu" else back())


async def run(arguments: argparse.Namespace) -> None:
    bot = Bot(os.environ["BOT_TOKEN"], session=AiohttpSession(api=TelegramAPIServer.from_base(arguments.telegram), limit=150))
    dispatcher = Dispatcher(disable_fsm=True, model=Model(arguments.model, streaming=arguments.streaming))
    dispatcher.message.register(on_start, CommandStart())
    dispatcher.message.register(on_text, F.text)
    dispatcher.callback_query.register(on_press, F.data.startswith("screen:"))
    if not arguments.webhook:
        await bot.delete_webhook()
        await dispatcher.start_polling(bot, handle_signals=True)
        return
    app = web.Application()
    SimpleRequestHandler(dispatcher, bot).register(app, path="/webhook")
    setup_application(app, dispatcher, bot=bot)
    runner = web.AppRunner(app, access_log=None, handle_signals=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", arguments.port).start()
    await bot.set_webhook(f"http://127.0.0.1:{arguments.port}/webhook", max_connections=100)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A bare aiogram bot; BOT_TOKEN names it.")
    parser.add_argument("--telegram", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--streaming", action="store_true")
    parser.add_argument("--webhook", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()

"""Calls to a real Bot API look-alike on loopback: what arrives there, what comes back, what an operator reads when it fails."""

import asyncio
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.telegram import PRODUCTION
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import SendMessage
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, ReplyParameters
from aiohttp import web

from services.bot.session import LeanSession, RawCall, build_session, post_raw
from tests.services.bot import bot_api
from tests.services.bot.bot_api import MESSAGE, SECRET, TOKEN, failure_of, hang_up, refusing, replying

server, api, pauses, bot = bot_api.server, bot_api.api, bot_api.pauses, bot_api.bot
pytestmark = pytest.mark.timeout(30)


async def test_a_message_arrives_as_json_with_everything_it_carries(api, bot):
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Again", callback_data="again:1")]])
    sent = await bot.send_message(
        7,
        "Hello 😀",
        entities=[MessageEntity(type="bold", offset=0, length=5)],
        reply_markup=keyboard,
        reply_parameters=ReplyParameters(message_id=3),
        disable_notification=False,
    )
    assert (sent.message_id, sent.chat.id, sent.text) == (5, 7, "Hello")
    assert api.calls == [
        (
            f"/bot{TOKEN}/sendMessage",
            "application/json",
            {
                "chat_id": 7,
                "text": "Hello 😀",
                "entities": [{"type": "bold", "offset": 0, "length": 5}],
                "reply_markup": {"inline_keyboard": [[{"text": "Again", "callback_data": "again:1"}]]},
                "reply_parameters": {"message_id": 3},
                "disable_notification": False,
            },
        )
    ]


async def test_the_answer_knows_its_bot(api, bot):
    sent = await bot.send_message(7, "Hello")
    await sent.reply("again")
    assert api.body["reply_parameters"]["message_id"] == 5


async def test_an_empty_draft_is_sent_with_its_empty_text(api, bot):
    api.will_answer(True)
    assert await bot.send_message_draft(chat_id=7, draft_id=9, text="", can_stop=True) is True
    assert api.body == {"chat_id": 7, "draft_id": 9, "text": "", "can_stop": True}


async def test_defaults_of_the_bot_apply_to_calls_but_not_to_the_outbox(api, bot):
    strict = Bot(TOKEN, session=bot.session, default=DefaultBotProperties(parse_mode=ParseMode.HTML, protect_content=True))
    await strict.send_message(7, "<b>x</b>")
    assert api.body == {"chat_id": 7, "text": "<b>x</b>", "parse_mode": "HTML", "protect_content": True}
    await strict.send_message(7, "<b>x</b>", parse_mode=None)
    assert api.body == {"chat_id": 7, "text": "<b>x</b>", "protect_content": True}
    await post_raw(strict, "sendMessage", {"chat_id": 7, "text": "<b>x</b>"})
    assert api.body == {"chat_id": 7, "text": "<b>x</b>"}


async def test_a_parameter_newer_than_aiogram_is_passed_on(api, bot):
    await bot(SendMessage(chat_id=7, text="x", effect_of_tomorrow={"strength": 2}))
    assert api.body == {"chat_id": 7, "text": "x", "effect_of_tomorrow": {"strength": 2}}


async def test_dates_become_unix_time(api, bot):
    api.will_answer(True, True)
    await bot.ban_chat_member(7, 8, until_date=datetime(2027, 1, 1, tzinfo=UTC))
    assert api.body["until_date"] == 1_798_761_600
    await bot.ban_chat_member(7, 8, until_date=timedelta(hours=1))
    assert 3590 < api.body["until_date"] - datetime.now(UTC).timestamp() < 3610


async def test_a_file_still_travels_as_a_form(api, bot):
    await bot.send_document(7, BufferedInputFile(b"content", "a.txt"), caption="see")
    path, content_type, form = api.calls[0]
    assert (path, content_type) == (f"/bot{TOKEN}/sendDocument", "multipart/form-data")
    attached = form[form["document"].removeprefix("attach://")]
    assert (form["caption"], attached) == ("see", ("a.txt", b"content"))


async def test_a_lone_surrogate_is_left_to_telegram_to_refuse(api, bot):
    await bot.send_message(7, "a\ud83d")
    assert api.body["text"] == "a\ud83d"


async def test_the_outbox_gets_the_raw_result(api, bot):
    assert await post_raw(bot, "sendMessage", {"chat_id": 7, "text": "Hello"}) == MESSAGE
    assert api.calls == [(f"/bot{TOKEN}/sendMessage", "application/json", {"chat_id": 7, "text": "Hello"})]
    api.will_answer(True)
    assert await post_raw(bot, "deleteMessage", {"chat_id": 7, "message_id": 5}) is True


REFUSALS = [
    (400, "Bad Request: chat not found", TelegramBadRequest),
    (401, "Unauthorized", TelegramUnauthorizedError),
    (403, "Forbidden: bot was blocked by the user", TelegramForbiddenError),
    (404, "Not Found", TelegramNotFound),
    (409, "Conflict: terminated by other getUpdates request", TelegramConflictError),
    (500, "Internal Server Error", TelegramServerError),
]


@pytest.mark.parametrize(("status", "description", "kind"), REFUSALS)
async def test_refusals_are_aiograms_own_errors_on_both_ways(api, bot, status, description, kind):
    api.will_answer(*[refusing(status, description)] * 2)
    for call in (bot.send_message(7, "x"), post_raw(bot, "sendMessage", {"chat_id": 7, "text": "x"})):
        error = await failure_of(call)
        assert type(error) is kind
        assert error.message == description
        assert TOKEN not in str(error)


async def test_a_group_that_became_a_supergroup_says_where_it_went(api, bot):
    api.will_answer(refusing(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1007))
    error = await failure_of(post_raw(bot, "sendMessage", {"chat_id": -7, "text": "x"}))
    assert isinstance(error, TelegramMigrateToChat)
    assert error.migrate_to_chat_id == -1007
    assert "from -7" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, "<html>Bad Gateway</html>", TelegramServerError),
        (504, "", TelegramServerError),
        (200, "<html>Log in to this network</html>", TelegramNetworkError),
        (200, "[1]", TelegramNetworkError),
    ],
)
async def test_an_answer_that_is_not_telegrams_is_a_failure_of_the_way(api, bot, status, body, kind):
    api.will_answer(replying(status, body))
    error = await failure_of(bot.send_message(7, "x"))
    assert type(error) is kind
    assert f"HTTP {status}" in str(error)
    assert "html" not in str(error)


async def test_an_answer_of_an_unknown_shape_is_reported_without_what_people_wrote(api, bot):
    api.will_answer({**MESSAGE, "date": "never", "text": "a private confession"})
    error = await failure_of(bot.send_message(7, "x"))
    assert isinstance(error, ClientDecodeError)
    report = "".join(traceback.format_exception(error))
    assert "date" in report
    assert "confession" not in report
    assert "never" not in report


# --- the token stays secret ---------------------------------------------------------------------------------------------------------


def everything_a_log_could_show(error: BaseException) -> str:
    chained = f"{error.__context__!r} {error.__cause__!r}"
    return "".join(traceback.format_exception(error)) + repr(error) + chained


@pytest.mark.parametrize("upload", [False, True])
@pytest.mark.parametrize("trouble", ["refused", "hang up", "redirect loop", "bad address", "timeout"])
async def test_no_failure_shows_the_token(api, trouble, upload):
    async def redirect(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(f"{api.url}/bot{TOKEN}/sendMessage")

    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.5)
        return web.Response()

    api.will_answer(*[{"hang up": hang_up, "redirect loop": redirect, "timeout": hang}.get(trouble, hang_up)] * 20)
    address = {"refused": "http://127.0.0.1:9", "bad address": "nonsense"}.get(trouble, api.url)
    session = LeanSession(api=build_session(address, 1, 1).api, timeout=0.2)
    method = bot_call(upload)
    error = await failure_of(Bot(TOKEN, session=session)(method))
    await session.close()
    assert type(error) is TelegramNetworkError
    assert SECRET not in everything_a_log_could_show(error)
    assert error.__context__ is None


def bot_call(upload: bool) -> Any:
    attached = BufferedInputFile(b"x", "a.txt")
    return SendMessage(chat_id=7, text="x") if not upload else SendMessage(chat_id=7, text="x", attached=attached)


async def test_a_download_that_fails_does_not_show_the_token(api, bot):
    api.will_answer(replying(404, "not here"))
    error = await failure_of(bot.download_file("photos/1.jpg"))
    assert isinstance(error, TelegramNetworkError)
    assert "404" in str(error)
    assert SECRET not in everything_a_log_could_show(error)


async def test_a_download_brings_the_file(api, bot):
    api.will_answer(replying(200, "picture"))
    content = await bot.download_file("photos/1.jpg")
    assert content is not None
    assert content.read() == b"picture"
    assert api.calls[0][0] == f"/file/bot{TOKEN}/photos/1.jpg"


# --- the pool -----------------------------------------------------------------------------------------------------------------------


async def test_calls_share_connections_up_to_the_pool_size(api):
    waiting = 0
    most = 0

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0.02)
        waiting -= 1
        return web.json_response({"ok": True, "result": True})

    api.will_answer(*[slow] * 12)
    session = build_session(api.url + "/", 3, 5.0)
    bot = Bot(TOKEN, session=session)
    async with asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(post_raw(bot, "sendChatAction", {"chat_id": 7}))
    await session.close()
    assert most == 3
    assert len(api.calls) == 12


def test_without_an_address_calls_go_to_telegram():
    assert build_session(None, 10, 5.0).api is PRODUCTION
    assert build_session("", 10, 5.0).api is PRODUCTION


def test_a_raw_call_names_itself_in_errors():
    error = TelegramBadRequest(RawCall("sendMessage", {"chat_id": 7}), "Bad Request: x")
    assert (error.method.__api_method__, error.method.chat_id) == ("sendMessage", 7)

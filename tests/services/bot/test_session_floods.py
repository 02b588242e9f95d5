"""What happens to a call that Telegram or the network refuses."""

import asyncio

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
)
from aiogram.methods import GetUpdates
from aiogram.types import BufferedInputFile
from aiohttp import web

from services.bot.session import CallMetrics, LeanSession, build_session, post_raw
from tests.services.bot import bot_api
from tests.services.bot.bot_api import TOKEN, failure_of, hang_up, refusing, replying

server, api, pauses, bot = bot_api.server, bot_api.api, bot_api.pauses, bot_api.bot
pytestmark = pytest.mark.timeout(30)


async def test_a_message_waits_out_a_flood_wait_and_arrives(api, bot, pauses):
    api.will_answer(refusing(429, "Too Many Requests: retry after 1", retry_after=1))
    assert (await bot.send_message(7, "x")).message_id == 5
    assert len(api.calls) == 2
    assert [int(seconds) for seconds in pauses.seconds] == [1]
    assert all(seconds % 1 < 0.3 for seconds in pauses.seconds)


async def test_a_flood_wait_beyond_two_seconds_goes_to_the_outbox(api, bot, pauses):
    api.will_answer(refusing(429, "Too Many Requests", retry_after=1), refusing(429, "Too Many Requests", retry_after=2))
    error = await failure_of(post_raw(bot, "sendMessage", {"chat_id": 7, "text": "x"}))
    assert isinstance(error, TelegramRetryAfter)
    assert error.retry_after == 2
    assert len(api.calls) == 2
    assert [int(seconds) for seconds in pauses.seconds] == [1]


async def test_drafts_and_typing_never_wait(api, bot, pauses):
    api.will_answer(*[refusing(429, "Too Many Requests", retry_after=1)] * 2)
    assert isinstance(await failure_of(bot.send_message_draft(chat_id=7, draft_id=1, text="x")), TelegramRetryAfter)
    assert isinstance(await failure_of(bot.send_chat_action(7, "typing")), TelegramRetryAfter)
    assert (len(api.calls), pauses.seconds) == (2, [])


@pytest.mark.parametrize("trouble", [hang_up, refusing(500, "Internal Server Error"), replying(502, "Bad Gateway")])
async def test_what_may_arrive_twice_is_repeated_after_a_failure(api, bot, pauses, trouble):
    api.will_answer(trouble, trouble, True)
    assert await bot.delete_message(7, 5) is True
    assert len(api.calls) == 3
    first, second = pauses.seconds
    assert 0.5 <= first < 0.8
    assert 1.0 <= second < 1.3


async def test_a_failure_that_stays_is_reported_after_four_attempts(api, bot, pauses):
    api.will_answer(*[hang_up] * 9)
    assert type(await failure_of(bot.edit_message_text("x", chat_id=7, message_id=5))) is TelegramNetworkError
    assert (len(api.calls), len(pauses.seconds)) == (4, 3)


async def test_a_file_that_is_too_large_is_refused_once(api, bot, pauses):
    api.will_answer(refusing(413, "Request Entity Too Large"))
    error = await failure_of(bot.set_chat_photo(-7, BufferedInputFile(b"x", "a.jpg")))
    assert type(error) is TelegramEntityTooLarge
    assert (len(api.calls), pauses.seconds) == (1, [])


async def test_what_would_arrive_twice_is_never_repeated(api, bot, pauses):
    api.will_answer(*[hang_up] * 9)
    for call in (
        bot.send_message(7, "x"),
        post_raw(bot, "sendInvoice", {"chat_id": 7}),
        post_raw(bot, "forwardMessage", {"chat_id": 7}),
        post_raw(bot, "answerGuestQuery", {"guest_query_id": "1"}),
        bot(GetUpdates()),
    ):
        assert type(await failure_of(call)) is TelegramNetworkError
    assert (len(api.calls), pauses.seconds) == (5, [])


async def test_every_attempt_is_counted(api, bot):
    seen: list[tuple[str, str]] = []
    bot.session.middleware(CallMetrics(lambda method, outcome, seconds: seen.append((method, outcome))))
    api.will_answer(hang_up, True, refusing(403, "Forbidden: bot was blocked by the user"), refusing(500, "x"), {"message_id": "?"})
    await bot.delete_message(7, 5)
    await failure_of(post_raw(bot, "sendMessage", {"chat_id": 7, "text": "x"}))
    await failure_of(bot.send_message(7, "x"))
    await failure_of(bot.send_message(7, "x"))
    assert seen == [
        ("deleteMessage", "network"),
        ("deleteMessage", "ok"),
        ("sendMessage", "403"),
        ("sendMessage", "5xx"),
        ("sendMessage", "garbled"),
    ]


async def test_a_built_session_obeys_floods_and_tells_of_every_attempt(api):
    seen: list[tuple[str, str, bool]] = []
    session = build_session(api.url, 10, 5.0, observe=lambda method, outcome, seconds: seen.append((method, outcome, 0 < seconds < 5)))
    api.will_answer(refusing(429, "Too Many Requests", retry_after=61), True)
    bot = Bot(TOKEN, session=session)
    assert isinstance(await failure_of(bot.send_message(7, "x")), TelegramRetryAfter)
    await bot.delete_message(7, 5)
    await session.close()
    assert seen == [("sendMessage", "429", True), ("deleteMessage", "ok", True)]


async def test_a_cancelled_call_is_counted_as_cancelled(api):
    seen: list[str] = []
    arrived = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await asyncio.sleep(10)
        return web.Response()

    api.will_answer(hang)
    session = LeanSession(api=build_session(api.url, 1, 1).api)
    session.middleware(CallMetrics(lambda method, outcome, seconds: seen.append(outcome)))
    async with asyncio.TaskGroup() as group:
        call = group.create_task(post_raw(Bot(TOKEN, session=session), "sendMessage", {"chat_id": 7}))
        await arrived.wait()
        call.cancel()
    await session.close()
    assert seen == ["cancelled"]

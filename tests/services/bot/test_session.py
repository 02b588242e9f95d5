"""Calls to a real Bot API look-alike on loopback: what arrives there, what comes back, what an operator reads when it fails."""

import asyncio
import json
import secrets
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.telegram import PRODUCTION
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetUpdates, SendMessage
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, ReplyParameters
from aiohttp import web

from services.bot.session import CallMetrics, FloodControl, LeanSession, RawCall, build_session, post_raw

pytestmark = pytest.mark.timeout(30)
SECRET = secrets.token_hex(8)
TOKEN = f"123456:{SECRET}"
MESSAGE = {"message_id": 5, "date": 1_790_000_000, "chat": {"id": 7, "type": "private"}, "text": "Hello"}


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class BotApi:
    """Answers with the prepared answers first, then with ``MESSAGE``."""

    url: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = request.content_type != "application/json"
        body: Any = {name: _content(value) for name, value in (await request.post()).items()} if form else json.loads(await request.read())
        self.calls.append((request.path, request.content_type, body))
        return await self.answers.pop(0)(request) if self.answers else web.json_response({"ok": True, "result": MESSAGE})

    def will_answer(self, *answers: Any) -> None:
        for answer in answers:
            self.answers.append(answer if callable(answer) else replying(200, {"ok": True, "result": answer}))

    @property
    def body(self) -> Any:
        return self.calls[-1][2]


def _content(value: Any) -> Any:
    if not isinstance(value, web.FileField):
        return value
    with value.file:
        return value.filename, value.file.read()


def replying(status: int, body: dict[str, Any] | str) -> Answer:
    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body if isinstance(body, str) else json.dumps(body))

    return reply


def refusing(status: int, description: str, **parameters: int) -> Answer:
    return replying(status, {"ok": False, "error_code": status, "description": description, "parameters": parameters})


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[BotApi]:
    api = BotApi()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    api.url = f"http://{host}:{port}"
    yield api
    await runner.cleanup()


@pytest.fixture
def api(server: BotApi) -> BotApi:
    server.calls.clear()
    server.answers.clear()
    return server


@dataclass
class Pauses:
    """Sleep that takes no time and remembers what was asked."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def bot(api: BotApi, pauses: Pauses) -> AsyncIterator[Bot]:
    session = LeanSession(api=build_session(api.url, 10, 5.0).api, timeout=5.0)
    session.middleware(FloodControl(sleep=pauses))
    yield Bot(TOKEN, session=session)
    await session.close()


async def failure_of(call: Awaitable[Any]) -> AiogramError:
    with pytest.raises(AiogramError) as caught:
        await call
    return caught.value


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


# --- flood control ----------------------------------------------------------------------------------------------------------------


async def test_a_message_waits_out_a_flood_wait_and_arrives(api, bot, pauses):
    api.will_answer(refusing(429, "Too Many Requests: retry after 7", retry_after=7), refusing(429, "again", retry_after=20))
    assert (await bot.send_message(7, "x")).message_id == 5
    assert len(api.calls) == 3
    assert [int(seconds) for seconds in pauses.seconds] == [7, 20]
    assert all(seconds % 1 < 0.3 for seconds in pauses.seconds)


async def test_a_flood_wait_beyond_a_minute_goes_to_the_outbox(api, bot, pauses):
    api.will_answer(refusing(429, "Too Many Requests", retry_after=40), refusing(429, "Too Many Requests", retry_after=40))
    error = await failure_of(post_raw(bot, "sendMessage", {"chat_id": 7, "text": "x"}))
    assert isinstance(error, TelegramRetryAfter)
    assert error.retry_after == 40
    assert len(api.calls) == 2
    assert [int(seconds) for seconds in pauses.seconds] == [40]


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

"""A Bot API look-alike on loopback, with the answers that a test prepares."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
)
from aiohttp import web

from services.bot.session import FloodControl, LeanSession, build_session

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

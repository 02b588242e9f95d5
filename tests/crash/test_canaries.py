"""No text, name, token or key that anybody gave us appears in a log, whatever goes wrong."""

import asyncio
import json
import secrets
from typing import Any

import pytest

from tests.crash.conftest import MakeHouse
from tests.crash.house import SECRET, House
from tests.crash.poison import message, poisons
from tests.crash.test_poison import until_none_waits

pytestmark = pytest.mark.crash


def canary(kind: str) -> str:
    return f"canary{kind}{secrets.token_hex(6)}"


async def talk(house: House, user: int, words: list[str]) -> None:
    for text in words:
        await house.sandbox.say(house.bot_id, user, text)
    await house.until_quiet(40)


async def go_wrong_in_every_way(house: House, user: int, text: str) -> None:
    """The model and Telegram fail one after the other while somebody talks."""
    for fault in ("cut", "garbage", "refuse_connection"):
        await house.sandbox.model(fault={"kind": fault, "times": 1, "after_tokens": 2})
        await talk(house, user, [f"{text} {fault}"])
    await house.sandbox.model(fault={"kind": "status", "code": 500, "times": 3})  # as often as the only model is asked
    await talk(house, user, [f"{text} 500"])
    for broken in (
        {"kind": "error", "method": "sendMessage", "code": 400, "description": "Bad Request: can't parse entities", "times": 1},
        {"kind": "error", "method": "sendMessage", "code": 500, "times": 1},
        {"kind": "drop", "method": "sendMessage", "times": 1},
        {"kind": "flood", "method": "*", "retry_after": 1, "times": 1},
        {"kind": "accept_then_timeout", "method": "sendMessage", "seconds": 0, "times": 1},
        {"kind": "error", "method": "getUpdates", "code": 502, "times": 1},
    ):
        await house.sandbox.break_things(house.bot_id, broken)
        await talk(house, user, [f"{text} {broken['kind']}", "/help"])
        await house.sandbox.mend()


@pytest.mark.timeout(150)
async def test_nothing_private_is_logged(make_house: MakeHouse) -> None:
    house = await make_house("webhook")
    words = {kind: canary(kind) for kind in ("text", "name", "user", "payload", "data", "caption", "poison")}
    token, key = f"{house.bot_id}:{canary('token')}{'x' * 12}", f"sk-{canary('key')}"
    user = house.bot_id * 1000
    bot = await house.start_bot(LOG_LEVEL="DEBUG", BOT_TOKEN=token, OPENAI_API_KEY=key)
    await house.sandbox.post("/sim/users", {"id": user, "first_name": words["name"], "username": words["user"], "language_code": "en"})
    await talk(house, user, [f"/start {words['payload']}", f"hello, {words['text']}", "/status", "/settings", "/nonsense"])
    await go_wrong_in_every_way(house, user, words["text"])
    await spoil(house, user, words)
    house.postgres.kill()
    await house.sandbox.say(house.bot_id, user, words["text"])
    await asyncio.sleep(1.5)
    house.postgres.start()
    await house.until_quiet(40)
    house.redis.stop()
    await talk(house, user, [words["text"], "/health"])
    house.redis.start()
    bot.terminate()
    assert await bot.end(30) == 0

    said = bot.log.read_text(encoding="utf-8")
    private = [*words.values(), token, token.partition(":")[2], key, SECRET, *passwords(house)]
    assert [word for word in private if word in said] == []
    assert len(bot.lines()) > 50, "there was something to read"
    assert bot.told("update_failed")
    assert bot.told("completion_failed")


async def spoil(house: House, user: int, words: dict[str, str]) -> None:
    """Poison that carries something private, straight to the webhook."""
    person = {"id": user, "is_bot": False, "first_name": words["name"], "username": words["user"]}
    bodies: list[dict[str, Any]] = [
        {"update_id": 1, "message": message(user, **{"from": person}, text=[words["poison"]])},
        {"update_id": 2, "message": message(user, **{"from": person}, date=words["poison"])},
        {"update_id": 3, "hologram": {"text": words["poison"], "chat": {"id": user}}},
        {"update_id": 4, "message": message(user, text=..., caption=words["caption"], photo=[])},
        {"update_id": 5, "callback_query": {"id": "1", "from": person, "chat_instance": "1", "data": words["data"]}},
        {
            "update_id": 6,
            "message": message(user, chat={"id": 10**30, "type": "private", "first_name": words["name"]}, text=words["poison"]),
        },
    ]
    raws = [json.dumps(body).encode() for body in bodies]
    raws += [b'{"update_id": 7, "message": {"text": "' + words["poison"].encode(), words["poison"].encode()]
    raws += [poison.build(100 + n).replace(b"plain words", words["poison"].encode()) for n, poison in enumerate(poisons(user))]
    url = f"http://127.0.0.1:{house.bots[-1].port}{house.webhook_path}"
    for raw in raws:
        if len(raw) < 10**6:
            async with house.sandbox.session.post(url, data=raw, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}) as response:
                assert response.status == 200
    await until_none_waits(house, 40)


def passwords(house: House) -> list[str]:
    """Of PostgreSQL and Redis, as they stand in their addresses."""
    return [house.environment[name].split("://")[1].split("@")[0].split(":")[1] for name in ("DATABASE_URL", "REDIS_URL")]

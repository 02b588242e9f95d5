"""What the bot refuses: calls with a wrong secret, and to start with settings that would hurt."""

import asyncio
import os
import resource
import secrets
import string
from pathlib import Path

import pytest

from tests.crash.bots import ROOT, run_by_hand
from tests.crash.conftest import MakeHouse
from tests.crash.house import SECRET, House

pytestmark = pytest.mark.crash

HEADER = b"X-Telegram-Bot-Api-Secret-Token"
GIVEN: dict[str, list[bytes]] = {
    "missing": [],
    "empty": [b""],
    "wrong": [b"crash-suite-secret-0123456789abcdeF"],
    "too short": [SECRET.encode()[:-1]],
    "too long": [SECRET.encode() + b"x"],
    "in UTF-8": ["секрет-ключ".encode()],
    "in bytes that are no text": [b"\xff\xfe\xfa" * 9],
    "the right one after a Latin-1 letter": [b"\xe9" + SECRET.encode()],
    "twice the right one": [SECRET.encode()] * 2,
    "right, then wrong": [SECRET.encode(), b"wrong"],
    "wrong, then right": [b"wrong", SECRET.encode()],
    "in quotes": [b'"' + SECRET.encode() + b'"'],
}
UPDATE = b'{"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "hello"}}'


async def call(house: House, given: list[bytes], *, path: str | None = None, name: bytes = HEADER) -> int:
    """Byte for byte, as a client library would never send it; answers the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.bots[-1].port)
    target = (path or house.webhook_path).encode()
    head = [b"POST " + target + b" HTTP/1.1", b"Host: bot", b"Connection: close", b"Content-Length: %d" % len(UPDATE)]
    head += [name + b": " + value for value in given]
    writer.write(b"\r\n".join([*head, b"", UPDATE]))
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


@pytest.mark.timeout(60)
async def test_a_wrong_webhook_secret_is_refused_and_nothing_is_stored(make_house: MakeHouse) -> None:
    house = await make_house("webhook")
    bot = await house.start_bot()
    assert {name: await call(house, given) for name, given in GIVEN.items()} == dict.fromkeys(GIVEN, 401)
    assert await call(house, [SECRET.encode()], path="/telegram/webhook/1") == 404
    assert await house.count("select count(*) from stored_updates") == 0

    assert await call(house, [SECRET.encode()], name=HEADER.lower()) == 200, "names of headers have no case"
    assert await house.count("select count(*) from stored_updates") == 1
    assert bot.is_alive


@pytest.mark.timeout(60)
async def test_there_is_no_webhook_while_polling(make_house: MakeHouse) -> None:
    house = await make_house("polling")
    await house.start_bot()
    assert await call(house, [SECRET.encode()]) == 404
    assert await house.count("select count(*) from stored_updates") == 0


def made_up(length: int) -> str:
    """Looks real, and is in no file."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def production() -> dict[str, str]:
    """Complete; nothing in it answers, so that a bot that started all the same would be noticed."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ENVIRONMENT": "production",
        "DATABASE_URL": f"postgresql+asyncpg://vitte:{made_up(24)}@127.0.0.1:9/vitte",
        "REDIS_URL": f"redis://:{made_up(24)}@127.0.0.1:9/0",
        "BOT_TOKEN": f"{secrets.randbelow(10**9) + 10**9}:{made_up(35)}",
        "TELEGRAM_API_URL": "http://127.0.0.1:9",
        "TELEGRAM_MODE": "webhook",
        "WEBHOOK_URL": "https://bot.invalid",
        "WEBHOOK_SECRET": made_up(48),
        "LLM_STRONG": "openai:some-model",
        "OPENAI_API_KEY": f"sk-{made_up(40)}",
        "BOT_PORT": "0",
    }


REFUSED = [
    ("DATABASE_URL", ""),
    ("REDIS_URL", ""),
    ("LLM_STRONG", ""),
    ("BOT_TOKEN", ""),
    ("BOT_TOKEN", "no token at all"),
    ("BOT_TOKEN", "123456:TEST"),
    ("BOT_TOKEN", "changeme"),
    ("BOT_TOKEN", "123456:your-token-from-botfather"),
    ("WEBHOOK_SECRET", ""),
    ("WEBHOOK_SECRET", "shortsecret"),
    ("WEBHOOK_SECRET", "change-me-" + "a" * 40),
    ("WEBHOOK_SECRET", "пароль" * 8),
    ("WEBHOOK_URL", ""),
    ("OPENAI_API_KEY", ""),
    ("OPENAI_API_KEY", "your-key-here"),
    ("DATABASE_URL", "postgresql+asyncpg://vitte:changeme@127.0.0.1:9/vitte"),
    ("TELEGRAM_MODE", "carrier-pigeon"),
    ("BOT_PORT", "eighty"),
    ("BOT_TOKEN_FILE", "/nonexistent/token"),
]


def cpu_seconds_of_children() -> float:
    """Of those that have ended; a clock on the wall would time the other tests."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=[f"{name}={value[:12]}" for name, value in REFUSED])
async def test_production_refuses_to_start_and_names_the_setting(crash_folder: Path, name: str, value: str) -> None:
    environment = {**production(), name: value}
    before = cpu_seconds_of_children()
    bot = run_by_hand(environment, crash_folder / f"refused-{made_up(8)}.log", crash_folder)
    status = await bot.end(20)
    took = cpu_seconds_of_children() - before

    [line] = bot.words()
    assert (status, line.startswith("vitte: "), name in line) == (78, True, True), line
    assert took < 2, "on a machine with nothing else to do this is how long the operator waits"
    secret = [given for key, given in environment.items() if given and key not in {"PATH", "PYTHONPATH", "ENVIRONMENT", "TELEGRAM_MODE"}]
    assert not [given for given in secret if len(given) > 6 and given in line and key_is_private(name)], "the value is not for the log"
    assert bot.lines() == []


def key_is_private(name: str) -> bool:
    return not name.endswith("_FILE")  # a path is no secret, and helps to find the mistake


async def test_a_model_that_no_provider_has_is_refused_by_name(crash_folder: Path) -> None:
    environment = {**production(), "LLM_STRONG": "nobody:some-model"}
    bot = run_by_hand(environment, crash_folder / f"refused-{made_up(8)}.log", crash_folder)
    assert await bot.end(60) == 78
    [line] = bot.words()
    assert "LLM_STRONG" in line


@pytest.mark.timeout(120)
async def test_started_by_hand_the_bot_answers_and_stops_cleanly(make_house: MakeHouse) -> None:
    """All other tests fork their bots; this one is what an operator does."""
    house = await make_house("polling")
    bot = run_by_hand({**house.environment, "BOT_PORT": "0"}, house.folder / "by-hand.log", house.folder)
    house.bots.append(bot)
    user = house.bot_id * 1000
    await house.sandbox.post("/sim/users", {"id": user, "first_name": "Ann"})
    await bot.until_told("started", 60)
    await house.sandbox.say(house.bot_id, user, "hello there")
    await house.until_quiet(20)
    assert [call.params["text"] for call in await house.sandbox.messages_sent(house.bot_id)] == ["re: hello there"]
    bot.terminate()
    assert await bot.end(30) == 0
    assert bot.words() == []

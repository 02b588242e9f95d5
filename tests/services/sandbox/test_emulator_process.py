"""The sandbox as a process: how it starts, refuses and ends."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[3]


async def start(*arguments: str, **environment: str) -> Process:
    known = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_") and name != "ENVIRONMENT"}
    command = (sys.executable, "-m", "services.sandbox", *arguments)
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env={**known, **environment}, stdout=PIPE, stderr=PIPE)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_it_refuses_to_run_in_production() -> None:
    process = await start(ENVIRONMENT="production")
    out, err = await process.communicate()
    assert process.returncode == 78
    assert out == b""
    assert err.decode() == "the sandbox stands in for Telegram and refuses to run with ENVIRONMENT=production\n"


async def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await start("--port", str(port))
        _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().count("\n") == 1
    assert f"127.0.0.1:{port}" in err.decode()


async def test_it_ends_at_once_with_a_long_poll_and_an_event_stream_open() -> None:
    port = free_port()
    process = await start("--quiet", SANDBOX_PORT=str(port), ENVIRONMENT="dev")
    assert process.stdout is not None
    assert json.loads(await process.stdout.readline())["event"] == f"sandbox listens on http://127.0.0.1:{port}"
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session, session.get(f"{url}/sim/events") as stream:
        assert stream.status == 200
        async with asyncio.TaskGroup() as group:
            poll = group.create_task(long_poll(session, f"{url}/bot123456:TEST/getUpdates?timeout=50"))
            await asyncio.sleep(0.2)
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
            assert time.monotonic() - started < 1
            await poll
    assert await process.stdout.read() == b""


async def long_poll(session: aiohttp.ClientSession, url: str) -> int | None:
    """The status, or None when the connection just went away."""
    try:
        async with session.get(url) as response:
            return response.status
    except aiohttp.ClientError:
        return None


async def test_other_host_names_can_be_allowed() -> None:
    port = free_port()
    process = await start("--quiet", "--port", str(port), SANDBOX_ALLOWED_HOSTS="vitte.test, other.test")
    assert process.stdout is not None
    await process.stdout.readline()
    async with aiohttp.ClientSession() as session:
        for name, status in (("vitte.test", 200), ("OTHER.test:80", 200), ("evil.test", 403)):
            async with session.get(f"http://127.0.0.1:{port}/sim/state", headers={"Host": name}) as response:
                assert response.status == status
        async with session.get(f"http://127.0.0.1:{port}/") as response:
            assert response.content_type == "text/html"
    process.terminate()
    assert await process.wait() == 0


async def test_a_line_per_request_never_shows_the_token() -> None:
    port, secret = free_port(), "SECRET-part-of-a-token"
    process = await start("--no-quiet", "--port", str(port))
    assert process.stdout is not None
    await process.stdout.readline()
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/bot123456:{secret}/getMe") as response:
        assert response.status == 200
    line = json.loads(await process.stdout.readline())
    assert line["event"].startswith('"GET /bot123456:[redacted]/getMe HTTP/1.1" 200 in ')
    process.terminate()
    assert secret.encode() not in await process.stdout.read()
    assert await process.wait() == 0


async def test_a_port_that_is_none_is_one_clear_line() -> None:
    process = await start("--port", "99999")
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().startswith("the sandbox cannot listen on 127.0.0.1:99999 (")
    assert err.decode().count("\n") == 1


async def test_it_reads_rightly_when_it_is_started_without_mistakes_and_again_after_a_reset() -> None:
    port = free_port()
    process = await start("--quiet", "--port", str(port), SANDBOX_MISTAKES="0", ENVIRONMENT="dev")
    assert process.stdout is not None
    await process.stdout.readline()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for asked in ({}, {"mistakes": 0.9}, {"mistakes": None}):
            async with session.post("/sim/model", json=asked) as answer:
                shown = (await answer.json())["mistakes"]
            assert shown == {"all": asked.get("mistakes") or 0, "seed": 0}
        async with session.post("/sim/model", json={"mistakes": 1}), session.post("/sim/reset"), session.get("/sim/model") as answer:
            assert (await answer.json())["mistakes"] == {"all": 0, "seed": 0}
    process.terminate()
    assert await process.wait() == 0


async def test_a_rate_of_mistakes_is_from_0_to_1() -> None:
    process = await start("--mistakes", "7", ENVIRONMENT="dev")
    _, err = await process.communicate()
    assert process.returncode == 2
    assert err.decode().endswith("argument --mistakes: 7 is not from 0 to 1\n")

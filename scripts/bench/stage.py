"""Everything around the bots: PostgreSQL and Redis of their own below `.local/bench`, and the sandbox."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from redis import Redis

from scripts.local.ports import free_port
from scripts.local.postgres import PostgresServer
from scripts.local.processes import Command, StartError, wait_until
from scripts.local.running import running, spawn, stop
from scripts.local.valkey import ValkeyServer

ROOT = Path(__file__).resolve().parents[2]
REPLY = (
    "I was just thinking of you. The rain has stopped over the harbour, and somebody in the house across the street plays the piano "
    "with the window open. Tell me how your day was: did the letter come that you have been waiting for, or is it still on its way?"
)
"""What the model always says: 250 characters in about 60 pieces, without markup."""


@dataclass(frozen=True, slots=True)
class Stage:
    folder: Path
    postgres: PostgresServer
    redis: ValkeyServer
    postgres_pid: int
    sandbox: str
    sandbox_pid: int

    def ask(self, path: str, body: dict[str, Any] | None = None, *, method: str = "POST") -> Any:
        """One control of the sandbox."""
        data = json.dumps(body or {}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.sandbox}/sim/{path}", data=data, method=method, headers=headers)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=300) as response:  # noqa: S310 - loopback
                return json.loads(response.read())
        except urllib.error.HTTPError as refused:
            raise StartError(f"the sandbox refused {path}: {refused.read().decode()}") from None

    def set_latency(self, *, model_ms: float, telegram_ms: float) -> None:
        self.ask("model", {"first_token_ms": model_ms, "tokens_per_second": 0, "reply": REPLY})
        self.ask("faults", method="DELETE")
        if telegram_ms:
            self.ask("faults", {"faults": [{"kind": "slow", "method": "*", "ms": telegram_ms}]})

    def wait_for_more_words(self, database: str, milliseconds: int) -> None:
        """How long a reply that is ready waits for more words of the person; the bot hears of it within five seconds."""
        statement = f"""
            insert into settings (key, value, updated_by, updated_at) values ('quiet_milliseconds', '{milliseconds:d}', 'bench', now())
            on conflict (key) do update set value = excluded.value
        """  # noqa: S608 - a number of our own
        uvloop.run(_execute(self.postgres.url(database, scheme="postgresql"), statement))

    def new_database(self, name: str) -> str:
        """A migrated database in which nobody's allowance ever ends; answers its address."""
        url = self.postgres.url(name)
        uvloop.run(
            _execute(self.postgres.url(scheme="postgresql"), f"drop database if exists {name} with (force)", f"create database {name}")
        )
        migrated = subprocess.run(
            [sys.executable, "scripts/run_migrations.py"],
            cwd=ROOT,
            env={"DATABASE_URL": url, "ENVIRONMENT": "dev", "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if migrated.returncode:
            raise StartError(f"the migrations failed: {(migrated.stderr or migrated.stdout).strip().splitlines()[-1]}")
        uvloop.run(_execute(self.postgres.url(name, scheme="postgresql"), "update plans set daily_turns = null, turns_per_minute = null"))
        return url


async def _execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Servers and sandbox run inside the block; what they keep and log goes into the folder."""
    with ExitStack() as stack:
        postgres, redis = PostgresServer(folder), ValkeyServer(folder)
        postgres_process = stack.enter_context(running(postgres, folder))
        stack.enter_context(running(redis, folder))
        with Redis.from_url(redis.url()) as client:
            client.flushall()  # what is kept there goes with databases of earlier runs
        port = free_port()
        command = Command(name="sandbox", argv=(sys.executable, "-m", "scripts.bench.fast_sandbox", str(port)), cwd=ROOT)
        sandbox = stack.enter_context(process(command, folder / "sandbox.log"))
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", sandbox, command)
        yield Stage(folder, postgres, redis, postgres_process.pid, url, sandbox.pid)


@contextmanager
def process(command: Command, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = spawn(command, output)
        try:
            yield started
        finally:
            stop(started, command, patience=15)


def wait_for(url: str, started: subprocess.Popen[bytes], command: Command) -> None:
    """Until the address answers. Raises `StartError` when the process ends first."""

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
                return True
        except OSError:
            return False

    if not wait_until(lambda: started.poll() is not None or answers(), 30, pause=0.1) or started.poll() is not None:
        raise StartError(f"{command.name} did not start: its log is {command.name}.log")

"""The bots that are measured, side by side: ours and the bare one, polling and webhook."""

import secrets
import string
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from scripts.bench.stage import ROOT, Stage, process, wait_for
from scripts.local.ports import free_port
from scripts.local.processes import Command, StartError, wait_until

Intake = Literal["polling", "webhook"]


REDIS_DATABASES: dict[Intake, int] = {"polling": 2, "webhook": 4}


@dataclass(frozen=True, slots=True)
class Kind:
    """`yardstick` names the bot that this one is compared with."""

    name: str
    intake: Intake
    bare: bool = False
    streaming: bool = False
    yardstick: str | None = None


KINDS = (
    Kind("bare", "polling", bare=True),
    Kind("bare, streaming", "polling", bare=True, streaming=True),
    Kind("vitte", "polling", yardstick="bare"),
    Kind("bare webhook", "webhook", bare=True),
    Kind("vitte webhook", "webhook", yardstick="bare webhook"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    kind: Kind
    bot_id: int
    pid: int
    port: int | None
    """Where its `/metrics` are; the bare bot has none."""

    @property
    def database(self) -> str:
        return database_of(self.kind)


def database_of(kind: Kind) -> str:
    return f"bench_{kind.intake}"


@contextmanager
def subject(stage: Stage, kind: Kind, bot_id: int) -> Iterator[Subject]:
    """The bot runs inside the block and has met the sandbox."""
    token = f"{bot_id}:{''.join(secrets.choice(string.ascii_letters) for _ in range(35))}"
    port = free_port()
    command = _bare(stage, kind, token, port) if kind.bare else _ours(stage, kind, token, port)
    with process(command, stage.folder / f"{command.name}.log") as started:
        if not kind.bare:
            wait_for(f"http://127.0.0.1:{port}/health", started, command)
        _wait_until_met(stage, bot_id, started, command)
        yield Subject(kind, bot_id, started.pid, None if kind.bare else port)


def _bare(stage: Stage, kind: Kind, token: str, port: int) -> Command:
    addresses = ("--telegram", stage.sandbox, "--model", f"{stage.sandbox}/llm/v1", "--port", str(port))
    flags = (*(("--streaming",) if kind.streaming else ()), *(("--webhook",) if kind.intake == "webhook" else ()))
    return Command(
        name=_file_name(kind),
        argv=(sys.executable, "-m", "scripts.bench.bare_bot", *addresses, *flags),
        env={"BOT_TOKEN": token},
        cwd=ROOT,
    )


def _ours(stage: Stage, kind: Kind, token: str, port: int) -> Command:
    """With what it has in production: log level, durable PostgreSQL, intake, metrics."""
    env = {
        "ENVIRONMENT": "dev",  # production refuses the sandbox's secrets; nothing else hangs on it
        "LOG_LEVEL": "INFO",
        "BOT_TOKEN": token,
        "BOT_PORT": str(port),
        "TELEGRAM_API_URL": stage.sandbox,
        "TELEGRAM_MODE": kind.intake,
        "DATABASE_URL": stage.new_database(database_of(kind)),
        "REDIS_URL": stage.redis.url(REDIS_DATABASES[kind.intake]),  # who is who is cached there, and is another one in another database
        "LLM_STRONG": "openai:sandbox",
        "OPENAI_BASE_URL": f"{stage.sandbox}/llm/v1",
        "OPENAI_API_KEY": "bench",
        "WEBHOOK_URL": f"http://127.0.0.1:{port}",
        "WEBHOOK_SECRET": secrets.token_hex(16),
    }
    return Command(name=_file_name(kind), argv=(sys.executable, "-m", "services.bot"), env=env, cwd=ROOT)


def _file_name(kind: Kind) -> str:
    return kind.name.replace(", ", "-").replace(" ", "-")


def _wait_until_met(stage: Stage, bot_id: int, started: subprocess.Popen[bytes], command: Command) -> None:
    """Until it polls, or its webhook is set."""

    def met() -> bool:
        calls = stage.ask(f"calls?bot_id={bot_id}", method="GET")
        return any(call["method"].lower() in {"setwebhook", "deletewebhook"} for call in calls)

    if not wait_until(lambda: started.poll() is not None or met(), 30, pause=0.2) or started.poll() is not None:
        raise StartError(f"{command.name} did not start: its log is {command.name}.log")

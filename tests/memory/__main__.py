"""`make memory-suite`: plays the talks with planted facts and prints how well they are remembered.

Facts are read by the sandbox's model with a small model's mistakes; with `real=1` by the models of LLM_SIMPLE (else LLM_STRONG) in the
environment or .env, which costs about 200 calls of 500 tokens.
"""

import argparse
import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from scripts.local.alone import alone
from scripts.local.postgres import PostgresServer
from scripts.local.processes import StartError
from scripts.local.running import running
from scripts.local.valkey import ValkeyServer
from services.sandbox.model.memory import Mistakes
from shared.settings import Settings
from shared.telemetry import configure_logging
from tests.memory.judging import Score
from tests.memory.playing import open_house, play, sandbox_model, settings_for
from tests.memory.table import table
from tests.memory.talks import read_talks

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".local" / "memory"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make memory-suite", description=__doc__)
    parser.add_argument("--real", action="store_true", help="the configured model reads, not the sandbox's")
    parser.add_argument("--mistakes", type=float, default=None, metavar="RATE", help="how often the sandbox's model errs, 0 to 1")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="how often it is played, with its mistakes at other words (5)")
    arguments = parser.parse_args()
    configured = Settings()
    simple = configured.llm_simple or configured.llm_strong
    if arguments.real and not simple:
        sys.exit("vitte: LLM_SIMPLE is missing: set it in the environment or in .env (see .env.example)")
    configure_logging("memory", "ERROR")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with alone(FOLDER), ExitStack() as stack:
        postgres, redis = PostgresServer(FOLDER, hasty=True), ValkeyServer(FOLDER, hasty=True)
        stack.enter_context(running(postgres, FOLDER))
        stack.enter_context(running(redis, FOLDER))
        own = {name: value for name, value in configured.model_dump().items() if name.endswith(("_api_key", "_base_url", "_timeout"))}
        others = {**own, "llm_simple": simple} if arguments.real else {}
        rates = {} if arguments.mistakes is None else {"all": arguments.mistakes}
        scores: dict[str, Score] = {}
        for seed in range(1 if arguments.real else arguments.seeds):
            for name, score in asyncio.run(_played(_migrated(postgres), redis.url(), others, {**rates, "seed": seed})).items():
                scores.setdefault(name, Score())
                scores[name] += score
        rate = Mistakes().rate if arguments.mistakes is None else arguments.mistakes
        wrong = f"the sandbox's model, {arguments.seeds} times, wrong at {rate:.0%} of the occasions"
        print(table(read_talks(), scores, model=simple if arguments.real else wrong))
    return 0


async def _played(database_url: str, redis_url: str, others: dict[str, object], mistakes: dict[str, float]) -> dict[str, Score]:
    async with sandbox_model() as (sandbox_url, sandbox):
        sandbox.change({"mistakes": mistakes})
        settings = settings_for(database_url, redis_url, sandbox_url, **others)
        async with open_house(settings, sandbox) as house:
            return await play(house, read_talks())


def _migrated(postgres: PostgresServer) -> str:
    """The address of a new database of this run."""
    asyncio.run(
        postgres_execute(postgres.url(scheme="postgresql"), "drop database if exists memory with (force)", "create database memory")
    )
    environment = {**os.environ, "DATABASE_URL": postgres.url("memory"), "ENVIRONMENT": "dev"}
    done = subprocess.run(
        [sys.executable, "scripts/run_migrations.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StartError(f"the migrations failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return postgres.url("memory")


async def postgres_execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StartError as failure:
        sys.exit(f"vitte: {failure}")

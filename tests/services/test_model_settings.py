"""A typo in the settings of models, in every process that asks models or could be asked about them."""

from pathlib import Path

import pytest

from tests.services.running_process import running

NOWHERE = {
    "DATABASE_URL": "postgresql+asyncpg://vitte:x@127.0.0.1:9/vitte",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "BOT_TOKEN": "123456:TEST",
    "ADMIN_SECRET_KEY": "x",
    "LLM_STRONG": "openai:sandbox",
    "OPENAI_API_KEY": "k",
    "BOT_PORT": "0",
    "API_PORT": "0",
    "ADMIN_PORT": "0",
    "WORKER_PORT": "0",
}
TYPOS = [
    ("LLM_STRONG", "openai:sandbox,opnai:gpt-4o-mini", "names the provider 'opnai'"),
    ("LLM_SIMPLE", "gpt-4o-mini", "names the provider 'gpt-4o-mini'"),
    ("LLM_PRICES", "openai:sandbox=cheap", "has 'openai:sandbox=cheap'"),
]


@pytest.mark.parametrize("service", ["bot", "api", "worker", "admin"])
@pytest.mark.parametrize(("name", "value", "problem"), TYPOS, ids=[name for name, *_ in TYPOS])
def test_a_typo_is_one_line_that_names_the_setting(tmp_path: Path, service: str, name: str, value: str, problem: str) -> None:
    with running(f"services.{service}", {**NOWHERE, name: value}, tmp_path) as process:
        assert process.process.wait(timeout=30) == 78
        process.terminate()

    [line] = process.errors
    assert line.startswith(f"vitte: {name} {problem}")

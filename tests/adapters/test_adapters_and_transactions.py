"""Nobody waits for somebody else's system while holding a database connection."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from shared.adapters.llm import ScriptedModel
from shared.adapters.storage import LocalStore, MinioStore
from shared.database.database import NetworkInsideTransactionError, _open_transaction
from tests.adapters.listening import Talk, say

CALLS: dict[str, Callable[[Path, Talk], Awaitable[object]]] = {
    "scripted": lambda _, __: say(ScriptedModel()),
    "openai_compatible": lambda _, talk: say(talk()),
    "local": lambda folder, _: LocalStore(folder).exists("a"),
    "s3": lambda _, __: MinioStore(endpoint="http://127.0.0.1:1", access_key="a", secret_key="b", bucket="c").exists("a"),
}


@pytest.mark.parametrize("adapter", CALLS)
async def test_an_adapter_refuses_to_work_inside_a_transaction(adapter: str, tmp_path: Path, talk: Talk) -> None:
    token = _open_transaction.set(True)
    try:
        with pytest.raises(NetworkInsideTransactionError):
            await CALLS[adapter](tmp_path, talk)
    finally:
        _open_transaction.reset(token)

"""The worker reads dialogs: asked by its own schedule's task, and again later when the models are away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.adapters.celery_jobs import CeleryJobs
from shared.application.jobs import CatchUpMemory
from tests.application.memory_talk import say
from tests.factories import House, open_house
from tests.services.running_process import free_port, running

AWAY = {"LLM_STRONG": "vllm:any", "VLLM_BASE_URL": "http://127.0.0.1:9/v1"}


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with open_house(database_url) as house:
        yield house


@pytest.fixture
def servers(database_url: str, redis_url: str) -> dict[str, str]:
    broker = redis_url.replace("/0", "/3")
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "CELERY_BROKER_URL": broker, "WORKER_PORT": str(free_port())}


async def ended(house: House, servers: dict[str, str], tmp_path: Path) -> str:
    """Somebody said something a while ago, and the schedule asks; answers how the reading ended."""
    await say(house, await house.speaker(), "I live in Brno")
    await house.rows("update turns set created_at = now() - interval '10 minutes' returning 1")
    with running("services.worker", servers, tmp_path) as worker:
        jobs = CeleryJobs(servers["CELERY_BROKER_URL"])
        assert await jobs.enqueue(CatchUpMemory()) is True
        await jobs.aclose()
        assert worker.wait_for_event("task_ended", task="catch_up_memory")["outcome"] == "done"
        outcome = worker.wait_for_event("task_ended", task="refresh_memory")["outcome"]
        assert "Brno" not in str(worker.events())
    return str(outcome)


async def test_a_dialog_that_rests_is_read_once(house: House, servers: dict[str, str], tmp_path: Path) -> None:
    assert await ended(house, servers | {"LLM_STRONG": "scripted:parrot"}, tmp_path) == "done"
    assert await house.rows("select until_message_id = (select max(id) from messages) from memory_marks") == [(True,)]


async def test_while_the_models_are_away_it_waits_unread(house: House, servers: dict[str, str], tmp_path: Path) -> None:
    assert await ended(house, servers | AWAY, tmp_path) == "postponed"
    assert await house.rows("select count(*) from memory_marks") == [(0,)]

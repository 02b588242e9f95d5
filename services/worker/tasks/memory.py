from uuid import UUID

from services.worker.task import task
from shared.application.jobs import CatchUpMemory, RefreshMemory
from shared.bootstrap import Application


@task(RefreshMemory, timeout=300)
async def refresh_memory(application: Application, dialog_id: str) -> None:
    await application.memory.refresh(UUID(dialog_id))


@task(CatchUpMemory, timeout=25)
async def catch_up_memory(application: Application) -> None:
    await application.memory.catch_up()

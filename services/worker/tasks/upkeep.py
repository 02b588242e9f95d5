from services.worker.task import task
from shared.application.jobs import AskStorage, CleanUpOldMessages, ResendPending, TakeFigures
from shared.bootstrap import Application


@task(CleanUpOldMessages, timeout=300)
async def cleanup_old_messages(application: Application) -> None:
    await application.upkeep.clean_up()


@task(ResendPending, timeout=50)
async def resend_pending(application: Application) -> None:
    await application.upkeep.resend_pending()


@task(AskStorage, timeout=10)
async def ask_storage(application: Application) -> None:
    await application.health.check("storage")


@task(TakeFigures, timeout=50)
async def take_figures(application: Application) -> None:
    await application.upkeep.take_figures()

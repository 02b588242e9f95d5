"""Work that is done later by the worker, as plain data. A job may run twice and must come to the same end."""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`name` is the worker's task, fields are its arguments: ids only, never a person's words."""

    name: ClassVar[str]
    queue: ClassVar[str] = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanUpOldMessages(Job):
    name: ClassVar[str] = "cleanup_old_messages"
    queue: ClassVar[str] = "upkeep"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendPending(Job):
    name: ClassVar[str] = "resend_pending"
    queue: ClassVar[str] = "upkeep"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStorage(Job):
    """Whether files could be stored now; only the figure changes."""

    name: ClassVar[str] = "ask_storage"
    queue: ClassVar[str] = "upkeep"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeFigures(Job):
    """Counts in the database what no process can count by itself; only the figures change."""

    name: ClassVar[str] = "take_figures"
    queue: ClassVar[str] = "upkeep"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshMemory(Job):
    """A dialog is read for facts, and its past condensed."""

    name: ClassVar[str] = "refresh_memory"
    queue: ClassVar[str] = "memory"
    dialog_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUpMemory(Job):
    """Dialogs that have gone on unread are refreshed, each by a job of its own."""

    name: ClassVar[str] = "catch_up_memory"
    queue: ClassVar[str] = "memory"


class JobQueue(Protocol):
    async def enqueue(self, job: Job) -> bool:
        """Hands the job over, after the transaction that made it necessary. Never raises.

        False when the broker is away: the row is the truth, and an upkeep task sends it again.
        """


@dataclass(frozen=True, slots=True)
class MemoryJobs:
    """Keeps the jobs where one process, or a test, can look at them."""

    jobs: list[Job] = field(default_factory=list)

    async def enqueue(self, job: Job) -> bool:
        self.jobs.append(job)
        return True

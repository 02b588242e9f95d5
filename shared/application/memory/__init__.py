"""What characters know of their users: shown, corrected and forgotten by them, and learnt from what they say."""

from shared.application.memory.asking import Reader
from shared.application.memory.finding import Finder
from shared.application.memory.refreshing import Refreshed, Refresher
from shared.application.memory.service import MemoryService
from shared.domain.memory import KnownMemory, KnownRival, MemoryNotFoundError, MemoryPage

__all__ = ["Finder", "KnownMemory", "KnownRival", "MemoryNotFoundError", "MemoryPage", "MemoryService", "Reader", "Refreshed", "Refresher"]

"""Every mapped class, so that whoever needs the whole schema imports one module."""

from shared.domain.base import Base
from shared.domain.billing import AllowanceUsage, Plan, Spending, Subscription
from shared.domain.character import Character
from shared.domain.dialog import Dialog, Message, Turn
from shared.domain.inbox import Lane, Parcel, StoredUpdate
from shared.domain.memory import Memory, MemoryMark, MemoryRequest, MemorySaying, Summary
from shared.domain.operator import Operator, Setting
from shared.domain.user import User

__all__ = [
    "AllowanceUsage",
    "Base",
    "Character",
    "Dialog",
    "Lane",
    "Memory",
    "MemoryMark",
    "MemoryRequest",
    "MemorySaying",
    "Message",
    "Operator",
    "Parcel",
    "Plan",
    "Setting",
    "Spending",
    "StoredUpdate",
    "Subscription",
    "Summary",
    "Turn",
    "User",
]

"""Chat: a user says something, the character answers."""

from shared.application.chat.parts import (
    Alternative,
    Delivery,
    EditedTurn,
    NotLastTurnError,
    Reply,
    Said,
    TurnNotFoundError,
    UndoneTurn,
    UselessReplyError,
)
from shared.application.chat.service import ChatService
from shared.domain.budget import BudgetSpentError

__all__ = [
    "Alternative",
    "BudgetSpentError",
    "ChatService",
    "Delivery",
    "EditedTurn",
    "NotLastTurnError",
    "Reply",
    "Said",
    "TurnNotFoundError",
    "UndoneTurn",
    "UselessReplyError",
]

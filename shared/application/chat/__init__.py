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

__all__ = [
    "Alternative",
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

"""What the model does besides playing a character: it reads facts out of a talk and condenses one, as badly as small models do."""

from services.sandbox.model.memory.mistakes import KINDS, Mistakes
from services.sandbox.model.memory.tasks import answer_task

__all__ = ["KINDS", "Mistakes", "answer_task"]

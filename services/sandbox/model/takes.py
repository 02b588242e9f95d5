"""Which time it is that a conversation is asked to be answered: somebody who wants another answer gets other words."""

from collections import OrderedDict
from collections.abc import Sequence

from services.sandbox.model.character.scene import Said

_KEPT = 4_000


class Takes:
    """Counts by what was said; the system prompt does not matter, because what is remembered changes it between two takes."""

    def __init__(self) -> None:
        self._asked: OrderedDict[int, int] = OrderedDict()

    def next(self, messages: Sequence[Said]) -> int:
        """0 for the first time."""
        key = hash(tuple(said for said in messages if said.role not in {"system", "developer"}))
        take = self._asked.pop(key, -1) + 1
        self._asked[key] = take
        if len(self._asked) > _KEPT:
            self._asked.popitem(last=False)
        return take

    def clear(self) -> None:
        self._asked.clear()

"""What goes wrong on demand: see the table of faults in docs/sandbox.md."""

import itertools
import secrets
from dataclasses import dataclass, field
from typing import Any

from services.sandbox.errors import SimError
from services.sandbox.updates import Delivery, UpdateQueue

BEFORE = frozenset({"flood", "error", "hang", "drop", "slow"})
AFTER = frozenset({"accept_then_timeout"})
FETCH = frozenset({"duplicate_updates", "reorder_updates"})
_NUMBERS = {"retry_after": 1, "code": 500, "seconds": 60, "ms": 100, "times_each": 2}
_dice = secrets.SystemRandom()


@dataclass(slots=True, eq=False)
class Fault:
    kind: str
    bot_id: int | None
    method: str
    left: int | None
    probability: float
    numbers: dict[str, float]
    description: str

    def strikes(self, bot_id: int, method: str) -> bool:
        """Whether it happens now; a fault with `times` is used up by happening."""
        if self.left == 0 or (self.bot_id is not None and self.bot_id != bot_id) or self.method not in {"*", method}:
            return False
        if self.probability < 1 and _dice.random() >= self.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True

    def view(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "bot_id": self.bot_id,
            "method": self.method,
            "times": self.left,
            "probability": self.probability,
            **self.numbers,
        }


def read_fault(spec: Any, bot_id: int | None) -> Fault:
    if not isinstance(spec, dict) or spec.get("kind") not in BEFORE | AFTER | FETCH:
        raise SimError(f"a fault needs a kind, one of: {', '.join(sorted(BEFORE | AFTER | FETCH))}")
    times, probability = spec.get("times"), spec.get("probability", 1)
    if times is not None and (not isinstance(times, int) or times < 0):
        raise SimError("times is a whole number")
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise SimError("probability is a number from 0 to 1")
    numbers = {name: spec.get(name, default) for name, default in _NUMBERS.items()}
    if any(not isinstance(value, int | float) or value < 0 for value in numbers.values()):
        raise SimError(f"{', '.join(_NUMBERS)} are numbers that are not negative")
    description = str(spec.get("description") or "Internal Server Error")
    return Fault(spec["kind"], bot_id, str(spec.get("method", "*")).lower(), times, probability, numbers, description)


@dataclass(slots=True, eq=False)
class Faults:
    active: list[Fault] = field(default_factory=list)

    def add(self, specs: Any, bot_id: int | None) -> None:
        if not isinstance(specs, list):
            raise SimError("faults is a list")
        self.active += [read_fault(spec, bot_id) for spec in specs]

    def clear(self) -> None:
        self.active.clear()

    def take(self, kinds: frozenset[str], bot_id: int, method: str) -> Fault | None:
        if not self.active:
            return None
        for fault in self.active:
            if fault.kind in kinds and fault.strikes(bot_id, method):
                return fault
        return None

    def copies(self, bot_id: int) -> int:
        """How often each update is delivered."""
        fault = self.take(frozenset({"duplicate_updates"}), bot_id, "*")
        return max(1, int(fault.numbers["times_each"])) if fault else 1

    def fetch(self, queue: UpdateQueue, limit: int) -> list[Delivery]:
        """What one getUpdates returns. A doubled update comes twice in one answer, further copies after it was confirmed."""
        copies = self.copies(queue.bot_id) if self.active else 1
        if copies == 1 and not queue.again:
            found = [(update, update.raw) for update in itertools.islice(queue.pending, limit)]
        else:
            found = _doubled(queue, limit, copies)
        if len(found) > 1 and self.active and self.take(frozenset({"reorder_updates"}), queue.bot_id, "*"):
            found = _shuffled(found)
        for update, _ in found:
            update.deliveries += 1
        return found


def _doubled(queue: UpdateQueue, limit: int, copies: int) -> list[Delivery]:
    repeated, queue.again = queue.again[:limit], queue.again[limit:]
    room = max(0, (limit - len(repeated)) // min(copies, 2))
    fresh = [(update, update.raw) for update in itertools.islice(queue.pending, room)]
    first = [delivery for delivery in fresh if not delivery[0].deliveries]
    queue.again += [delivery for delivery in first for _ in range(copies - 2)]
    return repeated + fresh + (fresh if copies > 1 else [])


def _shuffled(updates: list[Delivery]) -> list[Delivery]:
    """Mixes chats but keeps the order within each."""
    lanes: dict[str, list[Delivery]] = {}
    for delivery in updates:
        lanes.setdefault(delivery[0].lane, []).append(delivery)
    order = [update.lane for update, _ in updates]
    _dice.shuffle(order)
    taken = {lane: iter(members) for lane, members in lanes.items()}
    return [next(taken[lane]) for lane in order]

"""The raw log of Bot API calls: a ring of rows, cheap to append, exact to read."""

import time
from dataclasses import dataclass
from typing import Any

import orjson

KEPT_CALLS = 60_000
LONGEST_RESPONSE = 65_536


@dataclass(slots=True, eq=False)
class Call:
    n: int
    bot_id: int
    at: float
    method: str
    params: dict[str, Any]
    status: int
    response: bytes
    ms: float

    def view(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "bot_id": self.bot_id,
            "at": self.at,
            "method": self.method,
            "params": self.params,
            "status": self.status,
            "response": self._shown_response(),
            "ms": round(self.ms, 3),
        }

    def _shown_response(self) -> orjson.Fragment | str | None:
        """Injected updates may be no JSON; a row must stay readable all the same."""
        if not self.response:
            return None
        if len(self.response) > LONGEST_RESPONSE:
            return f"({len(self.response)} bytes)"
        if self.method.lower() != "getupdates":
            return orjson.Fragment(self.response)
        try:
            orjson.loads(self.response)
        except orjson.JSONDecodeError:
            return self.response.decode("utf-8", "replace")
        return orjson.Fragment(self.response)


class Calls:
    def __init__(self, capacity: int = KEPT_CALLS) -> None:
        self._rows: list[Call] = []
        self._capacity = capacity
        self._cleared_at = 0
        self.last = 0

    def add(self, bot_id: int, method: str, params: dict[str, Any], *, status: int, response: bytes, ms: float) -> Call:
        row = Call(self.last + 1, bot_id, time.time(), method, params, status, response, ms)
        if len(self._rows) < self._capacity:
            self._rows.append(row)
        else:
            self._rows[(self.last - self._cleared_at) % self._capacity] = row
        self.last += 1
        return row

    def after(self, number: int, *, bot_id: int | None = None, method: str | None = None, limit: int | None = None) -> list[Call]:
        oldest = max(number, self.last - len(self._rows))
        wanted = method.lower() if method else None
        found: list[Call] = []
        for n in range(oldest, self.last):
            row = self._rows[(n - self._cleared_at) % self._capacity]
            if (bot_id is None or row.bot_id == bot_id) and (wanted is None or row.method.lower() == wanted):
                found.append(row)
                if limit is not None and len(found) >= limit:
                    break
        return found

    def clear(self) -> None:
        """Numbers go on, so that a reader's `after` stays true."""
        self._rows.clear()
        self._cleared_at = self.last

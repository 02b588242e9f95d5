"""What the providers would bill for each request, as they counted it themselves."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.faults.catalogue import PRICES
from scripts.faults.place import Provider

_SAID = re.compile(r"about number (\d+)\.$")
_RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Bill:
    """Micros of one call. A call that broke off is billed as far as it was spoken, but nobody tells the caller how far that was."""

    micros: int
    is_told: bool


@dataclass(slots=True)
class Ledger:
    """The calls that the providers have had since `open`. A provider remembers a thousand, so `collect` is needed now and then."""

    providers: Sequence[Provider]
    _seen: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    _from: dict[str, int] = field(default_factory=dict)

    async def open(self) -> None:
        for provider in self.providers:
            self._from[provider.name] = max((call["n"] for call in await provider.calls(0)), default=0)

    async def collect(self) -> None:
        for provider in self.providers:
            seen = self._seen[provider.name]
            for call in await provider.calls(self._from[provider.name]):
                seen[call["n"]] = {**call, "messages": None, "number": number_of(call["messages"])}
            running = [n for n, call in seen.items() if call["outcome"] == _RUNNING]
            self._from[provider.name] = min(running) - 1 if running else max(seen, default=self._from[provider.name])

    def bills(self) -> dict[int, list[Bill]]:
        """By the number of the request."""
        found: dict[int, list[Bill]] = defaultdict(list)
        for name, calls in self._seen.items():
            for call in calls.values():
                if call["number"] is not None and (bill := bill_of(name, call)) is not None:
                    found[call["number"]].append(bill)
        return found


def bill_of(name: str, call: Mapping[str, Any]) -> Bill | None:
    """None of a call that was never answered."""
    if not call["completion_tokens"]:
        return None
    price = PRICES[name]
    micros = call["prompt_tokens"] * price.prompt + call["completion_tokens"] * price.completion
    return Bill(micros, is_told=call["outcome"] == "completed")


def number_of(messages: Sequence[Mapping[str, Any]]) -> int | None:
    """Which request a prompt is for: the newest words of the person in it. None for a probe."""
    for message in reversed(messages):
        if message["role"] == "user" and (found := _SAID.search(message["content"])):
            return int(found[1])
    return None

"""People who ask numbered questions, and what must be true of the answers afterwards."""

import asyncio
import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from tests.crash.house import House
from tests.crash.sandbox import Call

QUESTION = re.compile(r"ask-(\d+)-(\d+)")
SURE = 0.5
"""Seconds after a kill within which the sandbox may still note a call that was on its way."""


def questions_in(text: str) -> list[tuple[int, int]]:
    """(chat, number) of all that an answer answers, in order."""
    return [(int(chat), int(number)) for chat, number in QUESTION.findall(text)]


@dataclass
class Load:
    """`users` people write `rate` messages a second together. `asked` maps an update to (chat, number); `thinking` is in ms."""

    house: House
    rng: random.Random
    users: int = 20
    rate: float = 40.0
    thinking: tuple[int, int] = (50, 300)
    asked: dict[int, tuple[int, int]] = field(default_factory=dict)
    _numbers: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self, *, repeated: bool = True) -> None:
        """Makes the people known; with `repeated` updates come one to three times, chats in any order. Some sends take long."""
        for user in self.people():
            await self.house.sandbox.post("/sim/users", {"id": user, "first_name": f"Person {user % 1000}", "language_code": "en"})
        await self.house.sandbox.break_things(self.house.bot_id, {"kind": "slow", "method": "sendMessage", "ms": 150, "probability": 0.4})
        if repeated:
            await self.house.sandbox.break_things(
                self.house.bot_id,
                {"kind": "duplicate_updates", "times_each": 3, "probability": 0.25},
                {"kind": "duplicate_updates", "times_each": 2, "probability": 0.35},
                {"kind": "reorder_updates", "probability": 0.7},
            )

    def people(self) -> range:
        first = self.house.bot_id * 1000
        return range(first, first + self.users)

    async def run(self) -> None:
        """Until `end` is called."""
        while not self._ended.is_set():
            if len(self.asked) % 20 == 0:
                await self.house.sandbox.model(first_token_ms=self.rng.randint(*self.thinking))
            await self.ask_one(self.rng.choice(self.people()))
            await asyncio.sleep(self.rng.expovariate(self.rate))

    async def ask_one(self, user: int) -> int:
        self._numbers[user] += 1
        update_id = await self.house.sandbox.say(self.house.bot_id, user, f"ask-{user}-{self._numbers[user]}")
        self.asked[update_id] = (user, self._numbers[user])
        return update_id

    def end(self) -> None:
        self._ended.set()


@dataclass
class Deaths:
    """When processes died, and whose answers were in the outbox and not known to have arrived at that moment."""

    house: House
    in_flight: list[tuple[float, set[int]]] = field(default_factory=list)

    async def note(self, died_at: float) -> None:
        self.in_flight.append((died_at, await self.house.parcels_pending()))

    def excuse(self, update_id: int, first: float, second: float) -> bool:
        """Whether a second answer had to come: the first was on its way when a process died."""
        return any(update_id in pending and first <= died + SURE and died <= second for died, pending in self.in_flight)


@dataclass(frozen=True)
class Verdict:
    questions: int
    lost: list[tuple[int, int]]
    disordered: list[tuple[int, list[int]]]
    duplicates: int
    unexcused: list[tuple[int, int]]
    strangers: list[str]
    """Messages that answer no question: apologies, errors."""
    in_flight: int
    merged: int
    """Questions answered together with the one before them."""
    database: dict[str, int]

    def __str__(self) -> str:
        return (
            f"{self.questions} questions: {len(self.lost)} lost, {len(self.disordered)} chats out of order, {self.duplicates} sent twice "
            f"({len(self.unexcused)} without a send in flight; {self.in_flight} in flight at kills), {self.merged} answered with others, "
            f"{len(self.strangers)} strange"
        )


async def judge(load: Load, deaths: Deaths) -> Verdict:
    """Compares what the sandbox saw with what was asked. To be called when all is quiet."""
    house = load.house
    answers: dict[tuple[int, int], list[Call]] = defaultdict(list)
    orders: dict[int, list[int]] = defaultdict(list)
    firsts: dict[tuple[int, int], tuple[int, int]] = {}
    last: dict[int, str] = {}
    strangers = []
    for call in await house.sandbox.messages_sent(house.bot_id):
        keys = questions_in(call.params["text"])
        if not keys:
            strangers.append(call.params["text"])
            continue
        is_repeated = call.params["text"] == last.get(keys[0][0])
        last[keys[0][0]] = call.params["text"]
        for key in keys:
            assert call.params["chat_id"] == key[0], "an answer went to another chat"
            answers[key].append(call)
            orders[key[0]] += [] if is_repeated else [key[1]]
            firsts.setdefault(key, keys[0])
    updates = {key: update_id for update_id, key in load.asked.items()}
    twice = {key: calls for key, calls in answers.items() if len(calls) > 1}
    return Verdict(
        questions=len(load.asked),
        lost=sorted(key for key in updates if key not in answers),
        disordered=[(chat, numbers) for chat, numbers in orders.items() if numbers != sorted(numbers)],
        duplicates=sum(len(calls) - 1 for key, calls in twice.items() if firsts[key] == key),
        unexcused=sorted(
            key
            for key, calls in twice.items()
            for one, other in pairwise(calls)
            if one.params["text"] != other.params["text"] or not deaths.excuse(updates[firsts[key]], one.at, other.at)
        ),
        merged=sum(first != key for key, first in firsts.items()),
        strangers=strangers,
        in_flight=sum(len(pending) for _, pending in deaths.in_flight),
        database=await wrongs_in_database(house),
    )


WRONGS = {
    "updates not handled": "select count(*) from stored_updates where status <> 'handled'",
    "lanes with work left": "select count(*) from lanes where arrivals <> handled or due_at is not null or leased_by is not null",
    "turns not finished": "select count(*) from turns where status <> 'finished'",
    "turns without a question": (
        "select count(*) from turns t where of_turn_id is null and not exists (select from messages where turn_id = t.id and role = 'user')"
    ),
    "turns without exactly one reply": (
        "select count(*) from turns t where of_turn_id is null "
        "and 1 <> (select count(*) from messages where turn_id = t.id and role = 'assistant' and is_active)"
    ),
    "replies to another question": (
        "select count(*) from messages r where r.role = 'assistant' and r.text <> 're: ' || "
        "(select string_agg(q.text, E'\\n' order by q.id) from messages q where q.turn_id = r.turn_id and q.role = 'user')"
    ),
    "people charged wrongly": (
        "select count(*) from users u where (select coalesce(sum(used), 0) from allowance_usages where user_id = u.id) "
        "<> (select count(*) from turns where user_id = u.id)"
    ),
    "answers not known to be sent": "select count(*) from outbox where status <> 'sent' or telegram_message_id is null",
}


async def wrongs_in_database(house: House) -> dict[str, int]:
    """Empty when everything is as it should be."""
    found = {name: await house.count(statement) for name, statement in WRONGS.items()}
    found["updates missing"] = await house.count("select count(*) from stored_updates") - len(
        await house.sandbox.acknowledged(house.bot_id)
    )
    kept = await house.count("select count(*) from messages where role = 'user'")
    found["questions missing"] = await house.count("select count(*) from stored_updates where kind = 'message'") - kept
    return {name: number for name, number in found.items() if number}

"""People who ask numbered questions all the while, and what must be true of the answers."""

import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scripts.compose.smoke.report import expect, until
from scripts.compose.smoke.stage import Stage

QUESTION = re.compile(r"ask-(\d+)-(\d+)-end")
FIRST_PERSON = 5_000_000
FORGET_PLANS = """
    insert into settings (key, value, updated_at, updated_by) values ('cache_epoch', '1', now(), 'smoke')
    on conflict (key) do update set value = to_jsonb((settings.value #>> '{}')::int + 1)
"""
"""What the dashboard does beside changing a plan: plans are cached."""
NOTICED_SECONDS = 6
WRONGS = {
    "updates not handled": "select count(*) from stored_updates where status <> 'handled'",
    "lanes with work left": "select count(*) from lanes where arrivals <> handled or due_at is not null or leased_by is not null",
    "turns not finished": "select count(*) from turns where status <> 'finished'",
    "turns without exactly one reply": (
        "select count(*) from turns t where 1 <> (select count(*) from messages where turn_id = t.id and role = 'assistant')"
    ),
    "answers not known to be sent": "select count(*) from outbox where status <> 'sent' or telegram_message_id is null",
}


@dataclass
class Load:
    """`sure` are questions that the sandbox is known to have taken; of the rest nobody can say."""

    stage: Stage
    people: int = 30
    per_second: float = 8.0
    sure: set[tuple[int, int]] = field(default_factory=set)
    _numbers: Counter[int] = field(default_factory=Counter)
    _ended: threading.Event = field(default_factory=threading.Event)
    _turns: defaultdict[int, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    """One person asks one thing at a time, or the door could swap two questions before anybody has seen them."""

    def prepare(self) -> None:
        self.stage.sql("update plans set daily_turns = null, turns_per_minute = null")
        self.stage.sql(FORGET_PLANS)
        time.sleep(NOTICED_SECONDS)
        self.stage.sandbox("/sim/model", {"first_token_ms": 80, "tokens_per_second": 400, "reply": "re: {last}"})
        for person in self._everybody():
            self.stage.sandbox("/sim/users", {"id": person, "first_name": f"Person {person % 1000}", "language_code": "en"})

    def _everybody(self) -> range:
        return range(FIRST_PERSON, FIRST_PERSON + self.people)

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the block runs; afterwards everything is answered. Raises `WrongError` when that takes over two minutes."""
        self._ended.clear()
        threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()
        until(self._is_quiet, 120, "everything was answered", pause=1)

    def _ask_on(self) -> None:
        dice = random.Random(threading.get_ident())  # noqa: S311 - load, not secrets
        while not self._ended.is_set():
            self._ask(dice.choice(self._everybody()))
            time.sleep(dice.expovariate(self.per_second / 4))

    def _ask(self, person: int) -> None:
        with self._turns[person]:
            self._numbers[person] += 1
            number = self._numbers[person]
            text = f"ask-{person}-{number}-end"
            try:
                self.stage.sandbox("/sim/send", {"bot_id": self.stage.bot_id(), "chat_id": person, "user_id": person, "text": text})
            except OSError:
                return
            self.sure.add((person, number))

    def _is_quiet(self) -> bool:
        try:
            updates = self.stage.sandbox("/sim/updates", bot_id=self.stage.bot_id())
            waiting = self.stage.compose.run(
                "exec",
                "-T",
                "postgres",
                "psql",
                "-U",
                "postgres",
                "-d",
                "vitte",
                "-AtXc",
                "select count(*) from stored_updates where status = 'pending'",
            )
        except OSError:
            return False
        return waiting.stdout.strip() == "0" and all(row["acknowledged_at"] is not None for row in updates)

    def judge(self, *, doubles_allowed: bool) -> str:
        """Nothing lost, order per chat kept; doubled only where a process was killed while it sent."""
        orders: dict[int, list[int]] = defaultdict(list)
        for call in self.stage.sandbox("/sim/calls", bot_id=self.stage.bot_id(), method="sendMessage", limit=60_000):
            found = QUESTION.search(str(call["params"].get("text", ""))) if call["status"] == 200 else None
            if found:
                expect(str(call["params"]["chat_id"]) == found[1], "an answer went to another chat")
                orders[int(found[1])].append(int(found[2]))
        answered = Counter((chat, number) for chat, numbers in orders.items() for number in numbers)
        lost = sorted(self.sure - set(answered))
        disordered = [chat for chat, numbers in orders.items() if list(dict.fromkeys(numbers)) != sorted(set(numbers))]
        doubled = sum(times - 1 for times in answered.values())
        told = f"{len(self.sure)} questions, {len(lost)} lost, {len(disordered)} chats out of order, {doubled} answers sent twice"
        expect(
            len(self.sure) > 20 and not lost and not disordered and (doubles_allowed or not doubled), f"{told} {lost[:5]} {disordered[:5]}"
        )
        wrong = {name: count for name, statement in WRONGS.items() if (count := self.stage.sql(statement)) != "0"}
        expect(not wrong, wrong)
        return told

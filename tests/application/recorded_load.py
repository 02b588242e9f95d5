"""An hour of 200 people, recorded: who does what in which second. Always the same."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from redis import Redis

from shared.database.database import STATEMENTS
from tests.factories import House, make_person, make_place

T = TypeVar("T")

PEOPLE = 200
HOUR = 3600.0
SEED = 4
LIVES = {"profile": 300, "place": 300, "character": 600, "menu": 1800}
"""Seconds after which what is kept under such a name is gone."""

DEEDS = {"message": 68, "open menu": 8, "list characters": 7, "look at status": 5, "start": 6, "choose language": 3, "enter character": 3}
"""Of a hundred updates."""


@dataclass(frozen=True, slots=True)
class Deed:
    at: float
    person: int
    process: int
    what: str
    choice: int


@dataclass(slots=True)
class Tally:
    """Statements of the parts that only read, and how many of such parts there were."""

    parts: int = 0
    statements: int = 0


def recording() -> list[Deed]:
    """Everybody comes once or twice and stays for a few minutes; either of two processes may get any update."""
    random = Random(SEED)
    return sorted(_deeds(random), key=lambda deed: (deed.at, deed.person))


def _deeds(random: Random) -> Iterator[Deed]:
    for person in range(PEOPLE):
        for _ in range(random.choice((1, 1, 2))):
            at, what = random.uniform(0, HOUR), "start"
            for _ in range(random.randint(6, 16)):
                yield Deed(at, person, random.randrange(2), what, random.randrange(1000))
                at += random.uniform(4, 50)
                what = random.choices(list(DEEDS), list(DEEDS.values()))[0]


async def play(deeds: list[Deed], processes: tuple[House, House], redis_url: str) -> Tally:
    """What is kept dies on the recorded clock, at once for all of a kind: rather too early than too late."""
    tally, last = Tally(), 0.0
    with Redis.from_url(redis_url) as redis:
        for deed in deeds:
            for kind, seconds in LIVES.items():
                if int(last // seconds) != int(deed.at // seconds):
                    for key in list(redis.scan_iter(f"vitte:cache:*:{kind}:*")):
                        redis.delete(key)
            last = deed.at
            await _do(deed, processes[deed.process], tally)
    return tally


async def _do(deed: Deed, house: House, tally: Tally) -> None:
    person = make_person(telegram_user_id=5_000_000_000 + deed.person)
    place = make_place(chat_id=person.telegram_user_id)
    if not await _is_known(house, person.telegram_user_id):
        await house.accounts.recognise(person, place)
    speaker = await _read(tally, lambda: house.accounts.recognise(person, place))
    if deed.what == "start":
        await _read(tally, lambda: house.characters.greeting(speaker))
    elif deed.what == "list characters":
        await _read(tally, house.characters.list)
    elif deed.what == "look at status":
        await _read(tally, lambda: house.accounts.allowance(speaker))
    elif deed.what == "choose language":
        await house.accounts.choose_language(speaker.user_id, ("en", "ru")[deed.choice % 2])
    elif deed.what == "enter character":
        tiles = await _read(tally, house.characters.list)
        await house.characters.enter(speaker, tiles[deed.choice % len(tiles)].id)


async def _is_known(house: House, telegram_user_id: int) -> bool:
    async with house.database.statement("inbox") as tx:
        return await tx.users.is_registered(telegram_user_id)


async def _read(tally: Tally, part: Callable[[], Awaitable[T]]) -> T:
    sent = STATEMENTS.labels("work")
    before = sent._value.get()
    found = await part()
    tally.parts += 1
    tally.statements += int(sent._value.get() - before)
    return found

"""The people: each says something at a given moment, whether or not the others have been answered."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scripts.faults.catalogue import Load
from shared.application.accounts import AccountService
from shared.application.chat import ChatService, Said
from shared.domain.errors import AppError
from shared.domain.speaker import Person, Place, Speaker

BOT_ID = 4_400_000
FIRST_USER = 7_100_000_000


@dataclass(slots=True)
class Request:
    """Times in seconds from the moment at which it was due."""

    number: int
    said: str
    was_open: bool = False
    first: float | None = None
    whole: float | None = None
    text: str = ""
    failure: str | None = None

    @property
    def source_id(self) -> str:
        return str(self.number)


def make_requests(load: Load, first_number: int) -> list[tuple[float, Request]]:
    """With the moments at which they are due. No two of a run say the same."""
    dice = random.Random(4)  # noqa: S311 - load, not secrets
    due = 0.0
    found: list[tuple[float, Request]] = []
    while (due := due + dice.expovariate(load.rate)) < load.seconds:
        number = first_number + len(found)
        found.append((due, Request(number, f"Please tell me a story about number {number}.")))
    return found


async def acquaint(accounts: AccountService, people: int) -> list[Speaker]:
    speakers = []
    for number in range(people):
        person = Person(telegram_user_id=FIRST_USER + number, first_name=f"Ann {number}", language_code="en")
        speakers.append(await accounts.recognise(person, Place(bot_id=BOT_ID, chat_id=person.telegram_user_id)))
    return speakers


async def talk(
    chat: ChatService, speakers: Sequence[Speaker], requests: Sequence[tuple[float, Request]], is_open: Callable[[], bool]
) -> list[Request]:
    """Returns when everybody has been answered or refused."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.TaskGroup() as group:
        for index, (due, request) in enumerate(requests):
            await asyncio.sleep(max(0.0, began + due - loop.time()))
            request.was_open = is_open()
            group.create_task(_ask(chat, speakers[index % len(speakers)], request, began + due))
    return [request for _, request in requests]


async def _ask(chat: ChatService, speaker: Speaker, request: Request, due: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        async for piece in chat.reply(speaker, [Said(request.source_id, request.said)]):
            if piece.text and request.first is None:
                request.first = loop.time() - due
            request.text += piece.text
    except AppError as error:
        request.failure = f"{type(error).__name__}: {error}"
    else:
        request.whole = loop.time() - due

"""Steps that the tests of /memory share."""

from itertools import count
from typing import Any

from shared.domain.memory import Memory
from shared.domain.speaker import Speaker
from tests.factories import ANN_ID, BOT_ID, make_memory, make_update
from tests.services.bot.desk import Desk, Message

_numbers = count(900)


async def remember(desk: Desk, *facts: str, **overrides: Any) -> tuple[Speaker, list[Memory]]:
    """Facts of Ann; the last one is the newest."""
    ann = await desk.house.speaker()
    memories = [make_memory(ann, fact=fact, topic=f"other.{number}", **overrides) for number, fact in enumerate(facts)]
    for memory in memories:
        await desk.house.add(memory)
    return ann, memories


async def facts(desk: Desk, user: int = ANN_ID) -> list[str]:
    who = await desk.house.speaker(telegram_user_id=user)
    return [memory.fact for memory in (await desk.house.memory.known(who)).memories]


async def shown(desk: Desk, chat: int = ANN_ID) -> Message:
    return (await desk.seen(chat))[-1]


async def memory_of(desk: Desk) -> Message:
    await desk.tell("/memory")
    return await shown(desk)


def labels(desk: Desk, message: Message) -> list[str]:
    return [label for label, _ in desk.buttons(message)]


async def press_unseen(desk: Desk, message: Message, data: str, user: int = ANN_ID, chat: int | None = None) -> None:
    """A press that no button of this message makes (any more)."""
    place = {"id": chat, "type": "supergroup"} if chat else {"id": user, "type": "private"}
    under = {"message_id": message["message_id"], "date": 1_790_000_000, "chat": place, "text": "x"}
    body = make_update(next(_numbers), kind="callback_query", user=user, message=under, data=data)
    await receive(desk, body)


async def receive(desk: Desk, body: bytes) -> None:
    await desk.application.inbox.receive(BOT_ID, [body], notice="desk")
    await desk.work()


def raw(message: Message, chat: int = ANN_ID, **changes: Any) -> Message:
    """One of the bot's messages as Telegram shows it in `reply_to_message`."""
    place = {"id": chat, "type": "private" if chat > 0 else "supergroup"}
    bot = {"id": BOT_ID, "is_bot": True, "first_name": "Vitte"}
    kept = {key: message[key] for key in ("message_id", "text", "entities")}
    return {"date": 1_790_000_000, "chat": place, "from": bot, **kept, **changes}


async def reply_to(desk: Desk, replied: Message, user: int = ANN_ID, **content: Any) -> None:
    """A reply to a message made with `raw`, in the chat that it is in."""
    chat = replied["chat"]["id"]
    place = {} if chat > 0 else {"chat": chat}
    await receive(desk, make_update(next(_numbers), user=user, reply_to_message=replied, **place, **content))

"""Talking in a house whose reading model says what it is told to, and looking at what was remembered."""

import json
from collections.abc import Sequence
from contextlib import aclosing
from itertools import count
from typing import Any

from shared.adapters.llm.scripted import ScriptedModel
from shared.application.chat.parts import Said
from shared.domain.speaker import Speaker
from tests.factories import House, OneModel

_sources = count(1)


def reading_model(house: House) -> ScriptedModel:
    assert isinstance(house.reading, OneModel)
    return house.reading.model


async def say(house: House, speaker: Speaker, *texts: str) -> str:
    """One turn; answers the source id of its first message."""
    said = [Said(source_id=f"m{next(_sources)}", text=text) for text in texts]
    async with aclosing(house.chat.reply(speaker, said)) as pieces:
        async for _ in pieces:
            pass
    return said[0].source_id


def fact(text: str, quote: str, **overrides: Any) -> dict[str, Any]:
    """As a model would give it, complete."""
    usual = {"message": 1, "topic": "city", "confidence": 0.9, "scope": "character", "relation": "new", "known": None}
    return {**usual, "fact": text, "quote": quote, **overrides}


def will_read(house: House, *facts: dict[str, Any]) -> None:
    """The next answer of the reading model."""
    reading_model(house).queue(json.dumps({"facts": facts}))


def asked_data(house: House, call: int = -1) -> dict[str, Any]:
    """The data of a call of the reading model."""
    lines = reading_model(house).prompts[call][1].text.splitlines()
    assert (lines[0], lines[2], len(lines)) == ("<data>", "</data>", 3)
    return dict(json.loads(lines[1]))


async def memories(house: House, speaker: Speaker) -> list[tuple[str, str]]:
    """(status, fact) of all memories of a person, by all characters, oldest first."""
    found = await house.rows("select status, fact from memories where user_id = :id order by created_at, id", id=speaker.user_id)
    return [(status, text) for status, text in found]


async def learn(house: House, speaker: Speaker, said: str, *facts: dict[str, Any]) -> dict[str, int]:
    """Something is said and read at once; answers what became of the facts."""
    await say(house, speaker, said)
    will_read(house, *facts)
    return (await house.memory.refresh(speaker.dialog_id)).facts


def texts_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row.get("text") or f"({row['reply']})" for row in rows]

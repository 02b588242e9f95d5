"""Knows the tasks by the first line of the system prompt, and reads the data that they are about."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from services.sandbox.model.character.scene import Said
from services.sandbox.model.memory.mistakes import Mistakes
from services.sandbox.model.memory.reading import Found, facts_of
from services.sandbox.model.memory.summary import summarise

_TASK = re.compile(r"\s*Task:\s*(facts|summary)\b")
_DATA = re.compile(r"<data>(.*)</data>", re.DOTALL)
_WORD = re.compile(r"\d+|\w{3,}")
_TELLING = frozenset(["likes", "does", "not", "like", "любит"])
_MANY = ("likes", "dislikes", "plan", "event", "other", "pet", "health", "family")
"""Of these there may be several at a time: another one contradicts nothing."""


def answer_task(messages: Sequence[Said], mistakes: Mistakes) -> str | None:
    """None when it is a character that is asked for. Data that cannot be read are about nothing."""
    system = next((said.text for said in messages if said.role in {"system", "developer"}), "")
    if not (task := _TASK.match(system)):
        return None
    data = _data("\n".join(said.text for said in messages if said.role == "user"))
    return _facts(data, mistakes) if task[1] == "facts" else summarise(data.get("summary"), _dicts(data.get("messages")))


def _data(text: str) -> dict[str, Any]:
    found = _DATA.search(text)
    try:
        data = orjson.loads(found[1]) if found else {}
    except orjson.JSONDecodeError:
        data = {}
    return data if isinstance(data, dict) else {}


def _dicts(rows: Any) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _facts(data: Mapping[str, Any], mistakes: Mistakes) -> str:
    rows, known = _dicts(data.get("messages")), _dicts(data.get("known"))
    numbers = [row["id"] for row in rows if isinstance(row.get("id"), int)]
    found = [mistakes.spoil(fact, numbers) for row in rows if "text" in row for fact in facts_of(row.get("id", 0), str(row["text"]))]
    facts = list[dict[str, Any]]()
    for fact in [*found, *_wrong(rows, mistakes)]:
        facts.append(_told(fact, [*known, *facts]))
    return mistakes.dress(orjson.dumps({"facts": facts}).decode())


def _wrong(rows: Sequence[Mapping[str, Any]], mistakes: Mistakes) -> Iterator[Found]:
    last = 1
    for row in rows:
        if "text" in row:
            last = row.get("id", last)
            yield from mistakes.read_wrongly(last, str(row["text"]))
        else:
            yield from mistakes.read_replies(last, str(row.get("reply", "")))


def _told(fact: Found, known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    relation, other = _relation(fact, known)
    scope = "character" if fact.private else "all"
    told = {"message": fact.message, "topic": fact.topic, "fact": fact.fact, "quote": fact.quote, "confidence": fact.confidence}
    return {**told, "scope": scope, "relation": relation, "known": other}


def _relation(fact: Found, known: Sequence[Mapping[str, Any]]) -> tuple[str, Any]:
    """To what is known or was read just before; that has no id."""
    alike = [row for row in known if row.get("topic") == fact.topic]
    for row in alike:
        if _words(fact.fact) == _words(str(row.get("fact", ""))):
            return "same", row.get("id")
    opposed = alike or [row for row in known if _is_opposite(fact, row)]
    if not opposed:
        return "new", None
    if fact.changed:
        return "changed", opposed[-1].get("id")
    is_one_of_many = fact.topic.partition(".")[0] in _MANY and opposed[-1].get("topic") == fact.topic and not fact.topic.startswith("other")
    return ("new", None) if is_one_of_many else ("contradicts", opposed[-1].get("id"))


def _is_opposite(fact: Found, row: Mapping[str, Any]) -> bool:
    """Likes and dislikes of the same thing."""
    kinds = {fact.topic.partition(".")[0], str(row.get("topic", "")).partition(".")[0]}
    return kinds == {"likes", "dislikes"} and bool((_words(fact.fact) & _words(str(row.get("fact", "")))) - _TELLING)


def _words(text: str) -> set[str]:
    return {word[:5] for word in _WORD.findall(text.lower())}

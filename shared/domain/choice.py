"""Which models answer: the strong ones, or the simple ones where those do as well."""

import re
from dataclasses import dataclass
from typing import Literal

Tier = Literal["strong", "simple"]

SMALL_TALK_CHARACTERS = 60

_SMALL_TALK = re.compile(
    r"(?:"
    r"hi+|hello|hey+|hiya|yo|good (?:morning|afternoon|evening|night)|how are you(?: doing)?(?: today)?|what'?s up|how'?s it going|"
    r"thanks?(?: you)?(?: (?:so|very) much| a lot)?|ok(?:ay)?|yes|yeah|no|nope|cool|nice|great|bye|goodbye|see you(?: later)?|haha+|lol|"
    r"i'?m (?:fine|good|ok(?:ay)?)|and you|"
    r"привет(?:ик)?|здравствуй(?:те)?|доброе утро|добрый (?:день|вечер)|доброй ночи|спокойной ночи|как (?:дела|ты|жизнь)|"
    r"спасибо(?: большое)?|благодарю|ок(?:ей)?|да|нет|ага|хорошо|понятно|круто|класс|пока|до (?:свидания|завтра)|хаха+|"
    r"ahoj|čau|dobrý (?:den|večer)|dobré ráno|jak se máš|děkuji|díky|ano|ne|nashledanou"
    r")"
)
_BETWEEN = re.compile(r"[^\w'’]+")
_FILLER = frozenset({"there", "again", "my", "dear", "friend", "all", "and", "а", "и", "всем", "дорогой", "дорогая", "снова", "ещё", "раз"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """All that the choice depends on. `only_simple` is the operator's switch, `is_soft` says that a budget has passed its soft limit.

    `chosen_tier` is where the chosen model belongs: a simple one that somebody chose is booked as a simple one.
    """

    said: str
    character_name: str = ""
    plan_tier: str = "auto"
    only_simple: bool = False
    chosen_model: str | None = None
    chosen_tier: Tier = "strong"
    may_choose_model: bool = False
    task: str = "talk"
    level: str | None = None
    is_soft: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """`model` is a single one that goes first. `reason` is a word for logs and metrics."""

    tier: Tier
    reason: str
    model: str | None = None


def choose(case: Circumstances) -> Choice:
    """The plan decides first, then the operator, then money, then the user's own choice, then what the talk needs."""
    if case.plan_tier == "strong":
        return Choice("strong", "plan")
    if case.plan_tier == "simple":
        return Choice("simple", "plan")
    if case.only_simple:
        return Choice("simple", "operator")
    if case.is_soft:
        return Choice("simple", "budget")
    if case.chosen_model and case.may_choose_model:
        return Choice(case.chosen_tier, "user", case.chosen_model)
    if case.task == "tutor" and case.level == "beginner":
        return Choice("simple", "beginner")
    if is_small_talk(case.said, case.character_name):
        return Choice("simple", "small_talk")
    return Choice("strong", "default")


def is_small_talk(said: str, name: str = "") -> bool:
    """Greetings, thanks and the like, in the languages that we speak; a question of substance never is."""
    if len(said) > SMALL_TALK_CHARACTERS:
        return False
    words = [word for word in _BETWEEN.split(said.lower().replace("’", "'")) if word and word not in _FILLER and word != name.lower()]
    rest = " ".join(words)
    while rest:
        found = _SMALL_TALK.match(rest)
        if found is None or (found.end() < len(rest) and rest[found.end()] != " "):
            return False
        rest = rest[found.end() :].lstrip()
    return bool(words)

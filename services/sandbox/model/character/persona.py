"""Who the character is, as far as its system prompt says so: name, manner, and sentences it can say about itself."""

import re
from functools import lru_cache
from typing import NamedTuple

import orjson


class Part(NamedTuple):
    """`user`, `language` and `memories` are known where the prompt has them; `selves` are sentences in the first person."""

    name: str
    manner: str
    user: str | None
    language: str | None
    selves: tuple[str, ...]
    memories: tuple[str, ...] = ()


_NAME = re.compile(r"\b(?:You are|Your name is|Ты|Тебя зовут|Jsi|Jmenuješ se)\s*[—–-]?\s+([^\W\d_a-zа-яё][\w'’-]*)")
_USER = re.compile(
    r"\b(?:user(?:['’]s)? (?:first )?name(?: is|:)|talking (?:to|with)|имя пользователя:?|пользователя зовут)\s+"
    r"[\"“«*]*([^\W\d_a-zа-яё][\w'’-]*)"
)
_USER_FACT = re.compile(r'"(?:user_)?(?:first_)?name":\s*"([^"\\{}*_`\[\]]{1,40})"')
_MEMORIES = re.compile(r'"memories":\s*(\[(?:"(?:[^"\\]|\\.)*"[,\s]*)*\])')
_TUTOR = re.compile(r"\bczech\b.{0,80}\b(?:tutor|teacher|teach)|\b(?:tutor|teach\w*)\b.{0,80}\bczech\b|чешск|češtin", re.I | re.S)
_LISTENER = re.compile(r"\breflect\w*|\blisten(?:er|ing|s)\b|слушател|выслуш", re.I)
_ORDERED = re.compile(
    r"\b(?:answer|reply|respond|speak|write|language|отвечай|говори|язык)\b[^.\n]{0,40}?"
    r"\b(english|russian|czech|en|ru|cs|по-русски|русск\w+|английск\w+|чешск\w+)\b",
    re.I,
)
_ORDERS = {"e": "en", "а": "en", "r": "ru", "р": "ru", "п": "ru", "c": "cs", "ч": "cs"}
_SELF = re.compile(
    r"(?:^|(?<=[.!?]\s))You (?:are|have|walk|collect|know|love|like|live|grew|come|restore|work|play|keep)\b[^.!?\n]{12,220}[.]", re.M
)
_DUTY = re.compile(r"\b(?:must|should|never|only when|character|AI|instructions?|user|no doctor|therapist|Telegram)\b")
_SWAPS = (
    (re.compile(r"\b([Yy])ou are\b"), "I'm"),
    (re.compile(r"\byou were\b", re.I), "I was"),
    (re.compile(r"\byourself\b"), "myself"),
    (re.compile(r"\bYour\b"), "My"),
    (re.compile(r"\byour\b"), "my"),
    (re.compile(r"\b(even|to|for|with|at|of|about|than|ignores|corrects|loves|knows) you\b"), r"\1 me"),
    (re.compile(r"\b[Yy]ou\b"), "I"),
)


@lru_cache(maxsize=256)
def read_part(prompt: str) -> Part:
    name, user = _NAME.search(prompt), _USER_FACT.search(prompt) or _USER.search(prompt)
    manner = "tutor" if _TUTOR.search(prompt) else "listener" if _LISTENER.search(prompt) else "companion"
    ordered = _ORDERED.search(prompt) if manner != "tutor" else None  # a tutor's languages are those of the lesson
    return Part(
        name[1] if name else "Vitte",
        manner,
        user[1] if user else None,
        _ORDERS[ordered[1][0].lower()] if ordered else None,
        _selves(prompt),
        _memories(prompt),
    )


def _memories(prompt: str) -> tuple[str, ...]:
    found = _MEMORIES.search(prompt)
    try:
        return tuple(map(str, orjson.loads(found[1]))) if found else ()
    except orjson.JSONDecodeError:
        return ()


def _selves(prompt: str) -> tuple[str, ...]:
    """The sentence that names the character is left out: the lines do that already."""
    found = [sentence for sentence in _SELF.findall(prompt) if not _DUTY.search(sentence) and not _NAME.search(sentence)]
    return tuple(dict.fromkeys(map(_first_person, found)))


def _first_person(sentence: str) -> str:
    for pattern, word in _SWAPS:
        sentence = pattern.sub(word, sentence)
    return sentence

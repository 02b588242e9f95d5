"""In which languages a reply to a person may be. Whoever gives a reason for another one, or for doubt, is not judged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from shared.domain.language_names import NAMED, named_in
from shared.domain.languages import FEWEST_WORDS, hits_in, knows, language_of, own_words, words_in
from shared.domain.prompt import PromptMessage, Role

ANY: frozenset[str] = frozenset()
"""A reply may be in any language: there is nothing to judge."""
RECENT = 6
"""As many messages of the person, and replies, tell what is usual in the talk."""

_READ = 300
_LONG = 300
"""In words longer than this a part may be somebody else's, with a question before or after it."""
_KIN = tuple(frozenset(kin.split()) for kin in ("da no sv", "hr sr sl", "nl af", "es gl ca", "pt gl", "tr az", "bg mk", "cs sk"))
"""So close that one may be taken for the other; people who write one of them read the other."""
_SENTENCE_END = re.compile(r"[.!?:…\n]+")
_FOLLOWS = re.compile(
    r"\b(?:answer|repl(?:y|ies)|respond|speak|write|talk|chat)s?\s+(?:\w+\s+){0,2}in\s+"
    r"(?:the\s+(?:same\s+)?language\s+(?:of|in\s+which|that|they|the)\b|(?:the\s+)?(?:user|person|reader|their|his|her|your)\S*\s+(?:own\s+)?language\b)"
    r"|\b(?:отвеча|говори|пиши)\w*\s+(?:\w+\s+){0,2}на\s+(?:том\s+же\s+)?языке\b"
    r"|\b(?:antworte|sprich|schreib)\w*\s+(?:\w+\s+){0,3}in\s+der\s+(?:gleichen\s+)?sprache\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """`words` are answered now, `history` came before, the greeting first; `known` is what is remembered of the person."""

    words: Sequence[str]
    history: Sequence[PromptMessage] = ()
    card: str = ""
    known: Sequence[str] = ()


def is_about_language(words: Sequence[str]) -> bool:
    """Whether a language, or translating, is spoken of."""
    return bool(named_in(words_in(_ends("\n".join(words)))))


def written_in(words: Sequence[str]) -> frozenset[str]:
    """Languages that have a small word of their own in these words: an answer in one of them needs no further thought. None for so few
    words that they tell nothing.
    """
    found = words_in(_ends(own_words("\n".join(words))))
    return frozenset(hits_in(found)) if len(found) >= FEWEST_WORDS else frozenset()


def languages_for(talk: Talk) -> frozenset[str]:
    """The language in which the person writes, and those that may take its place; `ANY` in every doubt."""
    said = [message.text for message in talk.history if message.role is Role.USER][-RECENT:]
    spoken = _spoken("\n".join(talk.words).strip(), said)
    if spoken is None:
        return ANY
    named = named_in(words_in("\n".join(map(_ends, (*said, *talk.words, *talk.known)))))
    if named - {spoken}:
        return ANY
    usual = _of_replies(talk.history, spoken)
    return frozenset({spoken}).union(usual, _of_character(talk, is_proven=spoken in usual), *(kin for kin in _KIN if spoken in kin))


def _spoken(now: str, before: Sequence[str]) -> str | None:
    """The language of the words; of few words that of what was said just before, as long as they agree with it."""
    spoken = language_of(now)
    if spoken is None:
        own = hits_in(words_in(own_words(now[:_READ])))
        if now and len(own) != 1:
            return None
        usual = language_of("\n".join((*(text[:_READ] for text in before[-3:]), now)))
        spoken = usual if not now or [*own] == [usual] else None
    if spoken is None or _is_patched(now, spoken):
        return None
    others = {language_of(text[:_READ]) for text in before} - {None, spoken}
    return None if others else spoken


def _is_patched(now: str, spoken: str) -> bool:
    """Whether a long text begins or ends with something in no way of its language: a question about what was pasted."""
    if len(now) < _LONG:
        return False
    parts = [words for part in _SENTENCE_END.split(own_words(now)) if (words := words_in(part))]
    return any(not any(knows(spoken, word) for word in words) for words in (*parts[:2], *parts[-2:]))


def _of_replies(history: Sequence[PromptMessage], spoken: str) -> frozenset[str]:
    """Languages of the last replies, as far back as the person asked for their own."""
    asked = next((place for place, message in enumerate(history) if message.role is Role.USER), len(history))
    recent = list(history[asked:])[-2 * RECENT :]
    silent = list(takewhile(lambda message: message.role is not Role.USER or not _insists(message.text, spoken), reversed(recent)))
    found = {language_of(message.text[:_READ]) for message in silent if message.role is Role.ASSISTANT}
    return frozenset(language for language in found if language)


def _insists(text: str, spoken: str) -> bool:
    return spoken in named_in(words_in(_ends(text)))


def _of_character(talk: Talk, *, is_proven: bool) -> frozenset[str]:
    """What the character may speak by itself. Its card's own language says nothing once it follows the person's, as told or as seen."""
    card = _read_card(talk.card)
    if is_proven or card.follows:
        return card.named
    greeting = takewhile(lambda message: message.role is not Role.USER, talk.history)
    native = {card.language, *(language_of(message.text[:_READ]) for message in greeting)}
    return card.named.union(language for language in native if language)


@dataclass(frozen=True, slots=True)
class _Card:
    language: str | None
    named: frozenset[str]
    follows: bool


@lru_cache(maxsize=64)
def _read_card(card: str) -> _Card:
    return _Card(language_of(card), named_in(words_in(card)) & NAMED, _FOLLOWS.search(card) is not None)


def _ends(text: str) -> str:
    """Where wishes stand in a long message."""
    return text if len(text) <= 2 * _READ else f"{text[:_READ]}\n{text[-_READ:]}"

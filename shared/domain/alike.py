"""Whether two questions ask the same in other words, so that one reply may do for both.

An embedding says that two texts are about the same, not that they ask the same: "Do you like it" lies beside "Do you not like it",
"my name" beside "your name", "Who is Anna" beside "Who is Maria". So what commonly turns a question into another one is looked at in the
words, and must be the same on both sides before the angle between their embeddings is measured at all:

- digits and numbers, signs and emoji, addresses and whatever else has a digit or a sign within, in their order;
- names: words with a capital that are no small words of the language; all that stands in quotes;
- how often something is denied, and beginnings such as un-;
- who asks about whom (I, me, my, he, she, they, we), and whether it is who, where, when or why;
- times (today, tomorrow, Monday) and other small words that have an opposite (more, before, best, man, robot). A time does not make a
  question useless: replies live a day, and the very same question gets the kept one as well;
- the language, told by its small words, two at least: one that we do not know, or that may be two, is never compared, nor are scripts
  without capitals, where we see no names;
- words of content in another order (cats eat mice, mice eat cats).

Fewer than three words are never compared. What is left to the angle are words of content that only resemble each other ("film", "song"):
for them operators choose how near is near enough, and nothing below 80 % can be chosen.

All of it errs to one side. A question that is taken for another one costs what a reply costs.
"""

import hashlib
import math
import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import mul

from shared.domain.alike_words import LANGUAGES, Language
from shared.domain.memory_search import sketch_of

FEWEST_WORDS = 3
FEWEST_KNOWN = 2
"""Small words of a language that tell which one it is."""
ORDER_BYTES = 8
MARGIN = 0.05
"""A sketch of 1,024 bits errs by less than this share of them."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_QUOTED = re.compile(r"[\"“”„«»‹›`]([^\"“”„«»‹›`]+)[\"“”„«»‹›`]|(?<!\w)['‘‚]([^'’‘]+)['’‘](?!\w)")
_ODD_WORD = re.compile(r"\S*(?:\d|[@#/\\_=<>~^|]|\w\.\w|:\w)\S*")
_EDGES = ".,!?;:…'\"()«»“”„‚‘’¿¡-–—"
_TOGETHER = (("por qué", "porqué"), ("por que", "porque"))
"""One word of two: a question that its parts do not ask."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What must be the same; and the words of content as they come."""

    all: tuple[str, ...]
    content: tuple[str, ...]


def marks_of(text: str) -> Marks | None:
    """None for what can be compared with nothing."""
    said = unicodedata.normalize("NFC", " ".join(text.split())).translate({ord("’"): "'", ord("ʼ"): "'"})
    if len(said.split()) < FEWEST_WORDS:
        return None
    quoted = [" ".join(filter(None, found)) for found in _QUOTED.findall(said)]
    odd = [word.strip(_EDGES) for word in _ODD_WORD.findall(said)]
    spoken = _spoken(said)
    name = _language_of([word.lower() for word in spoken])
    if name is None:
        return None
    language = LANGUAGES[name]
    marks = [f"language {name}", *(f"quoted {one.casefold()}" for one in quoted), *(f"odd {one.casefold()}" for one in odd)]
    marks += [f"sign {sign}" for sign in said if unicodedata.category(sign)[0] == "S" or sign in "%&*"]
    marks += [f"name {word.casefold()}" for word in spoken if word != word.lower() and not language.knows(word.lower())]
    meant = _meant(spoken, language)
    return Marks(tuple(marks + _small_marks(meant, language)), tuple(word for word in meant if word not in language.plain))


def order_of(marks: Marks, salt: str) -> tuple[bytes, bytes]:
    """Digests of the words of content, sorted and as they come."""
    return _digest(salt, sorted(marks.content)), _digest(salt, marks.content)


def differ_in_order(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> bool:
    return one[0] == other[0] and one[1] != other[1]


def sketch_bytes(vector: Sequence[float]) -> bytes:
    bits = sketch_of(vector)
    return int(bits, 2).to_bytes((len(bits) + 7) // 8, "big")


def small_vector(vector: Sequence[float]) -> bytes:
    """A byte for each component: its direction errs by less than a degree."""
    largest = max(map(abs, vector), default=0.0)
    return array("b", [round(value / largest * 127) for value in vector]).tobytes() if largest and math.isfinite(largest) else b""


def likeness(one: bytes, other: bytes) -> float:
    """The cosine between two small vectors; 0 where they cannot be compared."""
    mine, theirs = array("b", one), array("b", other)
    lengths = math.sqrt(sum(map(mul, mine, mine)) * sum(map(mul, theirs, theirs)))
    return sum(map(mul, mine, theirs)) / lengths if len(mine) == len(theirs) and lengths else 0.0


def most_differing_bits(least: float, bits: int) -> int:
    """In how many of their bits sketches of vectors with that cosine may differ."""
    return int(bits * (math.acos(least) / math.pi + MARGIN))


def _spoken(said: str) -> list[str]:
    """Words, those of scripts with an apostrophe that joins words in parts: don't, l'ami."""
    for apart, together in _TOGETHER:
        said = re.sub(rf"\b{apart}\b", together, said, flags=re.IGNORECASE)
    words = _WORD.findall(said)
    return [part for word in words for part in (word.split("'") if word.isascii() or "a" <= word[0].lower() <= "ɏ" else [word])]


def _language_of(words: Sequence[str]) -> str | None:
    """Of a single question: so few words tell `shared.domain.languages` nothing, which judges replies and has to be surer."""
    letters = set("".join(words)) - {"'"}
    known = {name: sum(map(one.knows, words)) for name, one in LANGUAGES.items() if letters <= one.letters}
    first, second = sorted([*known.values(), 0, 0], reverse=True)[:2]
    return max(known, key=lambda name: known[name]) if first >= FEWEST_KNOWN and first > second else None


def _meant(words: Sequence[str], language: Language) -> list[str]:
    """All but "tell me" and its like, which ask for nothing else than a question does."""
    said = [word.lower() for word in words]
    pairs = enumerate(pairwise(["", *said]))
    told = {at for at, (before, word) in pairs if before in language.telling and language.does.get(word) == "me"}
    return [word for at, word in enumerate(said) if at not in told and word not in language.telling]


def _small_marks(words: Sequence[str], language: Language) -> list[str]:
    """Denials as often as they come, the others once."""
    found: list[str] = []
    for word in words:
        kind = language.does.get(word)
        if kind:
            found.append(f"{kind} {word}" if kind == "itself" else kind)
        elif not language.knows(word) and word.startswith(language.turning):
            found.append(f"turned {word}")
    return sorted([mark for mark in found if mark == "not"] + list({mark for mark in found if mark != "not"}))


def _digest(salt: str, words: Sequence[str]) -> bytes:
    return hashlib.blake2b("\n".join([salt, *words]).encode(), digest_size=ORDER_BYTES).digest()

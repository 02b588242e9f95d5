"""By what memories are found again: the words of a text, cut so that their inflections match, and where it lies among meanings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_WORDS = 24
_SHORTEST = 3
_WORD = re.compile(r"[^\W_]+")
_FILLERS: Final = """
    about after all also and any are because been but can could did does don for from get had has have her him his how into its just
    know let like many may more most much must not now off one only our out over please really remember said say she should some such
    tell than that the their them then there these they think this those too very want was way were what when where which who why will
    with would yes yet you your
    без был была было были быть вам вас весь вот все всё для его ещё еще если есть или как какая какие какой когда кто куда меня мне
    мной много мой моя мои моё может можно над надо нас нет них ничего она они оно очень под помнишь при про просто расскажи сам свой
    себя скажи так такой там тебе тебя тоже только тут твой уже хочу чего чем что чтобы это этот эта эти
"""
"""Words that say nothing of what a text is about."""
_IDLE = frozenset(_FILLERS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """`words` is a query of PostgreSQL's text search, empty to prefer nothing. `sketch` can be compared with those of the same model."""

    words: str = ""
    sketch: str | None = None
    embedding_model: str | None = None


def search_words(text: str) -> str:
    """Any of the words that mean something, each as the beginning that its inflections share, the longest first.

    'My dogs in Prague' becomes `prag:* | dog:*`.
    """
    words = dict.fromkeys(word.casefold() for word in _WORD.findall(text))
    telling = [word for word in words if word not in _IDLE and (len(word) >= _SHORTEST or _is_dense(word))]
    longest = sorted(telling, key=len, reverse=True)[:MOST_WORDS]
    return " | ".join(dict.fromkeys(f"{_beginning(word)}:*" for word in longest))


def sketch_of(vector: Sequence[float]) -> str:
    """The signs of an embedding as bits: the angle between two is close to the share of bits in which they differ, times pi."""
    return "".join("1" if value > 0 else "0" for value in vector)


def _beginning(word: str) -> str:
    if word.isdigit() or len(word) <= _SHORTEST:
        return word
    return word[:-1] if len(word) == _SHORTEST + 1 else word[:-2]


def _is_dense(word: str) -> bool:
    """Scripts that say in one sign what takes others a word."""
    return any(character >= "⺀" for character in word)

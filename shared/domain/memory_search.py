"""By what memories are found again: the words of a text, cut so that their inflections match, and where it lies among meanings."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add, mul, sub
from typing import Final

MOST_WORDS = 24
LEAST_BITS = 1024
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
    """On which side of many planes through nought an embedding lies, as bits.

    The angle between two embeddings is close to the share of bits in which their sketches differ, times pi. Nought components and ones
    that are alike in all texts would tell nothing by their signs, so what is signed are sums of all components, with signs of their own.
    """
    size = 1 << max(0, len(vector) - 1).bit_length()
    return "".join(["1" if value > 0 else "0" for turn in range(max(1, LEAST_BITS // size)) for value in _mixed(vector, turn, size)])


def _mixed(vector: Sequence[float], turn: int, size: int) -> list[float]:
    """Twice a Walsh-Hadamard transform after a random change of signs: a rotation that costs little, and after which none stands out."""
    values = [*vector, *[0.0] * (size - len(vector))]
    for signs in (_signs(2 * turn, size), _signs(2 * turn + 1, size)):
        values = list(map(mul, values, signs))
        for _ in range(size.bit_length() - 1):
            even, odd = values[::2], values[1::2]
            values = [*map(add, even, odd), *map(sub, even, odd)]
    return values


@lru_cache(maxsize=64)
def _signs(turn: int, size: int) -> tuple[float, ...]:
    """The same in every process, for ever: sketches are kept."""
    drawn = hashlib.shake_128(f"vitte sketch {turn}".encode()).digest((size + 7) // 8)
    return tuple(1.0 if drawn[at >> 3] >> (at & 7) & 1 else -1.0 for at in range(size))


def _beginning(word: str) -> str:
    if word.isdigit() or len(word) <= _SHORTEST:
        return word
    return word[:-1] if len(word) == _SHORTEST + 1 else word[:-2]


def _is_dense(word: str) -> bool:
    """Scripts that say in one sign what takes others a word."""
    return any(character >= "⺀" for character in word)

"""In which language something is written, by its small words. Cheap, and silent rather than wrong: close languages share most of theirs."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from shared.domain.function_words import FUNCTION_WORDS

FEWEST_WORDS = 4
MOST_READ = 2000
"""Of a longer text the beginning tells."""
_LEAD = 4
"""Words of the language alone to each such word of another one."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_BORROWED = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*(?:`|\Z)|https?://\S+|[@#/]\w+|^[ \t]*>[^\n]*"
    r"|\"[^\"]*(?:\"|\Z)|“[^”]*(?:”|\Z)|„[^“”]*(?:[“”]|\Z)|«[^»]*(?:»|\Z)",
    re.DOTALL | re.MULTILINE,
)


def _owners() -> dict[str, tuple[str, ...]]:
    """The languages of each word."""
    owners: dict[str, tuple[str, ...]] = {}
    for language, words in FUNCTION_WORDS.items():
        for word in dict.fromkeys(words.split()):
            owners[word] = (*owners.get(word, ()), language)
    return owners


_OWNERS = _owners()


def words_in(text: str) -> list[str]:
    """In lower case; that of the Turkish İ has a dot on its own."""
    return _WORD.findall(text.lower().replace("i\u0307", "i"))


def own_words(text: str) -> str:
    """Without code, addresses and what stands in quotation marks, closed or not yet."""
    return _BORROWED.sub(" ", text)


def whole_words(text: str) -> str:
    """Without the word at the end, which may still be going on."""
    return text[: max(text.rfind(" "), text.rfind("\n")) + 1]


def knows(language: str, word: str) -> bool:
    """Whether this small word (in lower case) is used in the language, be it in others too."""
    return language in _OWNERS.get(word, ())


def is_told_by(words: Iterable[str], languages: Collection[str]) -> bool:
    """Whether one of the words is used in these languages and in no other one."""
    return any((owners := _OWNERS.get(word)) and all(owner in languages for owner in owners) for word in words)


def hits_in(words: Iterable[str]) -> Counter[str]:
    """How many of the words belong to one language alone, by language."""
    return Counter(owners[0] for word in words if len(owners := _OWNERS.get(word, ())) == 1)


def language_of(text: str) -> str | None:
    """The language (ISO 639-1) of what the text says in its own words; none when that is not clear."""
    return clear_language(words_in(own_words(text[:MOST_READ])))


def clear_language(words: Sequence[str]) -> str | None:
    """The language that has several different words here to itself, and hardly any other one has; none in doubt."""
    different = set(words)
    own = hits_in(different)
    if len(words) < FEWEST_WORDS or not own:
        return None
    shared = Counter(owner for word in different for owner in _OWNERS.get(word, ()))
    best = max(own, key=lambda language: (own[language], shared[language]))
    if own[best] < _LEAD * max((count for language, count in own.items() if language != best), default=0):
        return None
    rival = max((count for language, count in shared.items() if language != best), default=0)
    is_rich = own[best] >= 3 and own[best] >= 0.12 * len(different)
    is_dense = own[best] >= 2 and shared[best] >= max(3, 1.3 * rival, 0.2 * len(different))
    return best if is_rich or is_dense else None

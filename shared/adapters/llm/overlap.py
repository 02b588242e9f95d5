"""The seam between a reply that broke off and the one that goes on with it: nothing twice, nothing lost."""

from typing import Final

_LEAST_BYTES: Final = 12
"""A repetition of this length is no accident: two English words, or four Chinese signs. Shorter ones may be meant, as in "ha ha"."""
_LEAST_WORD: Final = 3
_NO_SPACE_BEFORE: Final = frozenset(".,!?;:)]}…»”’%'\"*_`")
_NO_SPACE_AFTER: Final = frozenset("([{«“‘-–—/'\"*_`")
_SPACELESS: Final = ((0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF), (0x0E00, 0x0EFF))


class Seam:
    """Takes the text of the model that goes on, gives what is to be added to `said`.

    A model that goes on often repeats the last words, the word in which the first one broke off, or all of it. As long as what
    came may still be such a repetition it is held back. `close` gives what is left when the text is complete.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        self._held: str | None = ""

    def push(self, text: str) -> str:
        if self._held is None:
            return text
        self._held += text
        if self._held.lstrip() in self._said:
            return ""
        return self.close()

    def close(self) -> str:
        held, self._held = self._held, None
        return join(self._said, held) if held else ""


def join(said: str, more: str) -> str:
    """What of `more` is to be added to `said`, with a space between two words that the wire has robbed of it."""
    repeated = _repeated(said, more)
    if repeated:
        return more[repeated:]
    return f" {more}" if _needs_space(said, more) else more


def _repeated(said: str, more: str) -> int:
    """How many characters of `more` are the end of `said` once again."""
    spaces = len(more) - len(more.lstrip())
    for start in {0, spaces}:
        found = more[start:]
        longest = _longest_overlap(said, found)
        if longest and _is_meant(said, found, longest):
            return start + longest
    return 0


def _longest_overlap(said: str, more: str) -> int:
    """The longest end of `said` that `more` begins with, in time that grows with the length only."""
    pattern, text = more[: len(said)], said[-len(more) :] if more else ""
    borders = _borders(pattern)
    matched = 0
    for character in text:
        while matched and (matched == len(pattern) or pattern[matched] != character):
            matched = borders[matched - 1]
        if pattern and pattern[matched] == character:
            matched += 1
    return matched


def _borders(pattern: str) -> list[int]:
    borders = [0] * len(pattern)
    length = 0
    for index in range(1, len(pattern)):
        while length and pattern[index] != pattern[length]:
            length = borders[length - 1]
        if pattern[index] == pattern[length]:
            length += 1
        borders[index] = length
    return borders


def _is_meant(said: str, more: str, length: int) -> bool:
    """Whether it is a repetition: of all that was said, of much, of the last words, of the word in which it broke off."""
    if length == len(said) and length >= _LEAST_WORD:
        return True
    if len(more[:length].encode("utf-8", "replace")) >= _LEAST_BYTES:
        return True
    word_began = not said[-length - 1].isalnum() if length < len(said) else True
    words = more[:length].split()
    return word_began and said[-1].isalnum() and (len(words) > 1 or len(words[0]) >= _LEAST_WORD)


def _needs_space(said: str, more: str) -> bool:
    if not said or not more or said[-1].isspace() or more[0].isspace():
        return False
    if said[-1] in _NO_SPACE_AFTER or more[0] in _NO_SPACE_BEFORE:
        return False
    return not (_is_spaceless(said[-1]) or _is_spaceless(more[0]))


def _is_spaceless(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _SPACELESS)

"""One text with entities -> messages of 1..4096 UTF-16 units, cut where a reader would pause."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import combining

from telegramify_markdown.entity import MessageEntity

LIMIT = 4096
"""UTF-16 units that one Telegram message holds."""
MOST_ENTITIES = 100
"""Telegram renders this many entities of a message and ignores the rest."""

# Telegram drops these itself (which would move our offsets) or answers 400: controls, lone surrogates, bidi overrides.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\ufeff\ufffe\uffff]")
_BREAK = re.compile(r"\r\n?|[\u2028\u2029]")
_VISIBLE = re.compile(
    r"[^\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_ASTRAL = re.compile(r"[\U00010000-\U0010ffff]")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'»”’)\]*_]*(?=\s)|[。！？]+[\"”』」]*")
_LEADING_BLANK = re.compile(r"(?:[^\S\n]*\n)+")
_KEEP_FIRST = ("pre", "code", "text_link", "spoiler", "blockquote", "bold", "strikethrough", "italic", "underline")


@dataclass(frozen=True, slots=True)
class TextPart:
    """One message: visible text of 1..4096 UTF-16 units and its Bot API entities, ready for JSON."""

    text: str
    entities: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Span:
    """An entity in characters of the text (not UTF-16 units)."""

    start: int
    end: int
    entity: MessageEntity


class _Ruler:
    """Converts between characters and UTF-16 units; costs nothing for text without astral characters."""

    def __init__(self, text: str) -> None:
        self._astral = [] if text.isascii() else [match.start() for match in _ASTRAL.finditer(text)]
        self._astral_units = [place + before for before, place in enumerate(self._astral)]

    def units(self, index: int) -> int:
        return index + bisect_left(self._astral, index)

    def index(self, units: int) -> int:
        """Inside a surrogate pair: the character's start."""
        return units - bisect_left(self._astral_units, units)


def utf16_len(text: str) -> int:
    """Length as Telegram counts it; never raises, a lone surrogate is one unit."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) >> 1


def clean(text: str) -> str:
    """The text without characters that Telegram refuses or silently removes; line breaks become ``\\n``."""
    return _FORBIDDEN.sub("", _BREAK.sub("\n", text))


def is_visible(text: str) -> bool:
    """False for what Telegram answers with "message text is empty"."""
    return _VISIBLE.search(text) is not None


def split_point(text: str, start: int = 0) -> int:
    """Where the message that begins at ``start`` has to end: at the text's end, or at a paragraph, line, sentence or word."""
    if len(text) - start <= LIMIT // 2:
        return len(text)
    ruler = _Ruler(text)
    end = ruler.index(ruler.units(start) + LIMIT)
    return len(text) if end >= len(text) else _cut(text, start, end, [])


def split(text: str, entities: Sequence[MessageEntity]) -> list[TextPart]:
    """Entities (offsets in UTF-16 units) go on behind a cut, code with its language. Invisible parts are left out."""
    ruler = _Ruler(text)
    spans = [_Span(ruler.index(e.offset), ruler.index(e.offset + e.length), e) for e in entities]
    blocks = [span for span in spans if span.entity.type == "pre"]
    parts: list[TextPart] = []
    start = 0
    while start < len(text):
        limit = ruler.index(ruler.units(start) + LIMIT)
        end = len(text) if limit >= len(text) else _cut(text, start, limit, blocks)
        if is_visible(text[start:end]):
            parts.append(_part(text, start, end, spans, ruler))
        start = end
    return parts


def _cut(text: str, start: int, limit: int, blocks: Sequence[_Span]) -> int:
    """A place in ``start + 1 .. limit``; a code block that fits into one message stays whole unless that wastes most of this one."""
    cut = _boundary(text, start, limit)
    for block in blocks:
        if block.start < cut < block.end:
            if block.end <= limit:
                return block.end
            if block.start - start >= LIMIT // 4 and block.end - block.start <= LIMIT:
                return block.start
            cut = text.rfind("\n", (start + limit) // 2, limit) + 1 or cut
    return _whole_character(text, start, cut)


def _boundary(text: str, start: int, limit: int) -> int:
    half = (start + limit) // 2
    for separator in ("\n\n", "\n"):
        if (found := text.rfind(separator, half, limit)) >= 0:
            return found + len(separator)
    sentences = [match.end() for match in _SENTENCE_END.finditer(text, half, limit)]
    if sentences:
        return sentences[-1]
    space = max(text.rfind(blank, start + 1, limit + 1) for blank in " \n\t")
    return space if space > start else limit


def _whole_character(text: str, start: int, cut: int) -> int:
    """Steps back out of an accent, a flag or a joined emoji; gives up after 64 characters (nobody reads such a pile)."""
    place = cut
    while place > max(start + 1, cut - 64) and _joined(text, place):
        place -= 1
    return cut if _joined(text, place) else place


def _joined(text: str, place: int) -> bool:
    """Whether the characters before and at ``place`` are drawn as one."""
    before, after = text[place - 1], text[place]
    if "\u200d" in {before, after} or after == "\u20e3" or combining(after) or "\ufe00" <= after <= "\ufe0f":
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    return _is_flag_letter(after) and _flag_letters_before(text, place) % 2 == 1


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, place: int) -> int:
    first = place
    while first > 0 and place - first < LIMIT and _is_flag_letter(text[first - 1]):
        first -= 1
    return place - first


def _part(text: str, start: int, end: int, spans: Sequence[_Span], ruler: _Ruler) -> TextPart:
    """One message without white space around it: Telegram would trim it and move the offsets. Code keeps its first indentation."""
    if blank := _LEADING_BLANK.match(text, start, end):
        start = blank.end()
    inside = [span for span in spans if span.start < end and span.end > start]
    if not any(span.entity.type == "pre" and span.start <= start for span in inside):
        start += len(text[start:end]) - len(text[start:end].lstrip())
    end = start + len(text[start:end].rstrip())
    base = ruler.units(start)
    clipped = [(max(span.start, start), min(span.end, end), span.entity) for span in inside]
    entities = [replace(e, offset=ruler.units(a) - base, length=ruler.units(b) - ruler.units(a)) for a, b, e in clipped if a < b]
    return TextPart(text[start:end], [entity.to_dict() for entity in _most_important(entities)])


def _most_important(entities: list[MessageEntity]) -> list[MessageEntity]:
    """Above Telegram's limit decoration goes first, and of equals the later ones."""
    if len(entities) > MOST_ENTITIES:
        entities = sorted(entities, key=lambda e: (_KEEP_FIRST.index(e.type), e.offset))[:MOST_ENTITIES]
    return sorted(entities, key=lambda e: (e.offset, -e.length))

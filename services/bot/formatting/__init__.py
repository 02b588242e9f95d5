"""What a model wrote (Markdown of every habit) -> texts and entities that Telegram accepts.

Nothing here raises for any string, and nothing that the reader should see is dropped: what a Markdown parser would swallow is escaped
first, and if letters are missing all the same, the whole message goes out as plain text.
"""

import re

from services.bot.formatting.markdown import parse
from services.bot.formatting.splitting import LIMIT, MOST_ENTITIES, TextPart, clean, is_visible, split, split_point, utf16_len

__all__ = ["LIMIT", "MOST_ENTITIES", "TextPart", "clean", "is_visible", "plain", "render", "split_point", "unmarked", "utf16_len"]

_MARKDOWN = re.compile(r"[\\`*_~|<>\[\]$&]|^[ \t]*(?:[-+=#]|\d+[.)])|^(?: {4}|\t)", re.MULTILINE)
_MARKERS = re.compile(r"(?<!\w)[*~]{1,3}(?=\S)|(?<=\S)[*~]{1,3}(?!\w)|^#{1,6} +|[*~#]+\Z", re.MULTILINE)
_LONGEST_PARSED = 65_536


def render(markdown: str) -> list[TextPart]:
    """Messages to send, in order. Empty only for a text without anything visible."""
    source = clean(markdown)
    if len(source) > _LONGEST_PARSED or not _MARKDOWN.search(source):
        return split(source, [])
    return split(*parse(source)) or split(source, [])


def unmarked(markdown: str) -> str:
    """Near to what `render` will show while the text still grows: without markers of emphasis and headings, nor one at the very end."""
    return _MARKERS.sub("", markdown)


def plain(text: str) -> list[TextPart]:
    """The fallback when Telegram refuses the entities: split the same way, no formatting. Empty for a text without anything visible."""
    return split(clean(text), [])

"""Markdown as models write it in chat -> one text with entities, through telegramify-markdown."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyromark
from telegramify_markdown.config import RenderConfig
from telegramify_markdown.converter import STANDARD_OPTIONS, convert
from telegramify_markdown.entity import MessageEntity

from services.bot.formatting.splitting import clean

_KNOWN = {"bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "text_link", "blockquote"}
_LINK = re.compile(r"(?:https?|tg)://[^\s/?#]+\S*", re.IGNORECASE)
_BARE_LINK = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}(?:[/?#:]\S*)?", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
_CHANGES_LETTERS = re.compile(r"&#?\w+;|\\[A-Za-z(\[]|\$")
_MOST_FORMULAS = 100
_PARSER_ERRORS = (ValueError, LookupError, TypeError, AttributeError, RuntimeError, AssertionError)


def parse(source: str) -> tuple[str, list[MessageEntity]]:
    """Offsets in UTF-16 units. The source itself without entities if the parser fails or swallows words."""
    formulas = source.count("\\(") + source.count("\\[")
    try:
        text, entities = convert(_defuse(source), latex_escape=0 < formulas <= _MOST_FORMULAS, config=_CONFIG)
    except _PARSER_ERRORS:
        return source, []
    if clean(text) != text:  # character references such as &#8; have become characters that Telegram refuses
        return clean(text), []
    return (text, _usable(entities)) if _keeps_words(source, text, entities) else (source, [])


def _quiet_config() -> RenderConfig:
    """No emoji before headings and pictures; "-" stays "-" because in much prose it opens a line of dialogue."""
    config = RenderConfig.isolated()
    config.cite_expandable = False
    symbol = config.markdown_symbol
    symbol.heading_level_1 = symbol.heading_level_2 = symbol.heading_level_3 = symbol.heading_level_4 = ""
    symbol.image = symbol.link = ""
    symbol.unordered_list_item = "-"
    symbol.task_completed, symbol.task_uncompleted = "☑", "☐"
    return config


_CONFIG = _quiet_config()


def _usable(entities: Sequence[MessageEntity]) -> list[MessageEntity]:
    """Without what Telegram would refuse: dead links, custom emoji that a model made up, quotes inside quotes."""
    kept: list[MessageEntity] = []
    quoted_until = 0
    for entity in sorted(entities, key=lambda e: (e.offset, -e.length)):
        if entity.type == "text_link":
            if url := _link(entity.url or ""):
                kept.append(replace(entity, url=url))
        elif entity.type == "blockquote":
            if entity.offset >= quoted_until:
                kept.append(entity)
                quoted_until = entity.offset + entity.length
        elif entity.type in _KNOWN:
            kept.append(replace(entity, language=entity.language.split()[0]) if entity.language else entity)
    return kept


def _link(url: str) -> str | None:
    if _LINK.fullmatch(url):
        return url
    return f"https://{url}" if _BARE_LINK.fullmatch(url) else None


def _keeps_words(source: str, text: str, entities: Sequence[MessageEntity]) -> bool:
    """Whether every letter of the source is in the text, or in a link or language, which the client shows in its own way."""
    if _CHANGES_LETTERS.search(source):
        return True
    missing = _count_letters(source) - _count_letters(text) - text.count("☑")
    return missing <= 0 or missing <= sum(_count_letters(e.url or _info(e.language or "")) for e in entities)


def _info(language: str) -> str:
    """The part of a fence's opening line that may go unseen: its language, or attributes such as ``python title="a.py"``."""
    return language if "=" in language or "{" in language else language.split(" ", maxsplit=1)[0]


def _count_letters(text: str) -> int:
    return sum(map(len, _LETTERS.findall(text)))


# What means something else in chat than in CommonMark, or would vanish. _TRAP is the cheap look whether any of it can be there.
_OPERAND = r"[(\[]*(?:\d+(?:[.,]\d+)?[A-Za-z]?|[A-Za-z])[)\]]*"
_TRAP = re.compile(
    r"<[A-Za-z/!?]|\]:|[\w)\]]\*\*?[\w(\[]|\]\(|\S[ \t]*\n[ \t]*[-=]+[ \t]*$|^[ \t]*(?:`{3}|~{3})[`~]*[ \t]*\S+[ \t,]+\S",
    re.MULTILINE,
)
_TAG = re.compile(r"(\\*)<(?=[A-Za-z/!?])")
_DEFINITION = re.compile(r"(\\*)\[(?=(?:\\.|[^\[\]\\])*\]:)", re.DOTALL)
_PRODUCT = re.compile(rf"(?<![\w*\\]){_OPERAND}(?:\*{{1,2}}{_OPERAND})+(?![\w*])")
_NAMELESS_LINK = re.compile(r"!?\[\s*\]\(<?([^\s()<>]+)>?[^()\n]*\)")
_ASIDE = re.compile(r"\]\((?!<?(?:https?://|tg://|(?:[\w-]+\.)+[a-z]{2,}))", re.IGNORECASE)
_UNDERLINE = re.compile(r"(?<=\S)[ \t]*\n(?=[ \t]*(?:-{2,}|={2,})[ \t]*$)", re.MULTILINE)
_FENCE_WITH_PROSE = re.compile(r"(`{3,}|~{3,})[ \t]*(?![^\n]*[={])(\S+[ \t,]+\S[^\n]*)(?=\n)")


def _defuse(source: str) -> str:
    """Escapes tags, definitions, ``2*3*4``, ``[softly](smiling)`` and a scene break that reads as a heading. Code is left alone."""
    if not _TRAP.search(source):
        return source
    data = source.encode()
    pieces: list[str] = []
    cursor = 0
    for start, end, is_fence in _verbatim(source):
        pieces.append(_escape(data[cursor:start].decode()))
        code = data[start:end].decode()
        at_line_start = not data[data.rfind(b"\n", 0, start) + 1 : start].strip()
        pieces.append(_FENCE_WITH_PROSE.sub(r"\1\n\2", code, count=1) if is_fence and at_line_start else code)
        cursor = end
    pieces.append(_escape(data[cursor:].decode()))
    return "".join(pieces)


def _verbatim(source: str) -> Iterator[tuple[int, int, bool]]:
    """UTF-8 ranges in which a backslash would be shown (code, formulas, autolinks), and whether each is a fenced block."""
    for payload, place in pyromark.events_with_range(source, options=STANDARD_OPTIONS):
        if not isinstance(payload, dict):
            continue
        opened: object = payload.get("Start")
        block = opened if isinstance(opened, dict) else {}
        autolink = block.get("Link", {}).get("link_type") in {"Autolink", "Email"}
        if autolink or "CodeBlock" in block or not payload.keys().isdisjoint({"Code", "InlineMath", "DisplayMath"}):
            yield place["start"], place["end"], isinstance(block.get("CodeBlock"), dict)


def _escape(prose: str) -> str:
    prose = _NAMELESS_LINK.sub(r"\1", prose)
    prose = _TAG.sub(lambda m: _escaped(m, "<"), prose)
    prose = _DEFINITION.sub(lambda m: _escaped(m, "["), prose)
    prose = _PRODUCT.sub(lambda m: m[0].replace("*", "\\*"), prose)
    prose = _ASIDE.sub(r"]\\(", prose)
    return _UNDERLINE.sub("\n\n", prose)


def _escaped(match: re.Match[str], character: str) -> str:
    """An odd number of backslashes in front already escapes it."""
    slashes = match[1]
    return slashes + character if len(slashes) % 2 else f"{slashes}\\{character}"

"""parse_mode=Markdown, the legacy one: no nesting, an unclosed mark is an error."""

import re

from services.sandbox.entities import Entity, units
from services.sandbox.errors import bad_request

_KINDS = {"*": "bold", "_": "italic", "`": "code", "```": "pre"}
_MARK = re.compile(r"\\([_*`\[])|```|[*_`]|\[([^\]]*)\]\(([^)]*)\)|\[")


def parse_markdown(source: str) -> tuple[str, list[Entity]]:
    parts: list[str] = []
    entities: list[Entity] = []
    length = position = 0
    while match := _MARK.search(source, position):
        plain = source[position : match.start()] + (match[1] or "")
        parts.append(plain)
        length += units(plain)
        position = match.end()
        if match[1] is not None:
            continue
        text, entity, position = _marked(source, match)
        parts.append(text)
        if text and entity:
            entities.append({"type": entity["type"], "offset": length, "length": units(text), **entity})
        length += units(text)
    parts.append(source[position:])
    return "".join(parts), entities


def _marked(source: str, match: re.Match[str]) -> tuple[str, Entity | None, int]:
    """The text under one mark, its entity and where the source goes on."""
    if match[2] is not None:
        return match[2], {"type": "text_link", "url": match[3]} if match[3] else None, match.end()
    mark = match[0]
    if mark == "[":
        return "[", None, match.end()
    end = source.find(mark, match.end())
    if end < 0:
        at = len(source[: match.start()].encode("utf-8", "surrogatepass"))
        raise bad_request(f"can't parse entities: Can't find end of the entity starting at byte offset {at}")
    text, entity = source[match.end() : end], {"type": _KINDS[mark]}
    if mark == "```" and (fence := re.match(r"(\w*)\n", text)):
        text = text[fence.end() :]
        if fence[1]:
            entity["language"] = fence[1]
    return text, entity, end + len(mark)

"""Text as Telegram counts it: UTF-16 units, entities checked against them, and the entities Telegram finds by itself."""

import re
from typing import Any

from services.sandbox.errors import bad_request

Entity = dict[str, Any]

MOST_ENTITIES = 100
_RANKS = {"pre": 1, "code": 2, "bold": 3, "italic": 4, "underline": 5, "strikethrough": 6, "spoiler": 7, "custom_emoji": 8}
_EXTRA = {"text_link": "url", "text_mention": "user", "pre": "language", "custom_emoji": "custom_emoji_id"}
_KINDS = frozenset((
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline", "strikethrough",
    "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention", "custom_emoji", "date_time",
))  # fmt: skip
_FOUND = re.compile(
    r"(?P<url>\b(?:https?://|tg://)[^\s<>\"']+[^\s<>\"'.,;:!?)\]}])"
    r"|(?P<email>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b)"
    r"|(?P<bare>(?<![@\w./])(?:[\w-]+\.)+(?:com|org|net|io|me|ru|dev|app|ai|co|info|cz|de|uk|eu)\b(?:[/?#][^\s<>\"']*[^\s<>\"'.,;:!?)\]}])?)"
    r"|(?P<mention>(?<![\w@/])@[A-Za-z][A-Za-z0-9_]{3,31}\b)"
    r"|(?P<command>(?<![\w/<>@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?\b)"
    r"|(?P<hashtag>(?<![\w#&])#(?=\w*[^\W\d])\w{1,256})"
    r"|(?P<cashtag>(?<![\w$])\$[A-Z]{1,8}\b)"
)
_NAMES = {"bare": "url", "command": "bot_command"}
_DROPPED = (13, *range(0x2028, 0x202F))
_CONTROLS = {code: " " for code in range(32) if code != 10} | dict.fromkeys(_DROPPED)
_TRIGGERS = frozenset("@/#$.:")


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def ordered(entities: list[Entity]) -> list[Entity]:
    """As Telegram lists them: by place, the longer first, and of the same text in a fixed order of kinds."""
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"], _RANKS.get(entity["type"], 0)))


def detect(text: str) -> list[Entity]:
    """What Telegram marks in any text: commands, mentions, links, e-mail addresses, tags."""
    if _TRIGGERS.isdisjoint(text):
        return []
    plain = text.isascii()
    found: list[Entity] = []
    for match in _FOUND.finditer(text):
        kind, start, end = match.lastgroup or "", match.start(), match.end()
        offset = start if plain else units(text[:start])
        found.append({"type": _NAMES.get(kind, kind), "offset": offset, "length": end - start if plain else units(text[start:end])})
    return found


def checked(text: str, entities: Any) -> list[Entity]:
    """The `entities` parameter of a call, refused where Telegram refuses it."""
    if not isinstance(entities, list):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    edges = _symbol_edges(text)
    return [_checked_entity(entity, edges) for entity in entities if not isinstance(entity, dict) or entity.get("length") != 0]


def _symbol_edges(text: str) -> dict[int, int]:
    """Byte position by UTF-16 position, for every place between two symbols."""
    edges, position, byte = {0: 0}, 0, 0
    for symbol in text:
        position += 2 if symbol > "\uffff" else 1
        byte += len(symbol.encode("utf-8", "surrogatepass"))
        edges[position] = byte
    return edges


def _checked_entity(entity: Any, edges: dict[int, int]) -> Entity:
    if not isinstance(entity, dict) or str(entity.get("type")) not in _KINDS:
        raise bad_request("can't parse entities: unsupported type specified")
    kind, start, length = entity["type"], _number(entity, "offset"), _number(entity, "length")
    _check_place(start, start + length, edges)
    kept: Entity = {"type": kind, "offset": start, "length": length}
    extra = _EXTRA.get(kind)
    if extra and entity.get(extra):
        kept[extra] = entity[extra]
    elif extra and kind != "pre":
        raise bad_request(f"can't parse entities: can't find field \"{extra}\"")
    return kept


def _number(entity: Entity, name: str) -> int:
    value = entity.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise bad_request(f'can\'t parse MessageEntity: field "{name}" must be a Number')
    if value < 0:
        raise bad_request(f"receive an entity with incorrect {name} {value}")
    return value


def _check_place(start: int, end: int, edges: dict[int, int]) -> None:
    total = max(edges)
    if start > total:
        raise bad_request(f"entity begins after the end of the text at UTF-16 offset {start}")
    if end > total:
        raise bad_request(f"entity beginning at UTF-16 offset {start} ends after the end of the text at UTF-16 offset {end}")
    if start not in edges:
        raise bad_request(f"entity begins in a middle of a UTF-16 symbol at byte offset {edges[start + 1]}")
    if end not in edges:
        raise bad_request(f"entity beginning at UTF-16 offset {start} ends in a middle of a UTF-16 symbol at byte offset {edges[end + 1]}")


def finished(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Text as it is stored: controls and outer white space gone, entities moved along, Telegram's own added."""
    text = text.translate(_CONTROLS)
    trimmed = text.rstrip()
    lead = len(trimmed) - len(trimmed.lstrip())
    trimmed = trimmed[lead:]
    if entities:
        entities = _moved(entities, lead, units(trimmed))
    merged = _with_detected(entities, detect(trimmed))
    return trimmed, merged[:MOST_ENTITIES]


def _moved(entities: list[Entity], lead: int, total: int) -> list[Entity]:
    moved = []
    for entity in entities:
        start, end = max(0, entity["offset"] - lead), min(total, entity["offset"] - lead + entity["length"])
        if end > start:
            moved.append({**entity, "offset": start, "length": end - start})
    return ordered(moved)


_OPAQUE = frozenset({"code", "pre", "text_link", "text_mention", "url", "mention"})


def _with_detected(given: list[Entity], found: list[Entity]) -> list[Entity]:
    if not given or not found:
        return given or found
    opaque = [(entity["offset"], entity["offset"] + entity["length"]) for entity in given if entity["type"] in _OPAQUE]
    free = [
        entity
        for entity in found
        if not any(start < entity["offset"] + entity["length"] and entity["offset"] < end for start, end in opaque)
    ]
    seen = {(entity["type"], entity["offset"]) for entity in given}
    added = [entity for entity in free if (entity["type"], entity["offset"]) not in seen]
    return ordered([*given, *added])

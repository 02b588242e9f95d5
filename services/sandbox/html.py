"""parse_mode=HTML, refused with Telegram's sentences."""

import re
from typing import NoReturn

from services.sandbox.entities import Entity, ordered, units
from services.sandbox.errors import bad_request

_KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline", "s": "strikethrough",
    "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler", "span": "spoiler", "code": "code", "pre": "pre",
    "a": "text_link", "blockquote": "blockquote", "tg-emoji": "custom_emoji",
}  # fmt: skip
_PIECE = re.compile(r"<(?P<close>/?)(?P<tag>[^\s<>/]*)(?P<rest>[^<>]*)(?P<end>>?)|&(?P<ref>#x[0-9a-fA-F]+|#\d+|lt|gt|amp|quot);?")
_ATTRIBUTE = re.compile(r"""\s*([a-zA-Z-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
_REFERENCES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


def _fail(reason: str) -> NoReturn:
    raise bad_request(f"can't parse entities: {reason}")


class _Page:
    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[str] = []
        self.length = 0
        self.open: list[tuple[str, int, dict[str, str]]] = []
        self.entities: list[Entity] = []

    def say(self, text: str) -> None:
        self.parts.append(text)
        self.length += units(text)

    def byte(self, index: int) -> int:
        return len(self.source[:index].encode("utf-8", "surrogatepass"))

    def start(self, match: re.Match[str]) -> None:
        tag, at = match["tag"].lower(), self.byte(match.start())
        if not match["end"] and not match["rest"]:
            _fail(f"Unclosed start tag at byte offset {at}")
        if tag not in _KINDS:
            _fail(f'Unsupported start tag "{tag}" at byte offset {at}')
        if not match["end"]:
            _fail(f'Unclosed start tag "{tag}" at byte offset {at}')
        attributes = {name.lower(): _unquoted(value) for name, value in _ATTRIBUTE.findall(match["rest"])}
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            _fail(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
        self.open.append((tag, self.length, attributes))

    def end(self, match: re.Match[str]) -> None:
        at, tag = self.byte(match.start()), match["tag"].lower()
        if not match["end"]:
            _fail(f"Unclosed end tag at byte offset {at}")
        if not self.open:
            _fail(f"Unexpected end tag at byte offset {at}")
        opened, offset, attributes = self.open.pop()
        if tag and tag != opened:
            _fail(f'Unmatched end tag at byte offset {at}, expected "</{opened}>", found "</{tag}>"')
        if self.length > offset:
            self._mark(opened, offset, attributes)

    def _mark(self, tag: str, offset: int, attributes: dict[str, str]) -> None:
        entity: Entity = {"type": _KINDS[tag], "offset": offset, "length": self.length - offset}
        if tag == "a":
            url = attributes.get("href") or "".join(self.parts)[-entity["length"] :]
            if "://" not in url and not url.startswith("tg:") and "." not in url:
                return
            entity["url"] = url if "://" in url else f"http://{url}/"
        elif tag == "tg-emoji":
            entity["custom_emoji_id"] = attributes.get("emoji-id", "")
        elif tag == "blockquote" and "expandable" in attributes:
            entity["type"] = "expandable_blockquote"
        elif tag == "code" and self.open and self.open[-1][0] == "pre" and "class" in attributes:
            self.open[-1][2]["language"] = attributes["class"].removeprefix("language-")
            return
        elif tag == "pre" and "language" in attributes:
            entity["language"] = attributes["language"]
        self.entities.append(entity)


def _unquoted(value: str) -> str:
    value = value[1:-1] if value[:1] in {'"', "'"} else value
    return re.sub(r"&(#x[0-9a-fA-F]+|#\d+|lt|gt|amp|quot);?", lambda match: _symbol(match[1]), value)


def _symbol(reference: str) -> str:
    if reference in _REFERENCES:
        return _REFERENCES[reference]
    code = int(reference[2:], 16) if reference[1] == "x" else int(reference[1:])
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else f"&{reference};"


def parse_html(source: str) -> tuple[str, list[Entity]]:
    page, position = _Page(source), 0
    for match in _PIECE.finditer(source):
        page.say(source[position : match.start()])
        position = match.end()
        if match["ref"]:
            page.say(_symbol(match["ref"]))
        elif match["close"]:
            page.end(match)
        else:
            page.start(match)
    page.say(source[position:])
    if page.open:
        _fail(f'Can\'t find end tag corresponding to start tag "{page.open[-1][0]}"')
    return "".join(page.parts), ordered(page.entities)

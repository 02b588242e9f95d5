"""parse_mode=MarkdownV2: nesting, escapes, quotes; refused with Telegram's sentences."""

import re
from dataclasses import dataclass, field
from typing import NoReturn

from services.sandbox.entities import Entity, ordered, units
from services.sandbox.errors import bad_request

_MARKS = {
    "*": "bold", "_": "italic", "__": "underline", "~": "strikethrough", "||": "spoiler", "[": "text_link", "![": "custom_emoji",
    "`": "code", "```": "pre",
}  # fmt: skip
_NAMES = {
    "bold": "Bold", "italic": "Italic", "underline": "Underline", "strikethrough": "Strikethrough", "spoiler": "Spoiler",
    "text_link": "TextUrl", "custom_emoji": "CustomEmoji", "code": "Code", "pre": "Pre",
}  # fmt: skip
_TOKEN = re.compile(r"```|__|\|\||!\[|[_*~`\[\]]")
_FENCE = re.compile(r"(?P<language>[^\s`]*)(?:\r\n|\n\r|[\r\n]|(?<=[^\s`])(?=[^\S\r\n]))")
_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")


def _fail(reason: str) -> NoReturn:
    raise bad_request(f"can't parse entities: {reason}")


@dataclass(slots=True)
class _Open:
    kind: str
    offset: int
    at: int


@dataclass(slots=True)
class _Reader:
    source: str
    position: int = 0
    length: int = 0
    parts: list[str] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    quote: _Open | None = None
    depth: int = 0

    def say(self, text: str) -> None:
        self.parts.append(text)
        self.length += units(text)

    def byte(self, index: int) -> int:
        return len(self.source[:index].encode("utf-8", "surrogatepass"))

    def run(self) -> None:
        while self.position < len(self.source):
            self._line_start()
            if self.position >= len(self.source):
                break
            self._step()
        self._end_quote()
        if self.open:
            self._unclosed()

    def _unclosed(self) -> NoReturn:
        last = self.open[-1]
        _fail(f"Can't find end of {_NAMES[last.kind]} entity at byte offset {last.at}")

    def _expands(self) -> bool:
        """An expandable quote ends with a spoiler mark that opens nothing."""
        expandable = self.quote is not None and self.quote.kind == "expandable_blockquote"
        return expandable and bool(self.open) and self.open[-1].kind == "spoiler" and self.open[-1].offset >= self.length - 1

    def _line_start(self) -> None:
        if self.position and self.source[self.position - 1] != "\n":
            return
        expandable = self.source.startswith("**>", self.position)
        if expandable or self.source.startswith(">", self.position):
            if self.quote is None or expandable:
                self._end_quote()
                self.quote = _Open("expandable_blockquote" if expandable else "blockquote", self.length, self.position)
                self.depth = len(self.open)
            self.position += 3 if expandable else 1
        else:
            self._end_quote()

    def _end_quote(self) -> None:
        if self.quote is None:
            return
        if len(self.open) > self.depth and not (len(self.open) == self.depth + 1 and self._expands()):
            self._unclosed()
        length = self.length - self.quote.offset - (1 if self.parts and self.parts[-1].endswith("\n") else 0)
        if self._expands():
            self.open.pop()
        if length > 0:
            self.entities.append({"type": self.quote.kind, "offset": self.quote.offset, "length": length})
        self.quote = None

    def _step(self) -> None:
        symbol = self.source[self.position]
        if symbol == "\\" and self.position + 1 < len(self.source) and "\x01" <= self.source[self.position + 1] <= "~":
            self.say(self.source[self.position + 1])
            self.position += 2
        elif match := _TOKEN.match(self.source, self.position):
            self._mark(match[0])
        elif symbol in _RESERVED:
            _fail(f"Character '{symbol}' is reserved and must be escaped with the preceding '\\'")
        else:
            self.say(symbol)
            self.position += 1

    def _mark(self, mark: str) -> None:
        if mark == "]":
            self._end_link()
        elif mark in {"`", "```"}:
            self._code(mark)
        elif self.open and self.open[-1].kind == _MARKS[mark] and mark not in {"[", "!["}:
            opened = self.open.pop()
            self._close(opened)
            self.position += len(mark)
        else:
            self.open.append(_Open(_MARKS[mark], self.length, self.byte(self.position)))
            self.position += len(mark)

    def _close(self, opened: _Open, **extra: str) -> None:
        if self.length > opened.offset:
            self.entities.append({"type": opened.kind, "offset": opened.offset, "length": self.length - opened.offset, **extra})

    def _code(self, mark: str) -> None:
        start, at = self.position + len(mark), self.byte(self.position)
        end = start
        while end < len(self.source) and not self.source.startswith(mark, end):
            end += 2 if self.source[end] == "\\" else 1
        fence = _FENCE.match(self.source, start) if mark == "```" else None
        if end >= len(self.source):
            _fail(f"Can't find end of {'PreCode' if fence and fence['language'] else _NAMES[_MARKS[mark]]} entity at byte offset {at}")
        text, extra = self.source[start:end], {}
        if fence and fence.end() <= end:
            text = self.source[fence.end() : end]
            extra = {"language": fence["language"]} if fence["language"] else {}
        opened = _Open(_MARKS[mark], self.length, at)
        self.say(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL))
        self._close(opened, **extra)
        self.position = end + len(mark)

    def _end_link(self) -> None:
        if not self.open or self.open[-1].kind not in {"text_link", "custom_emoji"}:
            _fail("Character ']' is reserved and must be escaped with the preceding '\\'")
        opened = self.open.pop()
        match = re.compile(r"\]\(((?:\\.|[^)\\])*)\)").match(self.source, self.position)
        if match is None:
            if self.source.startswith("](", self.position):
                _fail(f"Can't find end of a URL at byte offset {self.byte(self.position + 2)}")
            self.position += 1
            return
        url = re.sub(r"\\(.)", r"\1", match[1])
        if opened.kind == "custom_emoji":
            if not re.match(r"tg://emoji\?id=\d+$", url):
                _fail("Custom emoji entity must contain a tg://emoji URL")
            self._close(opened, custom_emoji_id=url.rpartition("id=")[2])
        elif url:
            self._close(opened, url=url)
        self.position = match.end()


def parse_markdown_v2(source: str) -> tuple[str, list[Entity]]:
    reader = _Reader(source)
    reader.run()
    return "".join(reader.parts), ordered(reader.entities)

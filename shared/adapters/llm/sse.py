"""Server-sent events, as far as model providers use them."""

_BOM = b"\xef\xbb\xbf"


class EventTooLongError(ValueError):
    """A line or an event passed the cap; the stream must be given up."""


class EventReader:
    """Turns bytes as they arrive into the data of whole events.

    Splits on bytes, so a network chunk may end inside a character. Lines end with LF, CRLF or CR. Comments and the fields
    `event`, `id` and `retry` are skipped; lines that are no field at all are counted in `foreign_lines`, because a page of
    HTML is nothing but those.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail = b""
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._fresh = True
        self.foreign_lines = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Events that this chunk completed, oldest first."""
        lines = self._split(chunk)
        events = []
        for line in lines:
            if line:
                self._take(line)
            elif self._data:
                events.append(self._dispatch())
        return events

    def close(self) -> list[bytes]:
        """The event that the server did not end with an empty line, if there is one."""
        if self._tail:
            self._take(self._tail)
            self._tail = b""
        return [self._dispatch()] if self._data else []

    def _split(self, chunk: bytes) -> list[bytes]:
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
        if not chunk:
            return []
        self._after_cr = chunk[-1:] == b"\r"
        text = self._tail + chunk
        if self._fresh and len(text) >= len(_BOM):
            text, self._fresh = text.removeprefix(_BOM), False
        lines = text.splitlines()
        self._tail = b"" if chunk[-1:] in b"\r\n" else lines.pop()
        if len(self._tail) > self._limit:
            raise EventTooLongError
        return lines

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            value = value.removeprefix(b" ")
            self._size += len(value) + 1
            if self._size > self._limit:
                raise EventTooLongError
            self._data.append(value)
        elif name not in (b"", b"event", b"id", b"retry"):
            self.foreign_lines += 1

    def _dispatch(self) -> bytes:
        data, self._data, self._size = b"\n".join(self._data), [], 0
        return data

"""Media in memory, with a ceiling: the oldest is forgotten first, as an expired link would be."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from services.sandbox.errors import bad_request

CAPACITY = 256 * 1024 * 1024
LARGEST_DOWNLOAD = 20 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Stored:
    """`data` is shared by all sizes of a picture; `path` is where the Bot API serves it."""

    file_id: str
    unique_id: str
    kind: str
    path: str
    data: bytes
    name: str
    mime: str
    card: dict[str, object]


class Files:
    def __init__(self, capacity: int = CAPACITY) -> None:
        self._by_id: OrderedDict[str, Stored] = OrderedDict()
        self._by_path: dict[str, Stored] = {}
        self._capacity = capacity
        self._size = 0
        self._count = 0

    def add(self, kind: str, data: bytes, name: str, mime: str, folder: str) -> Stored:
        self._count += 1
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        path = f"{folder}/file_{self._count}.{suffix}"
        file_id = f"{_PREFIXES.get(kind, 'BQACAgIAAx')}kBA{secrets.token_urlsafe(42)}"
        stored = Stored(file_id, f"AQAD{secrets.token_urlsafe(9)}", kind, path, data, name, mime, {})
        self._by_id[file_id] = stored
        self._by_path[path] = stored
        self._size += len(data)
        while self._size > self._capacity and len(self._by_id) > 1:
            _, oldest = self._by_id.popitem(last=False)
            del self._by_path[oldest.path]
            self._size -= len(oldest.data)
        return stored

    def find(self, file_id: str) -> Stored | None:
        return self._by_id.get(file_id)

    def get(self, file_id: str) -> Stored:
        if stored := self._by_id.get(file_id):
            return stored
        raise bad_request("wrong file_id or the file is temporarily unavailable")

    def at(self, path: str) -> Stored | None:
        return self._by_path.get(path)

    def clear(self) -> None:
        self._by_id.clear()
        self._by_path.clear()
        self._size = 0


_PREFIXES = {
    "photo": "AgACAgIAAx", "voice": "AwACAgIAAx", "document": "BQACAgIAAx", "video": "BAACAgIAAx", "audio": "CQACAgIAAx",
    "sticker": "CAACAgIAAx",
}  # fmt: skip

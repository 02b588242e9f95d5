"""What a call carries, whichever way it was sent: form, multipart or JSON, nested objects as JSON strings."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from services.sandbox.errors import bad_request


@dataclass(slots=True, frozen=True)
class Upload:
    data: bytes
    name: str
    mime: str

    def view(self) -> str:
        return f"<file {self.name}, {len(self.data)} bytes>"


@dataclass(slots=True)
class Params:
    values: dict[str, Any]
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        if value is None:
            return default
        return value if isinstance(value, str) else orjson.dumps(value).decode()

    def integer(self, name: str, default: int = 0) -> int:
        """Telegram reads what is no number as if it were not there."""
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return default
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            return default
        return number if -(1 << 63) <= number < 1 << 63 else default

    def flag(self, name: str) -> bool:
        value = self.values.get(name)
        return value is True or (isinstance(value, str | int) and str(value).strip().lower() in {"true", "1", "yes", "t"})

    def json(self, name: str, what: str) -> Any:
        """A nested object, or None when it is not given; `what` names it in the refusal."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise bad_request(f"can't parse {what} JSON object") from error

    def shown(self) -> dict[str, Any]:
        """For the raw log: files as a note."""
        if not self.files:
            return self.values
        return {**self.values, **{name: upload.view() for name, upload in self.files.items()}}

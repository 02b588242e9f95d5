"""Which keys an object may have; the same for every store, so that objects can move from one to another."""

import re

from shared.domain.errors import InvalidInputError

_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_MOST_PARTS = 8


def key_parts(key: str) -> list[str]:
    """Raises `InvalidInputError`. No key can leave its folder, hide itself or mean two things on two systems."""
    parts = key.split("/")
    if len(parts) > _MOST_PARTS or not all(_PART.fullmatch(part) for part in parts):
        raise InvalidInputError("an object key is 1 to 8 parts of A-Z a-z 0-9 . _ - joined by /, none beginning with a dot")
    return parts

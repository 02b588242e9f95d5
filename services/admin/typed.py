"""What operators type into forms, as the values that are meant."""

import re
from decimal import Decimal

from shared.domain.errors import InvalidInputError

MICROS = 1_000_000
_NUMBER = re.compile(r"[0-9]{1,20}")
_SUM = re.compile(r"[0-9]{1,13}(?:[.,][0-9]{1,20})?")


def whole_number(text: str) -> int:
    """Raises `InvalidInputError`, whose words are for whoever typed it."""
    if not _NUMBER.fullmatch(text):
        raise InvalidInputError("Type a whole number, such as 30.")
    return int(text)


def micros(text: str) -> int:
    """Of dollars, with a point or a comma. Raises `InvalidInputError`, whose words are for whoever typed it."""
    if not _SUM.fullmatch(text):
        raise InvalidInputError("Type a sum in US dollars, such as 2.50.")
    amount = Decimal(text.replace(",", ".")) * MICROS
    if amount != amount.to_integral_value():
        raise InvalidInputError("A sum has at most six decimals.")
    return int(amount)


def as_dollars(value: int) -> str:
    """As `micros` reads it, cents at least."""
    whole, part = divmod(value, MICROS)
    return f"{whole}.{f'{part:06}'.rstrip('0'):0<2}"

"""Numbers and times as a person reads them."""

from datetime import datetime

THIN_SPACE = "\u202f"


def number(value: int) -> str:
    return f"{value:,}".replace(",", THIN_SPACE)


def short_number(value: int) -> str:
    """1 234 · 12.3 k · 4.56 M"""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= max(size, 10_000):
            scaled = value / size
            digits = 2 if scaled < 10 else int(scaled < 100)
            return f"{scaled:.{digits}f}{THIN_SPACE}{letter}"
    return number(value)


def milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 1000:
        return f"{value:.0f}{THIN_SPACE}ms"
    return f"{value / 1000:.1f}{THIN_SPACE}s"


def duration(seconds: float) -> str:
    if seconds < 1:
        return f"0{THIN_SPACE}s"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f}{THIN_SPACE}{unit}"
    return f"{seconds:.0f}{THIN_SPACE}s"


def dollars(micros: int) -> str:
    """Small sums with the cents' fractions that models cost."""
    amount = micros / 1_000_000
    return f"${amount:,.2f}" if amount >= 1 or micros == 0 else f"${amount:.4f}"


def share(value: float) -> str:
    return f"{value * 100:.1f}{THIN_SPACE}%"


def size(value: int) -> str:
    return f"{number(value)}{THIN_SPACE}B" if value < 10_000 else f"{value / 1000:.0f}{THIN_SPACE}kB"


def stamp(value: datetime) -> str:
    """UTC, for those without JavaScript; the page turns it into the reader's own time."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


FILTERS = {
    "number": number,
    "short_number": short_number,
    "milliseconds": milliseconds,
    "duration": duration,
    "dollars": dollars,
    "share": share,
    "size": size,
    "stamp": stamp,
}

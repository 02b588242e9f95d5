"""In which script something is written, and how much of it is no text at all. Cheap: counts of characters, no dictionaries."""

import re

MOST_BROKEN = 0.2
"""A larger part of characters that nobody can read makes a text garbage."""
FEWEST_LETTERS = 4
_SHARE = 0.6

_CLASSES = (
    ("latin", re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")),
    ("cyrillic", re.compile(r"[\u0400-\u052f]")),
    ("cjk", re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")),
    ("arabic", re.compile(r"[\u0600-\u06ff\u0750-\u077f]")),
    ("hebrew", re.compile(r"[\u0590-\u05ff]")),
    ("greek", re.compile(r"[\u0370-\u03ff]")),
    ("devanagari", re.compile(r"[\u0900-\u097f]")),
    ("thai", re.compile(r"[\u0e00-\u0e7f]")),
)
_WEIGHT = {"cjk": 3}
"""A character of these says as much as three letters."""
# Bytes of UTF-8 read as if they were Latin-1 or Windows-1252, and what stands for bytes that were none.
_BROKEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ud800-\udfff\ue000-\uf8ff]|[\u00c2\u00c3\u00d0\u00d1][\u0080-\u00bf]|\u00e2[\u0080\u20ac]."
)


def script_of(text: str, *, fewest: int = FEWEST_LETTERS) -> str | None:
    """The script that most letters belong to; none when there are fewer letters, or no script has most of them."""
    counts = {name: len(letters.findall(text)) * _WEIGHT.get(name, 1) for name, letters in _CLASSES}
    total = sum(counts.values())
    best = max(counts, key=lambda name: counts[name])
    return best if total >= fewest and counts[best] >= _SHARE * total else None


def broken_share(text: str) -> float:
    """0 for a text that can be read, 1 for one that cannot."""
    return sum(len(found) for found in _BROKEN.findall(text)) / len(text) if text else 0.0

"""Reading and editing `.env` without touching what the person wrote in it."""

import re
from collections.abc import Mapping
from pathlib import Path

LINE = re.compile(r"^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*(.*?)\s*$", re.MULTILINE)
COMMENT = re.compile(r"\s+#.*$")


def read(path: Path) -> dict[str, str]:
    return parsed(path.read_text(encoding="utf-8")) if path.exists() else {}


def parsed(text: str) -> dict[str, str]:
    """The later of two lines wins, as it does for Compose."""
    return {name: _value(raw) for name, raw in LINE.findall(text)}


def _value(raw: str) -> str:
    if len(raw) >= 2 and raw[0] in "'\"" and (end := raw.find(raw[0], 1)) > 0:
        return raw[1:end]
    return "" if raw.startswith("#") else COMMENT.sub("", raw)


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Each name gets its value where it last stands, else at the end."""
    for name, value in values.items():
        line = re.compile(rf"^(?:export\s+)?{re.escape(name)}\s*=.*$", re.MULTILINE)
        places = list(line.finditer(text))
        if places:
            text = f"{text[: places[-1].start()]}{name}={value}{text[places[-1].end() :]}"
        else:
            text = f"{text.rstrip()}\n{name}={value}\n".lstrip("\n")
    return text


def write(path: Path, text: str) -> None:
    """Readable by this user only, and never half written."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)

"""Updates that no sane Telegram would send: fixed ones, each with what must become of it."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Build = Callable[[int], bytes]
NOW = 1_790_000_000


class Fate(StrEnum):
    DEAD = "dead"
    """Cannot be understood: a dead letter that operators see."""
    HANDLED = "handled"
    """Strange, but a message all the same."""


@dataclass(frozen=True)
class Poison:
    """`build` makes the raw update for an update id. `only_webhook`: Telegram's polling answer cannot carry it."""

    name: str
    build: Build
    fate: Fate
    only_webhook: bool = False
    answered: bool = False


def poisons(user: int) -> list[Poison]:
    """`user` is known to the bot and writes in private."""
    return [*_texts(user), *_types(user), *_shapes(user), *_bytes(user)]


def message(user: int, **changes: Any) -> dict[str, Any]:
    """A plain one; a value of `...` leaves the field out."""
    plain: dict[str, Any] = {
        "message_id": 77,
        "date": NOW,
        "chat": {"id": user, "type": "private", "first_name": "Pat"},
        "from": {"id": user, "is_bot": False, "first_name": "Pat", "language_code": "en"},
        "text": "plain words",
    }
    return {name: value for name, value in {**plain, **changes}.items() if value is not ...}


def _update(kind: str, content: Any) -> Build:
    return lambda update_id: json.dumps({"update_id": update_id, kind: content}).encode()


def _texts(user: int) -> list[Poison]:
    """Texts that people can really send, and that break naive programs."""
    texts = {
        "NUL in the text": "before\x00after",
        "a lone surrogate in the text": "half \ud83d of an emoji",
        "right-to-left and zalgo": "\u202eמה שלומך\u202c z\u0337\u0322\u0353a\u0336\u0321l\u0335g\u0334o\u0338 \u200f\u200e",
        "five thousand emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 " * 1_000,
        "a hundred thousand characters": "word " * 20_000,
        "only blanks": " \n\t  ",
        "only invisible characters": "\u200b\u200d\ufeff",
        "braces and percent signs": "{user} %s %(x)s {0.__class__} $1 ${jndi:x}",
        "markup that never ends": "<b><i>`*_~||[" * 50,
    }
    # A message id of its own each: two messages of a chat never share one, and a turn is known by it.
    found = [
        Poison(name, _update("message", message(user, text=text, message_id=900_000 + number)), Fate.HANDLED, answered=bool(text.strip()))
        for number, (name, text) in enumerate(texts.items())
    ]
    entities = [{"type": "mention", "offset": -5, "length": 10**6}, {"type": "no_such_kind", "offset": 3, "length": -1}] * 300
    person = {"id": user, "is_bot": False, "first_name": "P\x00at\ud800", "username": "\x00" * 9, "language_code": "x" * 9_000}
    return [
        *found,
        Poison("absurd entities", _update("message", message(user, entities=entities, message_id=900_100)), Fate.HANDLED),
        Poison("NUL and surrogates in a name", _update("message", message(user, **{"from": person}, message_id=900_101)), Fate.HANDLED),
        Poison("a deep link with NUL", _update("message", message(user, text="/start \x00\ud800")), Fate.HANDLED),
        Poison("a command with NUL", _update("message", message(user, text="/he\x00lp")), Fate.HANDLED),
    ]


def _types(user: int) -> list[Poison]:
    """JSON of the right form with wrong things in it."""
    broken: dict[str, dict[str, Any]] = {
        "no chat": message(user, chat=...),
        "no date": message(user, date=...),
        "no message id": message(user, message_id=...),
        "a chat id of words": message(user, chat={"id": "abc", "type": "private"}),
        "a list for a text": message(user, text=["a"]),
        "an object for a date": message(user, date={"x": 1}),
        "wrong types everywhere": {"message_id": "x", "chat": [], "from": 3, "date": {}, "text": {}, "entities": "e"},
        "NaN for a date": message(user, date=float("nan")),
        "Infinity for a chat": message(user, chat={"id": float("inf"), "type": "private"}),
        "a message in a message, five hundred deep": _nested(user, 500),
    }
    strange: dict[str, tuple[str, Any]] = {
        "a message from nobody": ("message", message(user, **{"from": ...})),
        "a sender of null": ("message", message(user, **{"from": None})),
        "NaN where nobody looks": ("message", message(user, message_id=900_200, unknown_field=float("nan"))),
        "a message from a bot": ("message", message(user, **{"from": {"id": 5, "is_bot": True, "first_name": "B"}})),
        "content nobody knows": ("message", message(user, text=..., aura={"colour": "blue"})),
        "an edit of nothing": ("edited_message", message(user, text=..., edit_date=NOW)),
        "a button without its message": ("callback_query", _press(user, data="menu")),
        "a button with ten thousand letters": ("callback_query", _press(user, data="z" * 10_000)),
        "a button with NUL": ("callback_query", _press(user, data="lang:\x00", message=message(5_000_000_001, text="x"))),
    }
    return [
        *(Poison(name, _update("message", content), Fate.DEAD) for name, content in broken.items()),
        *(Poison(name, _update(kind, content), Fate.HANDLED) for name, (kind, content) in strange.items()),
        Poison("a chat of thirty digits", _update("message", message(user, chat={"id": 10**30, "type": "private"})), Fate.DEAD),
        Poison("a kind from the future", _update("hologram", {"id": 1, "chat": {"id": user}}), Fate.DEAD),
        Poison("a kind with letters that cannot be stored", _update("\x00\ud800kind", {"chat": {"id": user}}), Fate.DEAD),
        Poison("Stop from nowhere", _update("stopped_message_generation", {"draft_id": "x"}), Fate.DEAD),
        Poison("a checkout of nothing", _update("pre_checkout_query", {}), Fate.DEAD),
    ]


def _press(user: int, **changes: Any) -> dict[str, Any]:
    return {"id": "1", "from": {"id": user, "is_bot": False, "first_name": "Pat"}, "chat_instance": "1", **changes}


def _nested(user: int, depth: int) -> dict[str, Any]:
    inner = message(user)
    for _ in range(depth):
        inner = message(user, reply_to_message=inner)
    return inner


def _shapes(user: int) -> list[Poison]:
    """JSON that is no update."""
    contents: dict[str, Any] = {"null": None, "a list": [], "a word": "x", "a number": 7}
    return [
        *(Poison(f"a message that is {name}", _update("message", content), Fate.DEAD) for name, content in contents.items()),
        Poison("nothing but an id", lambda n: b'{"update_id":%d}' % n, Fate.DEAD),
        *(
            Poison(f"an update that is {raw.decode()}", lambda _, raw=raw: raw, Fate.DEAD)  # type: ignore[misc]
            for raw in (b"null", b"[]", b'"text"', b"42", b"{}", b"true")
        ),
        Poison("an id in quotes", lambda n: b'{"update_id":"%d","message":{}}' % n, Fate.DEAD),
        Poison("an id of true", lambda _: b'{"update_id":true,"message":{}}', Fate.DEAD),
        Poison("an id with a fraction", lambda n: b'{"update_id":%d.5,"message":{}}' % n, Fate.DEAD),
        Poison("an id of thirty digits", lambda _: b'{"update_id":%d,"x":NaN}' % 10**30, Fate.DEAD),
        Poison("a negative id", lambda _: json.dumps({"update_id": -5, "message": {}}).encode(), Fate.DEAD),
    ]


def _bytes(user: int) -> list[Poison]:
    """Bytes that are no JSON, or too much of it."""
    plain = _update("message", message(user))
    deep = 100_000
    return [
        Poison("no JSON", lambda n: b'{"update_id":%d, oops' % n, Fate.DEAD),
        Poison("no JSON and no id", lambda _: b"oops, what is this?", Fate.DEAD),
        Poison("JSON with a tail", lambda n: plain(n) + b"}}", Fate.DEAD),
        Poison("half of an update", lambda n: plain(n)[:60], Fate.DEAD),
        Poison("JSON a hundred thousand deep", lambda n: b'{"update_id":%d,"x":%s}' % (n, b"[" * deep + b"]" * deep), Fate.DEAD),
        Poison("a number of five thousand digits", lambda n: b'{"update_id":%d,"x":%s}' % (n, b"7" * 5_000), Fate.DEAD),
        Poison("bytes that are no UTF-8", lambda n: b'{"update_id":%d,"message":{"text":"\xff\xfe\x80"}}' % n, Fate.DEAD),
        Poison("ten megabytes of text", _update("message", message(user, text="x" * 10_000_000)), Fate.DEAD),
        Poison("ten megabytes of noise", lambda n: b'{"update_id":%d,' % n + b"\x00" * 10_000_000, Fate.DEAD),
        Poison("compressed", lambda n: gzip.compress(plain(n), mtime=0), Fate.DEAD),
        Poison("nothing at all", lambda _: b"", Fate.DEAD, only_webhook=True),
        Poison("UTF-16 without an id to read", lambda n: "{oops".encode("utf-16"), Fate.DEAD),
    ]

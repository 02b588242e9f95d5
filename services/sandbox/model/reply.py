"""One reply on its way: what is said, in how many tokens, and the bytes that say so."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import orjson

from services.sandbox.model.character import answer
from services.sandbox.model.character.scene import without_wish
from services.sandbox.model.memory import Mistakes, answer_task
from services.sandbox.model.takes import Takes
from services.sandbox.model.wire import Asked, tokens, usage

DONE = b"data: [DONE]\n\n"
LAST = "{last}"
"""In a fixed reply: what the person said last, so that each reply can be told by its question."""


@dataclass(frozen=True, slots=True)
class Reply:
    id: str
    created: int
    model: str
    pieces: list[str]
    finish: str
    usage: dict[str, int]

    def completion(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": "".join(self.pieces), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish}
        return self._envelope("chat.completion", [choice], usage=self.usage)

    def opening(self) -> bytes:
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def ending(self, *, include_usage: bool) -> bytes:
        end = self._chunk({}, finish=self.finish)
        if include_usage:
            end += b"data: " + orjson.dumps(self._envelope("chat.completion.chunk", [], usage=self.usage)) + b"\n\n"
        return end + DONE

    def spoken(self, start: int, stop: int) -> bytes:
        """Chunks of the pieces `start:stop`, one for each token, as providers send them."""
        before, after = self._chunk({"content": "\x00"}).split(b'"\\u0000"')
        return b"".join([before + orjson.dumps(piece) + after for piece in self.pieces[start:stop]])

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: " + orjson.dumps(self._envelope("chat.completion.chunk", [choice])) + b"\n\n"

    def _envelope(self, kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
        fixed = {"id": self.id, "object": kind, "created": self.created, "model": self.model, "system_fingerprint": "scripted"}
        return {**fixed, "choices": choices, **more}


def compose(asked: Asked, fixed: str | None, mistakes: Mistakes, takes: Takes) -> Reply:
    text = _text(asked, mistakes, fixed, takes)
    for stop in asked.stops:
        text = text.split(stop, 1)[0]
    pieces, finish = tokens(text), "stop"
    if asked.max_tokens is not None and len(pieces) > asked.max_tokens:
        pieces, finish = pieces[: asked.max_tokens], "length"
    return Reply(f"chatcmpl-{uuid.uuid4().hex[:24]}", int(time.time()), asked.model, pieces, finish, usage(asked, len(pieces)))


def _text(asked: Asked, mistakes: Mistakes, fixed: str | None, takes: Takes) -> str:
    if (done := answer_task(asked.said, mistakes)) is not None:
        return done
    if fixed is not None:
        return fixed.replace(LAST, _last_said(asked))
    text = answer(asked.said, takes.next(asked.said))
    return orjson.dumps({"reply": text}).decode() if asked.json else text


def _last_said(asked: Asked) -> str:
    """What the person said; a wish to go on with what the character says is not the person's."""
    return next((words for said in reversed(asked.said) if said.role == "user" and (words := without_wish(said.text))), "")

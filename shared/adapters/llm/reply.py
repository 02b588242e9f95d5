"""One reply as it comes in: bytes to text, and what is known at its end. Does no I/O and keeps no time."""

from collections.abc import Callable, Iterator

from shared.adapters.llm.deltas import Delta, GarbageError
from shared.adapters.llm.failures import CUT, EMPTY, GARBAGE, NO_TEXT, reported
from shared.adapters.llm.sse import EventReader, EventTooLongError
from shared.application.ports import FinishReason, ModelUnavailableError, Piece, Usage

_LARGEST_BODY = 1 << 20
_DONE = b"[DONE]"


class ReplyReader:
    """Reads a stream of events, or a whole JSON answer from a server that does not stream.

    `started` tells whether there was text. `finish` is set as soon as the server says how it ended; `complete` when nothing
    more is worth waiting for, which is later, because the usage follows the finish.
    """

    def __init__(self, name: str, read: Callable[[bytes], Delta], *, max_chars: int, max_event_bytes: int) -> None:
        self._name, self._read = name, read
        self._room = max_chars
        self._events = EventReader(max_event_bytes)
        self._body = b""
        self._whole: bool | None = None
        self._recognised = False
        self._usage: Usage | None = None
        self._model: str | None = None
        self.started = False
        self.complete = False
        self.finish: FinishReason | None = None

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The text in `chunk`, in one part: each costs its readers more than its letters do.

        An empty chunk is the end of what the server sends. Raises `ModelUnavailableError`, after the text before the trouble.
        """
        said: list[str] = []
        failure = None
        try:
            self._absorb(chunk, said)
        except ModelUnavailableError as error:
            failure = error
        except (GarbageError, EventTooLongError):
            failure = self._failure("sent something that is no chat completion", GARBAGE)
        if text := "".join(said):
            yield text
        if failure is not None:
            raise failure

    def _absorb(self, chunk: bytes, said: list[str]) -> None:
        for data in self._split(chunk):
            said.append(self._take(data))
            if self.complete:
                return
        if not chunk:
            self._end()

    def last_piece(self) -> Piece:
        """Raises `ModelUnavailableError` when the reply is complete and says nothing, unless a filter is the reason."""
        if not self.started and self.finish is not FinishReason.FILTERED:
            raise self._failure("answered without text", NO_TEXT)
        return Piece(finish=self.finish or FinishReason.STOP, usage=self._usage, model=self._model)

    def _split(self, chunk: bytes) -> list[bytes]:
        if self._whole is None:
            chunk = self._sniff(chunk)
        if not self._whole:
            return self._events.feed(chunk) if chunk else self._events.close()
        self._body += chunk
        if len(self._body) > _LARGEST_BODY:
            raise EventTooLongError
        return [] if chunk else [self._body]

    def _sniff(self, chunk: bytes) -> bytes:
        """What was held back, once it is clear whether this is JSON. The content type is not asked: servers get it wrong."""
        self._body += chunk
        seen = self._body.lstrip(b"\xef\xbb\xbf \t\r\n")
        if not seen and chunk:
            return b""
        self._whole = seen[:1] in (b"{", b"[")
        held, self._body = (seen if self._whole else self._body), b""
        return held

    def _take(self, data: bytes) -> str:
        if data == _DONE:
            self._recognised = self.complete = True
            return ""
        delta = self._read(data)
        if delta.error is not None:
            raise reported(self._name, delta.error, started=self.started)
        self._remember(delta)
        text = delta.text if self.started else delta.text.lstrip()
        if len(text) > self._room:
            text, self.finish, self.complete = text[: self._room], FinishReason.LENGTH, True
        self._room -= len(text)
        self.started = self.started or bool(text)
        return text

    def _remember(self, delta: Delta) -> None:
        self._recognised = self._recognised or bool(delta.text) or delta.finish is not None
        self._usage = delta.usage or self._usage
        self._model = delta.model or self._model
        self.finish = delta.finish if delta.finish is FinishReason.FILTERED else self.finish or delta.finish
        self.complete = self.finish is not None and self._usage is not None

    def _end(self) -> None:
        self.complete = True
        if self.finish is not None or (self._whole and self._recognised):
            return
        if self._recognised:
            raise self._failure("broke off in mid-reply", CUT)
        if self._whole or self._events.foreign_lines:
            raise GarbageError
        raise self._failure("ended its answer before it began", EMPTY)

    def _failure(self, what: str, reason: str) -> ModelUnavailableError:
        return ModelUnavailableError(f"{self._name} {what}", reason=reason, started=self.started)

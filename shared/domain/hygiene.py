"""What must not reach a person of what models say: rules that work while the reply is being streamed.

What was let through is never taken back: a `ReplyFilter` holds back whatever may still turn out to be something else.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.bubbles import begins_like_json, bubbles_of
from shared.domain.languages import clear_language, hits_in, is_told_by, own_words, whole_words, words_in
from shared.domain.noise import NoiseFilter
from shared.domain.repetition import find_circle
from shared.domain.scripts import FEWEST_LETTERS, MOST_BROKEN, broken_share, script_of

MAX_REPLY_CHARS = 16_000
HELD_CHARACTERS = 60
"""The beginning of a reply is held back at most this long for questions about the whole of it, such as its language."""
UNKNOWN_CHARACTERS = 24
LANGUAGE_CHARACTERS = 240
"""Languages of one script take more words to tell apart; a first small word of the person's own language lets the reply go."""
LANGUAGE_WORDS = 15
"""Fewer than these at the beginning of a longer reply may be a greeting or a turn of speech from elsewhere."""
ECHO_CHARACTERS = 200
"""This much of the instructions, word for word, is an echo of them."""

_BLOCK = 40
_PATIENCE = 2000
"""Before the greatest length, text leaves in whole paragraphs or sentences, so that it can end with one."""
_SPEAKERS = ("assistant", "ai", "bot", "model", "system")


class Problem(StrEnum):
    """What was wrong with a reply; kept as the turn's error code."""

    GARBAGE = "garbage"
    LANGUAGE = "wrong_language"
    REPETITION = "repetition"
    TOO_LONG = "too_long"


REPAIRS = {
    Problem.GARBAGE: "Your last attempt could not be read. Answer again in plain, readable text.",
    Problem.LANGUAGE: "Answer in the language in which the person writes to you, unless they have asked for another one.",
}
"""Said to the model when its first words had this problem and nothing was shown yet; once, and then whatever comes is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """`names` are those the character may put before its words; `script` is that of the person, none where any will do.

    `languages` answers those that the reply may be in (see `shared.domain.reply_languages`), any where there are none. It is asked when
    the reply's first small words are in none of `written`, the languages that the words replied to may be in.
    """

    system: str = ""
    names: Sequence[str] = ()
    script: str | None = None
    languages: Callable[[], Collection[str]] | None = None
    written: Collection[str] = ()
    is_last_attempt: bool = False


class ReplyFilter:
    """Fed with the pieces of one reply. Once `problem` is set nothing more is taken and the stream can be closed.

    `text` is what was let through; `bubbles` are its messages, once `end` was called.
    """

    def __init__(self, expected: Expectations) -> None:
        self._expected = expected
        self._noise = NoiseFilter()
        self._clean = ""
        self._shown = self._checked = self._scanned = 0
        self._held_from: int | None = None
        self._head_is_open = True
        self._is_readable = False
        self._languages: Collection[str] | None = None
        self._is_json = False
        self.problem: Problem | None = None
        self.bubbles: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self._clean[: self._shown]

    @property
    def may_be_repaired(self) -> bool:
        """Nothing was shown of a reply that is of no use."""
        return self.problem in REPAIRS and self._shown == 0

    def feed(self, piece: str) -> str:
        """What may be shown now, often the piece itself or nothing."""
        return "" if self.problem else self._go_on(self._noise.feed(piece), ended=False)

    def end(self) -> str:
        """The rest, when the stream has ended or was closed."""
        if self.may_be_repaired:
            return ""
        said = self._rest() if self.problem else self._go_on(self._noise.end(), ended=True)
        if not self._is_json:
            self.bubbles = (self.text.strip(),) if self.text.strip() else ()
        return said

    def _go_on(self, text: str, *, ended: bool) -> str:
        self._clean += text
        if self._head_is_open:
            self._look_at_head(ended=ended)
        if self._is_json:
            return self._read_json() if ended else ""
        if self._head_is_open or self.may_be_repaired:
            return ""
        if ended or self._held_from is not None or len(self._clean) - self._checked >= _BLOCK:
            self._look_at_tail(ended=ended)
        return self._rest()

    def _rest(self) -> str:
        end = len(self._clean) if self._held_from is None else max(self._shown, self._held_from)
        said, self._shown = self._clean[self._shown : end], end
        return said

    def _read_json(self) -> str:
        bubbles = bubbles_of(self._clean)
        whole = "\n\n".join(bubbles)
        if len(whole) > MAX_REPLY_CHARS:
            whole, self.problem = whole[: last_break(whole[:MAX_REPLY_CHARS], 0)], Problem.TOO_LONG
            bubbles = (whole,)
        self._clean, self._shown, self.bubbles = whole, len(whole), bubbles
        return whole

    def _look_at_head(self, *, ended: bool) -> None:
        """Settles what can only be asked of a beginning: JSON, a name before the words, the language, garbage."""
        head = self._clean.lstrip()
        looks = begins_like_json(head)
        if looks:
            self._clean, self._is_json, self._head_is_open = head, True, False
        elif ended or (looks is False and not self._may_become_name_or_echo(head)):
            self._clean = self._without_name(head)
            self._head_is_open = bool(self._clean) and not self._is_settled(ended=ended)

    def _is_settled(self, *, ended: bool) -> bool:
        """Whether the first words may be shown; sets `problem` when they are of no use."""
        if self._expected.is_last_attempt:
            return True
        self._is_readable = self._is_readable or self._can_be_read(ended or len(self._clean) >= HELD_CHARACTERS)
        return self.problem is not None or (self._is_readable and self._is_in_language(ended=ended))

    def _can_be_read(self, is_enough: bool) -> bool:
        is_broken, script = broken_share(self._clean) > MOST_BROKEN, script_of(self._clean, fewest=FEWEST_LETTERS if is_enough else 2)
        is_foreign = self._expected.script is not None and script != self._expected.script
        if is_enough and is_broken:
            self.problem = Problem.GARBAGE
        elif is_enough and is_foreign and script is not None:
            self.problem = Problem.LANGUAGE
        return is_enough or not (is_broken or is_foreign)

    def _is_in_language(self, *, ended: bool) -> bool:
        """True with the first small word of a language that will do, quoted or not: many characters speak in quotation marks. Of another
        one there must be enough, and none of these: a greeting in a character's own language is none that its reply is in.
        """
        if self._expected.languages is None:
            return True
        said = self._clean if ended else whole_words(self._clean)
        words = words_in(said)
        own = hits_in(words).keys()
        if not own.isdisjoint(self._expected.written):
            return True
        if not own and self._expected.written and not ended and len(self._clean) < UNKNOWN_CHARACTERS:
            return False
        if self._languages is None:
            self._languages = self._expected.languages()
        if not self._languages or is_told_by(words, self._languages):
            return True
        words = words_in(own_words(said))
        if (ended or len(words) >= LANGUAGE_WORDS) and clear_language(words) is not None:
            self.problem = Problem.LANGUAGE
        return ended or self.problem is not None or len(self._clean) >= LANGUAGE_CHARACTERS

    def _may_become_name_or_echo(self, head: str) -> bool:
        start, system = head.lstrip("*").lower(), self._expected.system
        names = (*_SPEAKERS, *(name.lower() for name in self._expected.names if name))
        is_name = len(start) < HELD_CHARACTERS and any(f"{name}:** ".startswith(start) or f"{name}**: ".startswith(start) for name in names)
        return is_name or (len(head) < ECHO_CHARACTERS <= len(system) and system.startswith(head))

    def _without_name(self, head: str) -> str:
        names = "|".join(re.escape(name) for name in (*_SPEAKERS, *self._expected.names) if name)
        return re.sub(rf"\A\**(?:{names})\**\s*:\**\s*", "", head, count=1, flags=re.IGNORECASE)

    def _look_at_tail(self, *, ended: bool) -> None:
        """Echoes, circles, garbage, excess: each cuts the text, or holds the end of it back, or ends the reply."""
        self._held_from = None
        self._cut_echo(ended=ended)
        self._checked = len(self._clean)
        circle = find_circle(self._clean)
        if circle is not None and circle.is_endless:
            self._end_at(circle.first_end, Problem.REPETITION)
        elif len(self._clean) > MAX_REPLY_CHARS:
            self._end_at(last_break(self._clean[:MAX_REPLY_CHARS], self._shown), Problem.TOO_LONG)
        elif len(self._clean) >= HELD_CHARACTERS and broken_share(self._clean[-ECHO_CHARACTERS:]) > MOST_BROKEN:
            self._end_at(self._shown, Problem.GARBAGE)
        elif circle is not None and not ended:
            self._hold(circle.first_end)
        elif len(self._clean) > MAX_REPLY_CHARS - _PATIENCE and not ended:
            self._hold(last_break(self._clean, self._shown))

    def _end_at(self, place: int, problem: Problem) -> None:
        self._clean, self._held_from, self.problem = self._clean[: max(place, self._shown)], None, problem

    def _hold(self, place: int) -> None:
        self._held_from = place if self._held_from is None else min(place, self._held_from)

    def _cut_echo(self, *, ended: bool) -> None:
        """Takes out the instructions where the reply repeats them word for word, and holds back what may become such an echo."""
        system = self._expected.system
        while len(system) >= ECHO_CHARACTERS and self._scanned + _BLOCK <= len(self._clean):
            if self._clean[self._scanned : self._scanned + _BLOCK] not in system:
                self._scanned += _BLOCK
                continue
            start, stop = _echo(self._clean, self._scanned, system)
            if stop == len(self._clean) and not ended:
                self._hold(start)
                return
            if stop - start >= ECHO_CHARACTERS:
                start = max(start, self._shown)
                self._clean, stop = self._clean[:start] + self._clean[stop:], start
            self._scanned = max(self._scanned + _BLOCK, stop) if stop != start else start


def _echo(text: str, place: int, system: str) -> tuple[int, int]:
    """From where to where the text repeats the instructions, around the block at `place` that stands in both."""
    there = system.index(text[place : place + _BLOCK])
    back = 0
    while back < min(place, there) and text[place - back - 1] == system[there - back - 1]:
        back += 1
    ahead = _BLOCK
    while place + ahead < len(text) and there + ahead < len(system) and text[place + ahead] == system[there + ahead]:
        ahead += 1
    return place - back, place + ahead


def last_break(text: str, least: int) -> int:
    """Where the last whole paragraph ends, not before `least`; else the last line, sentence or word."""
    for sign, kept in (("\n\n", 0), ("\n", 0), (". ", 1), ("! ", 1), ("? ", 1), (" ", 0)):
        place = text.rfind(sign, least)
        if place >= max(least, 1):
            return place + kept
    return len(text)

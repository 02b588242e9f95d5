"""The mistakes of small models, made as often as is set and always at the same words, so that what keeps them out can be tested."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.sandbox.model.memory.reading import Found, Sentence, loose_facts, moods_of, orders_of, sentences

DEFAULT_RATE = 0.3
"""Of the occasions for a mistake that one is made at."""
DEFAULT_SINGLE = {"invented": 0.05, "number": 0.05, "quote": 0.05}
"""What is rightly read is seldom told wrongly."""
KINDS = ("reply", "question", "hypothetical", "mood", "others", "order", "invented", "number", "quote", "fenced", "prose")
_DETAILS = {
    "en": (" since 2015", " and is a doctor", ", near Boston", " with two children", ", together with Alex"),
    "ru": (" с 2015 года", " и работает врачом", ", недалеко от Казани", " с двумя детьми", ", вместе с Сашей"),
}


@dataclass(frozen=True, slots=True)
class Mistakes:
    """How often each kind is made, 0 to 1: single kinds over the rate of all. Another `seed` makes them at other words.

    Facts out of the character's reply, a question, something imagined, a mood, somebody else's life, an order; a detail that nobody
    said; the number of another message; a quote in other words; JSON in a fence, and words around it.
    """

    rate: float = DEFAULT_RATE
    single: Mapping[str, float] = field(default_factory=lambda: DEFAULT_SINGLE)
    seed: int = 0

    def makes(self, kind: str, occasion: str) -> bool:
        return zlib.crc32(f"{self.seed}|{kind}|{occasion}".encode("utf-8", "replace")) / 2**32 < self.single.get(kind, self.rate)

    def read_wrongly(self, number: int, text: str) -> Iterator[Found]:
        """What is taken for facts in a user's message and is none."""
        for sentence in sentences(text):
            yield from self._misread(number, sentence)
            for words in sentence.quoted:
                if self.makes("others", words):
                    yield from loose_facts(number, words)

    def _misread(self, number: int, sentence: Sentence) -> Iterator[Found]:
        text = sentence.text
        if sentence.kind != "plain" and self.makes(sentence.kind, text):
            yield from loose_facts(number, text)
        if sentence.kind == "plain" and self.makes("others", text):
            yield from loose_facts(number, text)
        if self.makes("mood", text):
            yield from moods_of(number, text)
        if self.makes("order", text):
            yield from orders_of(number, text)

    def read_replies(self, number: int, reply: str) -> Iterator[Found]:
        """The character's own words, said to be the user's."""
        if self.makes("reply", reply):
            yield from loose_facts(number, reply)

    def spoil(self, fact: Found, numbers: Sequence[int]) -> Found:
        """A right fact with something wrong about it, now and then."""
        occasion = f"{fact.message}|{fact.quote}"
        if self.makes("invented", occasion):
            details = _DETAILS["en" if fact.quote.isascii() else "ru"]
            fact = replace(fact, fact=fact.fact + details[len(fact.quote) % len(details)])
        if self.makes("number", occasion):
            fact = replace(fact, message=next((number for number in numbers if number != fact.message), fact.message + 1))
        if self.makes("quote", occasion):
            fact = replace(fact, quote=f"They said: {fact.fact}")
        return fact

    def dress(self, answer: str) -> str:
        if self.makes("fenced", answer):
            answer = f"```json\n{answer}\n```"
        return f"Here are the facts that I found:\n\n{answer}\n\nLet me know if you need more!" if self.makes("prose", answer) else answer

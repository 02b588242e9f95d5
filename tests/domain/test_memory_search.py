"""By what words memories are found again."""

import math
import zlib

import pytest

from shared.domain.memory_search import LEAST_BITS, MOST_WORDS, search_words, sketch_of


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("My dogs in Prague", "prag:* | dog:*"),
        ("Как зовут мою собаку?", "собак"[:4] + ":* | зов:* | мою:*"),
        ("Do you remember what that is?", ""),
        ("x' | !!; drop & (table <-> :*) \\ \"", "tab:* | dro:*"),
        ("犬 and 2019", "2019:* | 犬:*"),
        ("Rex rex REX", "rex:*"),
        ("", ""),
    ],
)
def test_words_that_mean_something_are_sought_by_their_beginnings(said: str, words: str) -> None:
    assert search_words(said) == words


def test_a_long_text_is_sought_by_its_longest_words() -> None:
    words = search_words(" ".join(f"word{'x' * length}" for length in range(100))).split(" | ")
    assert (len(words), words[0]) == (MOST_WORDS, f"word{'x' * 97}:*")


def difference(one: list[float], other: list[float]) -> float:
    return sum(a != b for a, b in zip(sketch_of(one), sketch_of(other), strict=True)) / len(sketch_of(one))


def test_sketches_differ_as_much_as_the_angle_between_what_they_are_of() -> None:
    one = [1.0, *[0.0] * 255]
    assert len(sketch_of(one)) == LEAST_BITS
    for degrees in (0, 30, 60, 90, 150, 180):
        other = [math.cos(math.radians(degrees)), *[0.0] * 100, math.sin(math.radians(degrees)), *[0.0] * 154]
        assert difference(one, other) == pytest.approx(degrees / 180, abs=0.06)


def test_a_sketch_does_not_change_with_length_scale_or_process() -> None:
    vector = [math.sin(number) for number in range(1536)]
    assert len(sketch_of(vector)) == 2048
    assert sketch_of([value * 40 for value in vector]) == sketch_of(vector)
    assert zlib.crc32(sketch_of(vector).encode()) == 93179085

"""By what words memories are found again."""

import pytest

from shared.domain.memory_search import MOST_WORDS, search_words, sketch_of


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


def test_a_sketch_has_the_signs_of_its_vector() -> None:
    assert sketch_of([0.5, -0.1, 0.0, 2]) == "1001"

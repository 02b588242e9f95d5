"""A reply that broke off and is continued by another model: no word twice, no word lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.llm.overlap import Seam

WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyzабвгдежз", min_size=1, max_size=9), min_size=3, max_size=30, unique=True)


def continued(said: str, *pieces: str) -> str:
    seam = Seam(said)
    return said + "".join(seam.push(piece) for piece in pieces) + seam.close()


@pytest.mark.parametrize(
    ("said", "pieces", "whole"),
    [
        ("Once upon a", ["Once", " upon", " a", " time"], "Once upon a time"),
        ("Once upon a", ["time."], "Once upon a time."),
        ("Once upon a", [" time."], "Once upon a time."),
        ("Once upon a time there was", ["upon a", " time there was a fox"], "Once upon a time there was a fox"),
        ("one two thr", ["three", " four"], "one two three four"),
        ("one two thr", ["thr", "ee four"], "one two three four"),
        ("Hello", [", world"], "Hello, world"),
        ("Hello.", ["How are you?"], "Hello. How are you?"),
        ("First.\n\n", ["Second."], "First.\n\nSecond."),
        ("(", ["maybe)"], "(maybe)"),
        ("ha ha ", ["ha ha!"], "ha ha ha ha!"),
        ("hel", ["lo"], "hel lo"),
        ("我喜欢你因为", ["你很好"], "我喜欢你因为你很好"),
        ("我喜欢你因为你很好", ["因为你很好", "我们走吧"], "我喜欢你因为你很好我们走吧"),
        ("All said.", ["All said."], "All said."),
        ("All said.", [], "All said."),
        ("a" * 300, ["a" * 300, "b"], "a" * 300 + "b"),
    ],
)
def test_the_seam_does_not_show(said: str, pieces: list[str], whole: str) -> None:
    assert continued(said, *pieces) == whole


@given(WORDS, st.data())
def test_whatever_is_repeated_and_however_it_is_cut_the_text_is_the_same(words: list[str], data: st.DataObject) -> None:
    whole = " ".join(words)
    at = data.draw(st.integers(1, len(words) - 1))
    said = " ".join(words[:at])
    repeated = data.draw(st.integers(0, at))
    overlap = " ".join(words[at - repeated : at])
    if len(overlap.encode()) < 12 and overlap != said:
        overlap = ""
    if overlap == said and len(said) < 3:
        overlap = ""
    more = f"{overlap} {' '.join(words[at:])}" if overlap else " ".join(words[at:])
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(more) - 1)), max_size=8)))
    pieces = [more[start:end] for start, end in zip([0, *cuts], [*cuts, len(more)], strict=True)]

    assert continued(said, *pieces).replace(" ", "") == whole.replace(" ", "")


@given(st.text(max_size=200), st.text(max_size=200))
def test_what_was_said_stays_and_what_comes_is_its_end_or_new(said: str, more: str) -> None:
    added = continued(said, more)[len(said) :]

    assert added in (more, f" {more}") or (more.endswith(added) and said.endswith(more.removesuffix(added).lstrip() or more))

"""What becomes of a fact beside those that are known."""

from typing import Any
from uuid import uuid4

import pytest

from shared.domain.errors import InvalidInputError
from shared.domain.memory_answer import HeardFact, Relation
from shared.domain.memory_choice import MOST_SHOWN, Decision, Kept, Outcome, decide, worth_showing
from shared.domain.memory_rules import own_topic, own_words
from shared.domain.prompt import estimate_tokens
from shared.domain.summary_rules import MOST_MESSAGES, PastMessage, summary_of, to_fold


def kept(fact: str = "Lives in Brno", topic: str = "city", **overrides: Any) -> Kept:
    return Kept(**{"id": uuid4(), "topic": topic, "fact": fact, "confidence": 0.9, "is_pinned": False, "is_asked": False, **overrides})


def heard(fact: str, quote: str, topic: str = "city", relation: Relation = Relation.NEW) -> HeardFact:
    return HeardFact(message=1, topic=topic, fact=fact, quote=quote, confidence=0.9, is_shared=False, relation=relation)


BRNO = kept()
REX = kept("Has a dog called Rex", "pet.dog")


@pytest.mark.parametrize(
    ("fact", "related", "outcome"),
    [
        (heard("Likes tea", "I like tea", "likes.tea"), None, Outcome.KEPT),
        (heard("lives in Brno!", "I live in Brno"), None, Outcome.SAME),
        (heard("At home in Brno", "my home is Brno", relation=Relation.SAME), BRNO, Outcome.SAME),
        (heard("Lives in Prague", "I live in Prague"), None, Outcome.ASKED),
        (heard("Lives in Prague", "I live in Prague", relation=Relation.CONTRADICTS), BRNO, Outcome.ASKED),
        (heard("Lives in Prague", "I live in Prague", relation=Relation.CHANGED), BRNO, Outcome.REPLACED),
        (heard("Lives in Prague", "I moved to Prague"), None, Outcome.REPLACED),
        (heard("Живёт в Праге", "теперь я живу в Праге"), None, Outcome.REPLACED),
        (heard("Has a cat called Tom", "my cat Tom", "pet.cat"), None, Outcome.KEPT),
        (heard("Has a dog called Max", "my dog Max", "pet.dog"), None, Outcome.KEPT),
        (heard("Dog is called Max", "the dog is Max", "pet.dog", Relation.CONTRADICTS), None, Outcome.ASKED),
        (heard("Likes tea", "I like tea now", "likes.tea", Relation.CHANGED), BRNO, Outcome.KEPT),
    ],
)
def test_a_change_replaces_and_a_contradiction_asks(fact: HeardFact, related: Kept | None, outcome: Outcome) -> None:
    assert decide(fact, related, [BRNO, REX], fact.quote).outcome is outcome


@pytest.mark.parametrize("firm", [kept(is_pinned=True), kept(confidence=1.0)])
def test_what_the_user_made_firm_gives_way_to_their_own_words_only(firm: Kept) -> None:
    prague = heard("Lives in Prague", "Prague", relation=Relation.CHANGED)
    assert decide(prague, firm, [firm], "Prague, my home") == Decision(Outcome.ASKED, firm)
    assert decide(prague, firm, [firm], "no wait, I live in Prague now") == Decision(Outcome.REPLACED, firm, says_so=True)


def test_what_contradicts_an_asked_one_contradicts_what_that_is_asked_about_for() -> None:
    firm = kept(is_pinned=True)
    asked = kept("Lives in Prague", is_asked=True, of=firm.id)
    rome = heard("Lives in Rome", "Rome", relation=Relation.CHANGED)
    assert decide(rome, asked, [firm, asked], "Rome, my home") == Decision(Outcome.ASKED, firm)


def test_what_is_asked_already_is_not_asked_again() -> None:
    asked = kept("Lives in Prague", is_asked=True)
    assert decide(heard("Lives in Prague", "I live in Prague"), None, [BRNO, asked], "").outcome is Outcome.SAME


def test_of_two_that_contradict_each_other_the_one_that_is_said_again_holds() -> None:
    brno, told = kept(source=1), heard("Lives in Prague", "I live in Prague")
    prague = kept("Lives in Prague", is_asked=True, of=brno.id, source=2)
    assert decide(told, None, [brno, prague], "", source=2) == Decision(Outcome.SAME, prague), "the same words, read twice"
    assert decide(told, None, [brno, prague], "", source=3) == Decision(Outcome.SETTLED, prague)
    assert decide(heard("Lives in Brno", "in Brno"), None, [brno, prague], "", source=3) == Decision(Outcome.SETTLED, brno)
    assert decide(heard("Lives in Brno", "in Brno"), None, [brno], "", source=3) == Decision(Outcome.SAME, brno)
    firm = kept(is_pinned=True)
    doubted = kept("Lives in Prague", is_asked=True, of=firm.id, source=2)
    is_same = Decision(Outcome.SAME, doubted)
    assert decide(told, None, [firm, doubted], "", source=3) == is_same, "what is pinned does not give way to repetition"
    moved = Decision(Outcome.SETTLED, doubted, says_so=True)
    assert decide(told, None, [firm, doubted], "I have moved to Prague now", source=3) == moved, "but to the word that it has changed"


def test_the_model_is_told_of_what_the_words_are_about_then_of_the_general_and_the_newest() -> None:
    others = [kept(f"Fact {number}", f"other.{number}") for number in range(60)]
    shown = worth_showing([REX, BRNO, *others], "our dogs are fine")
    assert (len(shown), shown[:3]) == (MOST_SHOWN, [REX, BRNO, others[-1]])
    assert worth_showing([REX, BRNO], "") == [BRNO, REX]


def test_own_words_become_one_line_with_a_topic_of_its_own() -> None:
    assert own_words(" I\u200b like\n tea\x00 ") == "I like tea"
    assert own_topic("I like tea, you know") == "other.i_like_tea"
    with pytest.raises(InvalidInputError):
        own_words("\x00 \n —")


def past(*lengths: int) -> list[PastMessage]:
    """Characters of each message; the user begins."""
    return [PastMessage(id=at, is_user=at % 2 == 0, text="word " * (length // 5)) for at, length in enumerate(lengths)]


def test_what_fits_is_not_folded() -> None:
    assert to_fold(past(*[100] * 10), 1500) == []
    assert to_fold([], 1500) == []


def test_the_newest_part_stays_and_begins_with_the_user() -> None:
    messages = past(*[400] * 20)
    old = to_fold(messages, 1500)
    left = messages[len(old) :]
    assert (len(left) >= 3, left[0].is_user) == (True, True)
    assert sum(estimate_tokens(one.text) for one in left) <= 500 + estimate_tokens(left[0].text)


def test_short_messages_are_folded_before_a_turn_would_not_read_them_any_more() -> None:
    messages = past(*[10] * (MOST_MESSAGES + 1))
    assert (len(to_fold(messages[:-1], 1500)), len(messages) - len(to_fold(messages, 1500))) == (0, 11)


def test_the_last_three_stay_whatever_they_take() -> None:
    assert len(to_fold(past(8000, 8000, 8000), 300)) == 0
    assert [one.id for one in to_fold(past(8000, 8000, 8000, 8000, 8000), 300)] == [0, 1]


@pytest.mark.parametrize(
    ("answer", "summary"),
    [
        ("Ann spoke of roses.\nThey laughed.", "Ann spoke of roses. They laughed."),
        ("```\nSummary: Ann spoke.\n```", "Ann spoke."),
        ("Ann spoke. " * 200, ("Ann spoke. " * 81).strip()),
        ("x" * 2000, None),
        ("", None),
        ("...", None),
        ('{"a": 1}', None),
    ],
)
def test_a_summary_is_a_short_paragraph(answer: str, summary: str | None) -> None:
    assert summary_of(answer) == summary

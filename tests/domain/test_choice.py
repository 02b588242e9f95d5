"""Who answers: the strong models or the simple ones, and why."""

from typing import Any

import pytest

from shared.domain.choice import Choice, Circumstances, choose, is_small_talk

QUESTION = "Why do leaves turn red in autumn?"


@pytest.mark.parametrize(
    ("case", "choice"),
    [
        ({}, Choice("strong", "default")),
        ({"said": "Hi!"}, Choice("simple", "small_talk")),
        ({"task": "tutor", "level": "beginner"}, Choice("simple", "beginner")),
        ({"task": "tutor", "level": "intermediate"}, Choice("strong", "default")),
        ({"task": "talk", "level": "beginner"}, Choice("strong", "default")),
        ({"is_soft": True}, Choice("simple", "budget")),
        ({"chosen_model": "a:b", "may_choose_model": True, "said": "Hi!"}, Choice("strong", "user", "a:b")),
        ({"chosen_model": "a:b", "chosen_tier": "simple", "may_choose_model": True}, Choice("simple", "user", "a:b")),
        ({"chosen_model": "a:b", "chosen_tier": "simple", "may_choose_model": False}, Choice("strong", "default")),
        ({"chosen_model": "a:b", "may_choose_model": False}, Choice("strong", "default")),
        ({"chosen_model": "a:b", "may_choose_model": True, "is_soft": True}, Choice("simple", "budget")),
        ({"only_simple": True, "chosen_model": "a:b", "may_choose_model": True}, Choice("simple", "operator")),
        ({"plan_tier": "strong", "only_simple": True, "is_soft": True, "said": "Hi!"}, Choice("strong", "plan")),
        ({"plan_tier": "simple", "chosen_model": "a:b", "may_choose_model": True}, Choice("simple", "plan")),
    ],
)
def test_plan_then_operator_then_money_then_the_user_then_the_talk(case: dict[str, Any], choice: Choice) -> None:
    assert choose(Circumstances(**{"said": QUESTION, **case})) == choice


@pytest.mark.parametrize(
    "said",
    [
        "Hi",
        "hello Mira!",
        "Hey there, how are you?",
        "Привет! Как дела?",
        "спасибо большое",
        "Good morning 🌞",
        "thank you so much",
        "Ahoj!",
        "ok",
    ],
)
def test_greetings_and_thanks_are_small_talk(said: str) -> None:
    assert is_small_talk(said, "Mira")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "?",
        "🌞",
        "how",
        "Hi, what is DNA?",
        "Привет, объясни теорию струн",
        "highway",
        "okra",
        "hi " * 30,
        "I want to die",
        "no idea what to do",
        "12",
    ],
)
def test_anything_of_substance_is_not(said: str) -> None:
    assert not is_small_talk(said)

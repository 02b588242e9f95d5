"""Questions that may share a reply, and those that lie near each other and must not."""

import math
import random

import pytest

from shared.domain.alike import differ_in_order, likeness, marks_of, most_differing_bits, order_of, sketch_bytes, small_vector
from shared.domain.alike_words import LANGUAGES


def may_share(one: str, other: str) -> bool:
    first, second = marks_of(one), marks_of(other)
    if first is None or second is None or first.all != second.all:
        return False
    return not differ_in_order(order_of(first, "salt"), order_of(second, "salt"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is your name?", "Please tell me your name"),
        ("what's your favourite film", "Tell me: what film do you like?"),
        ("Do you know Anna?", "hey, do you know Anna please?"),
        ("Can you count to 20?", "could you please count to 20"),
        ("Don’t you like cats?", "Do you not like cats?"),
        ("Как тебя зовут?", "Скажи мне, как твоё имя?"),
        ("Расскажи о себе", "Расскажи мне, пожалуйста, про себя"),
        ("Wie heißt du denn?", "Sag mir bitte, was ist dein Name"),
        ("¿Cómo te llamas tú?", "Dime cuál es tu nombre"),
        ("Comment tu t'appelles ?", "Dis-moi comment tu t’appelles"),
        ("Jak masz na imię?", "Powiedz mi, jak się nazywasz"),
    ],
)
def test_the_same_question_in_other_words_may_share_a_reply(one: str, other: str) -> None:
    assert may_share(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Do you have 2 cats?", "Do you have 3 cats?"),
        ("Is 5 more than 3?", "Is 3 more than 5?"),
        ("Do you have two cats?", "Do you have three cats?"),
        ("What is your take on Python3.11 now", "What is your take on Python3.12 now"),
        ("What do you do on the 5th?", "What do you do on the 6th?"),
        ("У тебя есть две кошки?", "У тебя есть три кошки?"),
        ("What is 2 + 2 for you?", "What is 2 - 2 for you?"),
        ("What do you say to 😡 here?", "What do you say to 😍 here?"),
    ],
)
def test_other_numbers_and_signs_are_another_question(one: str, other: str) -> None:
    assert may_share(one, one)
    assert not may_share(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Do you like cats?", "Don't you like cats?"),
        ("Do you like cats?", "Dont you like cats"),
        ("What do you like?", "What do you never like?"),
        ("What is popular here?", "What is unpopular here?"),
        ("Ты любишь кошек?", "Ты не любишь кошек?"),
        ("Что ты можешь есть?", "Что тебе нельзя есть?"),
        ("Ти любиш каву вранці?", "Ти не любиш каву вранці?"),
        ("Was magst du gern?", "Was magst du nicht gern?"),
        ("Hast du eine Katze?", "Hast du keine Katze?"),
        ("Tu aimes les chats ?", "Tu n’aimes pas les chats ?"),
        ("¿Te gustan los gatos?", "¿No te gustan los gatos?"),
        ("Ti piacciono i gatti?", "Non ti piacciono i gatti?"),
        ("Você gosta de gatos?", "Você não gosta de gatos?"),
        ("Czy lubisz koty?", "Czy nie lubisz kotów?"),
        ("Máš ráda kočky?", "Nemáš ráda kočky?"),
    ],
)
def test_a_denial_on_one_side_is_another_question(one: str, other: str) -> None:
    assert may_share(one, one)
    assert not may_share(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Do you know Anna?", "Do you know Maria?"),
        ("Is Anna older than Bob to you?", "Is Bob older than Anna to you?"),
        ("What do you think of the EU?", "What do you think of the US?"),
        ("Что ты знаешь про Анну?", "Что ты знаешь про Марию?"),
        ('What does "ahoj" mean to you?', 'What does "čau" mean to you?'),
        ("Что такое «ветер» для тебя?", "Что такое «дождь» для тебя?"),
        ("What is 'here' to you?", "What is 'there' to you?"),
        ("What is on example.org for you?", "What is on example.com for you?"),
        ("What do you think of @anna?", "What do you think of @maria?"),
    ],
)
def test_other_names_quotes_and_addresses_are_another_question(one: str, other: str) -> None:
    assert may_share(one, one)
    assert not may_share(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is your name?", "What is my name?"),
        ("Do you love me?", "Do I love you?"),
        ("What does he like here?", "What does she like here?"),
        ("Who are you?", "How are you?"),
        ("Where were you born?", "When were you born?"),
        ("Are you a robot?", "Are you a human?"),
        ("What do you do today?", "What do you do tomorrow?"),
        ("What do you like best?", "What do you like worst?"),
        ("What do cats eat, do they eat mice", "What do mice eat, do they eat cats"),
        ("Как тебя зовут?", "Как меня зовут?"),
        ("Ты любишь меня?", "Я люблю тебя?"),
        ("Где ты была?", "Когда ты была?"),
        ("Что ты делаешь сегодня?", "Что ты делаешь завтра?"),
        ("¿Por qué eres así?", "¿Cómo eres así?"),
    ],
)
def test_who_asks_about_whom_and_when_is_not_left_to_an_embedding(one: str, other: str) -> None:
    assert may_share(one, one)
    assert not may_share(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is your name?", "Wie ist denn dein Name?"),
        ("What is your name?", "Как тебя зовут?"),
        ("Как тебя зовут?", "Як тебе звати?"),
        ("¿Cómo te llamas tú?", "Como você se chama?"),
    ],
)
def test_another_language_is_another_question(one: str, other: str) -> None:
    assert may_share(one, one)
    assert may_share(other, other)
    assert not may_share(one, other)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "hi",
        "Who, you?",
        "Hvad hedder du?",
        "Mitä sinä teet?",
        "你叫什么名字 我 你",
        "お名前は何ですか 私 は",
        "שלום מה שמך היום",
        "1 2 3",
        "😀 😀 😀",
    ],
)
def test_what_is_short_or_in_a_language_that_we_do_not_know_is_never_compared(said: str) -> None:
    assert marks_of(said) is None


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_word_of_a_language_is_unlike_its_letters_or_tells_two_things(name: str) -> None:
    language = LANGUAGES[name]
    words = [*language.plain, *language.telling, *language.does]
    assert sorted(words) == sorted(set(words))
    assert [word for word in words if not set(word) - {"'"} <= language.letters] == []


def test_small_vectors_and_sketches_measure_the_angle() -> None:
    drawn = random.Random(7)
    one = [drawn.gauss(0, 1) for _ in range(1536)]
    other = [value + drawn.gauss(0, 0.4) for value in one]
    exact = sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)
    assert abs(likeness(small_vector(one), small_vector(other)) - exact) < 0.0005
    differing = (int.from_bytes(sketch_bytes(one)) ^ int.from_bytes(sketch_bytes(other))).bit_count()
    assert differing <= most_differing_bits(exact, 2048)
    assert (most_differing_bits(1.0, 1000), most_differing_bits(0.8, 1000)) == (50, 254)


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [math.inf, 1.0]])
def test_what_is_no_direction_is_like_nothing(vector: list[float]) -> None:
    assert small_vector(vector) == b""
    assert likeness(b"", b"") == 0.0
    assert likeness(b"\1", b"\1\1") == 0.0

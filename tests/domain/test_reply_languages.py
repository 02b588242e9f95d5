"""Who may be answered in which language: the person's own, and any at all as soon as there is a reason for another one."""

import time

import pytest

from shared.domain.character_files import character_seeds
from shared.domain.prompt import PromptMessage, Role
from shared.domain.reply_languages import ANY, Talk, is_about_language, languages_for

GERMAN = "Kannst du mir sagen, warum der Himmel blau ist?"
ENGLISH = "Do you know why the sky is blue? I have always wanted to know."
GERMAN_REPLY = "Das liegt daran, dass die Luft das blaue Licht viel stärker streut als das rote."
ENGLISH_REPLY = "That is because the air scatters blue light much more than it does with red light."


def person(*texts: str) -> list[PromptMessage]:
    return [PromptMessage(Role.USER, text) for text in texts]


def character(*texts: str) -> list[PromptMessage]:
    return [PromptMessage(Role.ASSISTANT, text) for text in texts]


def judged(*words: str, history: list[PromptMessage] | None = None, card: str = "", known: tuple[str, ...] = ()) -> frozenset[str]:
    return languages_for(Talk(words=words, history=history or [], card=card, known=known))


def test_a_reply_may_be_in_the_language_of_the_person() -> None:
    assert (judged(GERMAN), judged(ENGLISH)) == ({"de"}, {"en"})


def test_few_words_are_in_the_language_of_those_before() -> None:
    assert judged("und dann?") is ANY
    assert judged("und dann?", history=person(GERMAN)) == {"de"}
    assert judged("and then?", history=person(GERMAN)) is ANY
    assert judged("ok", history=person(GERMAN)) is ANY


def test_somebody_who_only_lets_the_character_go_on_still_reads_their_own_language() -> None:
    assert judged(history=[*person(GERMAN), *character(GERMAN_REPLY)]) == {"de"}


def test_a_close_language_is_as_good() -> None:
    assert judged("Jeg vet ikke hva jeg skal gjøre med søsteren min, hun er alltid sint på meg.") == {"no", "da", "sv"}


@pytest.mark.parametrize(
    "said",
    [
        "Sag das bitte auf Englisch, ich will es meinem Kollegen zeigen.",
        "Kannst du mir das ins Englische bringen?",
        "Übersetze mir das bitte: ich habe dich sehr gern.",
        "Können wir ab jetzt in einer anderen Sprache reden? Ich will üben, was ich kann.",
        "Ich lerne gerade Spanisch und du sollst mich abfragen.",
        "Ich fliege morgen nach Frankreich und weiß nicht, was ich essen soll.",
        "Zitiere mir bitte etwas, das du wirklich gern hast.",
        "Wie ist der Songtext von dem Lied, das du so gern hast?",
    ],
)
def test_who_speaks_of_a_language_or_of_translating_is_not_judged(said: str) -> None:
    assert judged(said) is ANY
    assert judged(GERMAN, history=person(said)) is ANY
    assert is_about_language([said])


@pytest.mark.parametrize(
    "said",
    [
        "Say it in German please, I want to show it to my friend.",
        "Скажи это по-английски, пожалуйста, я хочу показать другу.",
        "Давай теперь говорить на украинском, мне так будет проще.",
        "Dis-le en anglais, s'il te plaît, je ne suis pas seul ici.",
        "Dilo en inglés, por favor, que estoy con mis amigos.",
        "Dillo in inglese, per favore, che sono qui con i miei amici.",
        "Diga isso em inglês, por favor, não estou sozinho aqui.",
        "Zeg het in het Engels, ik ben hier niet alleen.",
        "Powiedz to po angielsku, bo nie jestem tu sam.",
        "Řekni to anglicky, protože tady nejsem sám.",
        "Povedz to po anglicky, pretože tu nie som sám.",
        "Säg det på engelska, för jag är inte ensam här.",
        "Bunu bana İngilizce söyle, çünkü burada yalnız değilim.",
        "Скажи це англійською, бо я тут не сам.",
        "Кажи го на английски, защото тук не съм сам.",
        "Mondd ezt angolul, mert nem vagyok itt egyedül.",
        "Sano se englanniksi, koska minä en ole täällä yksin.",
        "Spune asta în engleză, pentru că nu sunt singur aici.",
        "Katakan dalam bahasa Inggris, karena saya tidak sendiri.",
    ],
)
def test_a_wish_for_another_language_is_understood_in_many(said: str) -> None:
    assert is_about_language([said])
    assert judged(said) is ANY


@pytest.mark.parametrize(
    "said", [GERMAN, ENGLISH, "Почему небо голубое? Никогда об этом не думал.", "Mach die Tür zu, ich bin müde und will niemanden."]
)
def test_ordinary_words_are_about_no_language(said: str) -> None:
    assert not is_about_language([said])


@pytest.mark.parametrize(
    "said",
    [
        "Der hat gesagt the cat is on the mat und ich so what are you doing",
        "Fass das zusammen: " + ENGLISH_REPLY * 6,
        ENGLISH_REPLY * 6 + "\nKurz und knapp bitte",
        "Hola",
        "42",
        "",
    ],
)
def test_mixed_pasted_and_short_words_tell_nothing(said: str) -> None:
    assert judged(said) is ANY


def test_somebody_who_has_just_changed_the_language_is_not_judged() -> None:
    assert judged(GERMAN, history=[*person(ENGLISH), *character(ENGLISH_REPLY)]) is ANY


def test_what_is_quoted_and_code_are_not_the_persons_words() -> None:
    assert judged(f'Ich habe das hier gelesen: "{ENGLISH}" Was meinst du dazu? Ich bin nicht sicher.') == {"de"}
    assert judged("Warum geht das nicht?\n```\nif you and this or that: the_other = what\n```\nIch habe schon alles versucht.") == {"de"}


def test_a_language_that_the_character_has_spoken_without_complaint_is_good() -> None:
    usual = [*person(GERMAN), *character(ENGLISH_REPLY)]
    assert judged(GERMAN, history=usual) == {"de", "en"}
    assert judged("Antworte mir bitte auf Deutsch, ich kann dich nicht verstehen.", history=usual) == {"de", "en"}
    complained = [*usual, *person("Antworte mir bitte auf Deutsch!"), *character(GERMAN_REPLY)]
    assert judged(GERMAN, history=complained) == {"de"}


@pytest.mark.parametrize("known", ["Prefers answers in English", "Учит английский", "Is from Spain"])
def test_what_is_remembered_of_languages_is_reason_enough(known: str) -> None:
    assert judged(GERMAN, known=(known,)) is ANY


def test_a_character_may_speak_the_language_of_its_card_and_greeting() -> None:
    english_card = "You are Bob, a sailor who has seen all the seas and who will tell you what was there."
    greeting = "Ahoy! I was just thinking about you, come in and tell me what you have been doing."
    assert judged(GERMAN, card=english_card) == {"de", "en"}
    assert judged(GERMAN, history=character(greeting)) == {"de", "en"}
    assert judged(GERMAN, card="You are Pierre. You say everything in French.") == {"de", "fr"}
    assert judged(ENGLISH, card="Tu es Pierre, un marin qui a vu toutes les mers et qui raconte ses voyages avec plaisir.") == {"en", "fr"}


@pytest.mark.parametrize(
    "rule",
    [
        "Answer in the language of the last message.",
        "Always reply in the user's language.",
        "Speak only in the same language that they use.",
        "Отвечай на языке собеседника.",
        "Antworte immer in der Sprache des Nutzers.",
    ],
)
def test_a_card_that_follows_the_person_gives_its_own_language_no_right(rule: str) -> None:
    card = f"You are Bob, a sailor who has seen all the seas and who will tell you what was there. {rule}"
    assert judged(GERMAN, card=card, history=character("Ahoy! I was just thinking about you, tell me what you have done.")) == {"de"}


def test_a_character_that_already_speaks_the_persons_language_has_no_reason_to_stop() -> None:
    card = "You are Bob, a sailor who has seen all the seas and who will tell you what was there."
    assert judged(GERMAN, card=card, history=[*person(GERMAN), *character(GERMAN_REPLY)]) == {"de"}


def test_our_own_characters_that_talk_are_held_to_the_language_of_the_person() -> None:
    for seed in character_seeds():
        greeting = character(seed.greeting["en"])
        if seed.task == "talk":
            assert judged(GERMAN, card=seed.system_prompt, history=greeting) == {"de", "ru"}, seed.slug


def test_a_long_talk_is_read_in_less_than_a_millisecond_or_two() -> None:
    history = [message for _ in range(20) for message in (*person(GERMAN * 20), *character(GERMAN_REPLY * 20))]
    talk = Talk(words=[(GERMAN + " ") * 40], history=history, card=character_seeds()[0].system_prompt)
    spans = []
    for _ in range(20):
        began = time.perf_counter()
        assert languages_for(talk) == {"de", "ru"}
        spans.append(time.perf_counter() - began)
    assert min(spans) < 0.01

"""What models say besides a reply does not reach a person, and nothing that was shown is taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.hygiene import LANGUAGE_CHARACTERS, LANGUAGE_WORDS, MAX_REPLY_CHARS, Expectations, Problem, ReplyFilter

SYSTEM = "You are Mira, a calm friend from the mountains. " + " ".join(f"Rule {number} is about number {number}." for number in range(30))
PIECES = (1, 3, 7, 1000)


def filtered(reply: str, size: int = 5, **expected: object) -> ReplyFilter:
    """Fed in pieces; asserts that what was shown is, at every moment, the beginning of what is kept."""
    words = ReplyFilter(Expectations(**{"system": SYSTEM, "names": ("Mira",), **expected}))  # type: ignore[arg-type]
    shown = ""
    for start in range(0, len(reply), size):
        shown += words.feed(reply[start : start + size])
        assert words.text == shown
        if words.problem:
            break
    shown += words.end()
    assert words.text == shown
    return words


def prose(length: int, *, paragraph: int = 400) -> str:
    """Text in which no long part stands twice."""
    sentences = "".join(f"Sentence {number} tells of the year {number * 37}. " for number in range(length // 20))[:length]
    return "\n\n".join(sentences[start : start + paragraph] for start in range(0, len(sentences), paragraph))


@pytest.mark.parametrize("size", PIECES)
@pytest.mark.parametrize(
    "reply",
    [
        "Hello! How are you?",
        "a < b and {x} or [1, 2] <b>bold</b>",
        "```python\nprint({'a': [1]})\n```",
        "[smiles] Hello there",
        "ha ha ha ha ha ha ha!",
        "Name: Ann\nAge: 7",
        "-" * 60,
        "{curly} words",
        prose(3000).strip(),
    ],
)
def test_an_ordinary_reply_arrives_as_it_was_said(reply: str, size: int) -> None:
    words = filtered(reply, size)
    assert (words.text, words.problem, words.bubbles) == (reply, None, (reply,))


def test_the_first_words_are_shown_at_once() -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), script="latin"))
    assert [words.feed(piece) for piece in ("Hello", " Ann,", " how")] == ["Hello", " Ann,", " how"]


@pytest.mark.parametrize("size", PIECES)
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("<think>She greets me.</think>Hello!", "Hello!"),
        ('Hello!<tool_call>{"name": "search", "arguments": {}}</tool_call> Bye.', "Hello! Bye."),
        ('Hello! {"tool": "search", "query": "x"} Bye.', "Hello!  Bye."),
        ('{"name": "search", "arguments": {"q": "}"}}', ""),
        ("Hello!<|im_end|>", "Hello!"),
        ("[TOOL_CALLS][]Hello!", "Hello!"),
        ("Hello <think>and then for ever", "Hello"),
        ("</think>Hello!", "Hello!"),
        ("Assistant: Hello!", "Hello!"),
        ("**Mira:** Hello!", "Hello!"),
        ("mira: Hello!", "Hello!"),
        ("He\x00llo\x1b!", "Hello!"),
        ("<think></think>", ""),
    ],
)
def test_noise_for_machines_and_names_before_the_words_are_taken_out(reply: str, said: str, size: int) -> None:
    words = filtered(reply, size)
    assert "\n\n".join(words.bubbles) == said
    assert words.problem is None


@pytest.mark.parametrize("size", PIECES)
def test_instructions_that_are_repeated_word_for_word_are_cut(size: int) -> None:
    for reply, said in ((SYSTEM + "\nHello!", "Hello!"), ("Hello! " + SYSTEM[100:500] + " And goodbye.", "Hello!  And goodbye.")):
        words = filtered(reply, size)
        left = "\n\n".join(words.bubbles)
        assert (left.startswith(said[:6]), left.endswith(said[-6:])) == (True, True)
        assert len(left) <= len(said) + 80
        assert not any(SYSTEM[start : start + 81] in left for start in range(0, len(SYSTEM) - 81, 10))


def test_a_short_quotation_of_the_instructions_stays() -> None:
    reply = f"My name? {SYSTEM[:47]} That is all I can tell you about it today."
    assert filtered(reply).text == reply


@pytest.mark.parametrize("size", PIECES)
@pytest.mark.parametrize("unit", ["I love you. ", "and so on and on, ", "The fox went to the river, drank, and went back to its den. "])
def test_a_circle_is_left_after_its_first_round(unit: str, size: int) -> None:
    reply = "Here is a poem for you:\n" + unit * 200
    words = filtered(reply, size)

    assert words.problem is Problem.REPETITION
    assert len(words.text) <= len("Here is a poem for you:\n" + unit) + 24 + 40 + len(unit)
    assert reply.startswith(words.text)


def test_a_refrain_is_no_circle() -> None:
    refrain = "Row, row, row your boat, gently down the stream.\n"
    reply = refrain + "Merrily, merrily.\n" + refrain + "Life is but a dream.\n" + refrain
    assert (filtered(reply).text, filtered(reply).problem) == (reply, None)


@pytest.mark.parametrize("size", [7, 64, 200_000])
def test_a_reply_of_100_kb_ends_with_a_paragraph(size: int) -> None:
    reply = prose(100_000)
    words = filtered(reply, size)

    assert words.problem is Problem.TOO_LONG
    assert MAX_REPLY_CHARS - 2500 < len(words.text) <= MAX_REPLY_CHARS
    assert reply[len(words.text) :].startswith("\n\n")


@pytest.mark.parametrize("broken", ["\ufffd\ufffd" * 60, "Ð¿Ñ€Ð¸Ð²ÐµÑ‚ Ð¿Ñ€Ð¸Ð²ÐµÑ‚ Ð¿Ñ€Ð¸Ð²ÐµÑ‚ ÐºÐ°Ðº Ð´ÐµÐ»Ð°", "Ã©Ã¨Ã " * 20])
def test_garbage_is_never_shown_and_may_be_asked_for_again(broken: str) -> None:
    words = filtered(broken)
    assert (words.problem, words.text, words.bubbles, words.may_be_repaired) == (Problem.GARBAGE, "", (), True)


def test_garbage_after_good_words_ends_the_reply_there() -> None:
    good = prose(300)
    words = filtered(good + "\ufffdx\ufffd" * 100)
    assert (words.problem, words.may_be_repaired) == (Problem.GARBAGE, False)
    assert words.text.startswith(good[:280])
    assert len(words.text) < len(good) + 100


@pytest.mark.parametrize(
    ("script", "reply", "problem"),
    [
        ("latin", "Здравствуйте! Как ваши дела сегодня, чем я могу помочь вам в это утро?", Problem.LANGUAGE),
        ("latin", "Нет, спасибо большое", Problem.LANGUAGE),
        ("cyrillic", "Hello, how are you today my dear friend, what shall we talk about?", Problem.LANGUAGE),
        ("latin", "今日はとても良い天気ですね。散歩に行きましょう。", Problem.LANGUAGE),
        ("cyrillic", "Ann, как твои дела сегодня? Расскажи мне, что было интересного.", None),
        ("latin", "OK 👍", None),
        ("latin", "Да", None),
        (None, "Здравствуйте! Как ваши дела сегодня, чем я могу помочь вам в это утро?", None),
    ],
)
def test_another_script_than_the_persons_is_held_back(script: str | None, reply: str, problem: Problem | None) -> None:
    words = filtered(reply, script=script)
    assert (words.problem, words.text) == (problem, "" if problem else reply)


def test_the_second_attempt_is_taken_in_whatever_language_it_is() -> None:
    assert filtered("Здравствуйте, дорогой друг!", script="latin", is_last_attempt=True).text == "Здравствуйте, дорогой друг!"
    english = "I would love to tell you what they have done."
    assert filtered(english, languages=lambda: {"de"}, is_last_attempt=True).text == english


@pytest.mark.parametrize("size", PIECES)
@pytest.mark.parametrize(
    ("languages", "reply", "problem"),
    [
        ("de", "Of course! I would love to tell you a story about the old lighthouse.", Problem.LANGUAGE),
        ("de", "I don't know what you mean.", Problem.LANGUAGE),
        ("en", "Natürlich! Ich erzähle dir gern etwas über den alten Leuchtturm.", Problem.LANGUAGE),
        ("uk", "Конечно! Сейчас расскажу тебе, что это такое и почему он там стоит.", Problem.LANGUAGE),
        ("de", "Natürlich! Ich erzähle dir gern etwas über den alten Leuchtturm.", None),
        ("de", "Aber gern: what you are looking for is the one that they have there.", None),
        ("de", "Oh, „I would love to tell you what they have done“ – so fängt das an.", None),
        ("de", "```python\nif this is what you have: return that\n```\nSo geht das, und nicht anders.", None),
        ("de en", "Of course! I would love to tell you a story about the old lighthouse.", None),
        ("es", "Paris!", None),
        ("", "Of course! I would love to tell you a story about the old lighthouse.", None),
    ],
)
def test_another_language_than_the_persons_is_held_back(languages: str, reply: str, problem: Problem | None, size: int) -> None:
    words = filtered(reply, size, script="latin" if reply.isascii() and languages != "uk" else None, languages=languages.split)
    assert (words.problem, words.text, words.may_be_repaired) == (problem, "" if problem else reply, problem is not None)


def test_the_first_small_word_of_the_persons_language_lets_the_reply_go() -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), script="latin", languages=lambda: {"de"}))
    assert [words.feed(piece) for piece in ("Klar", ", Anna!", " Bist", " du", " da?")] == ["", "", "", "Klar, Anna! Bist du", " da?"]


@pytest.mark.parametrize(
    ("languages", "reply"),
    [
        ("en", "¡Hola, mi amor! ¿Cómo estás? I have been waiting for you all day."),
        ("en", "*smiles* Bonjour, mon cher ! Comment vas-tu ce soir ? I was just thinking about you."),
        ("en", "Ach du lieber! Was ist denn das? Komm, sit down and tell me what happened."),
        ("de", "Ma che dici? Non è vero, amore mio! Das sagst du immer, wenn du müde bist."),
    ],
)
def test_a_character_may_greet_in_its_own_language_before_it_goes_on_in_the_persons(languages: str, reply: str) -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), script="latin", languages=languages.split))
    shown = [words.feed(f"{word} ") for word in reply.split()]
    assert (words.problem, "".join([*shown, words.end()]).strip()) == (None, reply)
    assert not shown[-1] or shown[-2]


def test_a_long_reply_in_another_language_is_still_ended_at_its_beginning() -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), script="latin", languages=lambda: {"de"}))
    reply = "Of course! We would love to tell you something about the old lighthouse and about those who lived in it. " * 10
    heard = next(index for index, word in enumerate(reply.split()) if words.feed(f"{word} ") or words.problem)
    assert (words.problem, heard) == (Problem.LANGUAGE, LANGUAGE_WORDS - 1)


@pytest.mark.parametrize(
    "reply",
    [
        '„Du bist zurück", flüstert sie. Dann geht sie langsam auf dich zu und nimmt deine Hand.',
        '"Du bist zurück. Ich habe so lange auf dich gewartet',
        "> ein langer Tag\n\nDas sagen sie alle.",
    ],
)
def test_a_character_that_speaks_in_quotation_marks_is_shown_as_soon_as_any_other(reply: str) -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), script="latin", languages=lambda: {"de"}))
    assert words.feed(reply) == reply


def test_a_word_that_only_close_languages_share_lets_the_reply_go() -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), script="latin", languages=lambda: {"da", "no", "sv"}))
    assert words.feed("Jeg kommer, Anna!") == "Jeg kommer, Anna!"


def test_an_answer_in_a_language_of_the_question_asks_no_further() -> None:
    asked: list[str] = []
    german, english = "Bist du da? Ich erzähle dir gern etwas.", "Of course! I would love to tell you a story about the old one."

    def languages() -> list[str]:
        asked.append("once")
        return ["de"]

    assert (filtered(german, written={"de"}, languages=languages).text, asked) == (german, [])
    assert (filtered(english, written={"de"}, languages=languages).problem, asked) == (Problem.LANGUAGE, ["once"])


def test_a_reply_without_any_small_word_is_not_held_back_where_any_language_will_do() -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), written={"en"}, languages=lambda: ()))
    assert [words.feed("ตอนนี้ฉัน"), words.feed("กำลังฟังเพลงอยู่ในห้อง")] == ["", "ตอนนี้ฉันกำลังฟังเพลงอยู่ในห้อง"]
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), languages=lambda: ()))
    assert words.feed("ตอนนี้ฉัน") == "ตอนนี้ฉัน"


def test_a_reply_that_shows_no_language_is_held_back_for_a_few_lines_at_most() -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",), script="latin", languages=lambda: {"de"}))
    reply = "".join(f"Place {number}, " for number in range(100))
    shown = next(place for place in range(0, len(reply), 5) if words.feed(reply[place : place + 5]))
    assert shown + 5 == LANGUAGE_CHARACTERS


@pytest.mark.parametrize("size", PIECES)
def test_a_reply_that_is_json_is_held_back_until_it_can_be_read(size: int) -> None:
    words = ReplyFilter(Expectations())
    reply = '```json\n["Hello!", "How are you?"]\n```'
    assert "".join(words.feed(reply[start : start + size]) for start in range(0, len(reply), size)) == ""
    assert words.end() == "Hello!\n\nHow are you?"
    assert words.bubbles == ("Hello!", "How are you?")


@given(
    st.lists(
        st.one_of(st.text(max_size=30), st.sampled_from(["<think>", "</think>", "{", '"tool"', "[", "```json", "<|", SYSTEM, "ab" * 50]))
    )
)
def test_whatever_is_said_nothing_shown_is_ever_taken_back(pieces: list[str]) -> None:
    words = ReplyFilter(Expectations(system=SYSTEM, names=("Mira",)))
    shown = ""
    for piece in pieces:
        shown += words.feed(piece)
        assert words.text == shown
    shown += words.end()
    assert words.text == shown
    assert "".join(words.bubbles).strip() == "".join(words.bubbles)

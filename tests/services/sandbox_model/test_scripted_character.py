"""What somebody in a demo notices of the scripted character."""

import re

import pytest

from services.sandbox.model.character import answer
from services.sandbox.model.character.scene import Said, language_of
from services.sandbox.model.character.script import LANGUAGES, script_of

MIRA = "You are Mira, a warm companion."
TUTOR = "You are Honzík, a Czech tutor. Teach in small steps."
LISTENER = "You are Sol, a reflective listener."


def talk(system: str, *turns: str) -> list[str]:
    """What the character says to each turn, in one conversation."""
    heard, replies = [Said("system", system)], []
    for turn in turns:
        heard.append(Said("user", turn))
        replies.append(answer(heard))
        heard.append(Said("assistant", replies[-1]))
    return replies


def test_remembers_the_name_that_a_person_gave():
    replies = talk(MIRA, "Hi! My name is Anna", "It rains all day", "What is my name?")
    assert "Anna" in replies[0]
    assert "Anna" in replies[2]


def test_admits_that_no_name_was_given():
    [reply] = talk(MIRA, "what's my name?")
    assert re.search(r"haven't told|secret", reply)


def test_the_latest_name_counts():
    replies = talk(MIRA, "my name is Anna", "sorry, call me Bea", "what is my name?")
    assert "Bea" in replies[2]
    assert "Anna" not in replies[2]


def test_remembers_what_a_person_likes():
    replies = talk(MIRA, "I love long train rides because of the windows", "hm", "what do I like?")
    assert "long train rides" in replies[2]
    assert "windows" not in replies[2]


def test_quotes_what_was_just_said():
    replies = talk(MIRA, "the owl sat on the piano", "what did I just say?")
    assert "the owl sat on the piano" in replies[1]


def test_the_first_message_has_nothing_before_it():
    [reply] = talk(MIRA, "What did I just say?")
    assert "“" not in reply


def test_speaks_russian_to_russian():
    replies = talk(MIRA, "Привет!", "меня зовут Оля", "как меня зовут?", "что я только что сказала?")
    assert all(re.search("[а-я]", reply) for reply in replies)
    assert "Оля" in replies[2]
    assert "как меня зовут?" in replies[3]


def test_keeps_the_language_where_a_message_shows_none():
    replies = talk(MIRA, "Привет!", "17 * 3")
    assert "51" in replies[1]
    assert re.search("[а-я]", replies[1]) or replies[1].startswith("**51**")


def test_the_tutor_teaches_czech():
    replies = talk(TUTOR, "hello", "how do you say bread in Czech?", "как будет вода по-чешски?", "teach me something")
    assert "Ahoj" in replies[0] or "Dobrý den" in replies[0]
    assert "chléb" in replies[1]
    assert "voda" in replies[2]
    assert re.search(r"Výborně|Pojďme|Tak jo", replies[3])


def test_the_tutor_answers_czech_in_czech():
    [reply] = talk(TUTOR, "Ahoj, jak se máš?")
    assert "Mám se dobře" in reply or "Ujde to" in reply


def test_introduces_itself_with_the_name_of_the_prompt():
    assert "Mira" in talk(MIRA, "who are you?")[0]
    assert "Sol" in talk(LISTENER, "what is your name?")[0]
    assert "Honzík" in talk(TUTOR, "как тебя зовут?")[0]


def test_speaks_of_itself_in_the_words_of_its_prompt():
    prompt = f"{MIRA}\n\n# Who you are\nYou are thirty-one and restore old maps. You have a grey cat who ignores you. You must never shout."
    first, second = talk(prompt, "who are you?", "tell me about yourself")
    assert "I'm thirty-one and restore old maps." in first
    assert "I have a grey cat who ignores I" not in second
    assert "must" not in first + second


def test_knows_the_name_that_the_prompt_brings_as_a_fact():
    [reply] = talk(f'{MIRA}\n<data>\n{{"user_name": "Věra"}}\n</data>', "what is my name?")
    assert "Věra" in reply


@pytest.mark.parametrize("question", ["are you a real model?", "Are you an AI?", "ты бот?", "jsi skutečný model?"])
def test_says_that_it_is_scripted_when_asked(question: str):
    [reply] = talk(MIRA, question)
    assert re.search(r"scripted|сценарн|naskriptovan", reply)


def test_a_story_has_several_paragraphs_and_markdown():
    [reply] = talk(MIRA, "tell me a story")
    assert len(reply) > 900
    assert reply.count("\n\n") >= 5
    assert "**" in reply
    assert re.search(r"(?<!\*)\*\w", reply)


def test_another_story_is_another_story():
    first, second = talk(MIRA, "tell me a story", "tell me another story")
    assert re.search(r"\*\*.+?\*\*", first)[0] != re.search(r"\*\*.+?\*\*", second)[0]


@pytest.mark.parametrize("wish", ["write something very long", "напиши очень длинный текст", "napiš velmi dlouhý text"])
def test_something_very_long_passes_five_thousand_characters(wish: str):
    assert len(talk(MIRA, wish)[0]) > 5_000


@pytest.mark.parametrize("wish", ["show me some code", "напиши код", "ukaž mi kód"])
def test_code_comes_in_a_fence(wish: str):
    assert re.search(r"```python\n.+?\n```", talk(MIRA, wish)[0], re.DOTALL)


def test_the_same_conversation_gets_the_same_answer():
    assert talk(MIRA, "hi", "I feel sad") == talk(MIRA, "hi", "I feel sad")


def test_does_not_repeat_itself_over_a_long_chat():
    replies = talk(LISTENER, *[f"the garden number {number} was quiet this morning" for number in range(6)])
    assert len(set(replies)) == 6


def test_does_not_echo():
    said = "my neighbour bought a purple bicycle yesterday"
    assert said not in talk(MIRA, said)[0]


@pytest.mark.parametrize("text", ["", "   ", "😀", "\x00", "{user} {name} {0}", "a" * 20_000, "\ud800"])
def test_answers_anything(text: str):
    assert talk(MIRA, text)[0].strip()


def test_every_intent_has_something_to_say_in_every_language():
    told = {"story", "long", "continue"}
    missing = [
        (language, intent)
        for language in LANGUAGES
        for intent, _ in script_of(language).intents
        if intent not in told and not any(script_of(language).said_by(manner, intent) for manner in ("tutor", "companion"))
    ]
    assert missing == []


def test_every_slot_is_one_that_can_be_filled():
    known = {"name", "user", ",user", "self", "like", "Like", "topic", "topics", "before", "mine", "result", "memories"}
    slots = {
        slot
        for language in LANGUAGES
        for lines in script_of(language).lines.values()
        for said in lines.values()
        for line in said
        if "```" not in line
        for slot in re.findall(r"\{(.*?)\}", line)
    }
    assert slots <= known


KNOWING = f'{MIRA}\n<data>\n{{"user_name": "Ann", "memories": ["Lives in Brno", "Has a \\"cat\\" called Tom"]}}\n</data>'


@pytest.mark.parametrize(
    ("question", "said", "unsaid"),
    [
        ("Where do I live?", "Lives in Brno", "Tom"),
        ("What do you remember about me?", 'Lives in Brno; Has a "cat" called Tom', "Ann"),
        ("Что ты знаешь обо мне?", "Lives in Brno", "Ann"),
        ("Prosím, kde bydlím?", "Lives in Brno", "Ann"),
    ],
)
def test_tells_what_the_prompt_says_is_remembered(question: str, said: str, unsaid: str) -> None:
    [reply] = talk(KNOWING, question)
    assert said in reply
    assert unsaid not in reply


@pytest.mark.parametrize("question", ["How old am I?", "Где я живу?", "Prosím, kolik mi je?"])
def test_admits_that_nothing_is_remembered(question: str) -> None:
    [reply] = talk(MIRA, question)
    assert "{" not in reply
    assert re.search(r"Nothing yet|only know|Пока ничего|только твой голос|Zatím nic", reply)


GO_ON = "(Go on: continue your last message where it ends, without repeating any of it.)"
BROKE_OFF = "[The connection broke off in the middle of your last message. Continue it exactly where it stops. Repeat nothing of it.]"


@pytest.mark.parametrize(
    "words",
    ["Hello!", "I work as a nurse", "how are you?", "I like chess", "Привет!", "Мне грустно сегодня", "как дела?", "tell me a story"],
)
@pytest.mark.parametrize("system", [MIRA, LISTENER])
def test_another_answer_is_another_one(system: str, words: str):
    heard = [Said("system", system), Said("user", words)]
    assert len({answer(heard, take) for take in range(2)}) == 2
    assert answer(heard, 1) == answer(heard, 1)


@pytest.mark.parametrize(
    "words", ["tell me about the lake", "I'm so tired", "Расскажи об озере", "Я люблю шахматы", "Dnes je hezky, viď", "hi"]
)
@pytest.mark.parametrize("system", [MIRA, LISTENER, TUTOR])
def test_it_goes_on_in_the_language_of_the_talk_and_does_not_take_the_wish_for_words_of_the_person(system: str, words: str):
    heard = [Said("system", system), Said("user", words)]
    heard.append(Said("assistant", answer(heard)))
    further = []
    for _ in range(3):
        further.append(answer([*heard, Said("user", GO_ON)]))
        heard[-1] = Said("assistant", f"{heard[-1].text}\n\n{further[-1]}")
    spoken = script_of(language_of(words) or "en")
    assert len(set(further)) == 3
    assert all(
        _is_one_of(text, [*spoken.said_by("", "further"), *spoken.said_by("tutor", "further"), *spoken.said_by("listener", "further")])
        for text in further
    )


def _is_one_of(text: str, lines: list[str]) -> bool:
    return any(re.fullmatch(re.sub(r"\\\{.\w+\\\}", ".+", re.escape(line)), text) for line in lines)


def test_a_tale_goes_on_with_the_chapter_that_was_not_told():
    heard = [Said("system", MIRA), Said("user", "tell me a very long tale")]
    tale = answer(heard)
    further = answer([*heard, Said("assistant", tale), Said("user", GO_ON)])
    assert len(further) > 200
    assert further not in tale


def test_words_beside_the_wish_are_answered():
    [plain] = talk(MIRA, "my name is Anna")
    assert answer([Said("system", MIRA), Said("user", f"my name is Anna\n{GO_ON}")]) == plain


def test_an_answer_that_broke_off_is_said_to_its_end():
    heard = [Said("system", MIRA), Said("user", "The lake froze over last night")]
    for take in range(2):
        whole = answer(heard, take)
        assert answer([*heard, Said("assistant", whole[:20]), Said("user", BROKE_OFF)]) == whole[20:]


@pytest.mark.parametrize("what", ["photo", "3 files"])
def test_what_came_with_a_caption_and_cannot_be_seen_is_no_word_of_the_person(what: str):
    captioned, said = (
        talk(MIRA, f"({what} that you cannot see) Which roses grow in my garden?"),
        talk(MIRA, "Which roses grow in my garden?"),
    )
    assert captioned == said


@pytest.mark.parametrize("said", ["My dog is called Rex", "Who lives down there"])
def test_a_word_too_plain_to_be_a_topic_is_never_picked_up(said: str):
    assert not re.search(r"\*(?:called|lives)\*", "".join(answer([Said("system", MIRA), Said("user", said)], take) for take in range(12)))

"""A person who writes in one language is not answered in another one of the same script, unless there is a reason for it."""

import pytest
from prometheus_client import REGISTRY

from shared.application.chat import Said
from shared.domain.speaker import Speaker
from tests.factories import House, make_character, make_memory, make_person, make_place

GERMAN = "Kannst du mir sagen, warum der Himmel blau ist?"
ENGLISH_REPLY = "Of course! That is because the air scatters blue light much more than it does with red light."
GERMAN_REPLY = "Natürlich! Das liegt daran, dass die Luft das blaue Licht viel stärker streut."
HINT = "Answer in the language in which the person writes"


async def say(house: House, speaker: Speaker, said: str, source_id: str = "1") -> list[str]:
    return [piece.text async for piece in house.chat.reply(speaker, [Said(source_id, said)])]


def caught() -> float:
    return REGISTRY.get_sample_value("vitte_chat_reply_problems_total", {"problem": "wrong_language"}) or 0.0


async def test_a_german_who_is_answered_in_english_sees_the_second_try_alone_and_it_is_counted(house: House) -> None:
    ann, before = await house.speaker(), caught()
    house.model.queue(ENGLISH_REPLY, GERMAN_REPLY)

    assert "".join(await say(house, ann, GERMAN)) == GERMAN_REPLY
    assert [HINT in prompt[0].text for prompt in house.model.prompts] == [False, True]
    assert caught() - before == 1
    assert (await house.messages(ann))[1:] == [("user", GERMAN), ("assistant", GERMAN_REPLY)]
    assert await house.rows("select status, error_code from turns") == [("finished", None)]
    assert (house.model.open_streams, await house.used(ann)) == (0, 1)


async def test_a_russian_answer_to_a_ukrainian_is_asked_for_once_more(house: House) -> None:
    ann = await house.speaker()
    sailor = make_character()
    await house.add(sailor)
    await house.characters.enter(ann, sailor.id)
    house.model.queue("Конечно! Сейчас расскажу тебе, что это такое и почему он там стоит.", "Звичайно! Зараз розповім тобі, що це таке.")
    said = "Не знаю, що робити з сестрою: вона завжди на мене сердиться."
    assert "".join(await say(house, await house.speaker(), said)) == "Звичайно! Зараз розповім тобі, що це таке."


async def test_a_second_answer_in_english_is_taken_as_it_is(house: House) -> None:
    ann = await house.speaker()
    house.model.queue(ENGLISH_REPLY, ENGLISH_REPLY)
    assert "".join(await say(house, ann, GERMAN)) == ENGLISH_REPLY
    assert len(house.model.prompts) == 2


async def test_a_good_answer_flows_from_its_first_german_word_on(house: House) -> None:
    ann = await house.speaker()
    house.model.queue(GERMAN_REPLY)
    pieces = await say(house, ann, GERMAN)
    assert (pieces[0], "".join(pieces), len(house.model.prompts)) == ("Natürlich! Das liegt daran, dass", GERMAN_REPLY, 1)


@pytest.mark.parametrize(
    "said",
    [
        "Erkläre mir bitte auf Englisch, warum der Himmel blau ist.",
        "Übersetze das bitte: Der Himmel ist blau, weil die Luft das so macht.",
        "Himmel?",
        "Der hat gesagt the sky is blue und ich so what are you doing",
    ],
)
async def test_who_asks_for_english_or_writes_too_little_is_answered_as_the_model_likes(house: House, said: str) -> None:
    ann, before = await house.speaker(), caught()
    house.model.queue(ENGLISH_REPLY)
    assert "".join(await say(house, ann, said)) == ENGLISH_REPLY
    assert (len(house.model.prompts), caught() - before) == (1, 0)


async def test_who_asks_in_russian_for_english_gets_it_at_once(house: House) -> None:
    ann = await house.speaker()
    house.model.queue(ENGLISH_REPLY)
    assert "".join(await say(house, ann, "Скажи по-английски, почему небо голубое, пожалуйста.")) == ENGLISH_REPLY
    assert len(house.model.prompts) == 1


@pytest.mark.parametrize(
    "card",
    [
        {"task": "tutor", "system_prompt": "You teach. Answer in the language of the last message."},
        {"system_prompt": "You are Bob, a sailor who has seen all the seas and who will tell you what was there."},
        {"system_prompt": "Du bist Bob und sprichst nur Englisch."},
        {"greeting": {"en": "Ahoy! I was just thinking about you, come in and tell me what you have been doing."}},
    ],
)
async def test_a_tutor_and_a_character_that_speaks_english_may(house: House, card: dict[str, str]) -> None:
    ann = await house.speaker()
    sailor = make_character(**card)
    await house.add(sailor)
    await house.characters.enter(ann, sailor.id)
    house.model.queue(ENGLISH_REPLY)
    assert "".join(await say(house, await house.speaker(), GERMAN)) == ENGLISH_REPLY
    assert len(house.model.prompts) == 1


async def test_a_talk_that_was_held_in_english_before_goes_on_as_it_was(house: House) -> None:
    ann = await house.speaker()
    house.model.queue(ENGLISH_REPLY, ENGLISH_REPLY, ENGLISH_REPLY)
    await say(house, ann, "Himmel?", "1")
    assert "".join(await say(house, ann, GERMAN, "2")) == ENGLISH_REPLY
    assert len(house.model.prompts) == 2


async def test_who_is_remembered_as_a_learner_of_english_may_be_answered_in_it(house: House) -> None:
    ann = await house.speaker()
    await house.add(make_memory(ann, fact="Wants to practise English"))
    house.model.queue(ENGLISH_REPLY)
    assert "".join(await say(house, ann, GERMAN)) == ENGLISH_REPLY
    assert len(house.model.prompts) == 1


async def test_a_name_before_the_words_in_a_group_tells_nothing_of_their_language(house: House) -> None:
    await house.speaker()
    place = make_place(chat_id=-100_500)
    alexandra = await house.accounts.recognise(make_person(first_name="Александра Константиновна"), place)
    house.model.queue(ENGLISH_REPLY)
    said = "Александра Константиновна: why is the sky blue?"
    assert ("".join(await say(house, alexandra, said)), len(house.model.prompts)) == (ENGLISH_REPLY, 1)

"""The first minute with the bot: commands, and what they say in two languages."""

import pytest

from tests.factories import ANN_ID, BOB_ID, make_character
from tests.services.bot.desk import Desk


async def test_start_greets_in_the_characters_words_and_shows_the_menu(desk: Desk) -> None:
    await desk.tell("/start")

    greeting, menu = await desk.seen()
    assert greeting["text"].startswith("Oh good, a new voice! I'm Mira 🌿")
    assert desk.marked(greeting) == [("bold", "Mira"), ("italic", "smallest")]
    assert menu["text"] == "You are talking with 🌿 Mira.\nJust write to me, or choose:"
    assert [label for label, _ in desk.buttons(menu)] == [
        "🎭 Characters",
        "🧠 Memory",
        "📊 My status",
        "⚙️ Settings",
        "🌐 Language",
        "❓ Help",
    ]
    assert await desk.statuses() == ["handled"]


async def test_start_speaks_russian_to_a_russian(desk: Desk) -> None:
    await desk.tell("/start", BOB_ID)

    greeting, menu = await desk.texts(BOB_ID)
    assert greeting.startswith("О, новый голос! Я Мира")
    assert menu == "С вами 🌿 Mira.\nПросто напишите мне или выберите:"
    assert [label for label, _ in desk.buttons((await desk.seen(BOB_ID))[1])] == [
        "🎭 Персонажи",
        "🧠 Память",
        "📊 Мой статус",
        "⚙️ Настройки",
        "🌐 Язык",
        "❓ Помощь",
    ]


async def test_the_greeting_is_remembered_by_the_character(desk: Desk) -> None:
    await desk.tell("/start")
    await desk.tell("Hi!")
    assert desk.model.prompts[0][1].text.startswith("Oh good, a new voice!")
    assert desk.model.prompts[0][2].text == "Hi!"


async def test_start_again_shows_greeting_and_menu_again_but_is_remembered_once(desk: Desk) -> None:
    await desk.tell("/start")
    await desk.tell("/start")
    assert len(await desk.seen()) == 4
    assert await desk.house.rows("select count(*) from messages") == [(1,)]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("/start ref_42", "ref_42"),
        ("/start", None),
        ("/start   ", None),
        ("/start a b", "a b"),
        ("/start@vitte_bot ref", "ref"),
        ("/started x", None),
        (f"/start {'x' * 70}", "x" * 64),
    ],
)
async def test_the_payload_of_a_deep_link_is_kept(desk: Desk, said: str, kept: str | None) -> None:
    await desk.tell(said)
    await desk.tell("/start other")
    assert await desk.house.rows("select start_payload from users") == [(kept or "other",)], "the first one that there is"


async def test_start_with_a_character_that_has_no_greeting_shows_the_menu(desk: Desk) -> None:
    await desk.house.rows("update characters set greeting = '{}'")
    await desk.tell("/start")
    assert [text[:8] for text in await desk.texts()] == ["You are "]


async def test_help_says_what_to_do_in_both_languages(desk: Desk) -> None:
    await desk.tell("/help")
    await desk.tell("/help", BOB_ID)

    [english], [russian] = await desk.texts(), await desk.texts(BOB_ID)
    assert (english.splitlines()[0], russian.splitlines()[0]) == ("How this works", "Как это работает")
    assert all(command in english and command in russian for command in ("/start", "/status", "/language", "/stop"))


async def test_status_tells_plan_and_what_is_left_today(desk: Desk) -> None:
    await desk.tell("/status")
    await desk.tell("Hi")
    await desk.tell("/status")

    first, _, second = await desk.texts()
    assert first.splitlines() == [
        "Your status",
        "Character: 🌿 Mira",
        "Plan: Free",
        "Messages today: 0 of 100 – 100 left",
        "The count starts anew at 00:00 UTC.",
    ]
    assert second.splitlines()[3] == "Messages today: 1 of 100 – 99 left"


@pytest.mark.parametrize(
    ("limit", "english", "russian"),
    [
        (None, "Messages today: 0, without limit", "Сообщений сегодня: 0, без ограничений"),
        (0, "Messages today: 0 of 0 – none left", "Сообщений сегодня: 0 из 0 – ничего не осталось"),
        (1, "Messages today: 0 of 1 – 1 left", "Сообщений сегодня: 0 из 1 – осталось 1 сообщение"),
        (3, "Messages today: 0 of 3 – 3 left", "Сообщений сегодня: 0 из 3 – осталось 3 сообщения"),
        (11, "Messages today: 0 of 11 – 11 left", "Сообщений сегодня: 0 из 11 – осталось 11 сообщений"),
    ],
)
async def test_status_counts_in_proper_words(desk: Desk, limit: int | None, english: str, russian: str) -> None:
    await desk.house.rows("update plans set daily_turns = :limit", limit=limit)
    await desk.tell("/status")
    await desk.tell("/status", BOB_ID)
    assert (await desk.texts())[0].splitlines()[3] == english
    assert (await desk.texts(BOB_ID))[0].splitlines()[3] == russian


async def test_health_is_for_operators(desk: Desk) -> None:
    await desk.tell("/health")
    assert await desk.texts() == ["This command is for the operators of this bot."]


async def test_an_operator_sees_every_dependency_and_the_inbox(desk: Desk) -> None:
    await desk.tell("/health", BOB_ID)
    [report] = await desk.texts(BOB_ID)
    title, database, redis, inbox = report.splitlines()
    assert (title, database[:12], redis[:9]) == ("Состояние", "✅ database –"[:12], "✅ redis –")
    assert inbox == "📥 Входящие: ждут 1, старшему 0 с"


async def test_an_unknown_command_is_told_so_and_no_model_is_asked(desk: Desk) -> None:
    await desk.tell("/dance now")
    await desk.tell("/танцуй", BOB_ID)
    assert await desk.texts() == ["I do not know this command. /help shows those that I know."]
    assert await desk.texts(BOB_ID) == ["Такой команды я не знаю. /help покажет те, что знаю."]
    assert desk.model.prompts == []


async def test_names_with_markup_are_shown_as_they_are(desk: Desk) -> None:
    fox = make_character(name="Fox <b>&amp; Co", tagline={"en": "<i>sly</i>"})
    await desk.house.add(fox)
    await desk.tell("/start")
    menu = (await desk.seen())[1]
    await desk.press(menu, "🎭 Characters")
    listed = (await desk.seen())[1]
    assert "🦊 Fox <b>&amp; Co – <i>sly</i>" in listed["text"]
    await desk.press(listed, "🦊 Fox <b>&amp; Co")
    await desk.tell("/status")
    assert (await desk.texts())[-1].splitlines()[1] == "Character: 🦊 Fox <b>&amp; Co"


async def test_closed_registration_is_told_in_the_language_of_the_person(desk: Desk) -> None:
    await desk.tell("/start")
    await desk.application.switches.set("registration_open", False, by="op")
    await desk.tell("/start", BOB_ID)
    await desk.tell("Hi")

    assert await desk.texts(BOB_ID) == ["Сейчас бот не принимает новых людей. Попробуйте, пожалуйста, позже."]
    assert (await desk.texts())[-1] == "You said: Hi"
    assert await desk.house.rows("select telegram_user_id from users") == [(ANN_ID,)]

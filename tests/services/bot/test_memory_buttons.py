"""/memory and /forget by their buttons: every press turns one message into the next screen."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from services.bot import memory_screens
from services.bot.formatting import LIMIT, utf16_len
from services.bot.memory_screens import PressForget, PressHere, PressMemory, PressPage, mark_of
from shared.domain.memory import KnownMemory, KnownRival, Memory, MemoryPage
from shared.domain.speaker import Speaker
from tests.factories import BOB_ID, NOON, make_memory, make_speaker
from tests.services.bot.desk import Desk
from tests.services.bot.memory_desk import labels, memory_of, press_unseen, remember, shown

LEGEND = "Press a number to change a fact."


async def test_who_has_told_nothing_reads_how_facts_come_to_be(desk: Desk) -> None:
    empty = await memory_of(desk)
    assert empty["text"].startswith("Mira knows nothing about you yet.\n\nMention something that lasts")
    assert "Moods, questions and small talk are not kept." in empty["text"]
    assert labels(desk, empty) == ["✍️ Add a fact", "‹ Back"]


async def test_the_menu_leads_to_the_memory_and_back(desk: Desk) -> None:
    await remember(desk, "Lives in Brno")
    await desk.tell("/start")
    menu = await shown(desk)
    await desk.press(menu, "🧠 Memory")
    page = await shown(desk)
    assert "1. Lives in Brno" in page["text"]
    await desk.press(page, "‹ Back")
    assert ((await shown(desk))["text"], (await shown(desk))["message_id"]) == (menu["text"], menu["message_id"])


async def test_facts_are_numbered_and_marked(desk: Desk) -> None:
    ann, [brno] = await remember(desk, "Lives in Brno")
    await desk.house.add(
        make_memory(ann, fact="Has a dog called Rex", topic="pet.dog", is_pinned=True),
        make_memory(ann, fact="Is called Ann", topic="name", character_id=None),
        make_memory(ann, fact="Lives in <Prague> & loves it", topic="city", status="asked", successor_id=brno.id),
    )
    await desk.house.memory.add(ann, "I like tea")
    page = await memory_of(desk)

    assert page["text"].splitlines()[:6] == [
        "What Mira knows about you",
        "",
        "1. Lives in <Prague> & loves it ❓",
        "contradicts “Lives in Brno”",
        "2. Has a dog called Rex 📌",
        "3. I like tea ✍️",
    ]
    assert set(page["text"].splitlines()[6:8]) == {"4. Is called Ann 🌐", "5. Lives in Brno"}
    assert page["text"].splitlines()[-2:] == ["❓ which holds? · 📌 pinned · 🌐 all characters · ✍️ your words", LEGEND]
    assert labels(desk, page) == ["1", "2", "3", "4", "5", "✍️ Add a fact", "🗑 Forget everything", "‹ Back"]


async def test_a_legend_names_only_the_marks_on_the_page(desk: Desk) -> None:
    await remember(desk, "Lives in Brno")
    assert (await memory_of(desk))["text"] == f"What Mira knows about you\n\n1. Lives in Brno\n\n{LEGEND}"


async def test_pages_are_turned_in_place_and_numbers_go_on(desk: Desk) -> None:
    await remember(desk, *(f"Fact {number}" for number in range(13, 0, -1)))
    page = await memory_of(desk)
    assert labels(desk, page)[:9] == ["1", "2", "3", "4", "5", "6", "‹", "1/3", "›"]
    await desk.press(page, "›")
    page = await shown(desk)
    assert page["text"].splitlines()[2:8] == [f"{number}. Fact {number}" for number in range(7, 13)]
    await desk.press(page, "›")
    page = await shown(desk)
    assert (page["text"].splitlines()[2], labels(desk, page)[:4]) == ("13. Fact 13", ["13", "‹", "3/3", "›"])
    await desk.press(page, "13")
    await desk.press(await shown(desk), "‹ Back")
    assert labels(desk, await shown(desk))[:4] == ["13", "‹", "3/3", "›"]
    await desk.press(page, "›")
    assert "1/3" in labels(desk, await shown(desk))
    await desk.press(await shown(desk), "‹")
    assert "3/3" in labels(desk, await shown(desk))
    assert len(await desk.seen()) == 1


async def test_a_page_that_is_gone_shows_the_last_one(desk: Desk) -> None:
    await remember(desk, "Lives in Brno")
    await press_unseen(desk, await memory_of(desk), PressPage(page=7).pack())
    assert "1. Lives in Brno" in (await shown(desk))["text"]


async def test_a_fact_has_a_page_of_its_own(desk: Desk) -> None:
    ann, _ = await remember(desk)
    await desk.tell("I live in Brno")
    [(message_id,)] = await desk.house.rows("select id from messages where role = 'user'")
    await desk.house.rows("update messages set created_at = '2026-11-20 12:00+00' returning id")
    await desk.house.add(make_memory(ann, source_message_id=message_id))
    await desk.press(await memory_of(desk), "1")

    page = await shown(desk)
    assert page["text"].splitlines() == [
        "Lives in Brno",
        "",
        "👤 Only Mira knows it.",
        "💬 You said so on 20 November 2026 – I am 90 % sure that I got it right.",
    ]
    assert labels(desk, page) == ["✏️ Fix", "🗑 Forget", "📌 Pin", "🌐 All characters", "‹ Back"]


async def test_a_fact_is_pinned_and_shared_and_both_taken_back(desk: Desk) -> None:
    await remember(desk, "Lives in Brno")
    await desk.press(await memory_of(desk), "1")
    await desk.press(await shown(desk), "📌 Pin")
    await desk.press(await shown(desk), "🌐 All characters")
    page = await shown(desk)
    assert page["text"].splitlines()[2:4] == ["📌 Pinned: always kept in mind.", "🌐 All characters know it."]
    assert await desk.house.rows("select is_pinned, character_id is null from memories") == [(True, True)]
    await desk.press(page, "📌 Unpin")
    await desk.press(await shown(desk), "👤 Only Mira")
    assert await desk.house.rows("select is_pinned, character_id is null from memories") == [(False, False)]
    assert labels(desk, await shown(desk)) == ["✏️ Fix", "🗑 Forget", "📌 Pin", "🌐 All characters", "‹ Back"]


async def test_a_fact_is_forgotten_and_the_rest_is_shown(desk: Desk) -> None:
    await remember(desk, "Lives in Brno", "Has a dog")
    await desk.press(await memory_of(desk), "1")
    await desk.press(await shown(desk), "🗑 Forget")
    text = (await shown(desk))["text"]
    assert text.startswith("🗑 Forgotten. I will not note it from that message again.\n\nWhat Mira knows about you\n\n1. Lives in Brno")
    assert "dog" not in text
    assert sorted(await desk.house.rows("select status, fact from memories")) == [("active", "Lives in Brno"), ("forgotten", "")]


async def contradicting(desk: Desk) -> tuple[Speaker, Memory, Memory]:
    ann, [brno] = await remember(desk, "Lives in Brno")
    prague = make_memory(ann, fact="Lives in Prague", status="asked", successor_id=brno.id)
    await desk.house.add(prague)
    return ann, brno, prague


async def test_of_two_that_contradict_the_newer_may_hold(desk: Desk) -> None:
    ann, _, prague = await contradicting(desk)
    await desk.press(await memory_of(desk), "1")
    asked = await shown(desk)
    assert asked["text"] == "❓ You said something else before. Which holds?\n\nNow: Lives in Prague\nBefore: Lives in Brno"
    assert labels(desk, asked) == ["Now: Lives in Prague", "Before: Lives in Brno", "‹ Back"]
    await desk.press(asked, "Now: Lives in Prague")
    assert (await shown(desk))["text"].startswith("👍 Settled. From now on I know:\n\nLives in Prague\n")
    assert [memory.id for memory in (await desk.house.memory.known(ann)).memories] == [prague.id]


async def test_of_two_that_contradict_the_older_may_hold(desk: Desk) -> None:
    ann, brno, _ = await contradicting(desk)
    await desk.press(await memory_of(desk), "1")
    asked = await shown(desk)
    await desk.press(asked, "Before: Lives in Brno")
    assert (await shown(desk))["text"].startswith("👍 Settled: it stays as it was before.\n\nWhat Mira knows about you\n\n1. Lives in Brno")
    assert [memory.id for memory in (await desk.house.memory.known(ann)).memories] == [brno.id]


async def test_a_contradiction_whose_rival_is_gone_is_a_plain_question(desk: Desk) -> None:
    _, brno, _ = await contradicting(desk)
    await desk.house.rows("update memories set status = 'replaced', successor_id = null where id = :id returning id", id=brno.id)
    page = await memory_of(desk)
    assert "1. Lives in Prague ❓" in page["text"]
    await desk.press(page, "1")
    asked = await shown(desk)
    assert (asked["text"], labels(desk, asked)) == ("❓ Is this still so?\n\nLives in Prague", ["Yes", "No", "‹ Back"])
    await desk.press(asked, "Yes")
    assert (await shown(desk))["text"].startswith("👍 Settled. From now on I know:\n\nLives in Prague\n")


@pytest.mark.parametrize("deed", ["open", "fix", "forget", "pin", "unpin", "share", "now", "before"])
async def test_a_button_about_what_is_gone_says_so_and_shows_what_is_left(desk: Desk, deed: Any) -> None:
    ann, [brno, _] = await remember(desk, "Lives in Brno", "Has a dog")
    page = await memory_of(desk)
    await desk.house.memory.forget(ann, brno.id)
    before = await desk.house.rows("select id, status, fact, is_pinned, character_id from memories order by id")
    await press_unseen(desk, page, PressMemory(do=deed, id=brno.id, page=0).pack())

    text = (await shown(desk))["text"]
    assert text.startswith("That one is no longer here: it was changed or forgotten, or belongs to another character.\n\n")
    assert "1. Has a dog" in text
    assert await desk.house.rows("select id, status, fact, is_pinned, character_id from memories order by id") == before
    assert (len(await desk.answered()), len(await desk.seen()), set(await desk.statuses())) == (1, 1, {"handled"})


@pytest.mark.parametrize("deed", ["open", "fix", "forget", "pin", "unpin", "share", "now", "before"])
async def test_a_button_with_the_id_of_somebody_elses_fact_shows_and_changes_nothing(desk: Desk, deed: Any) -> None:
    bob = await desk.house.speaker(telegram_user_id=BOB_ID)
    secret = make_memory(bob, fact="Bob's secret")
    await desk.house.add(secret)
    page = await memory_of(desk)
    before = await desk.house.rows("select id, status, fact, is_pinned, character_id from memories")
    await press_unseen(desk, page, PressMemory(do=deed, id=secret.id, page=0).pack())

    assert (await shown(desk))["text"].startswith("That one is no longer here")
    assert not any("secret" in text for text in await desk.texts())
    assert await desk.house.rows("select id, status, fact, is_pinned, character_id from memories") == before


async def test_only_the_character_that_a_button_names_is_meant_by_it(desk: Desk) -> None:
    ann, [brno] = await remember(desk, "Lives in Brno", character_id=None)
    await desk.press(await memory_of(desk), "1")
    page = await shown(desk)
    [(other,)] = await desk.house.rows("select id from characters where id <> :id order by position limit 1", id=ann.character_id)
    await desk.application.characters.enter(ann, other)
    await desk.press(page, "👤 Only Mira")
    text = (await shown(desk))["text"]
    assert text.startswith("That one is no longer here: it was changed or forgotten, or belongs to another character.\n\n")
    assert "1. Lives in Brno 🌐" in text
    assert await desk.house.rows("select character_id from memories") == [(None,)]
    elsewhere = await desk.house.speaker()
    await press_unseen(desk, page, PressHere(id=brno.id, page=0, whose=mark_of(elsewhere)).pack())
    assert await desk.house.rows("select character_id from memories") == [(other,)]
    await press_unseen(desk, page, PressHere(id=uuid4(), page=0, whose=mark_of(elsewhere)).pack())
    assert (await shown(desk))["text"].startswith("That one is no longer here")


@pytest.mark.parametrize("label", ["🗑 Forget", "📌 Pin", "🌐 All characters"])
async def test_a_button_pressed_twice_is_harmless(desk: Desk, label: str) -> None:
    await remember(desk, "Lives in Brno", "Has a dog")
    await desk.press(await memory_of(desk), "1")
    page = await shown(desk)
    data = dict(desk.buttons(page))[label]
    await desk.press(page, label)
    once = await desk.house.rows("select status, fact, is_pinned, character_id from memories order by 1, 2")
    await press_unseen(desk, page, data)
    assert await desk.house.rows("select status, fact, is_pinned, character_id from memories order by 1, 2") == once
    assert (len(await desk.answered()), set(await desk.statuses())) == (3, {"handled"})


async def test_a_press_costs_at_most_two_statements(desk: Desk) -> None:
    await contradicting(desk)
    await remember(desk, *(f"Fact {number}" for number in range(8)))
    page = await memory_of(desk)
    await desk.press(page, "1/2")  # what is kept of who speaks is read once
    desk.statements.clear()
    for label in ("›", "‹", "2", "📌 Pin", "🌐 All characters", "✏️ Fix", "🗑 Forget", "✍️ Add a fact", "1"):
        await desk.press(page, label)
        page = next(message for message in await desk.seen() if message["message_id"] == page["message_id"])
    await desk.press(page, "Before: Lives in Brno")
    await press_unseen(desk, page, PressMemory(do="pin", id=uuid4(), page=0).pack())
    for do in ("ask", "no", "yes"):
        await press_unseen(desk, page, PressForget(do=do).pack())
    presses = [statements for kind, statements in desk.statements if kind == "callback_query"]
    assert (len(presses), max(presses)) == (14, 2)


def a_fact(**overrides: Any) -> KnownMemory:
    fields = {"id": UUID(int=2**128 - 1), "fact": "🐈" * 300, "topic": "pet.cat", "is_shared": True, "is_pinned": True, "is_asked": False}
    more = {"rival": None, "confidence": 0.9, "said_at": NOON, "is_own_words": True}
    return KnownMemory(**{**fields, **more, **overrides})


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_longest_facts_fit_in_a_message_and_their_buttons_in_64_bytes(language: str) -> None:
    asked = a_fact(is_asked=True, rival=KnownRival(id=uuid4(), fact="&<" * 150))
    ann = make_speaker(language=language, character_name="Ж" * 64)
    page = MemoryPage(memories=(asked,) * 6, total=60_000, page=9998, pages=9999, character_name=ann.character_name)
    screens = [
        memory_screens.known(page, language, notice="gone"),
        memory_screens.fact(a_fact(), ann, 9998, notice="settled"),
        memory_screens.fact(asked, ann, 9998),
        memory_screens.forget_ask(language),
    ]
    for screen in screens:
        assert utf16_len(screen.html.replace("&amp;", "&").replace("&lt;", "<")) <= LIMIT
        buttons = [button for row in screen.keyboard.inline_keyboard for button in row]
        assert all(len((button.callback_data or "").encode()) <= 64 and 0 < len(button.text) <= 100 for button in buttons)
    assert screens[0].html.count("…") == 12


@pytest.mark.parametrize(
    ("text", "units", "seen"),
    [
        ("two\nlines", 20, "two lines"),
        ("🐈🐈🐈", 6, "🐈🐈🐈"),
        ("🐈🐈🐈", 5, "🐈🐈…"),
        ("🐈🐈🐈", 4, "🐈…"),
        ("abcdef", 5, "abcd…"),
        ("\u202eab", 5, "ab"),
    ],
)
def test_a_fact_is_cut_between_letters(text: str, units: int, seen: str) -> None:
    assert memory_screens.shortened(text, units) == seen


async def test_everything_is_forgotten_after_a_question(desk: Desk) -> None:
    ann, _ = await remember(desk, "Lives in Brno", "Has a dog")
    await desk.tell("/forget")
    asked = await shown(desk)
    assert asked["text"].startswith("Shall everything about you be forgotten?\n\n• every fact that any character knows about you")
    assert labels(desk, asked) == ["🗑 Yes, forget", "Keep"]
    assert (await desk.house.memory.known(ann)).total == 2
    await desk.press(asked, "🗑 Yes, forget")
    done = await shown(desk)
    assert done["text"] == "🗑 Forgotten: 2 facts. No character knows anything about you any more, and every talk begins anew."
    assert await desk.house.rows("select count(*) from memories") == [(0,)]
    await desk.press(done, "‹ Back")
    assert (await shown(desk))["text"].startswith("Mira knows nothing about you yet.")


async def test_what_was_forgotten_is_not_in_the_next_prompt(desk: Desk) -> None:
    await desk.tell("I live in Brno")
    await desk.tell("/forget")
    await desk.press(await shown(desk), "🗑 Yes, forget")
    await desk.tell("Where do I live?")
    assert not any("Brno" in said.text for said in desk.model.prompts[-1])
    assert desk.model.prompts[-1][-1].text == "Where do I live?"


async def test_everything_is_kept_when_the_question_is_declined(desk: Desk) -> None:
    await remember(desk, "Lives in Brno")
    await desk.press(await memory_of(desk), "🗑 Forget everything")
    await desk.press(await shown(desk), "Keep")
    assert (await shown(desk))["text"].startswith("Nothing was forgotten.\n\nWhat Mira knows about you\n\n1. Lives in Brno")


async def test_forgetting_everything_twice_says_the_same(desk: Desk) -> None:
    await remember(desk, "Lives in Brno")
    await desk.tell("/forget")
    asked = await shown(desk)
    data = dict(desk.buttons(asked))["🗑 Yes, forget"]
    await press_unseen(desk, asked, data)
    assert (await shown(desk))["text"].startswith("🗑 Forgotten: 1 fact. ")
    await press_unseen(desk, asked, data)
    assert (await shown(desk))["text"].startswith("🗑 Everything is forgotten. ")


async def test_all_of_it_is_in_russian_for_who_speaks_russian(desk: Desk) -> None:
    bob = await desk.house.speaker(telegram_user_id=BOB_ID, language_code="ru")
    await desk.house.add(make_memory(bob, fact="Живёт в Брно", is_pinned=True))
    await desk.tell("/memory", BOB_ID)
    page = await shown(desk, BOB_ID)
    assert page["text"] == "Что Mira знает о вас\n\n1. Живёт в Брно 📌\n\n📌 закреплено\nНажмите номер, чтобы изменить факт."
    await desk.press(page, "1", BOB_ID)
    assert labels(desk, await shown(desk, BOB_ID)) == ["✏️ Исправить", "🗑 Забыть", "📌 Открепить", "🌐 Для всех", "‹ Назад"]
    await desk.press(await shown(desk, BOB_ID), "🗑 Забыть", BOB_ID)
    assert (await shown(desk, BOB_ID))["text"].startswith("🗑 Забыто.")
    await desk.tell("/forget", BOB_ID)
    await desk.press(await shown(desk, BOB_ID), "🗑 Да, забыть", BOB_ID)
    assert (await shown(desk, BOB_ID))["text"].startswith("🗑 Всё забыто.")

"""Facts in the user's own words, written as a reply to a prompt; and where nothing about anybody is shown."""

from dataclasses import replace
from typing import Any

import pytest
import structlog

from services.bot.dispatcher import create_dispatcher
from services.bot.updates import UpdateHandler
from shared.application.stop import StopRegistry
from shared.domain.memory import Memory
from tests.factories import ANN_ID, BOB_ID, BOT_ID, make_memory
from tests.services.bot.desk import Desk, Message
from tests.services.bot.memory_desk import facts, press_unseen, raw, reply_to, shown

SOME_ID = "6bd63f659cf34eb9822e259577b48bc1"
"""Fixed, because the names of tests must be the same in all processes that run them."""


async def ask_to_fix(desk: Desk, fact: str = "Lives in Brno") -> tuple[Memory, Message]:
    """The prompt for Ann's only fact."""
    ann = await desk.house.speaker()
    memory = make_memory(ann, fact=fact)
    await desk.house.add(memory)
    await desk.tell("/memory")
    await desk.press(await shown(desk), "1")
    await desk.press(await shown(desk), "✏️ Fix")
    return memory, await shown(desk)


async def answer(desk: Desk, prompt: Message, words: str, **more: Any) -> None:
    await desk.tell(words, reply_to=prompt["message_id"], **more)


async def test_a_fact_is_fixed_by_a_reply_that_no_model_sees(desk: Desk) -> None:
    memory, prompt = await ask_to_fix(desk, "Lives in <Brno> & Co")
    assert prompt["text"] == "How should it read? Write it as a reply to this message.\n\nSo far: Lives in <Brno> & Co"
    [link] = [entity["url"] for entity in prompt["entities"] if entity["type"] == "text_link"]
    assert link == f"https://t.me/vitte_bot?start=memory-{memory.id.hex}"
    [call] = [call["params"] for call in await desk.calls("sendMessage") if "How should it read" in call["params"]["text"]]
    assert call["reply_markup"] == {"force_reply": True, "input_field_placeholder": "1 to 300 characters"}
    assert call["link_preview_options"] == {"is_disabled": True}

    await answer(desk, prompt, "Lives in <b>Prague</b> & likes it")
    page = await shown(desk)
    assert page["text"].splitlines() == [
        "✏️ Noted. From now on I know:",
        "",
        "Lives in <b>Prague</b> & likes it",
        "",
        "👤 Only Mira knows it.",
        "✍️ You wrote it yourself.",
    ]
    assert await facts(desk) == ["Lives in <b>Prague</b> & likes it"]
    assert desk.model.prompts == []
    assert await desk.house.rows("select count(*) from turns") == [(0,)]
    assert desk.statements[-1] == ("message", 2)  # one of them puts the answer in the outbox
    await desk.press(page, "📌 Pin")
    assert (await shown(desk))["text"].splitlines()[2] == "📌 Pinned: always kept in mind."


async def test_a_fact_is_added_in_words_of_ones_own(desk: Desk) -> None:
    await desk.tell("/memory")
    await desk.press(await shown(desk), "✍️ Add a fact")
    prompt = await shown(desk)
    assert prompt["text"].startswith("What should Mira know about you? Write it as a reply to this message")
    await answer(desk, prompt, "I have a cat called Mia")
    assert (await shown(desk))["text"].startswith("✍️ Noted. From now on I know:\n\nI have a cat called Mia\n")
    await answer(desk, prompt, "I like tea")
    assert sorted(await facts(desk)) == ["I have a cat called Mia", "I like tea"]
    assert desk.model.prompts == []


async def test_a_fact_for_one_character_is_not_noted_for_the_next_one(desk: Desk) -> None:
    await desk.tell("/memory")
    await desk.press(await shown(desk), "✍️ Add a fact")
    prompt = await shown(desk)
    ann = await desk.house.speaker()
    [(other, name)] = await desk.house.rows(
        "select id, name from characters where id <> :id order by position limit 1", id=ann.character_id
    )
    await desk.application.characters.enter(ann, other)
    await answer(desk, prompt, "I have a cat called Mia")
    again = await shown(desk)
    assert again["text"].startswith(f"What should {name} know about you?")
    assert await desk.house.rows("select count(*) from memories") == [(0,)]
    await answer(desk, again, "I have a cat called Mia")
    assert await desk.house.rows("select fact, character_id from memories") == [("I have a cat called Mia", other)]
    await desk.application.characters.enter(ann, ann.character_id)
    await answer(desk, prompt, "I have a dog")
    assert await facts(desk) == ["I have a dog"]


async def test_a_prompt_outlives_a_restart_of_the_bot(desk: Desk) -> None:
    _, prompt = await ask_to_fix(desk)
    stops = StopRegistry()
    anew = create_dispatcher(desk.application, desk.bot, stops=stops, operator_ids=frozenset())
    handler = UpdateHandler(desk.bot, anew, inbox=desk.application.inbox, accounts=desk.application.accounts)
    restarted = replace(desk, dispatcher=anew, handler=handler, stops=stops)
    await answer(restarted, prompt, "Lives in Prague")
    assert await facts(desk) == ["Lives in Prague"]


@pytest.mark.parametrize("words", ["x" * 301, "🐈" * 301, "…!"])
async def test_words_that_do_not_do_are_asked_for_again(desk: Desk, words: str) -> None:
    _, prompt = await ask_to_fix(desk)
    await answer(desk, prompt, words)
    again = await shown(desk)
    assert again["text"] == "That did not work: a fact has 1 to 300 characters. Please try again, as a reply to this message."
    assert await facts(desk) == ["Lives in Brno"]
    await answer(desk, again, "x" * 301)
    await answer(desk, await shown(desk), "Lives in Prague")
    assert await facts(desk) == ["Lives in Prague"]
    assert desk.model.prompts == []


async def test_the_first_prompt_works_after_words_that_did_not_do(desk: Desk) -> None:
    _, prompt = await ask_to_fix(desk)
    await answer(desk, prompt, "x" * 301)
    await answer(desk, prompt, "Lives in Prague")
    assert await facts(desk) == ["Lives in Prague"]


async def test_a_picture_is_no_words(desk: Desk) -> None:
    _, prompt = await ask_to_fix(desk)
    await reply_to(desk, raw(prompt), photo=[{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}])
    assert (await shown(desk))["text"] == "I can only note words. Please try again, as a reply to this message."
    await answer(desk, await shown(desk), "Lives in Prague")
    assert await facts(desk) == ["Lives in Prague"]


async def test_a_command_is_a_command_also_as_a_reply(desk: Desk) -> None:
    _, prompt = await ask_to_fix(desk)
    await answer(desk, prompt, "/status")
    assert (await shown(desk))["text"].startswith("Your status")
    assert await facts(desk) == ["Lives in Brno"]


async def test_a_fact_that_is_gone_meanwhile_is_not_brought_back(desk: Desk) -> None:
    memory, prompt = await ask_to_fix(desk)
    await desk.house.memory.forget(await desk.house.speaker(), memory.id)
    await answer(desk, prompt, "Lives in Prague")
    assert (await shown(desk))["text"].startswith("That one is no longer here: it was changed or forgotten")
    assert (await facts(desk), desk.model.prompts) == ([], [])


async def test_somebody_elses_prompt_changes_nothing(desk: Desk) -> None:
    _, prompt = await ask_to_fix(desk)
    await reply_to(desk, raw(prompt, BOB_ID), user=BOB_ID, text="Lives in Prague")
    [call] = [call["params"] for call in await desk.calls("sendMessage") if call["params"]["chat_id"] == BOB_ID]
    assert call["text"].startswith("That one is no longer here")
    assert (await facts(desk), await facts(desk, BOB_ID)) == (["Lives in Brno"], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"from": {"id": ANN_ID, "is_bot": False, "first_name": "Ann"}},
        {"entities": []},
        {"entities": [{"type": "text_link", "offset": 0, "length": 3, "url": "https://t.me/vitte_bot?start=memory-zz"}]},
        {"entities": [{"type": "text_link", "offset": 0, "length": 3, "url": f"https://evil.example/?start=memory-{SOME_ID}"}]},
    ],
)
async def test_a_reply_to_anything_else_goes_to_the_character(desk: Desk, changes: Message) -> None:
    _, prompt = await ask_to_fix(desk)
    await reply_to(desk, raw(prompt, **changes), text="Hello")
    assert (await desk.texts())[-1] == "You said: Hello"
    assert await facts(desk) == ["Lives in Brno"]


async def test_a_new_fact_that_is_written_twice_is_noted_once(desk: Desk) -> None:
    await desk.tell("/memory")
    await desk.press(await shown(desk), "✍️ Add a fact")
    prompt = await shown(desk)
    await answer(desk, prompt, "I like tea")
    await answer(desk, prompt, "I like  tea")
    assert await facts(desk) == ["I like tea"]


async def test_a_fix_that_is_handled_again_after_a_crash_is_confirmed(desk: Desk) -> None:
    """The words were noted, and the process died before it could say so."""
    memory, prompt = await ask_to_fix(desk)
    await desk.house.memory.fix(await desk.house.speaker(), memory.id, "Lives in  Prague")
    await answer(desk, prompt, "Lives in  Prague")
    assert (await shown(desk))["text"].startswith("✏️ Noted. From now on I know:\n\nLives in Prague\n")
    assert await facts(desk) == ["Lives in Prague"]


async def test_words_for_the_memory_are_no_part_of_what_is_said_at_the_same_time(desk: Desk) -> None:
    _, prompt = await ask_to_fix(desk)
    await desk.sandbox.say("Hello", ANN_ID)
    await desk.sandbox.say("Lives in Prague", ANN_ID, reply_to=prompt["message_id"])
    await desk.sandbox.say("How are you?", ANN_ID)
    await desk.run()
    assert await facts(desk) == ["Lives in Prague"]
    assert not any("Prague" in said.text for asked in desk.model.prompts for said in asked)
    said = desk.model.prompts[-1][-1].text
    assert "How are you?" in said


async def test_no_fact_is_in_the_log(desk: Desk) -> None:
    with structlog.testing.capture_logs() as lines:
        _, prompt = await ask_to_fix(desk, "Secret one")
        await answer(desk, prompt, "Secret two")
        await answer(desk, prompt, "Secret three")
        await answer(desk, prompt, "Secret" * 60)
    assert not any("Secret" in str(line) for line in lines)


async def test_an_address_in_a_fact_gets_no_preview(desk: Desk) -> None:
    _, prompt = await ask_to_fix(desk, "Writes at https://example.com")
    await answer(desk, prompt, "Writes at https://example.org")
    calls = [call["params"] for method in ("sendMessage", "editMessageText") for call in await desk.calls(method)]
    assert [call["link_preview_options"] for call in calls] == [{"is_disabled": True}] * 4


@pytest.mark.parametrize(("payload", "begins"), [("memory-new", "Mira knows nothing"), ("memorystick", "You are talking")])
async def test_only_our_own_links_open_the_memory(desk: Desk, payload: str, begins: str) -> None:
    await desk.tell(f"/start {payload}")
    assert (await shown(desk))["text"].startswith(begins)


async def club(desk: Desk) -> int:
    made = await desk.sandbox.sim("chats", {"type": "supergroup", "title": "Club", "members": [ANN_ID, BOB_ID], "bots": [BOT_ID]})
    await desk.run()
    return int(made["id"])


@pytest.mark.parametrize("command", ["/memory", "/forget", "/memory@vitte_bot", "/start memory"])
async def test_in_a_group_nothing_is_shown_but_the_way_to_the_private_chat(desk: Desk, command: str) -> None:
    ann = await desk.house.speaker()
    await desk.house.add(make_memory(ann, character_id=None))
    chat = await club(desk)
    await desk.tell(command, ANN_ID, chat)
    said = await shown(desk, chat)
    assert said["text"] == "What I know about you is between the two of us. Ask me /memory or /forget in our private chat."
    [[button]] = said["reply_markup"]["inline_keyboard"]
    assert (button["text"], button["url"]) == ("💬 Open the private chat", "https://t.me/vitte_bot?start=memory")
    await desk.tell("/start memory")
    assert "1. Lives in Brno 🌐" in (await shown(desk))["text"]


@pytest.mark.parametrize("data", ["mems:0", "memadd", "forget:yes", "forget:ask", f"mem:open:{SOME_ID}:0"])
async def test_a_press_in_a_group_shows_and_changes_nothing(desk: Desk, data: str) -> None:
    ann = await desk.house.speaker()
    await desk.house.add(make_memory(ann, character_id=None))
    chat = await club(desk)
    await desk.tell("/help", ANN_ID, chat)
    before = await desk.texts(chat)
    await press_unseen(desk, await shown(desk, chat), data, chat=chat)
    [told] = await desk.answered()
    assert (told["text"].startswith("What I know about you is between the two of us."), told["show_alert"]) == (True, True)
    assert (await desk.texts(chat), await facts(desk)) == (before, ["Lives in Brno"])


async def test_a_prompt_is_only_answered_in_private(desk: Desk) -> None:
    """Also when somebody carries the link into a group."""
    _, prompt = await ask_to_fix(desk)
    chat = await club(desk)
    await reply_to(desk, raw(prompt, chat), text="Lives in Prague")
    assert await facts(desk) == ["Lives in Brno"]


@pytest.mark.parametrize("data", ["mems:-1", "mems:x", "mems:99999", "mem:open:no-id:0", "mem:steal:0:0", "forget:all", "memadd:x"])
async def test_what_no_button_says_is_answered_and_does_nothing(desk: Desk, data: str) -> None:
    ann = await desk.house.speaker()
    await desk.house.add(make_memory(ann))
    await desk.tell("/memory")
    before = await desk.texts()
    await press_unseen(desk, await shown(desk), data)
    assert (len(await desk.answered()), await desk.texts(), await facts(desk)) == (1, before, ["Lives in Brno"])

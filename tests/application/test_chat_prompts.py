"""What the model hears, what that costs, and replies that no model is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.application.chat import ChatService, Said
from shared.application.ports import CachedReply, Role
from shared.domain.memory_search import Sought
from shared.domain.prompt import message_tokens
from shared.domain.speaker import Speaker
from tests.application.test_chat_money import OpenLimits, TwoModels
from tests.factories import BOB_ID, House, make_memory


@dataclass
class Shelf:
    """A reply cache in a dictionary."""

    kept: dict[str, CachedReply] = field(default_factory=dict)

    async def find(self, key: str) -> CachedReply | None:
        return self.kept.get(key)

    async def keep(self, key: str, reply: CachedReply) -> None:
        self.kept[key] = reply


@dataclass
class Notes:
    """A recall without embeddings that remembers what it was asked."""

    asked: list[str] = field(default_factory=list)

    async def sought(self, text: str) -> Sought:
        self.asked.append(text)
        return Sought()


async def say(chat: ChatService, speaker: Speaker, said: str, source: str = "1") -> str:
    return "".join([piece.text async for piece in chat.reply(speaker, [Said(source, said)])])


def events(logs: Sequence[Any], name: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in entry.items() if key not in {"event", "log_level"}} for entry in logs if entry["event"] == name]


async def test_the_same_first_words_to_the_same_character_are_answered_from_the_cache(house: House) -> None:
    ann, bob = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID, first_name="Bob")
    chat = replace(house.chat, reply_cache=Shelf())
    house.model.queue("I am Mira.", "Somebody else.")
    with capture_logs() as logs:
        assert await say(chat, ann, "Who  are you?") == "I am Mira."
        assert await say(chat, bob, "Who are you?") == "I am Mira."

    assert len(house.model.prompts) == 1
    assert "Ann" not in house.model.prompts[0][0].text
    assert await house.rows("select tier, status, cost_micros::int from turns order by id") == [
        (None, "finished", None),
        ("cache", "finished", 0),
    ]
    assert len(events(logs, "using_cached_response")) == 1
    assert (await house.used(bob), (await house.messages(bob))[-1]) == (1, ("assistant", "I am Mira."))


async def test_nothing_personal_is_ever_kept_or_answered_from_the_cache(house: House) -> None:
    ann, shelf = await house.speaker(), Shelf()
    chat = replace(house.chat, reply_cache=shelf)
    await say(chat, ann, "Hello, my dear")
    await say(chat, ann, "Who are you?", "2")
    assert len(shelf.kept) == 1
    assert '"user_name": "Ann"' in house.model.prompts[1][0].text

    await house.chat.start_over(ann)
    house.model.queue("Another one.")
    [(turn,)] = await house.rows("select max(id)::int from turns")
    await say(chat, ann, "x" * 300, "3")
    assert (len(shelf.kept), turn) == (1, 2)


async def test_another_reply_never_comes_from_the_cache(house: House) -> None:
    ann, chat = await house.speaker(), replace(house.chat, reply_cache=Shelf())
    house.model.queue("Red.", "Blue.")
    await say(chat, ann, "A colour, please?")
    [(turn,)] = await house.rows("select id::int from turns")
    assert "".join([piece.text async for piece in chat.regenerate(ann, turn, source_id="regen:1")]) == "Blue."


@pytest.mark.parametrize("change", [{"level": "beginner"}, {"language": "ru"}])
async def test_another_level_or_language_is_another_reply(house: House, change: dict[str, str]) -> None:
    ann, bob, shelf = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID), Shelf()
    chat = replace(house.chat, reply_cache=shelf)
    await say(chat, ann, "Who are you?")
    await say(chat, replace(bob, **change), "Who are you?")  # type: ignore[arg-type]
    assert (len(house.model.prompts), len(shelf.kept)) == (2, 2)


@pytest.mark.parametrize("change", ["system_prompt = 'You are somebody new.'", """settings = '{"temperature": 0.1}'"""])
async def test_a_changed_character_says_nothing_of_what_the_old_one_said(house: House, change: str) -> None:
    ann, bob, shelf = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID), Shelf()
    chat = replace(house.chat, reply_cache=shelf)
    house.model.queue("As I was.", "As I am.")
    assert await say(chat, ann, "Who are you?") == "As I was."
    await house.rows(f"update characters set {change} where id = :id returning id", id=ann.character_id)
    assert await say(chat, bob, "Who are you?") == "As I am."
    assert (len(house.model.prompts), len(shelf.kept)) == (2, 2)


@pytest.mark.parametrize("known", ["memory", "summary"])
async def test_whoever_is_remembered_neither_takes_from_the_cache_nor_puts_into_it(house: House, known: str) -> None:
    ann, bob, shelf = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID, first_name="Bob"), Shelf()
    chat = replace(house.chat, reply_cache=shelf)
    if known == "memory":
        await house.add(make_memory(ann, fact="Lives in Brno", is_pinned=True))
    else:
        columns = "dialog_id, text, until_message_id, tokens_before, tokens_after"
        row = f"insert into summaries ({columns}) values (:dialog, 'Lives in Brno', 0, 90, 9) returning 1"
        await house.rows(row, dialog=ann.dialog_id)
    house.model.queue("To Bob.", "To Ann, of Brno.", "Never said.")
    await say(chat, bob, "Who are you?")
    kept = dict(shelf.kept)
    assert await say(chat, ann, "Who are you?") == "To Ann, of Brno."
    assert "Lives in Brno" in house.model.prompts[1][0].text
    assert (shelf.kept, [reply.text for reply in kept.values()]) == (kept, ["To Bob."])


async def test_past_the_soft_limit_half_of_the_tokens_are_read(house: House) -> None:
    await house.speaker()
    await house.rows("update plans set daily_micros = 1250, daily_turns = null returning code")
    ann, models = await house.speaker(), TwoModels()
    chat = replace(house.chat, models=models, limits=OpenLimits(), switches=house.switches, prompt_tokens=400)
    for number in range(11):
        await say(replace(chat), ann, f"What was that about the river and the old mill, number {number}?", str(number))

    assert (len(models.strong.prompts), len(models.simple.prompts)) == (10, 1)
    before, after = [sum(map(message_tokens, prompt[1:])) for prompt in (models.strong.prompts[-1], models.simple.prompts[0])]
    assert 300 < before <= 400
    assert 100 < after <= 200


async def test_what_is_left_out_of_a_prompt_is_logged_in_tokens_and_without_a_word(house: House) -> None:
    ann, chat = await house.speaker(), replace(house.chat, prompt_tokens=200)
    for number in range(4):
        await say(chat, ann, f"My secret number {number} is told in a whole sentence. " * 2, str(number))
    with capture_logs() as logs:
        await say(chat, ann, "word " * 1000, "9")

    [trimmed] = events(logs, "token_optimization")
    assert trimmed.keys() == {"turn_id", "tokens_before", "tokens_after", "left_out", "shortened"}
    assert (trimmed["left_out"] > 3, trimmed["shortened"]) == (True, 1)
    assert trimmed["tokens_after"] < trimmed["tokens_before"]
    assert "secret" not in str(logs)
    assert house.model.prompts[-1][-1].text.startswith("word word")


async def test_small_talk_is_logged_as_using_the_simple_model_and_success_with_its_numbers(house: House) -> None:
    ann = await house.speaker()
    chat = replace(house.chat, models=TwoModels())
    with capture_logs() as logs:
        await say(chat, ann, "Hi!")
    assert events(logs, "using_simple_model") == [{"turn_id": 1, "reason": "small_talk", "model": "scripted:simple"}]
    [done] = events(logs, "completion_success")
    assert (done["cost_micros"], done["prompt_tokens"], done["tier"], done["status"]) == (10, 900, "simple", "finished")


@pytest.mark.parametrize(
    ("chosen", "reported", "booked"),
    [
        ("scripted:simple", [{"turn_id": 1, "reason": "user", "model": "scripted:simple"}], ("scripted:simple", "simple", 10)),
        ("scripted:gone", [], ("scripted:strong", "strong", 100)),
    ],
)
async def test_a_turn_is_booked_where_the_model_belongs_that_its_user_chose(
    house: House, chosen: str, reported: list[dict[str, Any]], booked: tuple[str, str, int]
) -> None:
    ann = replace(await house.speaker(), chosen_model=chosen, may_choose_model=True)
    with capture_logs() as logs:
        await say(replace(house.chat, models=TwoModels()), ann, "Why do leaves turn red in autumn?")
    assert events(logs, "using_simple_model") == reported
    assert await house.rows("select model, tier, cost_micros::int from turns") == [booked]


async def test_memory_is_asked_for_what_has_to_do_with_the_words(house: House) -> None:
    ann, notes = await house.speaker(), Notes()
    await say(replace(house.chat, recall=notes), ann, "I live in Brno")
    assert notes.asked == ["I live in Brno"]


async def test_the_level_of_a_learner_is_told_as_data(house: House) -> None:
    ann = await house.speaker()
    await say(house.chat, replace(ann, level="beginner"), "Hi")
    system = house.model.prompts[0][0]
    assert (system.role, '"level": "beginner"' in system.text) == (Role.SYSTEM, True)

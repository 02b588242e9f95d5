"""/settings: the level that a tutor goes by, and the model where the plan allows a choice."""

from typing import Any

import pytest

from services.bot.handlers.settings import PickLevel, PickModel, settings
from tests.factories import ANN_ID, BOT_ID, make_speaker, make_update
from tests.services.bot.desk import Desk, Message

MODELS = {"openrouter:" + "a-very-long-name/" * 5: "strong", "openai:gpt-4o-mini": "simple"}
LONG, SIMPLE = MODELS


async def settings_of(desk: Desk) -> Message:
    await desk.tell("/settings")
    return (await desk.seen())[-1]


async def press(desk: Desk, under: Message, data: str) -> None:
    message: dict[str, Any] = {
        "message_id": under["message_id"],
        "date": 1_790_000_000,
        "chat": {"id": ANN_ID, "type": "private"},
        "text": "x",
    }
    body = make_update(900, kind="callback_query", message=message, data=data)
    await desk.application.inbox.receive(BOT_ID, [body], notice="desk")
    await desk.work()


async def test_a_level_is_chosen_and_taken_back(desk: Desk) -> None:
    shown = await settings_of(desk)
    assert [label for label, _ in desk.buttons(shown)] == [
        "Beginner",
        "Intermediate",
        "Advanced",
        "Like a native",
        "✓ I would rather not say",
        "‹ Back",
    ]
    await desk.press(shown, "Beginner")
    assert "You said: beginner." in (await desk.seen())[-1]["text"]
    assert await desk.house.rows("select level from users") == [("beginner",)]
    await desk.press((await desk.seen())[-1], "I would rather not say")
    assert await desk.house.rows("select level from users") == [(None,)]


async def test_what_no_button_offers_changes_nothing(desk: Desk) -> None:
    shown = await settings_of(desk)
    await press(desk, shown, PickLevel(level="wizard").pack())
    assert await desk.house.rows("select level, chosen_model from users") == [(None, None)]
    await press(desk, shown, PickModel(digest="0" * 16).pack())
    assert await desk.house.rows("select level, chosen_model from users") == [(None, None)]


def test_models_are_shown_only_where_the_plan_has_a_choice_and_fit_on_a_button() -> None:
    closed, open_to_them = (settings(make_speaker(may_choose_model=may), MODELS) for may in (False, True))
    assert len(closed.keyboard.inline_keyboard) == 4
    assert "🪶" not in closed.html
    labels = [row[0].text for row in open_to_them.keyboard.inline_keyboard[3:]]
    assert labels == [LONG, f"🪶 {SIMPLE}", "✓ Choose for me", "‹ Back"]
    assert "🪶 simpler" in open_to_them.html
    assert all(len((button.callback_data or "").encode()) <= 64 for row in open_to_them.keyboard.inline_keyboard for button in row)
    chosen = settings(make_speaker(may_choose_model=True, chosen_model=SIMPLE), MODELS)
    assert f"You chose <b>{SIMPLE}</b>." in chosen.html
    assert [row[0].text for row in chosen.keyboard.inline_keyboard[3:]] == [LONG, f"✓ 🪶 {SIMPLE}", "Choose for me", "‹ Back"]
    gone = settings(make_speaker(may_choose_model=True, chosen_model="openai:gone"), MODELS)
    assert "We choose the one that fits." in gone.html
    assert "🪶" not in settings(make_speaker(may_choose_model=True), dict.fromkeys(MODELS, "strong")).html


@pytest.mark.parametrize(("tier", "rows"), [("auto", 7), ("strong", 4), ("simple", 4)])
def test_nobody_is_offered_a_model_that_their_plan_would_pass_over(tier: str, rows: int) -> None:
    shown = settings(make_speaker(may_choose_model=True, plan_tier=tier), MODELS)
    assert len(shown.keyboard.inline_keyboard) == rows

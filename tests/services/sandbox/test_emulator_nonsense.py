"""Nonsense in any parameter of any method is refused as Telegram refuses; the emulator itself never breaks."""

import random
from typing import Any

from services.sandbox import groups, people
from services.sandbox.api import perform
from services.sandbox.methods.registry import METHODS
from services.sandbox.params import Params, Upload
from services.sandbox.world import Bot, World

CALLS = 6_000
NAMES = [
    "chat_id", "text", "caption", "message_id", "message_ids", "parse_mode", "entities", "caption_entities", "reply_markup",
    "reply_parameters", "reply_to_message_id", "message_thread_id", "draft_id", "action", "offset", "limit",
    "allowed_updates", "secret_token", "from_chat_id", "photo", "voice", "document", "video", "audio", "sticker", "media",
    "file_id", "commands", "scope", "language_code", "menu_button", "name", "description", "short_description", "reaction",
    "user_id", "callback_query_id", "inline_message_id", "link_preview_options", "can_stop", "duration", "width", "title",
]  # fmt: skip
NONSENSE: list[Any] = [
    "", 0, -1, 5, "5", "abc", "null", "[]", "{}", "[1]", '{"type":"x"}', [], {}, [1, "a", None, {}], True, 1.5, "9" * 40, 1e300,
    {"message_id": "abc"}, {"message_id": [1]}, "HTML", "MarkdownV2", "Markdown", "<b>x", "*a", "\x00", "x" * 5000, "http://[",
    {"inline_keyboard": 5}, {"inline_keyboard": [[5]]}, {"inline_keyboard": [[{"text": 5}]]}, {"keyboard": [[5]]}, {"keyboard": [["a"]]},
    {"inline_keyboard": [[{"text": "a", "callback_data": 5}]]}, {"inline_keyboard": [[{"text": "a", "web_app": 5}]]}, {"force_reply": 1},
    {"inline_keyboard": [[{"text": "a", "url": 5}]]}, [{"type": "photo", "media": 5}], [{"type": "photo"}],
    [{"type": "emoji", "emoji": []}],
    {"type": "chat", "chat_id": {}}, {"type": "web_app", "web_app": 5}, [{"command": 5}], {"type": []}, [{"type": []}], "typing",
    [{"type": "bold", "offset": True, "length": 1}], [{"type": "bold", "offset": 0, "length": 1}], [{"type": "emoji", "emoji": "👍"}],
]  # fmt: skip


def a_little_world() -> tuple[World, Bot, list[int]]:
    world = World()
    bot = world.bot_of("77:TEST")
    user = world.add_user("Ann", None, "en", 5)
    world.private_chat(bot, user)
    people.say(world, people.find_place(world, 77, 5, 5), people.text_content("hi"))
    group = groups.add_group(world, "supergroup", "x", [5], [77], is_forum=True)
    return world, bot, [5, group.id]


def nonsense(dice: random.Random, chats: list[int], messages: list[int]) -> Params:
    values = {name: dice.choice(NONSENSE) for name in dice.sample(NAMES, dice.randint(1, 8))}
    if dice.random() < 0.8:
        values["chat_id"] = dice.choice(chats)
    if dice.random() < 0.6:
        values["message_id"] = dice.choice(messages)
    if dice.random() < 0.5:
        values["text"] = "hello"
    files = {dice.choice(["photo", "voice", "a"]): Upload(b"x", dice.choice(["", "a.png"]), "")} if dice.random() < 0.3 else {}
    return Params(values, files)


async def test_no_call_breaks_the_emulator() -> None:
    world, bot, chats = a_little_world()
    dice, statuses = random.Random(20261121), set()
    for _ in range(CALLS):
        bot.logged_out_until = 0
        for chat in (bot.private[5], world.groups[chats[1]]):
            chat.paced.clear()
            chat.sent.clear()
            chat.bots[77] = "administrator" if not chat.private else "member"
        name = dice.choice([name for name in METHODS if name != "setwebhook"])
        status, body = await perform(world, bot, name, nonsense(dice, chats, list(bot.private[5].messages) or [1]))
        statuses.add(status)
        assert body.startswith(b'{"ok":true' if status == 200 else b'{"ok":false')
    assert {200, 400} <= statuses <= {200, 400, 403, 404}
    await world.close()

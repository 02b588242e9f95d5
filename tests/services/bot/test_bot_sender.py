"""One call from the outbox on its way to Telegram: in which forms it is tried, and what its refusal means."""

from typing import Any

import pytest
from aiogram import Bot

from services.bot.sender import RefusedError, Sender, TelegramAwayError, UnreachableError
from shared.domain.inbox import Outgoing
from tests.services.bot import bot_api
from tests.services.bot.bot_api import BotApi, hang_up, refusing

server, api, pauses, bot = bot_api.server, bot_api.api, bot_api.pauses, bot_api.bot

FULL: dict[str, Any] = {
    "chat_id": -7,
    "message_thread_id": 3,
    "text": "I am\u0007 glad.\n\U0001f98a",
    "entities": [{"type": "bold", "offset": 0, "length": 4}],
    "reply_parameters": {"message_id": 1},
}
CALL = Outgoing(method="sendMessage", params=FULL)


async def test_the_id_of_the_message_that_was_made_is_answered(api: BotApi, bot: Bot) -> None:
    assert await Sender(bot).send(CALL) == 5
    assert [body for _, _, body in api.calls] == [FULL]


async def test_a_call_that_makes_no_message_answers_none(api: BotApi, bot: Bot) -> None:
    api.will_answer(True)
    assert await Sender(bot).send(Outgoing(method="deleteMessage", params={"chat_id": 7, "message_id": 1})) is None


async def test_what_is_refused_is_tried_in_plainer_and_plainer_forms(api: BotApi, bot: Bot) -> None:
    api.will_answer(refusing(400, "Bad Request: can't parse entities"), refusing(400, "Bad Request: message thread not found"))
    assert await Sender(bot).send(CALL) == 5
    bare = {name: value for name, value in FULL.items() if name != "entities"}
    assert [body for _, _, body in api.calls] == [FULL, bare, {"chat_id": -7, "text": "I am glad.\n\U0001f98a"}]


async def test_what_is_refused_in_every_form_is_refused_but_the_chat_is_not_given_up(api: BotApi, bot: Bot) -> None:
    api.will_answer(*(refusing(400, "Bad Request: something new") for _ in range(3)))
    with pytest.raises(RefusedError, match="something new"):
        await Sender(bot).send(CALL)
    assert len(api.calls) == 3


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (403, "Forbidden: user is deactivated"),
        (400, "Bad Request: chat not found"),
    ],
)
async def test_whoever_cannot_be_reached_is_tried_once(api: BotApi, bot: Bot, status: int, words: str) -> None:
    api.will_answer(refusing(status, words))
    with pytest.raises(UnreachableError):
        await Sender(bot).send(CALL)
    assert len(api.calls) == 1


async def test_a_group_that_became_a_supergroup_is_written_to_under_its_new_number(api: BotApi, bot: Bot) -> None:
    api.will_answer(refusing(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1007))
    assert await Sender(bot).send(CALL) == 5
    assert [body for _, _, body in api.calls] == [FULL, {**FULL, "chat_id": -1007}]


async def test_a_flood_wait_too_long_to_sit_out_comes_back_with_its_seconds(api: BotApi, bot: Bot) -> None:
    api.will_answer(refusing(429, "Too Many Requests: retry after 600", retry_after=600))
    with pytest.raises(TelegramAwayError) as away:
        await Sender(bot).send(CALL)
    assert (away.value.retry_after, len(api.calls)) == (600.0, 1)


@pytest.mark.parametrize("failure", [hang_up, refusing(502, "Bad Gateway"), refusing(500, "Internal Server Error")])
async def test_a_call_nobody_knows_the_end_of_is_made_again_later_not_now(api: BotApi, bot: Bot, failure: Any) -> None:
    api.will_answer(failure)
    with pytest.raises(TelegramAwayError) as away:
        await Sender(bot).send(CALL)
    assert (away.value.retry_after, len(api.calls)) == (3.0, 1)

"""Ten times as many people write as can be answered: who pays is answered, nobody waits for nothing, nobody is left without a word."""

import asyncio
import random

import pytest

from tests.crash.conftest import MakeHouse
from tests.crash.house import eventually
from tests.crash.load import Load, questions_in

pytestmark = pytest.mark.crash

PLACES, THINKING_MS, PEOPLE, PAYING = 4, 400, 200, 12
SHED_AFTER = 3
TOLD = "Too many people are writing at this moment"


@pytest.mark.timeout(120)
async def test_in_a_crowd_who_pays_is_answered_and_the_others_are_answered_or_told_in_time(make_house: MakeHouse) -> None:
    house = await make_house("webhook")
    load = Load(house, random.Random(5), users=PEOPLE)
    await load.prepare(repeated=False)
    await house.sandbox.mend()
    paying = set(random.Random(6).sample(load.people(), PAYING))
    await house.start_bot(MAX_CONCURRENT_UPDATES=str(PLACES))
    await house.sandbox.model(first_token_ms=1)
    for user in paying:
        await load.ask_one(user)
    await house.until_quiet(20)
    await house.ask("insert into plans (code, position, is_paid) values ('crowd', 9, true) returning code")
    await house.ask(
        "update subscriptions set plan_code = 'crowd' where user_id in (select id from users where telegram_user_id = any($1::bigint[])) "
        "returning 1",
        sorted(paying),
    )
    await house.ask("update lanes set is_paid = true where lane = any($1::text[]) returning 1", [f"chat:{user}" for user in paying])
    await house.ask(
        "insert into settings (key, value, updated_by, updated_at) values ('shed_after_seconds', $1::text::jsonb, 'test', now()), "
        "('cache_epoch', '9', 'test', now()) on conflict (key) do update set value = excluded.value returning 1",
        str(SHED_AFTER),
    )
    await asyncio.sleep(5.5)  # until the bot has heard of the switches
    await house.sandbox.model(first_token_ms=THINKING_MS)

    for user in random.Random(7).sample(load.people(), PEOPLE):
        await load.ask_one(user)

    async def all_heard() -> bool:
        return await house.count("select count(*) from stored_updates where status = 'pending'") == 0

    await eventually(all_heard, 60, "everybody had an answer or a word")
    sent = await house.sandbox.messages_sent(house.bot_id)
    told = {call.params["chat_id"] for call in sent if call.params["text"].startswith(TOLD)}
    answered = {key for call in sent for key in questions_in(call.params["text"])}
    asked = set(load.asked.values())
    assert {user for user, _ in asked - answered} == told, "each has an answer or a word, and not both"
    assert not told & paying
    assert len(told) > PEOPLE / 2, "there was no crowd"
    waited = await house.ask(
        "select extract(epoch from max(handled_at - received_at))::float8 as most, "
        "count(*) filter (where status <> 'handled') as left_over from stored_updates"
    )
    assert (waited[0]["left_over"], waited[0]["most"] < 30) == (0, True)
    first_after = sorted((call.at, call.params["chat_id"]) for call in sent if questions_in(call.params["text"]))[PAYING:]
    of_those = {chat for _, chat in first_after[: PAYING + 3 * PLACES]}
    assert paying <= of_those, "who pays did not wait behind the others"

"""Several models that answer as one."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
import structlog

from shared.adapters.llm import Fault, ScriptedModel
from shared.adapters.llm.breaker import BreakerRule
from shared.adapters.llm.line import RetryRule
from shared.adapters.llm.reply_in_parts import GO_ON
from shared.application.ports import FinishReason, ModelUnavailableError, Role, Usage
from shared.domain.prompt import estimate_tokens, message_tokens
from tests.adapters.listening import PROMPT, listen_until_failure
from tests.adapters.pooling import QUICK, pooled, scripted

STORY = "Once upon a time there was a fox."
QUICK_RETRY = RetryRule(first_delay=0.02, longest_delay=0.05, within=0.5)


async def test_the_first_model_answers_while_it_is_well() -> None:
    first, second = scripted()
    house = pooled([first, second])

    *_, last = await house.read()

    assert (last.model, last.usage) == ("first:m", Usage(prompt_tokens=6, completion_tokens=4, cost_micros=6 * 1 + 4 * 2))
    assert second.prompts == []


@pytest.mark.parametrize("reason", ["refused", "server_error", "rate_limited", "garbage", "empty", "timeout_first_token", "bad_request"])
async def test_a_failure_before_the_first_text_moves_on_at_once(reason: str) -> None:
    first, second = scripted()
    first.break_next(Fault(reason=reason, retry_after=30.0))
    house = pooled([first, second])

    with structlog.testing.capture_logs() as lines:
        began = asyncio.get_running_loop().time()
        *pieces, last = await house.read()

    assert asyncio.get_running_loop().time() - began < 0.1
    assert ("".join(piece.text for piece in pieces), last.model) == ("You said: hello", "second:m")
    [told] = [line for line in lines if line["event"] == "provider_failover"]
    assert (told["from_model"], told["to_model"], told["reason"]) == ("first:m", "second:m", reason)


@pytest.mark.parametrize("reason", ["no_text", "bad_request"])
async def test_a_prompt_that_no_model_can_answer_is_told_as_such_though_another_one_is_away(reason: str) -> None:
    first, second = scripted()
    first.break_next(Fault(reason=reason))
    second.break_next(Fault(reason="refused"))
    house = pooled([first, second])
    with pytest.raises(ModelUnavailableError) as told:
        await house.read()
    assert (told.value.reason, told.value.is_about_prompt) == (reason, True)
    assert house.breakers.of("first:m").is_closed


@pytest.mark.parametrize("second_says", [STORY, "there was a fox.", " there was a fox.", "a time there was a fox."])
async def test_a_reply_that_is_cut_goes_on_without_doubled_text(second_says: str) -> None:
    first, second = scripted()
    first.queue(STORY)
    first.break_next(Fault.cut(after_pieces=4))
    second.queue(second_says)
    house = pooled([first, second])

    *pieces, last = await house.read()

    assert "".join(piece.text for piece in pieces) == STORY
    assert (last.finish, last.model) == (FinishReason.STOP, "second:m")
    asked = second.prompts[-1]
    assert asked[: len(PROMPT)] == PROMPT
    assert [(message.role, message.text) for message in asked[len(PROMPT) :]] == [
        (Role.ASSISTANT, "Once upon a time"),
        (Role.USER, GO_ON),
    ]


async def test_what_the_first_model_said_until_the_cut_is_paid_once() -> None:
    first, second = scripted()
    first.queue(STORY)
    first.break_next(Fault.cut(after_pieces=4))
    second.queue("there was a fox.")
    house = pooled([first, second])

    *_, last = await house.read()

    estimated = (sum(map(message_tokens, PROMPT)), estimate_tokens("Once upon a time"))
    told = (sum(estimate_tokens(message.text) for message in second.prompts[-1]), estimate_tokens("there was a fox."))
    assert last.usage == Usage(
        prompt_tokens=estimated[0] + told[0],
        completion_tokens=estimated[1] + told[1],
        cost_micros=(estimated[0] * 1 + estimated[1] * 2) + (told[0] * 10 + told[1] * 20),
    )


async def test_the_only_model_goes_on_itself_once() -> None:
    [model] = scripted(1)
    model.queue(STORY, STORY)
    model.break_next(Fault.cut(after_pieces=3), None)

    assert await pooled([model]).say() == STORY


async def test_a_reply_that_nobody_can_finish_keeps_what_was_said_and_tells() -> None:
    first, second = scripted()
    first.break_next(*[Fault.cut(after_pieces=1)] * 3)
    second.down = Fault.refused()

    heard, failure = await listen_until_failure(pooled([first, second]).pool)

    assert "".join(heard) == "You"
    assert (failure.started, failure.reason) == (True, "cut")


async def test_a_filter_is_no_failure() -> None:
    first, second = scripted()
    first.queue([])
    first.finish = FinishReason.FILTERED
    house = pooled([first, second])

    [last] = await house.read()

    assert (last.finish, last.model) == (FinishReason.FILTERED, "first:m")


async def test_a_refused_temperature_is_left_out_from_then_on() -> None:
    first, second = scripted()
    first.break_next(Fault(reason="bad_request"))
    house = pooled([first, second])

    for _ in range(2):
        *_, last = await house.read(temperature=0.9)
        assert last.model == "first:m"

    assert first.temperatures == [0.9, None, None]
    assert house.breaker(0).is_closed


async def test_a_refused_key_is_not_tried_again_and_the_log_names_the_setting() -> None:
    first, second = scripted()
    first.down = Fault(reason="unauthorized")
    house = pooled([first, second])
    house.breaker(0).setting = "FIRST_API_KEY"

    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            assert await house.say() == "You said: hello"

    assert len(first.prompts) == 1
    [opened] = [line for line in lines if line["event"] == "breaker_opened"]
    assert (opened["model"], opened["reason"], opened["setting"]) == ("first:m", "unauthorized", "FIRST_API_KEY")


async def test_a_refused_request_says_nothing_about_the_models_health() -> None:
    first, second = scripted()
    first.down = Fault(reason="bad_request")
    house = pooled([first, second], rule=BreakerRule(failures=2))

    for _ in range(5):
        await house.say()

    assert (len(first.prompts), house.breaker(0).is_closed) == (5, True)


async def test_the_last_model_is_tried_again_as_long_as_a_person_would_wait() -> None:
    [model] = scripted(1)
    model.break_next(Fault.refused(), Fault.refused(), None)

    assert await pooled([model], retry=QUICK_RETRY).say() == "You said: hello"
    assert len(model.prompts) == 3


def test_pauses_double_up_to_the_longest_and_no_two_replies_keep_in_step() -> None:
    rule = RetryRule(first_delay=0.5, longest_delay=4.0)
    for attempt, usual in enumerate([0.5, 1.0, 2.0, 4.0, 4.0], start=1):
        delays = [rule.delay(attempt, None) for _ in range(400)]
        assert usual / 2 <= min(delays) < usual * 0.55
        assert usual * 0.95 < max(delays) <= usual
        assert len(set(delays)) > 390


def test_a_provider_that_asks_for_more_time_gets_exactly_that_and_less_shortens_nothing() -> None:
    rule = RetryRule(first_delay=0.5, longest_delay=4.0)
    assert [rule.delay(attempt, 7.5) for attempt in (1, 2, 5)] == [7.5, 7.5, 7.5]
    assert min(rule.delay(3, 0.1) for _ in range(100)) >= 1.0


async def test_a_provider_that_asks_for_time_gets_it() -> None:
    [model] = scripted(1)
    model.break_next(Fault.rate_limited(0.2), None)
    began = asyncio.get_running_loop().time()

    assert await pooled([model], retry=QUICK_RETRY).say() == "You said: hello"
    assert 0.2 <= asyncio.get_running_loop().time() - began < 0.4


async def test_who_asks_for_too_much_time_is_not_waited_for() -> None:
    [model] = scripted(1)
    model.break_next(Fault.rate_limited(30.0))
    began = asyncio.get_running_loop().time()

    with pytest.raises(ModelUnavailableError) as failure:
        await pooled([model], retry=QUICK_RETRY).read()

    assert asyncio.get_running_loop().time() - began < 0.1
    assert (failure.value.reason, failure.value.retry_after, failure.value.started) == ("rate_limited", 30.0, False)


async def test_with_a_fallback_at_hand_nobody_is_tried_twice() -> None:
    first, second = scripted()
    first.down = Fault.refused()

    await pooled([first, second], retry=QUICK_RETRY).say()

    assert (len(first.prompts), len(second.prompts)) == (1, 1)


async def test_a_silent_model_is_left_when_those_before_were_silent_too() -> None:
    """Patience is a quarter of the deadline of 0.4 s; the breaker opens with the second silent call, and all move on."""
    first, second = scripted()
    first.break_next(*[Fault.hang()] * 10)
    house = pooled([first, second], rule=BreakerRule(failures=2))
    began = asyncio.get_running_loop().time()

    async with asyncio.TaskGroup() as group:
        said = [group.create_task(house.say()) for _ in range(10)]

    assert {reply.result() for reply in said} == {"You said: hello"}
    assert asyncio.get_running_loop().time() - began < 0.3
    assert first.open_streams == 0


async def test_of_silent_calls_in_a_row_only_the_first_is_waited_for() -> None:
    first, second = scripted()
    first.break_next(Fault(reason="timeout_first_token"), Fault.hang())
    house = pooled([first, second])
    await house.say()
    began = asyncio.get_running_loop().time()

    assert await house.say() == "You said: hello"
    assert 0.1 <= asyncio.get_running_loop().time() - began < 0.3
    assert house.breaker(0).is_closed


async def test_a_single_silent_model_is_waited_for() -> None:
    first, second = scripted()
    first.first_token_seconds = 0.2
    house = pooled([first, second])

    assert await house.say() == "You said: hello"
    assert second.prompts == []


async def test_a_reply_longer_than_allowed_is_ended() -> None:
    first, second = scripted()
    first.queue(["x" * 60] * 10)

    *pieces, last = await pooled([first, second], max_reply_chars=100).read()

    assert "".join(piece.text for piece in pieces) == "x" * 100
    assert last.finish is FinishReason.LENGTH
    assert first.open_streams == 0


async def test_the_tokens_left_are_those_not_yet_said() -> None:
    first, second = scripted()
    first.queue("word " * 100)
    first.break_next(Fault.cut(after_pieces=50))

    await pooled([first, second]).read(max_tokens=200)

    assert first.longest == [200]
    assert second.longest[0] is not None
    assert 130 <= second.longest[0] <= 150


async def test_leaving_closes_the_model_that_speaks() -> None:
    first, second = scripted()
    first.break_next(Fault.refused())
    second.break_next(Fault.hang(after_pieces=1))

    async with aclosing(pooled([first, second]).pool.stream(PROMPT)) as pieces:
        assert (await anext(pieces)).text == "You"

    assert (first.open_streams, second.open_streams) == (0, 0)


async def test_a_check_passes_when_one_model_can_be_reached() -> None:
    first, second = scripted()
    house = pooled([first, second])
    first.down = Fault.refused()
    await house.pool.check()

    second.down = Fault.refused()
    with pytest.raises(ModelUnavailableError):
        await house.pool.check()


async def hedged(first_seconds: float, second_seconds: float) -> tuple[str | None, list[ScriptedModel]]:
    models = scripted()
    house = pooled(models, hedging=True)
    for _ in range(10):
        house.pool.members[0].first_tokens.add(0.02)
    models[0].first_token_seconds, models[1].first_token_seconds = first_seconds, second_seconds
    *pieces, last = await house.read()
    assert "".join(piece.text for piece in pieces) == "You said: hello"
    assert [model.open_streams for model in models] == [0, 0]
    return last.model, models


async def test_hedging_asks_the_next_when_the_first_is_slower_than_it_uses_to_be() -> None:
    assert (await hedged(0.3, 0.0))[0] == "second:m"


async def test_hedging_hears_the_first_when_it_speaks_first_after_all() -> None:
    assert (await hedged(0.06, 0.3))[0] == "first:m"


async def test_hedging_asks_nobody_else_while_the_first_is_as_quick_as_ever() -> None:
    winner, models = await hedged(0.0, 0.0)

    assert (winner, models[1].prompts) == ("first:m", [])


@pytest.mark.parametrize("down", [0, 1])
async def test_hedging_survives_either_failing(down: int) -> None:
    models = scripted()
    house = pooled(models, hedging=True)
    for _ in range(10):
        house.pool.members[0].first_tokens.add(0.02)
    models[0].first_token_seconds = 0.06
    models[down].down = Fault.refused()

    assert await house.say() == "You said: hello"


async def test_hedging_tells_when_both_fail() -> None:
    models = scripted()
    house = pooled(models, hedging=True)
    for _ in range(10):
        house.pool.members[0].first_tokens.add(0.02)
    for model in models:
        model.break_next(Fault.hang(), Fault.refused())
    models[0].faults.popleft()
    models[1].faults.popleft()

    with pytest.raises(ModelUnavailableError, match=r"first:m \(refused\), second:m \(refused\)"):
        await house.read()


async def test_when_a_silent_model_is_shut_those_who_wait_for_it_leave_at_once() -> None:
    """Patience ends after 0.1 s, so the third silent call opens the breaker at 0.14 s; the fourth has waited for 80 ms then."""
    house = pooled(scripted(), rule=BreakerRule(failures=3))
    first, second = house.models
    first.down = Fault.hang()
    second.say = lambda _: "Yes."

    async def ask(after: float) -> float:
        await asyncio.sleep(after)
        began = asyncio.get_running_loop().time()
        assert await house.say() == "Yes."
        return asyncio.get_running_loop().time() - began

    *before, last = await asyncio.gather(*(ask(after) for after in (0.0, 0.02, 0.04, 0.06)))

    assert min(before) >= 0.1
    assert last < 0.1
    assert first.open_streams == 0
    assert not house.breaker(0).is_closed
    assert not house.breaker(0).on_opening


async def test_when_refusals_shut_a_model_who_was_accepted_before_is_answered_by_it() -> None:
    """It speaks within the time it usually takes; one that does not is left then."""
    house = pooled(scripted(), rule=BreakerRule(failures=2), limits=replace(QUICK, first_token_timeout=5.0))
    first, second = house.models
    second.say = lambda _: "From the second."
    first.say = lambda _: "From the first."
    for _ in range(20):
        house.pool.members[0].spoke(0.2)
    first.first_token_seconds = 0.1
    accepted = asyncio.ensure_future(house.say())
    await asyncio.sleep(0.01)
    first.first_token_seconds = 3.0
    forgotten = asyncio.ensure_future(house.say())
    await asyncio.sleep(0.01)
    first.down = Fault.rate_limited(30)

    assert [await house.say(), await house.say()] == ["From the second."] * 2
    assert not house.breaker(0).is_closed

    assert await accepted == "From the first."
    assert await asyncio.wait_for(forgotten, 0.5) == "From the second."

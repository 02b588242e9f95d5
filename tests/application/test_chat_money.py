"""Money of users and bots: held back before the model is asked, settled after, and never far over a limit."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest

from shared.adapters.llm.scripted import Fault, ScriptedModel
from shared.application.chat import ChatService, Reply, Said
from shared.application.ports import ChatModel, FinishReason, ModelUnavailableError, Piece, PromptMessage, Usage
from shared.application.reports import ReportService
from shared.domain.budget import BudgetSpentError
from shared.domain.errors import ContentRejectedError
from shared.domain.inbox import Lease, Outgoing
from shared.domain.speaker import Speaker
from tests.factories import BOT_ID, NOON, House, make_update, open_house

PURSES = "select scope, reserved_micros::int, spent_micros::int from spendings order by scope"


@dataclass
class PricedModel(ScriptedModel):
    """Every reply costs the same."""

    micros: int = 100

    async def stream(self, prompt: Sequence[PromptMessage], *, temperature: float | None = None, max_tokens: int | None = None):  # type: ignore[no-untyped-def, override]
        async for piece in ScriptedModel.stream(self, prompt, temperature=temperature, max_tokens=max_tokens):
            usage = Usage(prompt_tokens=900, completion_tokens=10, cost_micros=self.micros)
            yield replace(piece, usage=usage) if piece.finish else piece


@dataclass
class TwoModels:
    strong: ScriptedModel = field(default_factory=lambda: PricedModel(name="scripted:strong", micros=100))
    simple: ScriptedModel = field(default_factory=lambda: PricedModel(name="scripted:simple", micros=10))

    def pool(self, tier: Literal["strong", "simple"]) -> ChatModel:
        return self.strong if tier == "strong" else self.simple

    def find(self, name: str) -> ChatModel | None:
        return self.simple if name == self.simple.name else None

    def tier_of(self, name: str) -> Literal["strong", "simple"] | None:
        tiers: dict[str, Literal["strong", "simple"]] = {self.strong.name: "strong", self.simple.name: "simple"}
        return tiers.get(name)

    def names(self) -> Sequence[str]:
        return [self.strong.name, self.simple.name]

    def estimate_micros(self, tier_or_model: str, prompt_tokens: int, completion_tokens: int) -> int | None:
        return 150 if tier_or_model == "strong" else 15


@dataclass
class OpenLimits:
    """Lets everybody through, and remembers what was said once."""

    checked: int = 0
    seen: set[str] = field(default_factory=set)

    async def check(self, speaker: Speaker) -> None:
        self.checked += 1

    async def first(self, key: str, seconds: float) -> bool:
        is_first = key not in self.seen
        self.seen.add(key)
        return is_first


@dataclass
class Tray:
    lease: Lease
    notes: list[str | None] = field(default_factory=list)
    merged: Sequence[int] = ()

    def wrap(self, reply: Reply, /) -> Sequence[Outgoing]:
        self.notes.append(reply.note)
        return []


def chat_of(house: House, models: TwoModels | None = None) -> ChatService:
    return replace(house.chat, models=models or TwoModels(), limits=OpenLimits(), switches=house.switches)


async def with_budget(house: House, micros: int) -> Speaker:
    await house.speaker()
    await house.rows("update plans set daily_micros = :micros, daily_turns = null", micros=micros)
    return await house.speaker()


async def ask(chat: ChatService, speaker: Speaker, source: str, said: str = "Why is the sky blue?", **more: Tray) -> str:
    return "".join([piece.text async for piece in chat.reply(speaker, [Said(source, said)], **more)])


async def test_what_a_turn_may_cost_is_held_back_and_becomes_what_it_did_cost(house: House) -> None:
    ann, models = await with_budget(house, 10_000), TwoModels()
    chat = chat_of(house, models)
    models.strong.break_next(Fault.hang(after_pieces=1))
    running = asyncio.ensure_future(ask(chat, ann, "1"))
    async with asyncio.timeout(5):
        while not models.strong.open_streams:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0.005)
    assert await house.rows(PURSES) == [("user", 150, 0)]
    running.cancel()
    await asyncio.wait([running])

    await ask(chat, ann, "1")
    assert await house.rows(PURSES) == [("user", 0, 100)]
    assert await house.rows("select cost_micros::int, reserved_micros::int, tier, model from turns") == [
        (100, 0, "strong", "scripted:strong")
    ]


async def test_a_turn_that_fails_gives_back_what_it_held(house: House) -> None:
    ann, models = await with_budget(house, 10_000), TwoModels()
    models.strong.break_next(Fault.refused())
    with pytest.raises(ModelUnavailableError):
        await ask(chat_of(house, models), ann, "1")
    assert await house.rows(PURSES) == [("user", 0, 0)]


async def test_past_the_soft_limit_the_simple_model_answers_and_it_is_said_once_a_day(house: House) -> None:
    ann, models = await with_budget(house, 350), TwoModels()
    chat = chat_of(house, models)
    await house.inbox.receive(BOT_ID, [make_update(1)], notice="test")
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=1)
    tray = Tray(lease)
    for number in range(5):
        await ask(chat, ann, str(number), delivery=tray)

    assert [tier for (tier,) in await house.rows("select tier from turns order by id")] == ["strong"] * 3 + ["simple"] * 2
    assert tray.notes == [None, None, None, "soft-limit", None]
    assert await house.rows(PURSES) == [("user", 0, 320)]


async def test_a_spent_budget_is_refused_until_midnight_and_nothing_else_is_paid(house: House) -> None:
    ann = await with_budget(house, 100)
    chat = chat_of(house)
    await ask(chat, ann, "1")
    with pytest.raises(BudgetSpentError) as refused:
        await ask(chat, ann, "2")

    assert (refused.value.scope, refused.value.limit, refused.value.resets_at.isoformat()) == ("user", 100, "2026-11-21T00:00:00+00:00")
    assert (await house.used(ann), await house.rows("select count(*)::int from turns")) == (1, [(1,)])
    assert await house.rows(PURSES) == [("user", 0, 100)]
    house.clock.go_on(hours=12)
    assert await ask(chat, ann, "2") == "You said: Why is the sky blue?"


async def test_of_1000_turns_at_once_in_two_replicas_at_the_limit_one_each_at_most_goes_over(house: House, database_url: str) -> None:
    ann = await with_budget(house, 1000)
    await house.switches.set("bot_daily_micros", 5000, by="ann")
    async with open_house(database_url) as other:
        replicas = [chat_of(house), chat_of(other)]
        turns = (ask(replicas[number % 2], ann, str(number)) for number in range(1000))
        ended = await asyncio.gather(*turns, return_exceptions=True)

    kinds = Counter(type(end).__name__ for end in ended)
    assert kinds.keys() == {"str", "BudgetSpentError"}
    [(bot, bot_held, bot_spent), (user, user_held, user_spent)] = await house.rows(PURSES)
    assert (bot, bot_held, user, user_held) == ("bot", 0, "user", 0)
    assert bot_spent == user_spent == sum(cost for (cost,) in await house.rows("select cost_micros::int from turns"))
    assert user_spent <= 1000 + 2 * 150
    assert await house.used(ann) == kinds["str"]


async def test_the_bots_own_budget_is_for_everybody(house: House) -> None:
    await house.switches.set("bot_daily_micros", 100, by="ann")
    ann, bob = await house.speaker(), await house.speaker(telegram_user_id=7_000_000_002)
    chat = chat_of(house)
    await ask(chat, ann, "1")
    with pytest.raises(BudgetSpentError) as refused:
        await ask(chat, bob, "1")
    assert refused.value.scope == "bot"


async def test_small_talk_is_for_the_simple_model_and_counted_as_such(house: House) -> None:
    ann, models = await house.speaker(), TwoModels()
    await ask(chat_of(house, models), ann, "1", "Hi!")
    assert (len(models.simple.prompts), len(models.strong.prompts)) == (1, 0)
    assert await house.rows("select tier, model from turns") == [("simple", "scripted:simple")]


async def test_the_operator_may_have_the_simple_models_answer_everybody(house: House) -> None:
    ann, models = await house.speaker(), TwoModels()
    await house.switches.set("only_simple_models", True, by="ann")
    await ask(chat_of(house, models), ann, "1")
    assert (len(models.simple.prompts), len(models.strong.prompts)) == (1, 0)


async def test_a_resumed_turn_is_not_counted_against_the_minute_again(house: House) -> None:
    ann, chat = await house.speaker(), chat_of(house)
    for _ in range(2):
        await ask(chat, ann, "1")
    await ask(chat, ann, "2")
    limits = chat.limits
    assert isinstance(limits, OpenLimits)
    assert limits.checked == 2


async def test_a_reply_that_the_provider_filters_is_paid_back_and_said_to_be_rejected(house: House) -> None:
    ann = await house.speaker()
    house.model.finish = FinishReason.FILTERED
    house.model.queue([])
    with pytest.raises(ContentRejectedError):
        await ask(house.chat, ann, "1")
    assert await house.rows("select status, error_code from turns") == [("failed", "filtered")]
    assert await house.used(ann) == 0


async def test_a_reply_in_the_wrong_script_is_asked_for_once_more_before_anything_is_shown(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("Здравствуйте, дорогая Анна! Как ваши дела сегодня утром, что нового?", "Hello Ann!")
    assert await ask(house.chat, ann, "1") == "Hello Ann!"
    assert "Answer in the language in which the person writes" in house.model.prompts[1][0].text
    assert await house.rows("select status, error_code from turns") == [("finished", None)]
    [(tokens,)] = await house.rows("select completion_tokens from turns")
    assert tokens > 10


async def test_a_model_that_goes_round_in_circles_is_stopped(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("I love you so much. " * 500)
    heard = await ask(house.chat, ann, "1")
    assert len(heard) < 200
    assert (house.model.open_streams, await house.rows("select status, error_code from turns")) == (0, [("interrupted", "repetition")])
    assert (await house.messages(ann))[-1] == ("assistant", heard.strip())


async def test_a_json_list_becomes_bubbles(house: House) -> None:
    ann = await house.speaker()
    house.model.queue('["Hello!", "How are you?"]')
    pieces: list[Piece] = [piece async for piece in house.chat.reply(ann, [Said("1", "Hi")])]
    assert [piece.text for piece in pieces] == ["Hello!\n\nHow are you?"]
    assert (await house.messages(ann))[-1] == ("assistant", "Hello!\n\nHow are you?")


@pytest.mark.parametrize("nothing", [[], ["<think>Should I answer?</think>"], ['{"tool": "search", "query": "Ann"}'], [" \n "]])
async def test_a_reply_of_nothing_is_no_reply_and_is_paid_back(house: House, nothing: list[str]) -> None:
    ann = await house.speaker()
    house.model.queue(nothing)
    with pytest.raises(ModelUnavailableError) as error:
        await ask(house.chat, ann, "1")
    assert error.value.reason == "empty"
    assert (await house.used(ann), await house.rows("select status, error_code from turns")) == (0, [("failed", "empty")])
    assert len(await house.messages(ann)) == 2


async def test_a_reply_that_cannot_be_read_twice_is_no_reply(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("\ufffd" * 100, "\ufffd" * 100)
    with pytest.raises(ModelUnavailableError):
        await ask(house.chat, ann, "1")
    assert (len(house.model.prompts), await house.used(ann)) == (2, 0)


@pytest.mark.parametrize("bot_limit", [0, 1_000_000])
async def test_what_memory_takes_is_booked_beside_the_turns_with_and_without_a_limit_of_the_bot(house: House, bot_limit: int) -> None:
    ann = await with_budget(house, 1_000_000)
    await house.switches.set("bot_daily_micros", bot_limit, by="ann")
    chat = chat_of(house)
    for source in ("1", "2"):
        assert await ask(chat, ann, source, f"I live in Brno, house {source}")
        await house.memory.refresh(ann.dialog_id)
    [(turns,)] = await house.rows("select sum(cost_micros)::int from turns")
    overview = await ReportService(database=house.database, clock=house.clock).overview()
    took = overview.spent.memory_micros
    assert (turns > 0, took > 1000, overview.spent.all_micros) == (True, True, turns + took)
    sums = {scope: spent for scope, _, spent in await house.rows(PURSES)}
    assert sums == {"user": turns, "memory": took} | ({"bot": turns + took} if bot_limit else {})
    async with house.database.statement() as tx:
        differences = await tx.upkeep.spending_differences(NOON.date())
    assert differences == dict.fromkeys(sums.keys() - {"memory"}, (0, 0))

"""What a user sees of a reply that is being written, and what Telegram is asked for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramNetworkError, TelegramRetryAfter
from aiogram.methods import SendMessageDraft

from services.bot.drafts import DraftBudget, DraftBudgets, DraftPump, Timer, TypingPump
from services.bot.formatting import utf16_len

pytestmark = pytest.mark.timeout(20)
METHOD = SendMessageDraft(chat_id=1, draft_id=1, text="")


class Hours:
    """Time that passes only in `advance`, ten milliseconds at a step."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._waiting: list[tuple[float, asyncio.Timeout]] = []

    @property
    def timer(self) -> Timer:
        return Timer(monotonic=lambda: self.now, wait=self._wait)

    async def _wait(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(None) as alarm:
                self._waiting.append((self.now + seconds, alarm))
                await event.wait()
        except TimeoutError:
            return
        finally:
            self._waiting = [entry for entry in self._waiting if entry[1] is not alarm]

    async def advance(self, seconds: float, every_step: Callable[[], None] = lambda: None) -> None:
        until = self.now + seconds
        await self._settle()
        while self.now < until - 1e-9:
            self.now = round(self.now + 0.01, 4)
            every_step()
            for due, alarm in self._waiting:
                if due <= self.now + 1e-9:
                    alarm.reschedule(0)
            await self._settle()

    async def _settle(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)


class Telegram:
    """Records drafts with their time; answers with the prepared errors first."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self.frames: list[tuple[float, int, str]] = []
        self.errors: list[Exception] = []
        self.latency = 0.0

    async def draft(self, draft_id: int, text: str) -> None:
        started = self.hours.now
        if self.latency:
            await self.hours.timer.wait(asyncio.Event(), self.latency)
        self.frames.append((round(started - 1000, 2), draft_id, text))
        if self.errors:
            raise self.errors.pop(0)

    async def typing(self) -> None:
        await self.draft(0, "typing")

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.frames]

    @property
    def times(self) -> list[float]:
        return [at for at, _, _ in self.frames]


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def telegram(hours: Hours) -> Telegram:
    return Telegram(hours)


@asynccontextmanager
async def pumping(telegram: Telegram, budget: DraftBudget | None = None) -> AsyncIterator[DraftPump]:
    async with DraftPump(telegram.draft, budget or DraftBudget(), draft_id=7, timer=telegram.hours.timer) as pump:
        yield pump


async def finished(hours: Hours, pump: DraftPump, text: str = "") -> float:
    """Seconds that the end of the reply had to wait."""
    started = hours.now
    async with asyncio.TaskGroup() as group:
        finishing = group.create_task(pump.finish(text))
        while not finishing.done():
            await hours.advance(0.01)
    return round(hours.now - started, 2)


def most_within(times: list[float], seconds: float) -> int:
    return max(sum(1 for other in times if at <= other <= at + seconds) for at in times)


async def test_an_instant_reply_costs_no_draft(hours, telegram):
    async with pumping(telegram) as pump:
        await hours.advance(0.1)
        pump.show("Hi!")
        await pump.finish("Hi!")
    await hours.advance(1)
    assert telegram.frames == []


async def test_a_slow_model_shows_thinking_and_then_the_newest_text(hours, telegram):
    async with pumping(telegram) as pump:
        await hours.advance(0.3)
        assert telegram.frames == [(0.15, 7, "")]
        pump.show("A")
        pump.show("A cat")
        await hours.advance(0.3)
        await pump.finish()
    assert telegram.frames == [(0.15, 7, ""), (0.55, 7, "A cat")]


async def test_text_that_comes_at_once_is_the_first_frame(hours, telegram):
    async with pumping(telegram) as pump:
        pump.show("  \n")
        pump.show("Hello\x00 ")
        await hours.advance(0.5)
        await pump.finish()
    assert telegram.frames == [(0.15, 7, "Hello")]


async def test_the_first_frames_come_quickly_and_the_others_every_second(hours, telegram):
    async with pumping(telegram) as pump:
        words = iter(range(10_000))
        await hours.advance(12, lambda: pump.show("x" * next(words)))
        await pump.finish()
    gaps = [round(b - a, 2) for a, b in zip(telegram.times, telegram.times[1:], strict=False)]
    assert gaps[:7] == [0.4] * 7
    assert set(gaps[7:]) == {1.0}
    assert all(later.startswith(earlier) for earlier, later in zip(telegram.texts, telegram.texts[1:], strict=False))


async def test_an_unchanged_text_is_sent_again_only_before_the_draft_expires(hours, telegram):
    async with pumping(telegram) as pump:
        pump.show("Let me look that up")
        await hours.advance(45)
        await pump.finish()
    assert telegram.times == [0.15, 20.15, 40.15]
    assert set(telegram.texts) == {"Let me look that up"}


async def test_two_replies_at_once_in_one_chat_share_the_budget(hours, telegram):
    budgets = DraftBudgets(hours.timer)
    async with pumping(telegram, budgets.of(1, 5)) as one, pumping(telegram, budgets.of(1, 5)) as two:
        words = iter(range(100_000))

        def talk() -> None:
            text = "x" * next(words)
            one.show(text)
            two.show(text)

        await hours.advance(70, talk)
        await one.finish()
        await two.finish()
    assert most_within(telegram.times, 5.0) <= 20
    assert most_within(telegram.times, 30.0) == 40


async def test_a_burst_of_short_replies_stays_below_twenty_in_five_seconds(hours, telegram):
    budget = DraftBudget()
    for _ in range(30):
        async with pumping(telegram, budget) as pump:
            await hours.advance(0.2)
            await pump.finish()
    assert most_within(telegram.times, 5.0) == 20


async def test_a_slow_network_never_has_two_frames_in_flight(hours, telegram):
    telegram.latency = 1.5
    async with pumping(telegram) as pump:
        words = iter(range(10_000))
        await hours.advance(10, lambda: pump.show("x" * next(words)))
        await finished(hours, pump)
    gaps = [b - a for a, b in zip(telegram.times, telegram.times[1:], strict=False)]
    assert min(gaps) >= 1.5


async def test_a_flood_wait_skips_frames_and_holds_nobody_up(hours, telegram):
    telegram.errors = [TelegramRetryAfter(METHOD, "Too Many Requests", 7)]
    async with pumping(telegram) as pump:
        words = iter(range(10_000))
        await hours.advance(9, lambda: pump.show("x" * next(words)))
        await pump.finish()
    assert telegram.times[:3] == [0.15, 7.15, 7.55]
    assert len(telegram.texts[1]) > 600


async def test_a_reply_that_ends_during_a_flood_wait_is_not_delayed(hours, telegram):
    telegram.errors = [TelegramRetryAfter(METHOD, "Too Many Requests", 300)]
    async with pumping(telegram) as pump:
        pump.show("*a*")
        await hours.advance(1)
        await pump.finish("a")
        assert hours.now == 1001.0
    assert telegram.times == [0.15]


@pytest.mark.parametrize(
    ("error", "frames"),
    [
        (TelegramBadRequest(METHOD, "Bad Request: TEXTDRAFT_PEER_INVALID"), 1),
        (TelegramForbiddenError(METHOD, "Forbidden: bot was blocked by the user"), 1),
        (TelegramBadRequest(METHOD, "Bad Request: whatever"), 3),
        (TelegramNetworkError(METHOD, "Request timeout error"), 3),
        (RuntimeError("Session is closed"), 3),
    ],
)
async def test_drafts_that_lead_nowhere_are_given_up(hours, telegram, error, frames):
    telegram.errors = [error] * 10
    async with pumping(telegram) as pump:
        pump.show("*Hello*")
        await hours.advance(30)
        assert not pump.is_on
        await pump.finish("Hello")
    assert len(telegram.frames) == frames


async def test_one_failure_in_between_is_forgotten(hours, telegram):
    async with pumping(telegram) as pump:
        for number in range(6):
            telegram.errors = [TelegramNetworkError(METHOD, "reset")] * 2
            pump.show("x" * (number + 1))
            await hours.advance(4)
        assert pump.is_on
        await pump.finish()
    assert telegram.texts[-1] == "xxxxxx"


async def test_the_last_frame_equals_the_final_message_only_where_markup_made_them_differ(hours, telegram):
    async with pumping(telegram) as pump:
        pump.show("`waves` Hello")
        await hours.advance(0.5)
        await pump.finish("waves Hello there")
    assert telegram.texts == ["`waves` Hello", "waves Hello there"]


async def test_an_action_is_shown_without_its_stars_as_it_will_be_in_the_end(hours, telegram):
    async with pumping(telegram) as pump:
        pump.show("*waves* Hello **th")
        await hours.advance(0.5)
        await pump.finish("waves Hello there")
    assert telegram.texts == ["waves Hello th"]


async def test_a_draft_that_is_the_beginning_of_the_final_message_is_left_alone(hours, telegram):
    async with pumping(telegram) as pump:
        pump.show("Hello")
        await hours.advance(0.5)
        pump.show("Hello there")
        await pump.finish("Hello there")
    assert telegram.texts == ["Hello"]


async def test_the_last_frame_is_left_out_when_the_budget_is_spent(hours, telegram):
    budget = DraftBudget()
    async with pumping(telegram, budget) as pump:
        pump.show("`waves`")
        await hours.advance(0.5)
        for _ in range(19):
            budget.spend(hours.now)
        await pump.finish("waves")
    assert telegram.texts == ["`waves`"]


async def test_finishing_waits_for_the_frame_in_flight(hours, telegram):
    telegram.latency = 1.0
    async with pumping(telegram) as pump:
        pump.show("Hello")
        await hours.advance(0.5)
        assert await finished(hours, pump, "Hello") == 0.65
    assert telegram.texts == ["Hello"]


async def test_a_frame_that_hangs_delays_the_reply_by_two_seconds_at_most(hours, telegram):
    telegram.latency = 3600
    async with pumping(telegram) as pump:
        pump.show("*Hello*")
        await hours.advance(0.5)
        assert await finished(hours, pump, "Hello") == 2.0
    assert telegram.frames == []


async def test_nothing_is_sent_after_the_end_whatever_is_shown(hours, telegram):
    async with pumping(telegram) as pump:
        await hours.advance(1)
        await pump.finish()
        pump.show("late")
        await hours.advance(5)
    await hours.advance(30)
    assert telegram.texts == [""]


async def test_a_text_beyond_one_message_goes_on_in_a_new_draft(hours, telegram):
    words = [f"word{number}" for number in range(1500)]
    async with pumping(telegram) as pump:
        for count in range(100, 1501, 100):
            pump.show(" ".join(words[:count]) + " 😀")
            await hours.advance(1.01)
        assert pump.draft_id == 10
        await pump.finish("word0 as formatted")
    assert sorted({draft_id for _, draft_id, _ in telegram.frames}) == [7, 8, 9, 10]
    assert max(utf16_len(text) for text in telegram.texts) <= 4096
    last = {draft_id: text for _, draft_id, text in telegram.frames}
    assert last[10].split()[-2:] == ["word1499", "😀"]
    assert last[8].split()[0] in words[400:600]
    assert "word0 as formatted" not in telegram.texts


async def test_errors_of_the_reply_pass_through_unwrapped_and_end_the_stream(hours, telegram):
    async def reply() -> None:
        async with pumping(telegram):
            await hours.advance(0.2)
            raise LookupError("the model is gone")

    with pytest.raises(LookupError, match="the model is gone"):
        await reply()
    await hours.advance(30)
    assert telegram.texts == [""]


async def test_a_cancelled_reply_leaves_no_worker_behind(hours, telegram):
    telegram.latency = 3600

    async def reply() -> None:
        async with pumping(telegram) as pump:
            pump.show("Hello")
            await asyncio.Event().wait()

    before = asyncio.all_tasks()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reply())
        await hours.advance(0.5)
        assert len(asyncio.all_tasks() - before) == 2
        task.cancel()
    assert asyncio.all_tasks() == before
    assert hours.now == 1000.5


async def test_idle_chats_are_forgotten_and_busy_ones_kept(hours):
    budgets = DraftBudgets(hours.timer)
    assert budgets.of(1, 5) is budgets.of(1, 5)
    assert budgets.of(1, 5) is not budgets.of(2, 5)
    for chat in range(500):
        budgets.of(1, chat).spend(hours.now)
    blocked = budgets.of(1, 1000)
    blocked.block(hours.now, 120)
    await hours.advance(61)
    assert budgets.of(1, 1000) is blocked
    assert len(budgets) == 1
    assert round(blocked.ready_in(hours.now)) == 59


async def test_typing_is_repeated_until_the_reply_is_there(hours, telegram):
    async with TypingPump(telegram.typing, DraftBudget(), timer=hours.timer) as pump:
        await hours.advance(10)
        await pump.finish()
        await hours.advance(10)
    assert telegram.times == [0.15, 4.65, 9.15]


async def test_typing_survives_errors_and_obeys_a_flood_wait(hours, telegram):
    telegram.errors = [TelegramNetworkError(METHOD, "reset")] * 4 + [TelegramRetryAfter(METHOD, "Too Many Requests", 9)]
    async with TypingPump(telegram.typing, DraftBudget(), timer=hours.timer) as pump:
        await hours.advance(33)
        await pump.finish()
    assert telegram.times == [0.15, 4.65, 9.15, 13.65, 18.15, 27.15, 31.65]


async def test_typing_stops_where_the_bot_was_thrown_out(hours, telegram):
    telegram.errors = [TelegramForbiddenError(METHOD, "Forbidden: bot was kicked from the group chat")]
    async with TypingPump(telegram.typing, DraftBudget(), timer=hours.timer):
        await hours.advance(20)
    assert telegram.times == [0.15]


async def test_real_time_wakes_the_worker_as_soon_as_there_is_text():
    seen = asyncio.Event()

    async def draft(draft_id: int, text: str) -> None:
        if text == "Hello":
            seen.set()

    async with DraftPump(draft, DraftBudget(), draft_id=1) as pump, asyncio.timeout(3):
        pump.show("Hello")
        await seen.wait()
        await pump.finish("Hello")

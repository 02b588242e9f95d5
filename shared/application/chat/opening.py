"""The beginning of a turn: may it be, what does it cost, who answers."""

from datetime import date, datetime

from shared.application.chat.desk import Ask, Desk
from shared.application.chat.parts import AnsweredAnewError, NotLastTurnError
from shared.application.chat.reporting import TURNS
from shared.application.ports import ChatModel
from shared.database.turns import OpenedTurn, TurnRequest
from shared.domain.allowance import DailyTurnsSpentError, allowance_day, resets_at
from shared.domain.budget import BudgetSpentError, Purse, purses_of, to_reserve
from shared.domain.choice import Choice, Circumstances, choose
from shared.domain.switches import Switches

SYSTEM_TOKENS = 1000
"""What a character, its rules and the data about the person come to at most, as a rule."""


async def open_turn(desk: Desk, ask: Ask) -> tuple[OpenedTurn, Switches]:
    """Pays for the turn, or takes it up again for nothing; with the switches as they stand.

    Raises what `ChatService.reply` raises before a model is asked.
    """
    await _admit(desk, ask)
    switches = await desk.switches.read() if desk.switches else Switches()
    now = desk.clock.now()
    request = await _request(desk, ask, switches, day=allowance_day(now))
    async with desk.database.statement() as tx:
        turn = await tx.turns.open(request)
    if turn.turn_id is None:
        raise _refusal(turn, request, ask, resets_at(now))
    return turn, switches


async def _admit(desk: Desk, ask: Ask) -> None:
    turn = (ask.speaker.dialog_id, ask.source_id)
    is_again = ask.delivery is not None and ask.delivery.lease.attempts > 1
    if desk.limits is None or is_again or turn in desk.admitted:
        return
    await desk.limits.check(ask.speaker)
    desk.admitted.add(turn)


def _purses(ask: Ask, switches: Switches) -> tuple[Purse, ...]:
    limits = {
        ("user", str(ask.speaker.user_id)): ask.speaker.daily_micros,
        ("bot", str(ask.speaker.place.bot_id)): switches.bot_daily_micros or None,
    }
    return purses_of(limits, switches.soft_limit_percent)


async def _request(desk: Desk, ask: Ask, switches: Switches, *, day: date) -> TurnRequest:
    purses = _purses(ask, switches)
    return TurnRequest(
        dialog_id=ask.speaker.dialog_id,
        user_id=ask.speaker.user_id,
        character_id=ask.speaker.character_id,
        source_id=ask.source_id,
        said=ask.said,
        day=day,
        daily_turns=ask.speaker.daily_turns,
        of_turn_id=ask.of_turn_id,
        last_turn_id=ask.last_turn_id,
        shown=ask.shown,
        purses=purses,
        reserve_micros=_worst_case(desk, ask, switches, is_soft=False) if purses else 0,
        soft_reserve_micros=_worst_case(desk, ask, switches, is_soft=True) if purses else 0,
        sought=await desk.recall.sought(ask.words) if desk.recall else None,
    )


def _worst_case(desk: Desk, ask: Ask, switches: Switches, *, is_soft: bool) -> int:
    choice = choice_for(desk, ask, ask.words, switches, is_soft=is_soft)
    asked = desk.prompt_tokens + SYSTEM_TOKENS
    return to_reserve(desk.models.estimate_micros(choice.model or choice.tier, asked, desk.max_tokens) if desk.models else None)


def _refusal(turn: OpenedTurn, request: TurnRequest, ask: Ask, midnight: datetime) -> Exception:
    if turn.is_outdated and request.shown is not None and turn.alternatives > request.shown:
        return AnsweredAnewError("a reply has come since the button was pressed")
    if turn.is_outdated:
        return NotLastTurnError("another turn has followed, or this one was taken back")
    if turn.over_budget is not None:
        TURNS.labels("budget_spent").inc()
        limit = next(purse.limit_micros for purse in request.purses if purse.scope == turn.over_budget)
        may_choose = ask.speaker.has_choice_of_model
        return BudgetSpentError(scope=turn.over_budget, limit=limit, resets_at=midnight, may_choose_model=may_choose)
    TURNS.labels("allowance_spent").inc()
    return DailyTurnsSpentError(limit=request.daily_turns or 0, resets_at=midnight)


def choice_for(desk: Desk, ask: Ask, words: str, switches: Switches, *, is_soft: bool) -> Choice:
    """A chosen model that was taken out of the settings since is passed over."""
    speaker = ask.speaker
    chosen_tier = desk.models.tier_of(speaker.chosen_model) if desk.models and speaker.chosen_model else None
    return choose(
        Circumstances(
            said=words,
            character_name=speaker.character_name,
            plan_tier=speaker.plan_tier,
            only_simple=switches.only_simple_models,
            chosen_model=speaker.chosen_model if chosen_tier else None,
            chosen_tier=chosen_tier or "strong",
            may_choose_model=speaker.may_choose_model,
            task=speaker.character_task,
            level=speaker.level,
            is_soft=is_soft,
        )
    )


def model_for(desk: Desk, choice: Choice) -> tuple[ChatModel, Choice]:
    """The models chosen. Nothing is simple where no simple one is set."""
    if desk.models is None:
        return desk.model, Choice("strong", "only")
    found = desk.models.find(choice.model) if choice.model else None
    model, strong = found or desk.models.pool(choice.tier), desk.models.pool("strong")
    return model, Choice("strong", "only") if choice.tier == "simple" and model.name == strong.name else choice

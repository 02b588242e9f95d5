"""What a turn leaves in metrics and in the log: numbers and names, never words."""

import structlog
from prometheus_client import Counter, Histogram

from shared.database.turns import FinishedTurn
from shared.domain.choice import Choice
from shared.domain.dialog import TurnStatus
from shared.domain.prompt import FittedPrompt

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
TURNS = Counter("vitte_chat_turns_total", "Turns by how they ended", ["outcome"])
FIRST_PIECE = Histogram("vitte_chat_first_piece_seconds", "From the question to the first text of the model", buckets=SECONDS)
REPLY = Histogram("vitte_chat_reply_seconds", "From the question to the end of the reply", buckets=SECONDS)
TIERS = Counter("vitte_chat_tier_total", "Turns by the tier of models that answered, and why those", ["tier", "reason"])
PROMPT_TOKENS = Counter("vitte_chat_prompt_tokens_total", "Tokens of prompts by estimate, before and after they were fitted", ["stage"])
RECALLED = Histogram("vitte_memory_recalled", "Memories in a prompt", buckets=(0, 1, 2, 4, 8, 12))
REPAIRED = Counter("vitte_chat_reply_problems_total", "Replies that models gave and that a rule caught", ["problem"])

log = structlog.get_logger("chat")


def report_prompt(turn_id: int, prompt: FittedPrompt, *, memories: int) -> None:
    RECALLED.observe(memories)
    PROMPT_TOKENS.labels("before").inc(prompt.tokens_before)
    PROMPT_TOKENS.labels("after").inc(prompt.tokens)
    if prompt.left_out or prompt.shortened:
        log.info(
            "token_optimization",
            turn_id=turn_id,
            tokens_before=prompt.tokens_before,
            tokens_after=prompt.tokens,
            left_out=prompt.left_out,
            shortened=prompt.shortened,
        )


def report_choice(turn_id: int, choice: Choice, model: str) -> None:
    TIERS.labels(choice.tier, choice.reason).inc()
    if choice.tier == "simple":
        log.info("using_simple_model", turn_id=turn_id, reason=choice.reason, model=model)


def report_cached(turn_id: int, kind: str) -> None:
    """`kind` is exact for the very same words, semantic for others that mean the same."""
    TIERS.labels("cache", "cached" if kind == "exact" else kind).inc()
    log.info("using_cached_response", turn_id=turn_id, kind=kind)


def report_problem(turn_id: int, problem: str, model: str) -> None:
    REPAIRED.labels(problem).inc()
    log.warning("reply_problem", turn_id=turn_id, problem=problem, model=model)


def report_turn(turn: FinishedTurn) -> None:
    TURNS.labels(turn.status.value).inc()
    REPLY.observe((turn.total_ms or 0) / 1000)
    if turn.first_piece_ms is not None:
        FIRST_PIECE.observe(turn.first_piece_ms / 1000)
    if turn.status is TurnStatus.FAILED:
        log.warning("completion_failed", turn_id=turn.turn_id, model=turn.model, reason=turn.error_code, total_ms=turn.total_ms)
        return
    log.info(
        "completion_success",
        turn_id=turn.turn_id,
        model=turn.model,
        tier=turn.tier,
        status=turn.status.value,
        prompt_tokens=turn.prompt_tokens,
        completion_tokens=turn.completion_tokens,
        cost_micros=turn.cost_micros,
        first_piece_ms=turn.first_piece_ms,
        total_ms=turn.total_ms,
    )

"""What the model hears: the character, what is known of the person, as much of the talk as the budget allows."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.application.ports import PromptMessage, Role
from shared.database.turns import OpenedTurn
from shared.domain.prompt import ABOUT_REPLIES, FittedPrompt, alternating, fit, system_text
from shared.domain.speaker import Speaker

LONGEST_CACHED_INPUT = 200
"""Longer words are nobody else's; two people never say them alike."""
SOFT_SHARE = 2
"""Of its tokens a prompt keeps this part (a half) when a budget has passed its soft limit."""

_GO_ON = "(Go on: continue your last message where it ends, without repeating any of it.)"


@dataclass(slots=True)
class TokenScales:
    """How far the offline estimate is from what providers count, by model; learnt from each reply, forgotten with the process."""

    _scales: dict[str, float] = field(default_factory=dict)

    def of(self, model: str) -> float:
        return self._scales.get(model, 1.0)

    def learn(self, model: str, estimated: int, counted: int | None) -> None:
        """Moves a tenth of the way. A count that is far off is of several calls, or of something else."""
        if not counted or estimated <= 0 or not 0.25 <= counted / estimated <= 2.5:
            return
        known = self._scales.get(model)
        ratio = counted / estimated
        self._scales[model] = min(2.0, max(0.5, ratio if known is None else known + (ratio - known) / 10))


_NAMED = re.compile(r"\A[^\n]{1,64}?: ")


def without_names(words: Sequence[str], *, in_group: bool) -> list[str]:
    """What was said without the speakers' names, which groups have before it (Telegram's longest has 64 characters)."""
    return [_NAMED.sub("", text, count=1) for text in words] if in_group else list(words)


def words_of(turn: OpenedTurn, said: Sequence[tuple[str, str]]) -> list[str]:
    """All that the turn answers, in order: what was kept before, then what is new."""
    known = {source for source, _ in turn.words}
    return [text for _, text in turn.words] + [text for source, text in said if source not in known]


def is_personal(turn: OpenedTurn) -> bool:
    """Whether the prompt would hold more of this person than their words: anything said after the greeting, memories, a summary."""
    said_before = any(message.role is Role.USER for message in turn.history) or len(turn.history) > 1
    return said_before or bool(turn.memories) or bool(turn.summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheKey:
    """`exact` is the same for everybody who would make the model hear the same, `scope` for those whose words alone differ."""

    scope: str
    exact: str
    said: str


def cache_key(turn: OpenedTurn, speaker: Speaker, tier: str, words: Sequence[str]) -> CacheKey | None:
    """None when nobody else would make the model hear the same."""
    said = " ".join(" ".join(words).split())
    if is_personal(turn) or not said or len(said) > LONGEST_CACHED_INPUT:
        return None
    greeting = [message.text for message in turn.history]
    scope = [str(speaker.character_id), turn.system_prompt, turn.settings, speaker.level, speaker.language, tier, greeting]
    return CacheKey(scope=_digest(scope), exact=_digest([*scope, said]), said=said)


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def system_of(turn: OpenedTurn, speaker: Speaker, *, named: bool, repair: str | None = None) -> str:
    """`named` is false for a prompt that is the same for everybody."""
    facts: dict[str, str | Sequence[str]] = {"user_name": turn.user_name if named else "", "level": speaker.level or ""}
    facts |= {"summary": turn.summary or "", "memories": turn.memories}
    rules = f"{ABOUT_REPLIES} {repair}" if repair else ABOUT_REPLIES
    return system_text(f"{turn.system_prompt.rstrip()}\n\n{rules}", facts)


def prompt_of(turn: OpenedTurn, words: Sequence[str], system: str, *, budget: int, scale: float, goes_on: bool) -> FittedPrompt:
    """A turn without words of the user asks the character to go on."""
    asked = ["\n".join(text for text in words if text), _GO_ON if goes_on else ""]
    spoken = [PromptMessage(Role.USER, text) for text in asked if text]
    fitted = fit(system, [*turn.history, *spoken], budget // SOFT_SHARE if turn.is_soft else budget, scale=scale)
    return replace(fitted, messages=alternating(fitted.messages))

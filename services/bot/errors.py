"""Error code -> sentence. A code without a sentence of its own gets that of its kind."""

from services.bot.sentences import has_sentence, say
from shared.domain.allowance import DailyTurnsSpentError, TooManyTurnsError
from shared.domain.budget import BudgetSpentError
from shared.domain.errors import AllowanceSpentError, AppError


def sentence_of(error: AppError, language: str) -> str:
    key = next((f"error-{kind.code}" for kind in _kinds(type(error)) if has_sentence(f"error-{kind.code}")), "error-internal")
    if isinstance(error, TooManyTurnsError):
        return say(key, language, limit=error.limit, seconds=error.seconds)
    if isinstance(error, BudgetSpentError):
        return say(key, language, scope=error.scope, choice="yes" if error.may_choose_model else "no", resets=f"{error.resets_at:%H:%M}")
    if isinstance(error, (DailyTurnsSpentError, AllowanceSpentError)):
        return say(key, language, limit=error.limit, resets=f"{error.resets_at:%H:%M}")
    return say(key, language)


def _kinds(kind: type[AppError]) -> list[type[AppError]]:
    return [base for base in kind.__mro__ if issubclass(base, AppError)]

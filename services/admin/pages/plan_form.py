"""The form of one plan: what it allows, or what was typed into it and why that cannot be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.datastructures import FormData

from services.admin.typed import as_dollars, micros, whole_number
from shared.application.plans import LARGEST, SMALLEST
from shared.domain.billing import PlanTerms
from shared.domain.errors import InvalidInputError

LONGEST_TYPED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A field of which nothing means without limit. `term` is what it is among the terms."""

    name: str
    term: str
    title: str
    explanation: str
    read: Callable[[str], int]
    written: Callable[[int], str]
    step: str

    @property
    def least(self) -> str:
        return f"{SMALLEST[self.term]}"

    @property
    def most(self) -> str:
        return self.written(LARGEST[self.term])

    def value(self, typed: str) -> int | None:
        """Raises `InvalidInputError`, whose words are for whoever typed it."""
        if not typed:
            return None
        value = self.read(typed)
        if value > LARGEST[self.term]:
            raise InvalidInputError(f"{self.most} is the most.")
        if value < SMALLEST[self.term]:
            raise InvalidInputError(f"{self.least} is the least.")
        return value


AMOUNTS = (
    Amount(
        name="daily_turns",
        term="daily_turns",
        title="Messages a day",
        explanation="Turns that a user may begin on a UTC day.",
        read=whole_number,
        written=str,
        step="1",
    ),
    Amount(
        name="turns_per_minute",
        term="turns_per_minute",
        title="Messages a minute",
        explanation="In any 60 seconds, so that nobody can take all places at once.",
        read=whole_number,
        written=str,
        step="1",
    ),
    Amount(
        name="daily_dollars",
        term="daily_micros",
        title="Money a day, in US dollars",
        explanation="What a user's replies may cost us on a UTC day. Close to it the simple model answers.",
        read=micros,
        written=as_dollars,
        step="0.000001",
    ),
)


@dataclass(frozen=True, slots=True)
class PlanForm:
    terms: PlanTerms
    typed: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    """Why what was typed cannot be used, by field."""

    def filled(self, form: FormData) -> "PlanForm":
        """With what was typed; a term stays as it is where that cannot be used. Raises `InvalidInputError` for an incomplete form."""
        typed = {amount.name: text_of(form, amount.name) for amount in AMOUNTS}
        wanted: dict[str, Any] = {
            "may_choose_model": "may_choose_model" in form,
            "is_paid": "is_paid" in form,
            "tier": text_of(form, "tier"),
        }
        wrong: dict[str, str] = {}
        for amount in AMOUNTS:
            try:
                wanted[amount.term] = amount.value(typed[amount.name])
            except InvalidInputError as error:
                wrong[amount.name] = str(error)
        return replace(self, terms=self.terms._replace(**wanted), typed=typed, wrong=wrong)


def form_of(terms: PlanTerms) -> PlanForm:
    values = {amount.name: (amount, getattr(terms, amount.term)) for amount in AMOUNTS}
    return PlanForm(terms, {name: "" if value is None else amount.written(value) for name, (amount, value) in values.items()})


def text_of(form: FormData, name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str) or len(value) > LONGEST_TYPED:
        raise InvalidInputError(f"{name} is missing or too long")
    return value.strip()

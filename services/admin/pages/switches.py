"""Feature switches: what each does, and setting them."""

from dataclasses import dataclass, fields, replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from services.admin.auth import Admitted, AtDesk
from services.admin.rendering import page
from services.admin.typed import as_dollars, micros, whole_number
from shared.domain.errors import InvalidInputError
from shared.domain.switches import LARGEST, SMALLEST, Switches, parse_switch

router = APIRouter()

SHOWN = 40
"""Of something too long that was typed this much is shown again."""

EXPLANATIONS: dict[str, tuple[str, str]] = {
    "streaming": (
        "Show replies while they are written",
        "In private chats people watch the answer grow. Off: they see “typing…” and then the whole answer.",
    ),
    "answer_in_groups": (
        "Answer in groups",
        "The character answers in groups when it is mentioned or replied to. Off: it stays silent there; private chats go on.",
    ),
    "registration_open": (
        "Let new people in",
        "Off: people who have not written before are told that registration is closed. Everybody else is not affected.",
    ),
    "keep_messages_days": (
        "Keep messages for this many days",
        "Older messages are deleted for good by the hourly clean-up; dialogs themselves stay. 0 keeps everything. "
        "A smaller number takes effect within the hour and cannot be undone.",
    ),
    "only_simple_models": (
        "Answer with the simple models only",
        "Saves money at once, for example while a strong model is dear or slow. Plans that name a tier of their own keep it.",
    ),
    "bot_daily_micros": (
        "Money that all replies may cost in a day",
        "In US dollars, per bot and UTC day. When it is spent, nobody gets a reply until midnight UTC. "
        "0 is without limit. Budgets of single users are on the page Plans.",
    ),
    "soft_limit_percent": (
        "Save money from this share of a budget on",
        "In percent. Above it the simple model answers with a shorter memory of the dialog, and people are told so once a day. "
        "100 never saves.",
    ),
    "quiet_milliseconds": (
        "Wait this long for more words",
        "In milliseconds. People often say one thing in several messages: a reply is not begun sooner than this after a message, and when "
        "more comes before it begins, one reply answers all. What the model needs to think counts as waiting, so a slow one loses nothing.",
    ),
    "shed_after_seconds": (
        "Apologise after waiting this long",
        "In seconds. When far more arrives than can be answered, messages that have waited longer get an apology instead of a reply, "
        "so that those behind them do not wait in vain. 0 never gives up.",
    ),
    "semantic_cache_percent": (
        "Give kept replies to questions that mean the same from this likeness on",
        "In percent. Whoever has said nothing yet and asks what somebody else asked in other words gets the same reply, and no model is "
        "asked. It works only where EMBEDDINGS_MODEL is set, and errs now and then: 95 is careful, below 90 other questions get in. "
        "0 never; the very same words are answered from the cache anyway.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchShown:
    key: str
    title: str
    explanation: str
    value: bool | int
    default: bool | int
    typed: str = ""
    """What stands in the field of a number or a sum."""
    wrong: str = ""
    """Why what was typed cannot be used."""

    @property
    def is_toggle(self) -> bool:
        return isinstance(self.default, bool)

    @property
    def is_money(self) -> bool:
        return self.key.endswith("_micros")

    @property
    def most(self) -> str:
        return self.written(LARGEST.get(self.key, 1))

    @property
    def bounds(self) -> str:
        least = SMALLEST.get(self.key)
        return f"{self.most} is the most." if least is None else f"Type 0, or a number from {least} to {self.most}."

    def written(self, value: int) -> str:
        return as_dollars(value) if self.is_money else str(value)

    def filled(self, form: FormData) -> "SwitchShown":
        """With what a form holds of it; `wrong` says what is the matter with it, and the value is the old one then."""
        if self.is_toggle:
            return replace(self, value=self.key in form)
        text = form.get(self.key, self.typed)
        typed = text.strip() if isinstance(text, str) else ""
        try:
            value = micros(typed) if self.is_money else whole_number(typed)
        except InvalidInputError as error:
            return replace(self, typed=typed[:SHOWN], wrong=str(error))
        try:
            return replace(self, typed=typed, value=parse_switch(self.key, value))
        except InvalidInputError:
            return replace(self, typed=typed, wrong=self.bounds)


@router.get("/admin/settings")
async def switches(request: Request, desk: AtDesk, visitor: Admitted, saved: bool = False) -> Response:
    return page(request, "switches.html", visitor=visitor, switches=_shown(await desk.application.switches.read()), saved=saved)


@router.post("/admin/settings")
async def save(request: Request, desk: AtDesk, visitor: Admitted) -> Response:
    form, before = await request.form(), _shown(await desk.application.switches.read())
    wanted = [shown.filled(form) for shown in before]
    if any(shown.wrong for shown in wanted):
        return page(request, "switches.html", status=422, visitor=visitor, switches=wanted, saved=False)
    for old, new in zip(before, wanted, strict=True):
        if new.value != old.value:
            await desk.application.switches.set(new.key, new.value, by=visitor.operator.login)
    return RedirectResponse("/admin/settings?saved=true", 303)


def _shown(current: Switches) -> list[SwitchShown]:
    defaults = Switches()
    return [_as_it_is(one.name, getattr(current, one.name), getattr(defaults, one.name)) for one in fields(Switches)]


def _as_it_is(key: str, value: bool | int, default: bool | int) -> SwitchShown:
    title, explanation = EXPLANATIONS[key]
    shown = SwitchShown(key=key, title=title, explanation=explanation, value=value, default=default)
    return replace(shown, typed=shown.written(value))

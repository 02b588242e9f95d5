"""Feature switches: what each does, and setting them."""

from dataclasses import dataclass, fields

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.admin.auth import Admitted, AtDesk
from services.admin.rendering import page
from shared.domain.errors import InvalidInputError
from shared.domain.switches import LARGEST, Switches

router = APIRouter()

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
        "In millionths of a US dollar (1000000 is $1), per bot and UTC day. When it is spent, nobody gets a reply until midnight UTC. "
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
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchShown:
    key: str
    title: str
    explanation: str
    value: bool | int
    default: bool | int
    most: int

    @property
    def is_toggle(self) -> bool:
        return isinstance(self.default, bool)


@router.get("/admin/settings")
async def switches(request: Request, desk: AtDesk, visitor: Admitted, saved: bool = False) -> Response:
    return page(request, "switches.html", visitor=visitor, switches=_shown(await desk.application.switches.read()), saved=saved)


@router.post("/admin/settings")
async def save(request: Request, desk: AtDesk, visitor: Admitted) -> Response:
    form = await request.form()
    for shown in _shown(await desk.application.switches.read()):
        wanted = (shown.key in form) if shown.is_toggle else _whole_number(form.get(shown.key, str(shown.value)))
        if wanted != shown.value:
            await desk.application.switches.set(shown.key, wanted, by=visitor.operator.login)
    return RedirectResponse("/admin/settings?saved=true", 303)


def _whole_number(value: object) -> int:
    if not isinstance(value, str) or not value.strip().isdecimal() or len(value) > 13:
        raise InvalidInputError("not a whole number")
    return int(value)


def _shown(current: Switches) -> list[SwitchShown]:
    defaults = Switches()
    return [
        SwitchShown(
            key=one.name,
            title=title,
            explanation=text,
            value=getattr(current, one.name),
            default=getattr(defaults, one.name),
            most=LARGEST.get(one.name, 1),
        )
        for one in fields(Switches)
        for title, text in [EXPLANATIONS[one.name]]
    ]

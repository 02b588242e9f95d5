"""Feature switches: what each does, and setting them."""

from dataclasses import dataclass, fields

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.admin.auth import Admitted, AtDesk
from services.admin.rendering import page
from shared.domain.errors import InvalidInputError
from shared.domain.switches import Switches

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
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchShown:
    key: str
    title: str
    explanation: str
    value: bool | int
    default: bool | int

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
        wanted = (shown.key in form) if shown.is_toggle else _whole_number(form.get(shown.key))
        if wanted != shown.value:
            await desk.application.switches.set(shown.key, wanted, by=visitor.operator.login)
    return RedirectResponse("/admin/settings?saved=true", 303)


def _whole_number(value: object) -> int:
    if not isinstance(value, str) or not value.strip().isdecimal() or len(value) > 9:
        raise InvalidInputError("not a whole number")
    return int(value)


def _shown(current: Switches) -> list[SwitchShown]:
    defaults = Switches()
    return [
        SwitchShown(key=one.name, title=title, explanation=text, value=getattr(current, one.name), default=getattr(defaults, one.name))
        for one in fields(Switches)
        for title, text in [EXPLANATIONS[one.name]]
    ]

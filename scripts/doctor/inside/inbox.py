"""The inbox by its figures: whether updates are answered in time, given up, or left lying."""

from scripts.doctor.findings import Finding, fail, ok, span, warn
from scripts.doctor.inside.patient import Patient
from shared.database.vitals import InboxVitals

LATE_SECONDS, STUCK_SECONDS = 60.0, 300.0


def judged(patient: Patient, seen: InboxVitals) -> list[Finding]:
    return [*_waiting(patient, seen), *_lanes(patient, seen), *_dead(seen), *_unsent(patient, seen)]


def _waiting(patient: Patient, seen: InboxVitals) -> list[Finding]:
    look = f"look at {patient.logs('bot')} and at the model in LLM_STRONG, then {patient.restart('bot')}"
    if seen.oldest > STUCK_SECONDS:
        return [fail("inbox", f"{seen.waiting} updates wait, the oldest for {span(seen.oldest)}: people get no answer", look)]
    if seen.oldest > LATE_SECONDS:
        return [warn("inbox", f"{seen.waiting} updates wait, the oldest for {span(seen.oldest)}", look)]
    return [ok("inbox", f"{seen.waiting or 'no'} updates wait" + (f", the oldest for {span(seen.oldest)}" if seen.waiting else ""))]


def _lanes(patient: Patient, seen: InboxVitals) -> list[Finding]:
    found = []
    if seen.lanes_untaken:
        found.append(
            fail("inbox", f"{seen.lanes_untaken} chats are due and nobody takes them", f"no bot works on them: {patient.restart('bot')}")
        )
    if seen.lanes_forgotten:
        do = f"the worker wakes them within minutes; if not: {patient.restart('worker')}"
        found.append(warn("inbox", f"{seen.lanes_forgotten} chats have updates that nobody looks at", do))
    if seen.lanes_failing:
        found.append(warn("inbox", f"{seen.lanes_failing} chats failed and are tried again", f"the reason is in {patient.logs('bot')}"))
    return found


def _dead(seen: InboxVitals) -> list[Finding]:
    if seen.dead_lately:
        do = "see why, and replay them, on the dashboard under dead letters (/admin/)"
        return [warn("inbox", f"{seen.dead_lately} updates of the last 24 h were given up ({seen.dead} in all)", do)]
    return [ok("inbox", f"none was given up in 24 h; {seen.dead} older dead letters are kept")] if seen.dead else []


def _unsent(patient: Patient, seen: InboxVitals) -> list[Finding]:
    if seen.oldest_unsent <= STUCK_SECONDS:
        return []
    return [
        warn(
            "inbox",
            f"an answer waits for {span(seen.oldest_unsent)} to be sent",
            f"look at {patient.logs('bot')}; the worker sends it again",
        )
    ]

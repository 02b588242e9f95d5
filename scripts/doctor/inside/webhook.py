"""What getWebhookInfo says, beside what the settings want."""

import re
from typing import Any

from scripts.doctor.findings import Finding, fail, ok, span, warn
from scripts.doctor.inside.patient import Patient, host_of

MANY_WAITING = 200
FRESH_SECONDS = 600
LONGEST_SHOWN = 120
SECRETS = re.compile(r"[\w-]*\d{6,16}:[A-Za-z0-9_-]{20,}|https?://\S+")
MEANINGS = (
    (("certificate", "ssl"), "Telegram does not trust the certificate",
     "give nginx the whole chain (fullchain.pem) of a public authority for the name in WEBHOOK_URL, or use TLS_MODE=acme"),
    (("401",), "the bot refuses Telegram's secret",
     "WEBHOOK_SECRET differs from the one Telegram was given: {restart}, which sets it again"),
    (("403",), "the door does not let Telegram in",
     "TELEGRAM_ALLOW_LIST or a firewall is in the way; see TRUSTED_PROXIES when a proxy stands before nginx"),
    (("404",), "nobody serves that path",
     "WEBHOOK_URL must be the address of this installation without a path, and the bot must run: {restart}"),
    (("502", "503", "504"), "the door answers, the bot behind it does not", "look at {logs}, then {restart}"),
    (("resolve", "host"), "the name of WEBHOOK_URL is not known",
     "make the DNS entry of that name point to this server, or correct WEBHOOK_URL"),
    (("refused",), "nobody listens there",
     "PUBLIC_BIND=0.0.0.0 and HTTPS_PORT=443 in .env, TLS_MODE own or acme, then {apply}"),
    (("timed out", "timeout"), "the address does not answer Telegram",
     "open port 443 to the internet (firewall, router), and look at {logs}"),
    (("reserved", "ip address"), "the name leads to a private address",
     "Telegram calls public addresses only: correct the DNS entry or WEBHOOK_URL"),
)  # fmt: skip


def judged(patient: Patient, info: dict[str, Any], bot_id: int) -> list[Finding]:
    url, waiting = str(info.get("url") or ""), int(info.get("pending_update_count") or 0)
    polls = patient.settings.telegram_mode == "polling"
    found = _in_polling(patient, url) if polls else _in_webhook(patient, url, bot_id)
    return [found, *_last_error(patient, info, waiting), *_waiting(patient, waiting)]


def _in_polling(patient: Patient, url: str) -> Finding:
    if not url:
        return ok("webhook", "none is set, as TELEGRAM_MODE=polling needs it")
    found = f"one is set to {host_of(url)}, and TELEGRAM_MODE is polling: Telegram answers every poll with 409, so nothing arrives"
    return fail(
        "webhook", found, f"{patient.restart('bot')}, which removes it; if it comes back, another program has this BOT_TOKEN: stop it"
    )


def _in_webhook(patient: Patient, url: str, bot_id: int) -> Finding:
    base, path = (patient.settings.webhook_url or "").rstrip("/"), f"/telegram/webhook/{bot_id}"
    wanted = base if base.endswith(path) else base + path
    again = f"{patient.restart('bot')}, which sets it again"
    if url == wanted:
        return ok("webhook", f"is set to {host_of(url)}")
    if not url:
        return fail(
            "webhook",
            "none is set, and TELEGRAM_MODE is webhook: nothing arrives",
            f"{again}; if it goes again, another program has this BOT_TOKEN",
        )
    part = "another path there" if host_of(url) == host_of(wanted) else f"WEBHOOK_URL says {host_of(wanted)}"
    return fail(
        "webhook", f"is set to {host_of(url)}, and {part}", f"{again}; if it changes back, another program has this BOT_TOKEN: stop it"
    )


def _last_error(patient: Patient, info: dict[str, Any], waiting: int) -> list[Finding]:
    at = info.get("last_error_date") or info.get("last_synchronization_error_date")
    if not isinstance(at, int):
        return []
    age = max(0.0, patient.clock().timestamp() - at)
    said = SECRETS.sub("…", str(info.get("last_error_message") or "no reason given"))[:LONGEST_SHOWN]
    if age > FRESH_SECONDS and not waiting:
        return [ok("webhook", f"the last failed delivery was {span(age)} ago, and nothing waits")]
    meaning, do = _meaning(said)
    remedy = do.format(restart=patient.restart("bot"), logs=patient.logs("bot"), apply=patient.apply)
    return [(fail if waiting else warn)("webhook", f'Telegram could not deliver {span(age)} ago: {meaning} ("{said}")', remedy)]


def _meaning(said: str) -> tuple[str, str]:
    heard = said.lower()
    for signs, meaning, do in MEANINGS:
        if any(sign in heard for sign in signs):
            return meaning, do
    return "the call failed", "look at {logs}, then {restart}"


def _waiting(patient: Patient, waiting: int) -> list[Finding]:
    if waiting <= MANY_WAITING:
        return []
    return [warn("webhook", f"{waiting} updates wait at Telegram", f"the bot takes them too slowly or not at all: {patient.logs('bot')}")]

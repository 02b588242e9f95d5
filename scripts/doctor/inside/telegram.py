"""BOT_TOKEN and the webhook, as Telegram sees them."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from scripts.doctor.findings import Finding, fail, ok, warn
from scripts.doctor.inside import clock
from scripts.doctor.inside.patient import Patient, host_of
from scripts.doctor.inside.webhook import judged

OFFICIAL = "https://api.telegram.org"
NEW_TOKEN = "ask @BotFather for the token (/mybots, API Token), put it in .env as BOT_TOKEN, then"  # noqa: S105 - no token
TOKEN = re.compile(r"\d{6,16}:[A-Za-z0-9_-]{20,}")
CALL_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: nobody answered, and `body` says in which way."""

    status: int
    body: dict[str, Any]
    date: datetime | None = None


async def examined(patient: Patient) -> list[Finding]:
    token = patient.settings.bot_token.get_secret_value()
    if not token:
        return [fail("BOT_TOKEN", "is not set", f"{NEW_TOKEN} {patient.apply}")]
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        before = patient.clock()
        me = await _call(session, patient, "getMe")
        findings = [_about_token(patient, me)]
        if me.date is not None:
            told = me.date + timedelta(seconds=0.5)  # it was cut to whole seconds
            findings.append(clock.compared("Telegram", told, before, patient.clock(), precision=0.5))
        if me.status == 200:
            info = await _call(session, patient, "getWebhookInfo")
            findings += judged(patient, info.body, int(token.partition(":")[0])) if info.status == 200 else [_about_token(patient, info)]
    return findings


async def _call(session: aiohttp.ClientSession, patient: Patient, method: str) -> Answer:
    """Errors of the library quote the address, and the address holds the token: only their kind is kept."""
    base = (patient.settings.telegram_api_url or OFFICIAL).rstrip("/")
    try:
        async with session.get(f"{base}/bot{patient.settings.bot_token.get_secret_value()}/{method}") as response:
            told = json.loads(await response.read())
            date = _date(response.headers.get("Date", ""))
            result = told.get("result") if isinstance(told, dict) else None
            return Answer(response.status, result if isinstance(result, dict) else {}, date)
    except TimeoutError:
        return Answer(0, {"why": f"did not answer within {CALL_SECONDS:.0f} s"})
    except aiohttp.ClientConnectorCertificateError:
        return Answer(0, {"why": "shows a certificate that this machine does not trust"})
    except (aiohttp.ClientError, OSError):
        return Answer(0, {"why": "cannot be reached"})
    except ValueError:
        return Answer(0, {"why": "answers something that is no Bot API"})


def _about_token(patient: Patient, answer: Answer) -> Finding:
    where = host_of(patient.settings.telegram_api_url or OFFICIAL)
    match answer.status:
        case 200:
            return ok("BOT_TOKEN", f"is valid: @{answer.body.get('username', 'without a name')} ({where})")
        case 401 | 404:
            return fail("BOT_TOKEN", f"is refused by Telegram ({answer.status}): revoked or mistyped", f"{NEW_TOKEN} {patient.apply}")
        case 429:
            return warn("BOT_TOKEN", "Telegram asks to call less often (429)", "wait a minute and look again")
        case 0:
            return fail("Telegram", f"{where} {answer.body['why']}", _way_out(patient))
    return fail(
        "Telegram", f"{where} answers {answer.status}", "wait and look again; Telegram, or the server of TELEGRAM_API_URL, has trouble"
    )


def _way_out(patient: Patient) -> str:
    if patient.settings.telegram_api_url:
        return "start the server that TELEGRAM_API_URL names (in the demo: the sandbox), or empty that setting to use Telegram's own"
    return "let this machine out to api.telegram.org port 443 (firewall, DNS, proxy): `curl -sS https://api.telegram.org`"


def _date(header: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return None
    return found if found.tzinfo else None

"""The models of LLM_STRONG and LLM_SIMPLE: is the key taken, and does the provider know the model."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from scripts.doctor.findings import Finding, fail, ok, warn
from scripts.doctor.inside.patient import Patient, host_of
from shared.adapters.llm import ModelSpec, parse_specs
from shared.domain.errors import InvalidInputError

CALL_SECONDS = 4.0
WITHOUT_CALLS = {"scripted", "anthropic"}
NO_SUCH_ROUTE = {404, 405, 501}


@dataclass(frozen=True, slots=True)
class Provider:
    """One model at its provider, and the names of the settings that lead there."""

    spec: ModelSpec
    setting: str
    address: str
    key: str

    @property
    def name(self) -> str:
        return self.spec.provider.upper()


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: nobody answered, and `body` says in which way."""

    status: int
    body: Any


async def examined(patient: Patient) -> list[Finding]:
    try:
        wanted = _wanted(patient)
    except InvalidInputError as error:
        return [fail("models", str(error), f"correct it in .env, then {patient.apply}")]
    if not wanted:
        return [
            fail(
                "models",
                "LLM_STRONG names none: nobody is answered",
                f"set it, such as openai:gpt-4o-mini, with its key, then {patient.apply}",
            )
        ]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS), trust_env=True) as session:
        found = await asyncio.gather(*(_examine(session, patient, provider, is_first=not number) for number, provider in enumerate(wanted)))
    return list(found)


def _wanted(patient: Patient) -> list[Provider]:
    found: dict[str, Provider] = {}
    for setting in ("LLM_STRONG", "LLM_SIMPLE"):
        given = getattr(patient.settings, setting.lower())
        for spec in parse_specs(given, setting=setting) if given.strip() else ():
            found.setdefault(str(spec), Provider(spec, setting, *_endpoint(patient, spec.provider)))
    return list(found.values())


def _endpoint(patient: Patient, provider: str) -> tuple[str, str]:
    key = getattr(patient.settings, f"{provider}_api_key", None)
    return str(getattr(patient.settings, f"{provider}_base_url", "")).rstrip("/"), key.get_secret_value().strip() if key else ""


async def _examine(session: aiohttp.ClientSession, patient: Patient, provider: Provider, *, is_first: bool) -> Finding:
    if provider.spec.provider in WITHOUT_CALLS or not provider.address:
        return ok("models", f"{provider.spec} is not asked over the network")
    # OpenRouter shows its list to everybody; this is where it looks at the key.
    if provider.spec.provider == "openrouter" and (key := await _call(session, provider, "GET", "key")).status in {401, 403}:
        return _refusal(patient, provider, key.status)
    listed = await _call(session, provider, "GET", "models")
    if listed.status == 200 and _is_listed(listed.body, provider.spec.model):
        return ok("models", f"{provider.spec} is there, and the key is taken ({host_of(provider.address)})")
    if listed.status == 200 or listed.status in NO_SUCH_ROUTE:
        return _judged(patient, provider, await _complete(session, provider), is_first=is_first)
    return _judged(patient, provider, listed, is_first=is_first)


async def _call(session: aiohttp.ClientSession, provider: Provider, method: str, path: str, body: Any = None) -> Answer:
    headers = {"Authorization": f"Bearer {provider.key}"} if provider.key else {}
    try:
        async with session.request(method, f"{provider.address}/{path}", headers=headers, json=body) as response:
            raw = await response.read()
    except TimeoutError:
        return Answer(0, f"does not answer within {CALL_SECONDS:.0f} s")
    except (aiohttp.ClientError, OSError, ValueError):
        return Answer(0, "cannot be reached")
    try:
        return Answer(response.status, json.loads(raw))
    except ValueError:
        return Answer(response.status, raw.decode(errors="replace"))


async def _complete(session: aiohttp.ClientSession, provider: Provider) -> Answer:
    """A word or two, where no list can tell whether the model is there."""
    limit = "max_completion_tokens" if provider.spec.provider == "openai" else "max_tokens"
    return await _call(session, provider, "POST", "chat/completions", {
        "model": provider.spec.model, limit: 16, "messages": [{"role": "user", "content": "Say ok."}],
    })  # fmt: skip


def _is_listed(body: Any, model: str) -> bool:
    rows = body.get("data") if isinstance(body, dict) else None
    names = {str(row.get("id")) for row in rows if isinstance(row, dict)} if isinstance(rows, list) else set()
    return bool(names & {model, f"models/{model}", f"{model}:latest"})


def _judged(patient: Patient, provider: Provider, answer: Answer, *, is_first: bool) -> Finding:
    where, unwell = host_of(provider.address), fail if is_first else warn
    if answer.status == 200:
        return ok("models", f"{provider.spec} answers, and the key is taken ({where})")
    if answer.status in {401, 403} or (answer.status == 400 and "api key" in str(answer.body).lower()):
        return _refusal(patient, provider, answer.status)
    if answer.status == 402:
        return unwell(
            "models", f"{where} wants to be paid before {provider.spec} answers (402)", f"top up the account of {provider.name}_API_KEY"
        )
    if answer.status == 429:
        return warn(
            "models",
            f"{where} limits us (429): quota or credit is used up, or too many ask",
            f"look at the limits of the account of {provider.name}_API_KEY",
        )
    if answer.status in {400, 404}:
        do = f"correct {provider.setting} (provider:model) or {provider.name}_BASE_URL, then {patient.apply}"
        return unwell("models", f"{where} does not know {provider.spec} ({answer.status})", do)
    if answer.status == 0:
        return unwell(
            "models",
            f"{where} {answer.body} ({provider.spec})",
            f"check {provider.name}_BASE_URL and the way out of this machine (firewall, DNS, proxy)",
        )
    return unwell("models", f"{where} has trouble (it answers {answer.status})", f"wait, or put another model first in {provider.setting}")


def _refusal(patient: Patient, provider: Provider, status: int) -> Finding:
    found = f"{host_of(provider.address)} refuses the key of {provider.spec} ({status})"
    if not provider.key:
        found = f"{host_of(provider.address)} wants a key for {provider.spec}, and none is set"
    return fail("models", found, f"put a valid {provider.name}_API_KEY in .env, then {patient.apply}")

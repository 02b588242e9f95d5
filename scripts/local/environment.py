"""What the processes of the demo are told: `.env` first, the sandbox and embedded servers for what it leaves open."""

import json
import os
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from scripts.local.processes import StartError

PORTS = {"SANDBOX_PORT": 8080, "API_PORT": 8000, "ADMIN_PORT": 8001, "BOT_PORT": 8002, "WORKER_PORT": 8003}
OWN = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "CACHE_URL", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET")
MODELS = {
    "OPENAI_API_KEY": "openai:gpt-4o-mini",
    "GEMINI_API_KEY": "gemini:gemini-2.5-flash",
    "ANTHROPIC_API_KEY": "anthropic:claude-haiku-4-5",
    "OPENROUTER_API_KEY": "openrouter:openai/gpt-4o-mini",
}
SANDBOX_MODELS = {
    "LLM_STRONG": "openai:sandbox-large",
    "LLM_SIMPLE": "openai:sandbox-small",
    "LLM_PRICES": "openai:sandbox-large=2.5/10,openai:sandbox-small=0.15/0.6",
}
"""Two names and invented prices for one scripted character, so that the choice of a model and what replies cost can be seen."""
SANDBOX_FIRST_USER = "1000001"
"""The person that the chat page begins with: in the demo an operator, so that /health answers."""
PLACEHOLDER = re.compile(r"change.?me|placeholder|example|your.?(token|key|secret)|^<.*>$", re.IGNORECASE)
BOT_TOKEN = re.compile(r"\d{6,16}:[A-Za-z0-9_-]{30,}")


@dataclass(frozen=True, slots=True)
class Given:
    """The settings that the person chose: `.env`, and above it the environment of the command."""

    values: Mapping[str, str]

    def get(self, name: str) -> str:
        """Empty for what is missing or still a placeholder. `<NAME>_FILE` counts, as it does for the processes."""
        kept = self.values.get(f"{name}_FILE")
        try:
            value = Path(kept).read_text(encoding="utf-8").strip() if kept else self.values.get(name, "").strip()
        except OSError as error:
            raise StartError(f"{name}_FILE: cannot read {kept} ({error.strerror})") from None
        return "" if PLACEHOLDER.search(value) else value

    def port(self, name: str) -> int:
        value = self.get(name) or str(PORTS[name])
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise StartError(f"{name} is {value!r} and should be a port number from 1 to 65535")
        return int(value)


def read_given(root: Path) -> Given:
    kept = {name: value or "" for name, value in dotenv_values(root / ".env").items()}
    return Given({**kept, **os.environ})


def kept_secrets(local: Path) -> dict[str, str]:
    """Made on the first run, the same ever after, readable by this user only."""
    path = local / "secrets.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in kept.items()}
    letters = string.ascii_letters + string.digits
    fresh = {
        "BOT_TOKEN": f"{secrets.randbelow(9 * 10**9) + 10**9}:{''.join(secrets.choice(letters) for _ in range(35))}",
        "OPENAI_API_KEY": f"sandbox-{secrets.token_hex(16)}",
        "ADMIN_SECRET_KEY": secrets.token_hex(32),
        "WEBHOOK_SECRET": secrets.token_hex(32),
        "OPERATOR_PASSWORD": secrets.token_urlsafe(12),
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(fresh, indent=1), encoding="utf-8")
    return fresh


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIns:
    """What the sandbox plays on this run."""

    telegram: bool
    model: bool

    @property
    def any(self) -> bool:
        return self.telegram or self.model


def stand_ins(given: Given) -> StandIns:
    token = given.get("BOT_TOKEN")
    if token and not BOT_TOKEN.fullmatch(token):
        raise StartError(
            "BOT_TOKEN in .env is not a Telegram bot token (digits, a colon, 35 characters): correct it, or leave it empty for the sandbox"
        )
    chosen = given.get("LLM_STRONG") or any(given.get(key) for key in MODELS)
    return StandIns(telegram=not token, model=not chosen)


def told(given: Given, kept: Mapping[str, str], embedded: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of every process. The demo keeps its own database, whatever `.env` names."""
    played = stand_ins(given)
    ports = {name: str(given.port(name)) for name in PORTS}
    env = {name: value for name, value in given.values.items() if value and name.removesuffix("_FILE") not in OWN}
    env |= {**ports, **embedded, "ENVIRONMENT": "dev", "PYTHONUNBUFFERED": "1"}
    env["SANDBOX_MISTAKES"] = given.get("SANDBOX_MISTAKES") or "0"
    for name in ("ADMIN_SECRET_KEY", "WEBHOOK_SECRET"):
        if not given.get(name):
            env[name] = kept[name]
    sandbox = f"http://127.0.0.1:{ports['SANDBOX_PORT']}"
    if played.telegram:
        env |= {"BOT_TOKEN": kept["BOT_TOKEN"], "TELEGRAM_API_URL": sandbox, "TELEGRAM_MODE": "polling"}
        env["OPERATOR_TELEGRAM_IDS"] = given.get("OPERATOR_TELEGRAM_IDS") or SANDBOX_FIRST_USER
        env.pop("BOT_TOKEN_FILE", None)
    return env | _models(given, kept, f"{sandbox}/llm/v1")


def _models(given: Given, kept: Mapping[str, str], sandbox_model: str) -> dict[str, str]:
    if stand_ins(given).model:
        prices = ",".join(filter(None, (SANDBOX_MODELS["LLM_PRICES"], given.get("LLM_PRICES"))))
        return SANDBOX_MODELS | {"LLM_PRICES": prices, "OPENAI_BASE_URL": sandbox_model, "OPENAI_API_KEY": kept["OPENAI_API_KEY"]}
    strong = given.get("LLM_STRONG") or ",".join(model for key, model in MODELS.items() if given.get(key))
    return {"LLM_STRONG": strong, "LLM_SIMPLE": given.get("LLM_SIMPLE") or strong}

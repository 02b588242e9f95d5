"""The `.env` of an installation: made once with generated secrets, completed ever after, and what the sandbox stands in for."""

import os
import re
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.compose import dotenv
from scripts.compose.engine import RefusedError, docker

PLACEHOLDER = re.compile(r"change.?me|placeholder|example|your.?(token|key|secret)|^<.*>$", re.IGNORECASE)
DEMO_MARK = "# --- Demo: `make up DEMO=1` wrote the rest of this file, `make up DEMO=0` removes it "
SMALL = "docker-compose.yml:infrastructure/compose/small.yml"
ACME = "infrastructure/compose/acme.yml"
SMALL_SERVER_BYTES = 7_000_000_000
KNOBS = ("COMPOSE_PROJECT_NAME", "VITTE_VERSION", "PUBLIC_BIND", "HTTP_PORT", "HTTPS_PORT", "EDGE_PREFIX", "COMPOSE_FILE")
"""Written into a new `.env` when the command's environment has them, so that later commands agree with it."""

HEAD = """\
# Written by `make up`; yours to change. All settings and what they mean: .env.example.
# Keep a copy elsewhere: without these passwords the data in the volumes cannot be opened.

# From @BotFather.
BOT_TOKEN=
# polling needs nothing; webhook needs WEBHOOK_URL, the https address of this installation.
TELEGRAM_MODE=polling
WEBHOOK_URL=
# provider:model, with the provider's key.
LLM_STRONG=
OPENAI_API_KEY=
# The door: off (plain, on this machine only), own (your certificate) or acme; then SERVER_NAME=your.domain and PUBLIC_BIND=0.0.0.0.
TLS_MODE=off
SERVER_NAME=
PUBLIC_BIND=127.0.0.1
# monitoring: Prometheus, Grafana and alerts beside the product.
COMPOSE_PROFILES=monitoring

# Generated secrets.
"""


def _password() -> str:
    return secrets.token_hex(20)


GENERATED: dict[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": _password,
    "POSTGRES_OWNER_PASSWORD": _password,
    "POSTGRES_APP_PASSWORD": _password,
    "POSTGRES_MONITOR_PASSWORD": _password,
    "REDIS_PASSWORD_BOT": _password,
    "REDIS_PASSWORD_API": _password,
    "REDIS_PASSWORD_ADMIN": _password,
    "REDIS_PASSWORD_WORKER": _password,
    "REDIS_PASSWORD_EXPORTER": _password,
    "S3_ACCESS_KEY": lambda: secrets.token_hex(10),
    "S3_SECRET_KEY": _password,
    "ADMIN_SECRET_KEY": lambda: secrets.token_hex(32),
    "WEBHOOK_SECRET": lambda: secrets.token_hex(32),
    "GRAFANA_PASSWORD": lambda: secrets.token_urlsafe(15),
    "OPERATOR_PASSWORD": lambda: secrets.token_urlsafe(15),
}


@dataclass(frozen=True, slots=True)
class Values:
    """The environment above `.env`, as Compose sees them."""

    given: Mapping[str, str]

    def get(self, name: str, default: str = "") -> str:
        return self.given.get(name, "").strip() or default

    def real(self, name: str) -> str:
        """Empty for a placeholder, too."""
        value = self.get(name)
        return "" if PLACEHOLDER.search(value) else value

    @property
    def profiles(self) -> list[str]:
        return [name.strip() for name in self.get("COMPOSE_PROFILES").split(",") if name.strip()]

    @property
    def is_demo(self) -> bool:
        return "demo" in self.profiles


def values(root: Path) -> Values:
    return Values({**dotenv.read(root / ".env"), **os.environ})


def prepare(root: Path, *, demo: bool | None, memory: int) -> list[str]:
    """Makes or completes `.env`; answers what it did, in sentences. `demo` None leaves that as it is; memory in bytes."""
    path = root / ".env"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    text = before if path.exists() else _first(root, memory)
    head, _, rest = text.partition(DEMO_MARK)
    wants_demo = bool(rest) if demo is None else demo
    known = dotenv.parsed(head)
    fresh = {name: make() for name, make in GENERATED.items() if not known.get(name)}
    head = _with_certbot(_with_profile(dotenv.with_values(head, fresh), wants_demo))
    text = head + (_demo_block(head, dotenv.parsed(rest)) if wants_demo else "")
    if wants_demo:
        text = _without_gaps(text)
    if text == before:
        return []
    dotenv.write(path, text)
    if not before:
        return ["Wrote .env with generated secrets"]
    return [f"Completed .env: {', '.join(fresh)}"] if fresh else ["Changed .env: what follows from DEMO and TLS_MODE"]


def _first(root: Path, memory: int) -> str:
    named = {name: os.environ[name] for name in KNOBS if os.environ.get(name)}
    if memory < SMALL_SERVER_BYTES:
        named.setdefault("COMPOSE_FILE", SMALL)
    refuse_foreign_data(os.environ.get("COMPOSE_PROJECT_NAME") or _project_name(root))
    return dotenv.with_values(HEAD, named)


def _project_name(root: Path) -> str:
    found = re.search(r"^name: (\S+)$", (root / "docker-compose.yml").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else root.name


def refuse_foreign_data(project: str) -> None:
    """New passwords do not open an old database. Raises `RefusedError`."""
    volume = f"{project}_postgres-data"
    if docker("volume", "inspect", volume).returncode == 0:
        raise RefusedError(
            f".env is missing, but there is a database of an earlier installation (volume {volume}): put its .env back, "
            f"or remove all its data with `docker volume rm $(docker volume ls -q --filter name={project}_)`"
        )


def _with_profile(head: str, wants_demo: bool) -> str:
    present = Values(dotenv.parsed(head)).profiles
    wanted = [name for name in present if name != "demo"] + (["demo"] if wants_demo else [])
    return head if wanted == present else dotenv.with_values(head, {"COMPOSE_PROFILES": ",".join(wanted)})


def _with_certbot(head: str) -> str:
    """TLS_MODE decides whether certbot's file is among those of Compose."""
    known = Values(dotenv.parsed(head))
    files = known.get("COMPOSE_FILE", "docker-compose.yml").split(":")
    wanted = [name for name in files if name != ACME] + ([ACME] if known.get("TLS_MODE") == "acme" else [])
    return head if wanted == files else dotenv.with_values(head, {"COMPOSE_FILE": ":".join(wanted)})


def _demo_block(head: str, kept: Mapping[str, str]) -> str:
    """Values for what `.env` leaves open; those of the last run stay, so that the sandbox's bot remains the same."""
    given = Values(dotenv.parsed(head))
    block = {"DEMO_ENVIRONMENT": "dev"}
    if not given.real("BOT_TOKEN"):
        block |= {
            "DEMO_BOT_TOKEN": kept.get("DEMO_BOT_TOKEN") or _sandbox_token(),
            "DEMO_TELEGRAM_API_URL": "http://sandbox:8080",
            "DEMO_TELEGRAM_MODE": "webhook",
            "DEMO_WEBHOOK_URL": "http://nginx",
            "DEMO_OPERATOR_TELEGRAM_IDS": "1000001",
        }
    if not given.real("LLM_STRONG"):
        block |= {
            "DEMO_LLM_STRONG": "openai:sandbox-large",
            "DEMO_LLM_SIMPLE": "openai:sandbox-small",
            "DEMO_LLM_PRICES": "openai:sandbox-large=2.5/10,openai:sandbox-small=0.15/0.6",
            "DEMO_OPENAI_API_KEY": kept.get("DEMO_OPENAI_API_KEY") or f"sandbox-{secrets.token_hex(16)}",
            "DEMO_OPENAI_BASE_URL": "http://sandbox:8080/llm/v1",
        }
    lines = "\n".join(f"{name}={value}" for name, value in block.items())
    return f"\n{DEMO_MARK}{'-' * 20}\n{lines}\n"


def _without_gaps(text: str) -> str:
    """Compose asks for these names even where a DEMO_… one wins, and `make demo` takes a placeholder for missing."""
    known = dotenv.parsed(text)
    head, mark, rest = text.partition(f"\n{DEMO_MARK}")
    missing = {name: "placeholder" for name in ("BOT_TOKEN", "LLM_STRONG") if not known.get(name)}
    return dotenv.with_values(head, missing).rstrip() + "\n" + mark + rest


def _sandbox_token() -> str:
    letters = string.ascii_letters + string.digits
    return f"{secrets.randbelow(9 * 10**9) + 10**9}:{''.join(secrets.choice(letters) for _ in range(35))}"

"""Who is examined, and the remedies in the words of that installation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from scripts.doctor.findings import Kind
from shared.settings import Settings


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """`process` is bot, api, worker, admin, or all; `known` the code's migrations, oldest first; `clock` this machine's."""

    settings: Settings
    process: str = "all"
    kind: Kind = Kind.COMPOSE
    known: tuple[str, ...] = ()
    clock: Callable[[], datetime] = field(default=now)

    @property
    def apply(self) -> str:
        """So that a changed setting takes effect."""
        return "`make up`" if self.kind is Kind.COMPOSE else "stop the demo with Ctrl-C and start it again with `make demo`"

    def restart(self, service: str) -> str:
        return f"`docker compose restart {service}`" if self.kind is Kind.COMPOSE else self.apply

    def logs(self, service: str) -> str:
        return f"`make logs s={service}`" if self.kind is Kind.COMPOSE else ".local/logs/demo.log"

    def start(self, service: str) -> str:
        return f"`make up`, and if it stays away {self.logs(service)}" if self.kind is Kind.COMPOSE else self.apply

    def secrets(self) -> list[str]:
        """Every value that nobody may see, those inside addresses as well."""
        found = []
        for name in type(self.settings).model_fields:
            value = getattr(self.settings, name)
            if hasattr(value, "get_secret_value"):
                plain = str(value.get_secret_value())
                found += [plain, plain.partition(":")[2], _password(plain)]
        return found


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:
        return ""


def host_of(address: str) -> str:
    """Host and port, never the rest: an address may carry a secret."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.hostname}{port}" if parts.hostname else "an address without a host"

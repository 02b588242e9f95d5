"""Every process of the demo: what it runs, and how it is seen to serve."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.local.console import Console
from scripts.local.health import complaint
from scripts.local.postgres import PostgresServer
from scripts.local.processes import Command, Ledger
from scripts.local.running import Server
from scripts.local.s3 import BUCKET, S3Server
from scripts.local.supervised import Supervised
from scripts.local.valkey import ValkeyServer


@dataclass(frozen=True, slots=True)
class Embedded:
    postgres: PostgresServer
    redis: ValkeyServer
    s3: S3Server

    @classmethod
    def below(cls, local: Path) -> "Embedded":
        return cls(PostgresServer(local), ValkeyServer(local), S3Server(local))

    def prepare(self) -> None:
        for server in self.servers():
            server.prepare()

    def servers(self) -> tuple[Server, ...]:
        return self.postgres, self.redis, self.s3

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.postgres.url(),
            "REDIS_URL": self.redis.url(),
            "CELERY_BROKER_URL": self.redis.url(1),
            "CACHE_URL": self.redis.url(2),
            "S3_ENDPOINT": self.s3.url(),
            "S3_ACCESS_KEY": "vitte",
            "S3_SECRET_KEY": self.redis.password,  # the stand-in takes any
            "S3_BUCKET": BUCKET,
        }


@dataclass(frozen=True, slots=True)
class Parts:
    """Makes the processes; they share the environment, the console and the ledger."""

    root: Path
    environment: Mapping[str, str]
    console: Console
    ledger: Ledger

    def embedded(self, server: Server) -> Supervised:
        async def ready(pid: int) -> str | None:
            return None if server.is_ready(pid) else "does not answer yet"

        return Supervised(server.command(), self.console, self.ledger, ready=ready, prepare=server.prepare)

    def service(self, name: str, module: str, port: str | None = None, health: str = "/health") -> Supervised:
        """A process of ours with its health path; without a port, staying alive is enough."""
        return Supervised(self._command(name, "-m", module), self.console, self.ledger, ready=self._healthy(port, health))

    def script(self, name: str, path: str, *arguments: str) -> Supervised:
        return Supervised(self._command(name, path, *arguments), self.console, self.ledger)

    def _command(self, name: str, *arguments: str) -> Command:
        return Command(name=name, argv=(sys.executable, *arguments), env=self.environment, cwd=self.root)

    def _healthy(self, port: str | None, path: str) -> Callable[[int], Awaitable[str | None]] | None:
        if port is None:
            return None

        async def ready(_pid: int) -> str | None:
            return await complaint(int(self.environment[port]), path)

        return ready

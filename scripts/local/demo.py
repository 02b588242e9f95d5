"""The whole platform on one machine: `make demo`, or `python3 scripts/demo.py`."""

import asyncio
import sys
import time
from dataclasses import dataclass

from scripts.local.alone import alone
from scripts.local.console import Console, open_console
from scripts.local.environment import PORTS, Given, StandIns, kept_secrets, read_given, stand_ins, told
from scripts.local.install import LEAST_BYTES, LOCAL, ROOT, InstallError, check_space
from scripts.local.parts import Embedded, Parts
from scripts.local.ports import is_taken, listener
from scripts.local.processes import Ledger, StartError
from scripts.local.summary import GREEN, summary
from scripts.local.supervised import Supervised
from scripts.local.supervisor import Supervisor, supervise

OPERATOR = "operator"


def check_ports(given: Given, played: StandIns) -> None:
    """Before anything starts. Names the port, who has it, and the variable to change."""
    chosen: dict[int, str] = {}
    for name in PORTS:
        if name == "SANDBOX_PORT" and not played.any:
            continue
        port = given.port(name)
        if port in chosen:
            raise StartError(f"{name} and {chosen[port]} are both {port}: give one of them another port in .env")
        if is_taken(port):
            who = listener(port) or "another program"
            raise StartError(
                f"Port {port} is taken by {who}. Stop it, or choose another port: `{name}={port + 1000} make demo` (or in .env)"
            )
        chosen[port] = name


@dataclass(frozen=True, slots=True)
class Demo:
    parts: Parts
    embedded: Embedded
    played: StandIns
    password: str
    started: float

    @property
    def console(self) -> Console:
        return self.parts.console

    async def begin(self, supervisor: Supervisor) -> None:
        servers = [self.parts.embedded(server) for server in self.embedded.servers()]
        supervisor.launch(*servers)
        sandbox = self.parts.service("sandbox", "services.sandbox", "SANDBOX_PORT")
        if self.played.any:
            supervisor.launch(sandbox)
        await servers[0].wait_ready()
        await self._run(self.parts.script("migrations", "scripts/run_migrations.py"))
        services = self._services()
        supervisor.launch(*services)
        everybody = [*servers, *([sandbox] if self.played.any else []), *services]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._create_operator())
            waited_for = [member.name for member in everybody]
            for member in everybody:
                group.create_task(self._wait_for(member, waited_for))
        self._welcome()

    async def _wait_for(self, member: Supervised, waited_for: list[str]) -> None:
        await member.wait_ready()
        waited_for.remove(member.name)
        self.console.waiting_for(waited_for)

    def _services(self) -> tuple[Supervised, ...]:
        return (
            self.parts.service("bot", "services.bot", "BOT_PORT"),
            self.parts.service("api", "services.api", "API_PORT", "/api/v1/health"),
            self.parts.service("admin", "services.admin", "ADMIN_PORT", "/admin/health"),
            self.parts.service("worker", "services.worker", "WORKER_PORT"),
            self.parts.service("schedule", "services.worker.schedule"),
        )

    async def _create_operator(self) -> None:
        """Once per database; asking every time would cost every start a second."""
        mark = self.embedded.postgres.home / "operator-created"
        if not mark.exists():
            created = self.parts.script("operator", "scripts/create_operator.py", "--login", OPERATOR, "--password-stdin")
            await self._run(created, self.password.encode() + b"\n")
            mark.touch()

    async def _run(self, script: Supervised, said: bytes = b"") -> None:
        code = await script.run_to_the_end(said)
        if code != 0:
            words = self.console.last_words(script.name, 15)
            raise StartError("\n".join([f"{script.name} failed (exit code {code}); .local/logs/demo.log has all it said, last:", *words]))

    def _welcome(self) -> None:
        self.console.say()
        self.console.say(f"{self.console.paint('ready', GREEN)} ({time.monotonic() - self.started:.1f} s)")
        for line in summary(self.parts.environment, self.embedded, self.played, f"{OPERATOR} / {self.password}", self.console.paint):
            self.console.show(line)
        self.console.opened = True


def run() -> int:
    started = time.monotonic()
    LOCAL.mkdir(mode=0o755, exist_ok=True)
    check_space(LEAST_BYTES)
    given = read_given(ROOT)
    played = stand_ins(given)
    with alone(LOCAL):
        ledger = Ledger(LOCAL / "processes.json")
        ended = ledger.end_leftovers()
        check_ports(given, played)
        kept = kept_secrets(LOCAL)
        embedded = Embedded.below(LOCAL)
        embedded.prepare()
        console = open_console(LOCAL / "logs")
        console.say("Starting Vitte …")
        if not embedded.postgres.home.is_relative_to(LOCAL):
            console.say(f"PostgreSQL does not run as root and cannot enter this folder otherwise: its data is in {embedded.postgres.home}")
        if ended:
            console.say(f"Ended what an earlier run had left: {', '.join(ended)}")
        parts = Parts(ROOT, told(given, kept, embedded.environment()), console, ledger)
        demo = Demo(parts, embedded, played, kept["OPERATOR_PASSWORD"], started)
        code = asyncio.run(supervise(demo.begin, console, ledger))
        console.say("Vitte has stopped." if code == 0 else "Vitte could not start; nothing is left running.")
        return code


def main() -> None:
    try:
        sys.exit(run())
    except (StartError, InstallError) as error:
        sys.exit(f"vitte: {error}")
    except PermissionError as error:
        sys.exit(f"vitte: {error.filename} belongs to another user: run this as that user, or remove .local")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

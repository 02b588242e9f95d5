"""What an operator reads of containers, disk, backups and the door; and which installation is looked at."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.compose.manifest import DATABASE, NAME, OBJECTS, Manifest, Note
from scripts.doctor import compose, containers, door, machine, showing
from scripts.doctor.findings import Finding, Kind, Level, dumped, fail, ok, span, warn
from scripts.doctor.revisions import known
from scripts.local.ports import free_port
from tests.scripts.test_demo import Demo, demo

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
__all__ = ["demo"]


def container(name: str, *, health: str = "healthy", said: str = "", restarts: int = 0, memory: int = 0, **state: Any) -> dict[str, Any]:
    usual = {"Running": True, "Restarting": False, "OOMKilled": False, "ExitCode": 0, "StartedAt": "2026-11-20T11:58:00.123456789Z"}
    return {
        "Config": {"Labels": {"com.docker.compose.service": name, "com.docker.compose.config-hash": "h1"}},
        "State": {**usual, "Health": {"Status": health, "Log": [{"Output": said}]}, **state},
        "RestartCount": restarts,
        "HostConfig": {"Memory": memory},
    }


def judged(*given: dict[str, Any], wanted: tuple[str, ...] = ()) -> list[Finding]:
    return containers.judged(given, wanted, lambda name: f"last words of {name}", NOW)


def test_containers_that_are_well_take_one_line() -> None:
    done = container("migrations", Running=False)
    assert judged(container("bot"), done, wanted=("bot", "migrations")) == [ok("containers", "1 run and are healthy")]


def test_a_missing_container_is_named() -> None:
    assert judged(container("bot"), wanted=("bot", "redis", "s3")) == [fail("containers", "redis, s3: there is none", "`make up`")]


@pytest.mark.parametrize(
    ("broken", "level", "found"),
    [
        (container("bot", Running=False, ExitCode=0), Level.FAIL, "does not run (exit code 0)"),
        (container("bot", Running=False, ExitCode=78), Level.FAIL, "does not run (exit code 78): last words of bot"),
        (container("bot", Restarting=True, ExitCode=1), Level.FAIL, "restarts again and again: last words of bot"),
        (
            container("bot", Running=False, OOMKilled=True, ExitCode=137, memory=1 << 30),
            Level.FAIL,
            "was killed because it used all of its memory (1024 MB)",
        ),
        (container("bot", OOMKilled=True), Level.WARN, "was killed because it used all of its memory"),
        (container("bot", Running=False, ExitCode=137), Level.FAIL, "does not run (killed)"),
        (
            container("bot", restarts=3, StartedAt="2026-11-20T11:59:55.1Z"),
            Level.FAIL,
            "restarts again and again: last words of bot",
        ),
        (container("bot", restarts=3), Level.WARN, "has restarted 3 times, last 2 min ago"),
        (container("bot", health="starting"), Level.WARN, "is still starting"),
        (container("migrations", Running=False, ExitCode=1), Level.FAIL, "failed with exit code 1: last words of migrations"),
    ],
)
def test_a_container_in_trouble_and_why(broken: dict[str, Any], level: Level, found: str) -> None:
    [seen] = judged(broken)
    assert (seen.level, seen.found) == (level, found)
    assert seen.do


def test_an_unhealthy_container_names_what_it_misses() -> None:
    answer = {
        "status": "unavailable",
        "dependencies": {"database": {"ok": True, "code": None}, "redis": {"ok": False, "code": "redis_unavailable"}},
    }
    [seen] = judged(container("bot", health="unhealthy", said=f"503 {json.dumps(answer)}"))
    assert (seen.level, seen.found) == (Level.FAIL, "runs, but is not well: redis (redis_unavailable)")
    assert containers.ailing("connection refused") == "connection refused"


def test_settings_that_are_not_in_effect_yet() -> None:
    given = [container("bot"), container("api"), container("redis")]
    assert containers.outdated(given, {"bot": "h2", "api": "h1"})[0].found.startswith("bot have others than .env")
    assert containers.outdated(given, {"bot": "h1"})[0].level is Level.OK


def write_backup(folder: Path, made_at: str) -> None:
    folder.mkdir(parents=True)
    note = Note(0, "")
    (folder / NAME).write_text(Manifest(made_at, "v", "", "0001", {}, 0, 0, {DATABASE: note, OBJECTS: note}).text())


def test_the_age_of_the_newest_backup(tmp_path: Path) -> None:
    assert machine.about_backups(tmp_path / "backups", NOW).level is Level.WARN
    write_backup(tmp_path / "backups" / "old", (NOW - timedelta(hours=50)).isoformat())
    late = machine.about_backups(tmp_path / "backups", NOW)
    assert (late.level, late.found) == (Level.WARN, "the newest, old, is 2 days old")
    assert "make backup" in late.do
    write_backup(tmp_path / "backups" / "new", (NOW - timedelta(hours=25)).isoformat())
    assert machine.about_backups(tmp_path / "backups", NOW) == ok("backup", "the newest is 25 h old")


def test_the_disk_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, level in ((50, Level.OK), (9, Level.WARN), (2, Level.FAIL)):
        usage = type("Usage", (), {"free": free * 10**10, "total": 10**12})
        monkeypatch.setattr("shutil.disk_usage", lambda _, usage=usage: usage)
        assert machine.about_disk(tmp_path, "sweep").level is level


@contextmanager
def visited(answer: bytes, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that says the same to everybody."""

    def serve(server: socket.socket) -> None:
        while True:
            try:
                raw, _ = server.accept()
            except OSError:
                return
            try:
                line = context.wrap_socket(raw, server_side=True) if context else raw
                if line.recv(4096):
                    line.sendall(answer)
                line.close()
            except OSError:
                raw.close()

    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(server,))
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def says(status: int) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [
        (200, Level.OK, "answers"),
        (502, Level.FAIL, "the api behind it does not (502)"),
        (421, Level.FAIL, "own name"),
        (404, Level.FAIL, "404"),
    ],
)
def test_the_door_answers_or_says_what_is_behind_it(status: int, level: Level, words: str) -> None:
    with visited(says(status)) as port:
        [found] = door.examined(door.Door("127.0.0.1", port, 0))
    assert found.level is level
    assert words in found.found


def test_a_closed_door_names_its_settings() -> None:
    [found] = door.examined(door.Door("127.0.0.1", free_port(), 0))
    assert found.level is Level.FAIL
    assert "HTTP_PORT" in found.do


def certified(folder: Path, *, days: int, name: str = "vitte.example") -> ssl.SSLContext:
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj", f"/CN={name}"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "chain.pem")]
    subprocess.run(["openssl", "req", *kind, "-addext", f"subjectAltName=DNS:{name}", *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    return context


def certificate(folder: Path, *, days: int, name: str = "vitte.example", **more: Any) -> list[tuple[Level, str]]:
    with visited(says(200), certified(folder, days=days, name=name)) as port:
        found = door.examined(door.Door("127.0.0.1", 0, port, name="vitte.example", **{"mode": "own", **more}))
    assert found[0].level is Level.OK
    return [(one.level, one.found) for one in found[1:]]


def test_the_certificate_that_is_shown(tmp_path: Path) -> None:
    assert certificate(tmp_path, days=90) == [(Level.OK, "is valid for 90 days")]
    assert certificate(tmp_path, days=10) == [(Level.WARN, "expires in 10 days")]
    assert certificate(tmp_path, days=2) == [(Level.FAIL, "expires in 48 h")]
    assert certificate(tmp_path, days=90, name="*.example") == [(Level.OK, "is valid for 90 days")]
    assert certificate(tmp_path, days=90, name="other.test")[1] == (Level.FAIL, "is for other.test, and SERVER_NAME is vitte.example")


def test_telegram_needs_a_certificate_that_everybody_trusts(tmp_path: Path) -> None:
    [_, untrusted] = certificate(tmp_path, days=90, webhook=True)
    assert untrusted[0] is Level.FAIL
    assert "Telegram will not call" in untrusted[1]


def test_an_expired_certificate(tmp_path: Path) -> None:
    found = door._unusable(door.Door("h", 0, 0, mode="acme"), _verification_error(door.EXPIRED))
    assert (found.level, found.found) == (Level.FAIL, "has expired: browsers and Telegram refuse it")
    assert "make logs s=certbot" in found.do


def _verification_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    return error


def test_of_other_processes_only_what_differs_is_told() -> None:
    well = [ok("database", "answers"), ok("Redis", "answers"), ok("cache", "answers"), ok("jobs", "none waits")]
    assert compose._summed_up("worker", well) == [ok("worker", "database, Redis and cache answer"), well[3]]
    broken = [well[0], fail("Redis", "refuses", "do it")]
    assert compose._summed_up("api", broken) == [fail("Redis (api)", "refuses", "do it")]


def test_what_several_processes_say_is_one_problem() -> None:
    away = fail("Redis", "away", "start it")
    told = [
        away,
        fail("Redis (api)", "away", "start it"),
        fail("Redis (admin)", "refuses", "start it"),
        ok("clock", "agrees"),
        ok("door", "agrees"),
    ]
    assert compose._once(told) == [away, *told[2:]]


def test_how_it_looks() -> None:
    found = [ok("database", "answers"), warn("backup", "none", "make one"), fail("Redis", "away", "start it")]
    assert showing.lines(found, coloured=False) == [
        "  ok    database     answers",
        "  warn  backup       none",
        "        do: make one",
        "  FAIL  Redis        away",
        "        do: start it",
        "",
        "1 problem, 1 warning",
    ]
    assert showing.lines(found, coloured=True)[3] == "  \x1b[31mFAIL\x1b[0m  Redis        away"
    told = json.loads(showing.as_json("compose", found))
    assert (told["looked_at"], told["problems"], told["warnings"]) == ("compose", 1, 1)
    assert told["findings"][2] == {"area": "Redis", "level": "FAIL", "found": "away", "do": "start it"}
    assert json.loads(dumped(found)) == told["findings"]


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (119, "119 s"), (300, "5 min"), (7300, "2 h"), (180_000, "2 days")])
def test_spans_are_said_as_a_person_says_them(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_migrations_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text('revision = "0002"\ndown_revision = "0001"\n')
    (tmp_path / "a.py").write_text('revision: str = "0001"\ndown_revision: str | None = None\n')
    assert known(tmp_path) == ("0001", "0002")
    (tmp_path / "c.py").write_text('revision = "0003"\ndown_revision = "0001"\n')
    assert known(tmp_path) == ()


def doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.doctor", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60)


def test_where_nothing_runs_it_says_so_and_how_to_start(tmp_path: Path) -> None:
    ran = doctor("--demo", VITTE_LOCAL=str(tmp_path))
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[0] == "Nothing runs here."
    assert "`make demo`" in ran.stdout
    assert "`make up`" in ran.stdout
    told = json.loads(doctor("--demo", "--json", VITTE_LOCAL=str(tmp_path)).stdout)
    assert (told["looked_at"], told["problems"]) == ("nothing", 1)


@pytest.mark.crash
def test_the_demo_is_examined_as_it_runs(demo: Demo) -> None:
    demo.await_ready()
    ran = doctor("--demo", VITTE_LOCAL=str(demo.folder))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[0].startswith("Looking at the demo on this machine")
    told = json.loads(doctor("--demo", "--json", VITTE_LOCAL=str(demo.folder)).stdout)
    assert told["looked_at"] == Kind.DEMO
    assert {finding["level"] for finding in told["findings"] if finding["area"] != "disk"} == {"ok"}
    secrets = json.loads((demo.folder / "secrets.json").read_text())
    assert [name for name, value in secrets.items() if value in ran.stdout] == []

    os.kill(demo.pids()["redis"], signal.SIGSTOP)  # it is there and says nothing
    ill = doctor("--demo", VITTE_LOCAL=str(demo.folder))
    os.kill(demo.pids()["redis"], signal.SIGCONT)
    demo.process.send_signal(signal.SIGINT)
    demo.process.wait(20)
    assert ill.returncode == 1
    assert "FAIL  Redis" in ill.stdout
    assert "REDIS_URL" in ill.stdout

"""Before, while and after it starts: what stops `make up`, the order of things, and that nothing is left at the end."""

import json
import time

from scripts.compose.engine import docker
from scripts.compose.smoke.report import Report, expect
from scripts.compose.smoke.stage import JOBS, OURS, PROJECT, Stage

UNWATCHED = {"redis-exporter", "nginx-exporter"}
BROKEN = '''"""Broken on purpose."""

from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.execute("select no_such_column from characters")
'''


def _running() -> list[str]:
    return docker("ps", "--filter", f"label=com.docker.compose.project={PROJECT}", "--format", "{{.Names}}").stdout.split()


def refused_settings(stage: Stage) -> str:
    """Missing and wrong settings: one line that names the variable, and nothing has started."""
    cases: dict[str, dict[str, str]] = {
        "BOT_TOKEN": {},
        "LLM_STRONG": {"BOT_TOKEN": f"1234567890:{'A' * 35}"},
        "OPENAI_API_KEY": {"BOT_TOKEN": f"1234567890:{'A' * 35}", "LLM_STRONG": "openai:gpt-4o-mini"},
        "HTTP_PORT": {"DEMO": "1", "HTTP_PORT": "eighty"},
        "TLS_MODE": {"DEMO": "1", "TLS_MODE": "maybe"},
    }
    for name, environment in cases.items():
        ran = stage.make("up", environment=environment)
        said = [line for line in ran.stderr.splitlines() if not line.startswith("make")]
        expect(ran.returncode != 0 and len(said) == 1 and said[0].startswith(f"vitte: {name} "), f"{name}: {ran.stderr.strip()[-300:]}")
        expect(not _running(), f"{name}: {_running()} run")
        stage.make("setup", environment={"DEMO": "0"})
    return ", ".join(cases)


def refused_in_the_image(stage: Stage) -> str:
    """What only the processes themselves can know is found once there are images, and still before anything starts."""
    ran = stage.make("up", "DEMO=1", environment={"LLM_TOTAL_TIMEOUT": "soon"})
    expect(ran.returncode != 0 and "vitte: LLM_TOTAL_TIMEOUT" in ran.stderr, ran.stderr.strip()[-300:])
    expect(not _running(), f"{_running()} run")
    return "LLM_TOTAL_TIMEOUT"


def broken_migration(stage: Stage) -> str:
    """No service starts, and the last line of `make up` says why."""
    versions = stage.root / "alembic" / "versions"
    heads = sorted(path.stem.partition("_")[0] for path in versions.glob("[0-9]*.py"))
    broken = versions / "9999_broken.py"
    broken.write_text(BROKEN.format(head=heads[-1]), encoding="utf-8")
    try:
        ran = stage.make("up", "DEMO=1")
    finally:
        broken.unlink()
    said = [line for line in ran.stderr.splitlines() if not line.startswith("make")]
    expect(ran.returncode != 0 and said and "no_such_column" in said[-1], ran.stdout[-600:] + ran.stderr[-300:])
    started = [
        row["Service"]
        for row in stage.compose.containers()
        if row["Service"] in {*OURS, "nginx"} - {"sandbox"} and row["State"] != "created"
    ]
    expect(not started, f"{started} have started")
    return said[-1][:160]


def up(stage: Stage) -> str:
    began = time.monotonic()
    ran = stage.make("up", "DEMO=1")
    expect(ran.returncode == 0 and "ready" in ran.stdout, (ran.stdout + ran.stderr)[-1500:])
    return f"{time.monotonic() - began:.0f} s"


def all_healthy(stage: Stage) -> str:
    rows = stage.compose.containers()
    wrong = [
        f"{row['Service']} {row['State']} {row['Health']}"
        for row in rows
        if row["Service"] not in JOBS and (row["State"] != "running" or (row["Health"] != "healthy" and row["Service"] not in UNWATCHED))
    ]
    failed = [row["Service"] for row in rows if row["Service"] in JOBS and (row["State"] != "exited" or row["ExitCode"] != 0)]
    expect(not wrong and not failed, f"{wrong} {failed}")
    return f"{len(rows)} containers"


def in_order(stage: Stage) -> None:
    done = stage.inspect("migrations")[0]["State"]["FinishedAt"]
    early = [name for name in OURS if name != "sandbox" and stage.inspect(name)[0]["State"]["StartedAt"] < done]
    expect(not early, f"{early} began before the migrations were done")


def migrated_twice(stage: Stage) -> None:
    before = stage.sql("select count(*) from characters")
    ran = stage.compose.run("run", "--rm", "-T", "migrations")
    expect(ran.returncode == 0 and "already_up_to_date" in ran.stdout, ran.stdout + ran.stderr)
    expect(stage.sql("select count(*) from characters") == before, "the second run changed rows")


def down(stage: Stage) -> None:
    ran = stage.make("down")
    expect(ran.returncode == 0, ran.stderr[-300:])
    expect(not docker("ps", "--all", "-q", "--filter", f"label=com.docker.compose.project={PROJECT}").stdout, "containers are left")
    expect(not docker("network", "ls", "-q", "--filter", f"label=com.docker.compose.project={PROJECT}").stdout, "networks are left")
    volumes = docker("volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={PROJECT}").stdout.split()
    expect(f"{PROJECT}_postgres-data" in volumes, "the data is gone")


def before_and_up(report: Report, stage: Stage) -> bool:
    """Whether there is something to look at."""
    report.check("missing and wrong settings stop make up before anything starts", lambda: refused_settings(stage))
    report.check("so does what only a process can know", lambda: refused_in_the_image(stage))
    report.check("a broken migration: no service starts, the reason is the last line", lambda: broken_migration(stage))
    return report.check("make up DEMO=1 from a fresh copy", lambda: up(stage))


def seen_from_compose(report: Report, stage: Stage) -> None:
    report.check("all healthy", lambda: all_healthy(stage))
    report.check("the services began after the migrations", lambda: in_order(stage))
    report.check("migrations run a second time harmlessly", lambda: migrated_twice(stage))


def published(stage: Stage) -> str:
    """Only nginx, and on this machine's own address."""
    found = {
        (service, port, binding["HostIp"])
        for service in set(stage.services())
        for container in stage.inspect(service)
        for port, bindings in (container["HostConfig"]["PortBindings"] or {}).items()
        for binding in bindings or []
    }
    expect(found == {("nginx", "80/tcp", "127.0.0.1"), ("nginx", "443/tcp", "127.0.0.1")}, json.dumps(sorted(found)))
    return "nginx 80 and 443 on 127.0.0.1"

"""More replicas, restarts and kills of every container, each under load: nothing is lost and nobody has to help."""

import os
import re
import signal
import time
from functools import partial

from scripts.compose.smoke.load import Load
from scripts.compose.smoke.report import Report, expect, until
from scripts.compose.smoke.stage import Stage

IN_TURN = ("bot", "worker", "schedule", "api", "admin", "nginx", "cache", "redis", "s3", "postgres")
SECONDS_TO_HEAL = 90
QUIET_SECONDS = 4
BEFORE, BETWEEN = 12, 2


def is_healthy(stage: Stage, service: str) -> bool:
    rows = [row for row in stage.compose.containers() if row["Service"] == service]
    return bool(rows) and all(row["State"] == "running" and row["Health"] == "healthy" for row in rows)


def scaled(stage: Stage, load: Load) -> str:
    ran = stage.compose.run("up", "--detach", "--wait", "--no-build", "--scale", "bot=3", "--scale", "worker=2")
    expect(ran.returncode == 0, ran.stderr[-500:])
    time.sleep(6)  # nginx asks for names again every five seconds
    with load.running():
        time.sleep(BEFORE)
    log = stage.compose.ask("logs", "--no-log-prefix", "--since", "60s", "nginx")
    took = {found[1] for found in re.finditer(r'"path":"/telegram/webhook/.*?"upstream":"([\d.]+):8002"', log)}
    expect(len(took) == 3, f"updates went to {len(took)} of 3 bots")
    return load.judge(doubles_allowed=False)


def restarted(stage: Stage, load: Load, service: str) -> str:
    with load.running():
        time.sleep(BETWEEN)
        ran = stage.compose.run("restart", service)
        expect(ran.returncode == 0, ran.stderr[-300:])
        began = time.monotonic()
        until(lambda: is_healthy(stage, service), SECONDS_TO_HEAL, f"{service} was healthy")
        took = time.monotonic() - began
        time.sleep(QUIET_SECONDS)
    return f"healthy after {took:.0f} s; {load.judge(doubles_allowed=True)}"


def killed(stage: Stage, load: Load, service: str) -> str:
    """As a crash does it: the first process of every replica gets SIGKILL. (`docker kill` is an order to stop, and Docker obeys it.)"""
    with load.running():
        time.sleep(BETWEEN)
        before = stage.inspect(service)
        for container in before:
            os.kill(container["State"]["Pid"], signal.SIGKILL)
        began = time.monotonic()
        time.sleep(1)
        until(lambda: is_healthy(stage, service), SECONDS_TO_HEAL, f"{service} was healthy")
        took = time.monotonic() - began
        again = [container["State"]["StartedAt"] for container in stage.inspect(service)]
        expect(not {container["State"]["StartedAt"] for container in before} & set(again), f"{service} was not killed")
        time.sleep(QUIET_SECONDS)
    return f"healthy after {took:.0f} s; {load.judge(doubles_allowed=True)}"


def check_faults(report: Report, stage: Stage) -> None:
    load = Load(stage)
    load.prepare()
    report.check("bot=3, worker=2 under load: order kept, nothing lost or doubled", lambda: scaled(stage, load))
    for service in IN_TURN:
        report.check(f"restart of {service} under load", partial(restarted, stage, load, service))
    if os.geteuid() != 0:
        print("SKIP the kills: only root may kill a container's process", flush=True)
        return
    for service in IN_TURN:
        report.check(f"SIGKILL of {service} under load", partial(killed, stage, load, service))

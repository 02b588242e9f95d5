"""`make doctor` on the copy: nothing wrong while all is well, and a stopped container by its name."""

import json

from scripts.compose.smoke.report import Report, expect, until
from scripts.compose.smoke.stage import Stage

LEAST = 12
"""Shorter values of .env are words such as "placeholder", and no secrets."""


def _problems(stage: Stage) -> tuple[int, list[str], str]:
    """Exit code, the lines with FAIL, and all that was said."""
    ran = stage.make("doctor", "json=1", seconds=60)
    told = json.loads(ran.stdout)
    expect(told["looked_at"] == "compose", told["looked_at"])
    failed = [f"{finding['area']}: {finding['found']}" for finding in told["findings"] if finding["level"] == "FAIL"]
    return ran.returncode, failed, ran.stdout


def healthy(stage: Stage) -> str:
    code, failed, said = _problems(stage)
    expect(code == 0 and not failed, failed)
    secrets = {name: value for name, value in stage.settings().items() if name.endswith(("_PASSWORD", "_KEY", "_TOKEN", "_SECRET"))}
    shown = [name for name, value in secrets.items() if len(value) > LEAST and value in said]
    expect(not shown, f"it shows {shown}")
    return f"{len(json.loads(said)['findings'])} findings"


def without_redis(stage: Stage) -> str:
    stage.compose.ask("stop", "redis")
    try:
        code, failed, _ = _problems(stage)
    finally:
        stage.compose.ask("start", "redis")
    expect(code != 0, "it found no problem")
    expect(any(line.startswith("redis: does not run") for line in failed), failed)
    expect(any(line.startswith("Redis: ") and "REDIS_URL" in line for line in failed), failed)
    until(
        lambda: all(row["Health"] == "healthy" for row in stage.compose.containers() if row["Service"] == "redis"), 60, "redis was healthy"
    )
    return "; ".join(failed)[:200]


def check_doctor(report: Report, stage: Stage) -> None:
    report.check("make doctor finds nothing wrong, and shows no secret", lambda: healthy(stage))
    report.check("make doctor names a stopped Redis", lambda: without_redis(stage))

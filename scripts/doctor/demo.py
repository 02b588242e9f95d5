"""The demo on this machine: `.venv/bin/python -m scripts.doctor.demo` prints its findings as one line of JSON.

Needs what the demo has installed; `scripts.doctor.command` starts it.
"""

import asyncio
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.doctor import machine
from scripts.doctor.findings import Finding, Kind, dumped, fail, loaded, ok
from scripts.doctor.revisions import known
from scripts.local.environment import kept_secrets, read_given, told
from scripts.local.health import complaint
from scripts.local.install import LOCAL, ROOT
from scripts.local.parts import Embedded
from scripts.local.processes import identity

OURS = ("bot", "api", "worker", "schedule", "admin")
SERVED = {"bot": ("BOT_PORT", "/health"), "api": ("API_PORT", "/api/v1/health"), "worker": ("WORKER_PORT", "/health"),
          "admin": ("ADMIN_PORT", "/admin/health")}  # fmt: skip
INSIDE_SECONDS = 14.0
AGAIN = "the reason is in .local/logs/demo.log; stop the demo with Ctrl-C and start it again with `make demo`"


def ledger() -> dict[str, int]:
    """The demo's living processes by name."""
    try:
        kept = json.loads((LOCAL / "processes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {entry["name"]: int(pid) for pid, entry in kept.items() if identity(int(pid)) == entry["identity"]}


def environment(living: Mapping[str, int]) -> dict[str, str]:
    """That of a process that runs, for ports and keys may have been given to `make demo` alone; else what it would be told."""
    pid = next((living[name] for name in OURS if name in living), None)
    if pid is not None and platform.system() == "Linux":
        try:
            rows = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
            return dict(row.split("=", 1) for row in rows if "=" in row)
        except OSError:
            pass
    return {**os.environ, **told(read_given(ROOT), kept_secrets(LOCAL), Embedded.below(LOCAL).environment())}


def inside(given: Mapping[str, str]) -> list[Finding]:
    versions = ",".join(known(ROOT / "alembic" / "versions"))
    command = [sys.executable, "-m", "scripts.doctor.inside", "--process", "all", "--kind", Kind.DEMO, "--known", versions]
    try:
        ran = subprocess.run(command, cwd=ROOT, env=dict(given), capture_output=True, text=True, check=False, timeout=INSIDE_SECONDS)
        return loaded(ran.stdout.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return [fail("demo", "its settings cannot be examined", AGAIN)]


async def processes(living: Mapping[str, int], given: Mapping[str, str]) -> list[Finding]:
    gone = [name for name in (*OURS, "postgres", "redis", "s3") if name not in living]
    found = [fail("processes", f"{', '.join(gone)}: not running", AGAIN)] if gone else []
    asked = [name for name in SERVED if name in living]
    said = await asyncio.gather(*(complaint(int(given[SERVED[name][0]]), SERVED[name][1]) for name in asked))
    found += [fail(name, words, AGAIN) for name, words in zip(asked, said, strict=True) if words]
    return found or [ok("processes", f"{len(living)} run and are healthy")]


def main() -> None:
    living = ledger()
    given = environment(living)
    findings = asyncio.run(processes(living, given)) + inside(given)
    findings.append(machine.about_disk(LOCAL, "remove what is not needed; `make clean` removes what can be made again"))
    print(dumped(findings))


if __name__ == "__main__":
    main()

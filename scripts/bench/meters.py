"""What a process has used so far, read from outside: `/proc` and the bot's own `/metrics`."""

import contextlib
import os
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_LINE = re.compile(r"^(\w+)(\{[^}]*\})? ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes: now, and at its highest."""

    resident: float
    highest: float


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = dict(_parents())
    wanted = {pid}
    grown = True
    while grown:
        more = {child for child, parent in parents.items() if parent in wanted} - wanted
        wanted |= more
        grown = bool(more)
    return sorted(wanted)


def cpu_seconds(pid: int) -> float:
    """User and system time of the process tree; children that ended and were waited for are in their parent's figure."""
    return sum(_ticks(member) for member in tree(pid)) / TICKS


def machine_cpu_seconds() -> float:
    """What all processes of the machine have used, on all cores; waiting does not count."""
    user, nice, system, _idle, _iowait, irq, softirq = (int(value) for value in Path("/proc/stat").read_text(encoding="ascii").split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


def memory(pid: int) -> Memory:
    """Summed over the process tree."""
    found = [_memory(member) for member in tree(pid)]
    return Memory(sum(one.resident for one in found), sum(one.highest for one in found))


def counters(port: int) -> dict[str, float]:
    """Samples of a Prometheus page by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        text = page.read().decode()
    return {name + (labels or ""): float(value) for name, labels, value in _LINE.findall(text)}


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield int(folder.name), int(_stat(int(folder.name))[1])


def _stat(pid: int) -> list[str]:
    """The fields behind the command's name: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _ticks(pid: int) -> int:
    with contextlib.suppress(OSError):
        return sum(int(value) for value in _stat(pid)[11:15])
    return 0


def _memory(pid: int) -> Memory:
    with contextlib.suppress(OSError):
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
        return Memory(*(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")))
    return Memory(0.0, 0.0)

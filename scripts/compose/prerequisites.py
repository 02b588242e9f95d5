"""What the machine must offer before anything is built: memory, disk, free ports."""

import shutil
from pathlib import Path

from scripts.compose.checking import port
from scripts.compose.engine import Compose, RefusedError, docker
from scripts.compose.installation import Values
from scripts.local.ports import is_taken, listener

LEAST_MEMORY = 3_500_000_000
LEAST_MEMORY_SHOWN = "4 GB"
LEAST_DISK = 4_000_000_000


def memory_bytes() -> int:
    """Of the machine, or of the virtual machine that Docker has there."""
    told = docker("info", "--format", "{{.MemTotal}}").stdout.strip()
    return int(told) if told.isdigit() else 0


def check_memory(found: int) -> None:
    """Raises `RefusedError`. What could not be read is not held against the machine."""
    if 0 < found < LEAST_MEMORY:
        raise RefusedError(
            f"Vitte needs a machine with {LEAST_MEMORY_SHOWN} of memory for containers, and Docker has {found / 1e9:.1f} GB here"
        )


def check_disk(root: Path) -> None:
    told = docker("info", "--format", "{{.DockerRootDir}}").stdout.strip()
    place = Path(told) if told and Path(told).exists() else root
    free = shutil.disk_usage(place).free
    if free < LEAST_DISK:
        raise RefusedError(f"The disk is nearly full: {free / 1e9:.1f} GB free in {place}, {LEAST_DISK / 1e9:.0f} GB needed")


def check_ports(compose: Compose, values: Values) -> None:
    """The door's ports are free, or ours already."""
    if any(row["Service"] == "nginx" and row["State"] == "running" for row in compose.containers()):
        return
    for name, usual in (("HTTP_PORT", 80), ("HTTPS_PORT", 443)):
        number = port(values, name, usual)
        if is_taken(number):
            who = listener(number) or "another program"
            raise RefusedError(f"{name}: port {number} is taken by {who}; stop it, or set another {name} in .env")

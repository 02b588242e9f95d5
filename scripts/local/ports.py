"""Free ports, taken ports, and who took them."""

import contextlib
import errno
import shutil
import socket
import subprocess
from pathlib import Path

LISTEN = "0A"


def is_taken(port: int) -> bool:
    """Whether somebody on this machine already listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - never listened on; this way a listener on any address is seen
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settle_port(memory: Path) -> None:
    """The file names the port of the last run while it is still free, else another one from now on."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        if not is_taken(int(memory.read_text(encoding="ascii"))):
            return
    memory.write_text(str(free_port()), encoding="ascii")


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


def listener(port: int) -> str | None:
    """'name (process 12)' of who listens there, as far as this user may know."""
    for inode in _listening_inodes(port):
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if str(link.readlink()) == f"socket:[{inode}]":
                    process = link.parents[1]
                    return f"{(process / 'comm').read_text(encoding='utf-8').strip()} (process {process.name})"
    return _listener_by_lsof(port)


def _listening_inodes(port: int) -> list[str]:
    inodes = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with contextlib.suppress(OSError):
            rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
            inodes += [row[9] for row in rows if row[3] == LISTEN and int(row[1].rpartition(":")[2], 16) == port]
    return inodes


def _listener_by_lsof(port: int) -> str | None:
    if shutil.which("lsof") is None:
        return None
    found = subprocess.run(["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"], capture_output=True, text=True, check=False)
    fields = {line[0]: line[1:] for line in found.stdout.splitlines() if line}
    return f"{fields['c']} (process {fields['p']})" if {"c", "p"} <= fields.keys() else None

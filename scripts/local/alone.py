"""One user of the embedded servers per checkout."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.local.processes import StartError


class AlreadyRunsError(StartError):
    """Somebody else holds the lock, and lives: the lock goes with its process, however that ends."""


@contextmanager
def alone(local: Path) -> Iterator[None]:
    with (local / "demo.lock").open("a+", encoding="ascii") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.seek(0)
            holder = held.read().strip()
            raise AlreadyRunsError(f"Vitte already runs from this folder (process {holder}): stop it there with Ctrl-C first") from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield

"""Where a process cannot be tied to its parent (macOS): waits for the supervisor's end, then ends what it left.

`python -m scripts.local.watchdog <ledger>`; the supervisor holds the other end of standard input.
"""

import sys
from pathlib import Path

from scripts.local.processes import Ledger


def main(ledger: Path) -> None:
    sys.stdin.buffer.read()
    Ledger(ledger).end_leftovers(patience=3.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

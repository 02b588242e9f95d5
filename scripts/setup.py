"""`python3 scripts/setup.py` is the first step of `make up` alone: checks Docker and the machine, writes `.env` with generated secrets.

May be repeated: what is in `.env` stays, what is missing is added.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "scripts.compose", "setup"])  # noqa: S606 - becomes the next step

"""`python3 scripts/demo.py` is `make demo` for a machine without make.

Any Python may start this file, however old, so that it can say which one is needed; it needs nothing installed.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOO_OLD = "vitte: Python 3.11 or newer is needed, and this is {}: install one, then `make demo PYTHON=python3.11`"

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - also run by the Python that is too old
        sys.exit(TOO_OLD.format(sys.version.split()[0]))
    os.chdir(ROOT)
    next_step = [sys.executable, "-m", "scripts.local.install", "demo"] + sys.argv[1:]  # noqa: RUF005 - also read by the oldest Python
    os.execv(sys.executable, next_step)  # noqa: S606 - becomes the next step

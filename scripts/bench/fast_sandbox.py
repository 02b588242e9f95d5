"""The sandbox on uvloop, so that it is not what a measurement waits for: `fast_sandbox <port>`.

It remembers all that was said. Looking through that for garbage stopped it for 0.1 to 0.7 s a time, which the bots' slowest answers
showed as if it were theirs; young objects are looked through as ever.
"""

import gc
import sys

import uvloop

from services.sandbox.__main__ import serve

NEVER = 1_000_000

if __name__ == "__main__":
    gc.set_threshold(10_000, 20, NEVER)
    uvloop.run(serve("127.0.0.1", int(sys.argv[1]), quiet=True))

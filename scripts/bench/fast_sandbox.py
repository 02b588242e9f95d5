"""The sandbox on uvloop, so that it is not what a measurement waits for: `fast_sandbox <port>`."""

import sys

import uvloop

from services.sandbox.__main__ import serve

if __name__ == "__main__":
    uvloop.run(serve("127.0.0.1", int(sys.argv[1]), quiet=True))

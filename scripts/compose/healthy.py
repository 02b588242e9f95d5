"""A container's health check: `python -IS healthy.py http://127.0.0.1:8002/health`. Exit code 0 for 200, else 1 and the answer.

Runs every few seconds in every container, so it imports next to nothing.
"""

import http.client
import sys

TIMEOUT_SECONDS = 4.0
SHOWN = 300


def main(address: str) -> int:
    host, _, path = address.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        said = answer.read(SHOWN).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        print(f"{address}: {error}")
        return 1
    print(answer.status, said)
    return 0 if answer.status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

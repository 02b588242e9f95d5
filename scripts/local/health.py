"""One HTTP question to a process of our own."""

import asyncio
import contextlib

TIMEOUT_SECONDS = 3.0
SHOWN = 200


async def complaint(port: int, path: str) -> str | None:
    """None: healthy. Else what is wrong, in a few words."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            status, body = await _get(port, path)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
        return f"does not answer on port {port}"
    return None if status == 200 else f"answers {status} {body[:SHOWN].strip()}"


async def _get(port: int, path: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read(1 << 16)).partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode(errors="replace")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

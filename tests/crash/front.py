"""What stands before the bot's replicas in webhook mode, as nginx does: turns, and an honest answer when nobody is there."""

from collections import deque

import aiohttp
from aiohttp import web

PASSED_ON = ("Content-Type", "X-Telegram-Bot-Api-Secret-Token")


class Front:
    """`backends` are ports. `answers` counts what Telegram was answered, by status; `retry_after` keeps the headers of refusals."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.backends: deque[int] = deque()
        self.answers: dict[int, int] = {}
        self.refusals: list[tuple[int, str | None]] = []

    def replace(self, *ports: int) -> None:
        self.backends.clear()
        self.backends.extend(ports)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        response = await self._pass_on(request.path, body, headers)
        self.answers[response.status] = self.answers.get(response.status, 0) + 1
        return response

    async def _pass_on(self, path: str, body: bytes, headers: dict[str, str]) -> web.Response:
        for _ in range(len(self.backends)):
            self.backends.rotate()
            try:
                async with self._session.post(f"http://127.0.0.1:{self.backends[0]}{path}", data=body, headers=headers) as answer:
                    if answer.status >= 400:
                        self.refusals.append((answer.status, answer.headers.get("Retry-After")))
                    kept = {name: answer.headers[name] for name in ("Retry-After",) if name in answer.headers}
                    return web.Response(body=await answer.read(), status=answer.status, headers=kept)
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, OSError):
                return web.Response(status=502)  # it died while it had the update: nobody knows whether it was stored
        return web.Response(status=503, headers={"Retry-After": "1"})

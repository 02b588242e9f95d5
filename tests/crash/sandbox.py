"""The sandbox as the tests use it: people who write, faults, and its records of what really happened."""

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import orjson


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Bot API as the sandbox saw it; `at` is when it had been answered, in seconds since 1970."""

    at: float
    method: str
    params: dict[str, Any]
    status: int


class Sandbox:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def get(self, path: str, **query: Any) -> Any:
        async with self.session.get(f"{self.url}{path}", params={k: v for k, v in query.items() if v is not None}) as response:
            assert response.status == 200, await response.text()
            return orjson.loads(await response.read())

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        async with self.session.post(f"{self.url}{path}", data=BytesIO(orjson.dumps(body)), headers=headers) as response:
            assert response.status == 200, await response.text()
            return orjson.loads(await response.read())

    async def say(self, bot_id: int, user_id: int, text: str) -> int:
        """Somebody writes to the bot in private; answers the update's id."""
        sent = await self.post("/sim/send", {"bot_id": bot_id, "chat_id": user_id, "user_id": user_id, "text": text})
        return int(sent["update_id"])

    async def inject(self, bot_id: int, raw: bytes) -> int:
        sent = await self.post("/sim/inject", {"bot_id": bot_id, "raw_base64": base64.b64encode(raw).decode()})
        return int(sent["update_id"])

    async def model(self, **controls: Any) -> None:
        await self.post("/sim/model", controls)

    async def break_things(self, bot_id: int, *faults: dict[str, Any]) -> None:
        await self.post("/sim/faults", {"bot_id": bot_id, "faults": list(faults)})

    async def mend(self) -> None:
        async with self.session.delete(f"{self.url}/sim/faults") as response:
            assert response.status == 200

    async def unacknowledged(self, bot_id: int) -> set[int]:
        return {row["update_id"] for row in await self.get("/sim/updates", bot_id=bot_id) if row["acknowledged_at"] is None}

    async def acknowledged(self, bot_id: int) -> set[int]:
        return {row["update_id"] for row in await self.get("/sim/updates", bot_id=bot_id) if row["acknowledged_at"] is not None}

    async def deliveries(self, bot_id: int) -> list[int]:
        return [row["deliveries"] for row in await self.get("/sim/updates", bot_id=bot_id)]

    async def messages_sent(self, bot_id: int) -> list[Call]:
        """Messages that reached a chat, in order; also those whose sender never heard so."""
        rows = await self.get("/sim/calls", bot_id=bot_id, method="sendMessage")
        return [Call(row["at"], row["method"], row["params"], row["status"]) for row in rows if row["status"] == 200]

    async def calls(self, bot_id: int, method: str) -> list[Call]:
        rows = await self.get("/sim/calls", bot_id=bot_id, method=method)
        return [Call(row["at"], row["method"], row["params"], row["status"]) for row in rows]

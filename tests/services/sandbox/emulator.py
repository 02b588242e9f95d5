"""A person's and a bot's hands on a running sandbox."""

from typing import Any

import aiohttp
import pytest

from services.sandbox.world import World

BOT_ID = 123456
ANN = 7_000_000_001
BOB = 7_000_000_002


class Refused(Exception):
    """The Bot API said no."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__(answer.get("description"))
        self.status, self.answer = status, answer

    @property
    def words(self) -> str:
        return str(self.answer["description"])


class Sandbox:
    """Talks to a running sandbox over HTTP only."""

    def __init__(self, session: aiohttp.ClientSession, url: str, world: World) -> None:
        self.session, self.url, self.world = session, url, world
        self.token, self.offset = f"{BOT_ID}:TEST", 0

    async def call(self, method: str, token: str | None = None, **params: Any) -> Any:
        """A Bot API call as JSON; answers the result."""
        async with self.session.post(f"{self.url}/bot{token or self.token}/{method}", json=params) as response:
            answer = await response.json()
            if not answer["ok"]:
                assert answer["error_code"] == response.status
                raise Refused(response.status, answer)
            return answer["result"]

    async def refusal(self, method: str, **params: Any) -> Refused:
        with pytest.raises(Refused) as caught:
            await self.call(method, **params)
        return caught.value

    async def sim(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """A control: POST with a body, GET without."""
        request = self.session.get if body is None else self.session.post
        async with request(f"{self.url}/sim/{path}", **({} if body is None else {"json": body})) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def say(self, text: str, user: int = ANN, chat: int | None = None, **more: Any) -> Any:
        return await self.sim("send", {"bot_id": BOT_ID, "chat_id": chat or user, "user_id": user, "text": text, **more})

    async def updates(self) -> list[dict[str, Any]]:
        """Everything that waits for the bot; confirms it."""
        found: list[dict[str, Any]] = []
        while batch := await self.call("getUpdates", offset=self.offset):
            found += batch
            self.offset = max(update["update_id"] for update in batch) + 1
        return found

    async def transcript(self, chat: int = ANN) -> Any:
        return await self.sim(f"chats/{chat}/transcript?bot_id={BOT_ID}")

    async def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.sim(f"updates?bot_id={BOT_ID}")
        return found

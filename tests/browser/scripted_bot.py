"""A small bot over the Bot API, without a library: enough to make the chat page show everything it can."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession

Json = dict[str, Any]

COMMANDS = [
    {"command": "start", "description": "Begin anew"},
    {"command": "help", "description": "What I can do"},
    {"command": "status", "description": "Plan and today's allowance"},
    {"command": "characters", "description": "Choose a character"},
]
KINDS = ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member", "stopped_message_generation"]
HELLO = "Hello! I'm <b>Mira</b> 🌙\nI like long walks and short messages. <i>What's on your mind tonight?</i>"
FRAMES = [
    "It is ",
    "It is a quiet evening ",
    "It is a quiet evening by the river, and ",
    "It is a quiet evening by the river, and you are here.",
]
MENU = {
    "inline_keyboard": [
        [{"text": "💬 A toast", "callback_data": "toast"}, {"text": "🔔 An alert", "callback_data": "alert"}],
        [{"text": "✏️ Edit this", "callback_data": "edit"}, {"text": "Website", "url": "https://example.org/"}],
    ]
}
SHOWCASE = (
    "<b>bold</b>, <i>italic</i>, <u>under</u>, <s>gone</s>, <code>x = 1</code>, <tg-spoiler>a secret</tg-spoiler>, "
    '<a href="https://example.org/">a link</a>, @mila and /help\n<blockquote>Quoted words</blockquote>'
    '<pre><code class="language-python">def f(x):\n    return x + 1</code></pre>'
)


class ScriptedBot:
    """Answers in drafts at the pace of `beat` seconds per frame. `heard` has every update, oldest first."""

    def __init__(self, session: ClientSession, address: str, token: str, *, beat: float = 0.05) -> None:
        self._session, self._root, self.beat = session, f"{address}/bot{token}", beat
        self.heard: list[Json] = []
        self.stopped: set[int] = set()
        self.reply: Callable[[Json], Awaitable[None]] = self.stream
        self.frames = FRAMES
        self.ready = asyncio.Event()
        self._news = asyncio.Condition()

    async def call(self, method: str, **params: Any) -> Any:
        async with self._session.post(f"{self._root}/{method}", json=params) as answered:
            body = await answered.json()
        return body.get("result")

    async def run(self) -> None:
        await self.call("getMe")
        await self.call("setMyName", name="Mira")
        await self.call("setMyCommands", commands=COMMANDS)
        self.ready.set()
        offset = 0
        async with asyncio.TaskGroup() as tasks:
            while True:
                for update in await self.call("getUpdates", offset=offset, timeout=20, allowed_updates=KINDS) or []:
                    offset = update["update_id"] + 1
                    async with self._news:
                        self.heard.append(update)
                        self._news.notify_all()
                    tasks.create_task(self._handle(update))

    async def wait_for(self, kind: str, *, after: int = 0) -> Json:
        """The first update of a kind past so many that were heard."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: any(kind in update for update in self.heard[after:]))
            return next(update[kind] for update in self.heard[after:] if kind in update)

    async def _handle(self, update: Json) -> None:
        if message := update.get("message"):
            await self._answer(message)
        elif query := update.get("callback_query"):
            await self._pressed(query)
        elif stopped := update.get("stopped_message_generation"):
            self.stopped.add(int(stopped["draft_id"]))

    async def _answer(self, message: Json) -> None:
        chat_id, text = message["chat"]["id"], message.get("text", "")
        if chat_id < 0 and text:
            await self._answer_group(message)
            return
        if text.startswith("/start"):
            await self.call("sendMessage", chat_id=chat_id, parse_mode="HTML", reply_markup=MENU, text=HELLO)
        elif text.startswith("/help") or text == "show":
            await self.call("sendMessage", chat_id=chat_id, parse_mode="HTML", text=SHOWCASE)
        elif text == "keyboard":
            rows = [[{"text": "Yes"}, {"text": "No"}], [{"text": "Tell me more"}]]
            await self.call("sendMessage", chat_id=chat_id, text="Choose.", reply_markup={"keyboard": rows, "resize_keyboard": True})
        elif text == "remove keyboard":
            await self.call("sendMessage", chat_id=chat_id, text="Gone.", reply_markup={"remove_keyboard": True})
        elif "text" not in message:
            kind = next((name for name in ("photo", "voice", "document") if name in message), None)
            if kind is None:
                return
            await self.call(
                "sendMessage", chat_id=chat_id, text=f"Got your {kind}.", reply_parameters={"message_id": message["message_id"]}
            )
        else:
            await self.reply(message)

    async def _answer_group(self, message: Json) -> None:
        chat_id = message["chat"]["id"]
        thread = {"message_thread_id": message["message_thread_id"]} if "message_thread_id" in message else {}
        await self.call("sendChatAction", chat_id=chat_id, action="typing", **thread)
        await self.call("sendMessage", chat_id=chat_id, text=f"Hello, {message['from']['first_name']}!", **thread)

    async def stream(self, message: Json) -> None:
        """Thinking, some frames, then the whole; as far as it got where Stop is pressed."""
        chat_id, draft_id, said = message["chat"]["id"], message["message_id"], ""
        for frame in ["", *self.frames]:
            if draft_id in self.stopped:
                break
            said = frame
            await self.call("sendMessageDraft", chat_id=chat_id, draft_id=draft_id, text=frame, can_stop=True)
            await asyncio.sleep(self.beat)
        await self.call("sendMessage", chat_id=chat_id, text=said or "Stopped.")

    async def _pressed(self, query: Json) -> None:
        message, data = query["message"], query["data"]
        if data == "edit":
            place = {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}
            await self.call("editMessageText", **place, text="Edited as you wished.", reply_markup=MENU)
        answers = {"toast": {"text": "Just a toast"}, "alert": {"text": "Look here!", "show_alert": True}}
        await self.call("answerCallbackQuery", callback_query_id=query["id"], **answers.get(data, {}))

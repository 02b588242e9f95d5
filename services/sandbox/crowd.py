"""`/sim/crowd`: many people at once, for measuring bots. They act inside this process, so that acting costs next to nothing."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from services.sandbox import people
from services.sandbox.chats import Chat, Message
from services.sandbox.errors import SimError
from services.sandbox.params import Params
from services.sandbox.sim import answer, control, find_int, need_int, read_control
from services.sandbox.world import WORLD, Bot, World

FIRST_ID = 7_000_000_000
MOST_USERS = 20_000
PATIENCE = 20.0


@dataclass(slots=True, eq=False)
class _Member:
    place: people.Place
    number: int
    screen: Message | None = None
    acted_at: deque[float] = field(default_factory=deque)
    presses: int = 0


@dataclass(slots=True)
class _Tally:
    """`latencies` are milliseconds from acting to the answer; `acted` and `answered` count everybody's."""

    acted: int = 0
    answered: int = 0
    latencies: list[float] = field(default_factory=list)


class Crowd:
    """People of one bot who say or press something and wait for what the bot does with it."""

    def __init__(self, world: World, bot: Bot) -> None:
        self._world, self._bot = world, bot
        self.text = ""
        """What everybody says; `{n}` in it is another number each time."""
        self.first = 0
        """The number of the first of those who act: others are other people."""
        self._said = 0
        self._members: dict[int, _Member] = {}
        self._tally = _Tally()
        self._again: Callable[[_Member], None] = lambda _: None

    async def begin(self, users: int, *, screens: bool) -> _Tally:
        """Everybody says /start once and waits for a message (with buttons), a few dozen at a time."""
        waiting = self._people(users)
        self._expect(screens, lambda _: self._say(waiting.pop(), "/start") if waiting else None)
        async with _Watch(self._world, self._see):
            for _ in range(min(32, users)):
                self._say(waiting.pop(), "/start")
            await self._until(lambda: self._tally.answered >= users)
        return self._tally

    async def run_closed(self, users: int, at_once: int, seconds: float, act: Callable[[_Member], None], *, screens: bool) -> _Tally:
        """`at_once` of them wait for an answer at any time: as soon as one is there, whose turn it is acts next, until the time is over."""
        ends = time.monotonic() + seconds
        resting = deque(self._people(users))

        def go_on(member: _Member) -> None:
            resting.append(member)
            if time.monotonic() < ends:
                act(resting.popleft())

        self._expect(screens, go_on)
        async with _Watch(self._world, self._see):
            for _ in range(min(at_once, users)):
                act(resting.popleft())
            await asyncio.sleep(seconds)
            await self._until(lambda: self._tally.answered >= self._tally.acted)
        return self._tally

    async def run_open(self, users: int, seconds: float, rate: float, act: Callable[[_Member], None], *, screens: bool) -> _Tally:
        """People act at random moments, `rate` of them a second on average, whether or not the bot keeps up."""
        dice, members = random.Random(users), self._people(users)  # noqa: S311 - load, not secrets
        self._expect(screens, lambda _: None)
        dice.shuffle(members)
        began = due = time.monotonic()
        turn = 0
        async with _Watch(self._world, self._see):
            while due < began + seconds:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                act(members[turn % users])
                turn += 1
                due += dice.expovariate(rate)
            await self._until(lambda: self._tally.answered >= self._tally.acted)
        return self._tally

    def say(self, member: _Member) -> None:
        self._said += 1
        self._say(member, self.text.replace("{n}", str(self._said)))

    def press(self, member: _Member) -> None:
        """Every other press takes the last button, which leads back; those between go through all of them in turn."""
        if member.screen is None:
            raise SimError("there are no buttons to press: let the crowd begin with /start first")
        rows: list[list[dict[str, Any]]] = member.screen.body.get("reply_markup", {}).get("inline_keyboard", [])
        data = [button["callback_data"] for row in rows for button in row if "callback_data" in button]
        if not data:
            return
        member.presses += 1
        chosen = data[(member.number + member.presses // 2) % len(data)] if member.presses % 2 else data[-1]
        self._acts(member)
        people.press(self._world, member.place, member.screen.id, chosen)

    def _say(self, member: _Member, text: str) -> None:
        self._acts(member)
        people.say(self._world, member.place, people.text_content(text))

    def _acts(self, member: _Member) -> None:
        self._tally.acted += 1
        member.acted_at.append(time.monotonic())

    def _expect(self, screens: bool, again: Callable[[_Member], None]) -> None:
        self._tally, self._again, self._screens = _Tally(), again, screens
        for member in self._members.values():
            member.acted_at.clear()

    def _see(self, kind: str, chat_id: int, message: Message) -> None:
        member = self._members.get(chat_id)
        if member is None or message.author != self._bot.id:
            return
        has_buttons = "reply_markup" in message.body
        if has_buttons and self._screens:  # buttons under what is said in a talk are not the menu
            member.screen = message
        if not member.acted_at or (self._screens and not has_buttons) or (kind == "edited" and not self._screens):
            return
        self._tally.answered += 1
        self._tally.latencies.append((time.monotonic() - member.acted_at.popleft()) * 1000)
        self._again(member)

    async def _until(self, done: Callable[[], bool]) -> None:
        last, since = -1, time.monotonic()
        while not done() and time.monotonic() - since < PATIENCE:
            if self._tally.answered != last:
                last, since = self._tally.answered, time.monotonic()
            await asyncio.sleep(0.01)

    def _people(self, users: int) -> list[_Member]:
        return [self._member(self.first + number) for number in range(users)]

    def _member(self, number: int) -> _Member:
        user_id = FIRST_ID + number
        if user_id not in self._members:
            user = self._world.users.get(user_id) or self._world.add_user(f"Ann {number}", None, "en", user_id)
            chat: Chat = self._world.private_chat(self._bot, user)
            self._members[user_id] = _Member(people.Place(chat, user, self._bot), number)
        return self._members[user_id]


class _Watch:
    """Hands every message of the world to `see` as soon as the loop turns."""

    def __init__(self, world: World, see: Callable[[str, int, Message], None]) -> None:
        self._world, self._see = world, see
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch(self._world.events.last))

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _watch(self, after: int) -> None:
        async for batch in self._world.events.listen(after):
            for _, kind, fields in batch:
                if kind in {"message", "edited"}:
                    self._see(kind, fields["chat_id"], fields["message"])


CROWDS: web.AppKey[dict[int, Crowd]] = web.AppKey("crowds", dict)


@control
async def crowd(request: web.Request) -> web.Response:
    """Answers when everybody has been answered, or nobody was for 20 seconds."""
    world, params = request.app[WORLD], await read_control(request)
    bot = world.get_bot(need_int(params, "bot_id"))
    crowds = request.app[CROWDS]
    members = crowds.setdefault(bot.id, Crowd(world, bot))
    members.text, members.first = params.text("text", "Hello, how are you today?"), find_int(params, "first") or 0
    began = time.monotonic()
    tally = await _act(members, params)
    shown = {"acted": tally.acted, "answered": tally.answered, "seconds": time.monotonic() - began}
    return answer({**shown, "latencies_ms": tally.latencies})


async def _act(members: Crowd, params: Params) -> _Tally:
    users, seconds, rate = need_int(params, "users"), _number(params, "seconds", 5.0), _number(params, "rate", 0.0)
    does = params.text("does")
    if not 0 < users <= MOST_USERS:
        raise SimError(f"users is a number from 1 to {MOST_USERS}")
    screens = bool(find_int(params, "buttons") or 0)
    if does == "start":
        return await members.begin(users, screens=screens)
    if does not in {"say", "press"}:
        raise SimError("does is one of: start, say, press")
    act, screens = (members.say, False) if does == "say" else (members.press, True)
    if rate > 0:
        return await members.run_open(users, seconds, rate, act, screens=screens)
    return await members.run_closed(users, find_int(params, "at_once") or users, seconds, act, screens=screens)


def _number(params: Params, name: str, default: float) -> float:
    value = params.values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100_000:
        raise SimError(f"{name} is a number from 0 to 100000")
    return float(value)


def add_routes(app: web.Application) -> None:
    crowds: dict[int, Crowd] = {}
    app[CROWDS] = crowds
    app[WORLD].reset_hooks.append(crowds.clear)
    app.router.add_post("/sim/crowd", crowd)

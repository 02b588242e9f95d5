"""What is kept beside the database, for how long, and when it goes.

PostgreSQL stays the truth: whoever changes something kept here forgets it after the change, and what somebody read before the change is
never kept after it. Keys hold ids and language codes only.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from shared.database.database import Database
from shared.database.users import SpeakerParts, Standing
from shared.domain.billing import PlanTerms
from shared.domain.character import Character, CharacterNotFoundError, CharacterTile
from shared.domain.speaker import Place, Speaker

PROFILE_SECONDS = 300.0
SUBSCRIPTION_SECONDS = 3600.0
CHARACTER_SECONDS = 600.0
MENU_SECONDS = 1800.0

UNREADABLE = (KeyError, TypeError, ValueError)
"""What another version of ours kept may miss something, or have it in another form: it is forgotten and read anew."""

PLANS = "plans"
CHARACTER_MENU = "menu:characters"


T = TypeVar("T")


class Kept(NamedTuple):
    """What JSON can hold, and for how many seconds it stays true at most; `None` and 0 seconds are not kept."""

    value: Any
    seconds: float


Load = Callable[[], Awaitable[Sequence[Kept]]]


class Cache(Protocol):
    async def read(self, names: tuple[str, ...], load: Load, /) -> list[Any]:
        """The values of these names, all of them kept or all of them from `load`, which answers one for each name.

        `load` runs once for all who ask at the same time. Raises what `load` raises and nothing of its own. What comes back is shared:
        nobody changes it.
        """

    async def forget(self, *names: str) -> None:
        """After a change is committed: no process goes on with what was kept, nor keeps what it read before. Never raises."""


class NoCache:
    """Keeps nothing."""

    async def read(self, _names: tuple[str, ...], load: Load) -> list[Any]:
        return [kept.value for kept in await load()]

    async def forget(self, *_names: str) -> None:
        return None


def user_key(telegram_user_id: int) -> str:
    return f"profile:{telegram_user_id}"


def subscription_key(telegram_user_id: int) -> str:
    return f"subscription:{telegram_user_id}"


def place_key(place: Place) -> str:
    return f"place:{place.bot_id}:{place.chat_id}:{place.thread_id}"


def character_key(character_id: UUID) -> str:
    return f"character:{character_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    database: Database
    cache: Cache

    async def find_speaker(self, telegram_user_id: int, place: Place) -> Speaker | None:
        """None when the user is not registered or the place has no dialog yet. One statement when nothing of it is kept."""
        names = (user_key(telegram_user_id), subscription_key(telegram_user_id), place_key(place))
        try:
            return await self._speaker(names, telegram_user_id, place)
        except UNREADABLE:
            await self.cache.forget(*names)
            return await self._speaker(names, telegram_user_id, place)

    async def character(self, character_id: UUID) -> Character:
        """Raises `CharacterNotFoundError`."""
        return await self._character(str(character_id), lambda columns: Character(**{**columns, "id": character_id}))

    async def characters_menu(self) -> list[CharacterTile]:
        """All characters in the order they are shown, with what a menu shows of them."""

        async def load() -> Sequence[Kept]:
            async with self.database.statement() as tx:
                return [Kept([tile.as_json() for tile in await tx.characters.tiles()], MENU_SECONDS)]

        return await self._one(CHARACTER_MENU, load, _tiles)

    @asynccontextmanager
    async def changing(self, *names: str) -> AsyncIterator[None]:
        """Around a write, outside of its transaction: forgets whether it went well or broke, as nobody knows what a broken one wrote."""
        try:
            yield
        finally:
            await self.cache.forget(*names)

    async def _speaker(self, names: tuple[str, ...], telegram_user_id: int, place: Place) -> Speaker | None:
        fresh: list[SpeakerParts] = []

        async def load() -> Sequence[Kept]:
            async with self.database.statement() as tx:
                parts = await tx.users.find_speaker_parts(telegram_user_id, place)
            if parts is None:
                return [Kept(None, 0.0)] * 3
            fresh.append(parts)
            seconds = SUBSCRIPTION_SECONDS if parts.plan_seconds is None else min(parts.plan_seconds, SUBSCRIPTION_SECONDS)
            return [Kept(parts.user, PROFILE_SECONDS), Kept(parts.plan.code, seconds), Kept(list(parts.standing), PROFILE_SECONDS)]

        user, plan_code, standing = await self.cache.read(names, load)
        if fresh:
            return fresh[0].speaker(place)
        if user is None or plan_code is None or standing is None:
            return None
        dialog = Standing(*standing)
        plan = await self._plan(plan_code)
        return await self._character(
            dialog.character_id,
            lambda found: SpeakerParts(user, dialog, plan, found["name"], found["emoji"], found["task"]).speaker(place),
        )

    async def _plan(self, code: str) -> PlanTerms:
        async def load() -> Sequence[Kept]:
            async with self.database.statement() as tx:
                return [Kept({plan.code: list(plan) for plan in await tx.plans.all()}, SUBSCRIPTION_SECONDS)]

        # A plan that is younger than what is kept is as good as unreadable.
        return await self._one(PLANS, load, lambda plans: PlanTerms(*plans[code]))

    async def _character(self, character_id: str, shape: Callable[[Mapping[str, Any]], T]) -> T:
        async def load() -> Sequence[Kept]:
            async with self.database.statement() as tx:
                columns = await tx.characters.find_columns(UUID(character_id))
            if columns is None:
                raise CharacterNotFoundError("no character with this id")
            return [Kept({**columns, "id": character_id}, CHARACTER_SECONDS)]

        return await self._one(character_key(UUID(character_id)), load, shape)

    async def _one(self, name: str, load: Load, shape: Callable[[Any], T]) -> T:
        [value] = await self.cache.read((name,), load)
        try:
            return shape(value)
        except UNREADABLE:
            await self.cache.forget(name)
            [value] = await self.cache.read((name,), load)
            return shape(value)


def _tiles(kept: Any) -> list[CharacterTile]:
    if not isinstance(kept, list):
        raise TypeError("a menu is a list")
    return [CharacterTile.from_json(tile) for tile in kept]

"""Characters: which there are, who talks with whom."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from uuid import UUID

import orjson

from shared.application.caches import Caches, place_key
from shared.database.database import Database
from shared.domain.character import Character, CharacterTile, in_language
from shared.domain.character_files import CharacterSeed
from shared.domain.speaker import Speaker

_JSON_FIELDS = ("tagline", "description", "greeting", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterService:
    database: Database
    caches: Caches

    async def seed(self, files: Iterable[CharacterSeed]) -> list[str]:
        """Brings the shipped characters in, and their later versions unless an operator edited them; answers the slugs that changed."""
        async with self.database.transaction() as tx:
            changed = [seed.slug for seed in files if await tx.characters.seed(seed, as_json=_as_json(seed))]
            if changed:
                await tx.operators.next_cache_epoch()
        return changed

    async def list(self) -> list[CharacterTile]:
        """All characters, in the order they are shown, with what a menu shows of them."""
        return await self.caches.characters_menu()

    async def greeting(self, speaker: Speaker) -> str:
        """What the speaker's character says first, as Markdown in the speaker's language."""
        character = await self.caches.character(speaker.character_id)
        return in_language(character.greeting, speaker.language)

    async def enter(self, speaker: Speaker, character_id: UUID) -> tuple[Character, bool]:
        """The speaker goes on with this character in the same place; its earlier dialog there is resumed. True when it is their first.

        Raises `CharacterNotFoundError`.
        """
        async with self.caches.changing(place_key(speaker.place)), self.database.statement() as tx:
            return await tx.dialogs.enter(speaker.place, speaker.user_id, character_id, speaker.language)


def _as_json(seed: CharacterSeed) -> dict[str, str]:
    fields = asdict(seed)
    return {name: orjson.dumps(fields[name]).decode() for name in _JSON_FIELDS}

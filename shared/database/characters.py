"""Characters as they are shown and chosen."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.domain.character import Character, CharacterNotFoundError, CharacterTile
from shared.domain.character_files import CharacterSeed

_COLUMNS = "id, slug, name, emoji, tagline, description, greeting, system_prompt, task, settings, position, is_default"

_TILES = text("select id, slug, name, emoji, tagline, description, is_default from characters order by position, name")

_SEED = text("""
    insert into characters (id, slug, name, emoji, tagline, description, greeting, system_prompt, task, settings, position, is_default)
    values (gen_random_uuid(), cast(:slug as text), :name, :emoji,
            cast(:tagline as jsonb), cast(:description as jsonb), cast(:greeting as jsonb),
            :system_prompt, cast(:task as text), cast(:settings as jsonb), :position,
            cast(:is_default as bool) and not exists (select from characters c where c.is_default and c.slug <> cast(:slug as text)))
    on conflict (slug) do update
        set name = excluded.name, emoji = excluded.emoji, tagline = excluded.tagline, description = excluded.description,
            greeting = excluded.greeting, system_prompt = excluded.system_prompt, task = excluded.task,
            settings = excluded.settings, position = excluded.position
        where characters.edited_at is null
          and (characters.name, characters.emoji, characters.tagline, characters.description, characters.greeting,
               characters.system_prompt, characters.task, characters.settings, characters.position)
           is distinct from
              (excluded.name, excluded.emoji, excluded.tagline, excluded.description, excluded.greeting,
               excluded.system_prompt, excluded.task, excluded.settings, excluded.position)
    returning slug
""")


class CharacterRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def tiles(self) -> list[CharacterTile]:
        rows = await self.connection.execute(_TILES)
        return [CharacterTile(**row) for row in rows.mappings()]

    async def get(self, character_id: UUID) -> Character:
        """Raises `CharacterNotFoundError`."""
        columns = await self.find_columns(character_id)
        if columns is None:
            raise CharacterNotFoundError("no character with this id")
        return Character(**columns)

    async def find_columns(self, character_id: UUID) -> dict[str, Any] | None:
        statement = text(f"select {_COLUMNS} from characters where id = :id")  # noqa: S608
        row = (await self.connection.execute(statement, {"id": character_id})).mappings().first()
        return dict(row) if row is not None else None

    async def seed(self, character: CharacterSeed, *, as_json: dict[str, str]) -> bool:
        """Writes a character from its file; True when a row was made or changed. What an operator edited stays."""
        values = {
            "slug": character.slug,
            "name": character.name,
            "emoji": character.emoji,
            "system_prompt": character.system_prompt,
            "task": character.task,
            "position": character.position,
            "is_default": character.is_default,
            **as_json,
        }
        return (await self.connection.execute(_SEED, values)).first() is not None

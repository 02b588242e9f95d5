"""Characters as they are shown and chosen."""

from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.domain.character import Character, CharacterNotFoundError
from shared.domain.character_files import CharacterSeed

_COLUMNS = "id, slug, name, emoji, tagline, description, greeting, system_prompt, settings, position, is_default"

_SEED = text("""
    insert into characters (id, slug, name, emoji, tagline, description, greeting, system_prompt, settings, position, is_default)
    values (gen_random_uuid(), cast(:slug as text), :name, :emoji,
            cast(:tagline as jsonb), cast(:description as jsonb), cast(:greeting as jsonb),
            :system_prompt, cast(:settings as jsonb), :position,
            cast(:is_default as bool) and not exists (select from characters c where c.is_default and c.slug <> cast(:slug as text)))
    on conflict (slug) do update
        set name = excluded.name, emoji = excluded.emoji, tagline = excluded.tagline, description = excluded.description,
            greeting = excluded.greeting, system_prompt = excluded.system_prompt, settings = excluded.settings, position = excluded.position
        where characters.edited_at is null
          and (characters.name, characters.emoji, characters.tagline, characters.description, characters.greeting,
               characters.system_prompt, characters.settings, characters.position)
           is distinct from
              (excluded.name, excluded.emoji, excluded.tagline, excluded.description, excluded.greeting,
               excluded.system_prompt, excluded.settings, excluded.position)
    returning slug
""")


class CharacterRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def list(self) -> list[Character]:
        rows = await self.connection.execute(text(f"select {_COLUMNS} from characters order by position, name"))  # noqa: S608
        return [Character(**row) for row in rows.mappings()]

    async def get(self, character_id: UUID) -> Character:
        """Raises `CharacterNotFoundError`."""
        statement = text(f"select {_COLUMNS} from characters where id = :id")  # noqa: S608
        row = (await self.connection.execute(statement, {"id": character_id})).mappings().first()
        if row is None:
            raise CharacterNotFoundError("no character with this id")
        return Character(**row)

    async def seed(self, character: CharacterSeed, *, as_json: dict[str, str]) -> bool:
        """Writes a character from its file; True when a row was made or changed. What an operator edited stays."""
        values = {
            "slug": character.slug,
            "name": character.name,
            "emoji": character.emoji,
            "system_prompt": character.system_prompt,
            "position": character.position,
            "is_default": character.is_default,
            **as_json,
        }
        return (await self.connection.execute(_SEED, values)).first() is not None

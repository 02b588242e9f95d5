"""Characters as the public may see them: never what the model is told."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.api.dependencies import Characters
from shared.domain.character import CharacterTile, in_language
from shared.domain.user import spoken_language

router = APIRouter(prefix="/api/v1/characters", tags=["characters"])
Language = Annotated[str, Query(description="Language tag such as en or ru-RU; what we do not speak is answered in English", max_length=35)]


class CharacterCard(BaseModel):
    id: UUID
    slug: str
    name: str
    emoji: str
    tagline: str
    description: str
    is_default: bool

    @classmethod
    def of(cls, character: CharacterTile, language: str) -> Self:
        return cls(
            id=character.id,
            slug=character.slug,
            name=character.name,
            emoji=character.emoji,
            tagline=in_language(character.tagline, language),
            description=in_language(character.description, language),
            is_default=character.is_default,
        )


class CharacterList(BaseModel):
    characters: list[CharacterCard]


@router.get("", summary="All characters, in the order they are shown")
async def characters(characters: Characters, language: Language = "en") -> CharacterList:
    spoken = spoken_language(language)
    return CharacterList(characters=[CharacterCard.of(character, spoken) for character in await characters.list()])

"""The characters that come with the house, as TOML files that can be read and edited without code.

A file has `slug` (its own name), `name`, `emoji`, `position`, `is_default`, and may have `task` (talk or tutor); `[tagline]`,
`[description]` and `[greeting]` with a text per language; `[prompt]` with `text`; `[[example_dialog]]` with `role` and `text`; `[settings]`
with what goes to the model.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, NoReturn, TypeVar

from shared.domain.errors import InvalidInputError
from shared.domain.prompt import PromptMessage, Role

LANGUAGES = ("en", "ru")
TASKS = ("talk", "tutor")
T = TypeVar("T")
_FIELDS = frozenset(
    {
        "slug",
        "name",
        "emoji",
        "position",
        "is_default",
        "task",
        "tagline",
        "description",
        "greeting",
        "prompt",
        "example_dialog",
        "settings",
    }
)
_LONGEST = {"tagline": 80, "description": 600, "greeting": 1000}
_SLUG = re.compile(r"[a-z][a-z0-9_-]{1,31}")
_TONE = "# Examples of how you sound (for the tone; never repeat them word for word)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterSeed:
    """A character as its file describes it. `system_prompt` ends with the example dialog, so it can be stored as it is."""

    slug: str
    name: str
    emoji: str
    tagline: dict[str, str]
    description: dict[str, str]
    greeting: dict[str, str]
    system_prompt: str
    example_dialog: tuple[PromptMessage, ...]
    settings: dict[str, float]
    position: int
    is_default: bool
    task: str = "talk"


def character_seeds(folder: Traversable | None = None) -> list[CharacterSeed]:
    """Every character of the folder (ours by default), by position.

    Raises `InvalidInputError` that names the file and the field, also when slugs or positions repeat or not exactly one is default.
    """
    place = folder or files("shared.domain") / "data" / "characters"
    paths = sorted((path for path in place.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name)
    seeds = sorted((_read(path) for path in paths), key=lambda seed: seed.position)
    if len({seed.position for seed in seeds}) < len(seeds):
        raise InvalidInputError("two character files have the same position")
    if sum(seed.is_default for seed in seeds) != 1:
        raise InvalidInputError("exactly one character file must have is_default = true")
    return seeds


def parse_character(source: str, *, file: str) -> CharacterSeed:
    """`file` is the name of the file, for the errors; it must be the slug with `.toml`."""
    try:
        parsed = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"{file}: {error}") from None
    fields = _Fields(file, parsed)
    fields.refuse_unknown()
    name = fields.text("name")
    examples = fields.examples()
    return CharacterSeed(
        slug=fields.slug(),
        name=name,
        emoji=fields.text("emoji"),
        tagline=fields.per_language("tagline"),
        description=fields.per_language("description"),
        greeting=fields.per_language("greeting"),
        system_prompt=_with_examples(fields.prompt(name), examples),
        example_dialog=examples,
        settings=fields.settings(),
        position=fields.of("position", int),
        is_default=fields.of("is_default", bool),
        task=fields.task(),
    )


def _read(path: Traversable) -> CharacterSeed:
    try:
        source = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{path.name}: is not UTF-8") from None
    return parse_character(source, file=path.name)


def _with_examples(prompt: str, examples: Sequence[PromptMessage]) -> str:
    if not examples:
        return prompt
    lines = (f"{'You' if message.role is Role.ASSISTANT else 'They'}: {message.text}" for message in examples)
    return "\n".join((prompt, "", _TONE, *lines))


@dataclass(frozen=True, slots=True)
class _Fields:
    file: str
    parsed: Mapping[str, Any]

    def fail(self, field: str, what: str) -> NoReturn:
        raise InvalidInputError(f"{self.file}: {field} {what}")

    def refuse_unknown(self) -> None:
        for field in sorted(self.parsed.keys() - _FIELDS):
            self.fail(field, "is not a field of a character")

    def of(self, field: str, kind: type[T]) -> T:
        value = self.parsed.get(field)
        if type(value) is not kind:
            self.fail(field, "is missing" if value is None else f"must be of type {kind.__name__}")
        return value

    def text(self, field: str) -> str:
        return self._words(field, self.of(field, str))

    def slug(self) -> str:
        slug = self.text("slug")
        if not _SLUG.fullmatch(slug) or f"{slug}.toml" != self.file:
            self.fail("slug", "must be the file's name without .toml: 2 to 32 of a-z 0-9 _ -, beginning with a letter")
        return slug

    def task(self) -> str:
        if "task" not in self.parsed:
            return "talk"
        if (task := self.text("task")) not in TASKS:
            self.fail("task", f"must be one of {', '.join(TASKS)}")
        return task

    def per_language(self, field: str) -> dict[str, str]:
        texts = self.of(field, dict)
        for language in LANGUAGES:
            if language not in texts:
                self.fail(f"{field}.{language}", "is missing")
        return {language: self._words(f"{field}.{language}", text, _LONGEST[field]) for language, text in texts.items()}

    def prompt(self, name: str) -> str:
        text = self._words("prompt.text", self.of("prompt", dict).get("text"))
        if not text.startswith(f"You are {name},"):
            self.fail("prompt.text", f"must begin with 'You are {name},'")
        return text

    def examples(self) -> tuple[PromptMessage, ...]:
        found = self.parsed.get("example_dialog", [])
        if not isinstance(found, list) or len(found) % 2:
            self.fail("example_dialog", "must be pairs of user and assistant")
        return tuple(self._example(number, example) for number, example in enumerate(found))

    def settings(self) -> dict[str, float]:
        settings = self.of("settings", dict)
        temperature = settings.get("temperature")
        if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
            self.fail("settings.temperature", "must be a number from 0 to 2")
        if len(settings) > 1:
            self.fail("settings", "knows only temperature")
        return {"temperature": float(temperature)}

    def _example(self, number: int, example: Any) -> PromptMessage:
        role = Role.ASSISTANT if number % 2 else Role.USER
        field = f"example_dialog[{number}]"
        if not isinstance(example, dict) or example.get("role") != role.value:
            self.fail(field, f"must have role {role.value}")
        return PromptMessage(role, self._words(f"{field}.text", example.get("text")))

    def _words(self, field: str, text: Any, longest: int | None = None) -> str:
        if not isinstance(text, str) or not text.strip():
            self.fail(field, "must be a text with something in it")
        if longest is not None and len(text) > longest:
            self.fail(field, f"has {len(text)} characters; at most {longest} fit")
        return text.strip()

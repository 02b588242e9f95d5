"""Every sentence that the bot itself says, by key and language (Fluent). Sentences are Telegram HTML; parameters are escaped."""

from functools import cache
from html import escape
from pathlib import Path

from fluent.runtime import FluentBundle, FluentResource

from shared.domain.user import DEFAULT_LANGUAGE, LANGUAGES

_LOCALES = Path(__file__).parent / "locales"


@cache
def _bundle(language: str) -> FluentBundle:
    bundle = FluentBundle([language], use_isolating=False)
    for file in sorted((_LOCALES / language).glob("*.ftl")):
        bundle.add_resource(FluentResource(file.read_text(encoding="utf-8")))
    return bundle


def sentence_keys(language: str) -> set[str]:
    """Keys that a language has a sentence for."""
    return set(_bundle(language)._messages)


def has_sentence(key: str) -> bool:
    return _bundle(DEFAULT_LANGUAGE).has_message(key)


def say(key: str, language: str, **values: str | int) -> str:
    """The sentence in this language, else in English. Raises `LookupError` for a key or a parameter that is missing."""
    bundle = _bundle(language if language in LANGUAGES else DEFAULT_LANGUAGE)
    if not bundle.has_message(key):
        bundle = _bundle(DEFAULT_LANGUAGE)
    pattern = bundle.get_message(key).value
    if pattern is None:
        raise LookupError(f"{key} has no sentence in {language}")
    escaped = {name: escape(value, quote=False) if isinstance(value, str) else value for name, value in values.items()}
    text, errors = bundle.format_pattern(pattern, escaped)
    if errors:
        raise LookupError(f"{key} in {language}: {errors[0]}")
    return str(text)

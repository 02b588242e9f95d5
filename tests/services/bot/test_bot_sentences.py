"""Every sentence in every language, every error in words, every handler with the services it asks for."""

import importlib
import inspect
import pkgutil
import typing
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.dispatcher.event.handler import HandlerObject
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

import services
import shared
from services.bot import sentences
from services.bot.commands import COMMANDS, publish_commands
from services.bot.delivery import Delivery
from services.bot.errors import sentence_of
from services.bot.sentences import say, sentence_keys
from shared.application.ports import ModelUnavailableError
from shared.domain.allowance import DailyTurnsSpentError
from shared.domain.errors import AllowanceSpentError, AppError, ConflictError, ContentRejectedError, NotFoundError, UnavailableError
from shared.domain.speaker import Speaker
from shared.domain.user import LANGUAGES
from tests.services.bot.desk import Desk

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


class Variables(Visitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - fluent's name
        self.names.add(node.id.name)


def variables(language: str) -> dict[str, set[str]]:
    """Sentence -> the parameters it takes, as written in the files."""
    found: dict[str, set[str]] = {}
    for file in sorted((sentences._LOCALES / language).glob("*.ftl")):
        resource = FluentParser().parse(file.read_text(encoding="utf-8"))
        assert not [entry for entry in resource.body if isinstance(entry, ast.Junk)], file
        for entry in resource.body:
            if isinstance(entry, ast.Message):
                visitor = Variables()
                visitor.visit(entry)
                assert entry.id.name not in found, f"{entry.id.name} stands twice"
                found[entry.id.name] = visitor.names
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_exists_with_the_same_parameters(language: str) -> None:
    assert variables(language) == variables("en")
    assert set(variables(language)) == sentence_keys(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_too_long_or_broken_html(language: str) -> None:
    for key, names in variables(language).items():
        for number in (0, 1, 2, 5, 21):
            text = say(key, language, **dict.fromkeys(names, number))
            assert 0 < len(text) <= 2000, key
            Balanced(key).feed(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_can_be_shown_in_an_alert_as_they_are(language: str) -> None:
    errors = [say(key, language, **dict.fromkeys(names, 5)) for key, names in variables(language).items() if key.startswith("error-")]
    assert len(errors) > 10
    assert [text for text in errors if len(text) > 200 or set("<&\n") & set(text)] == []


class Balanced(HTMLParser):
    """Knows only what Telegram knows, and that everything opened is closed."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key, self.open = key, [""]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert tag in {"b", "i", "u", "s", "code", "pre", "a", "blockquote"}, self.key
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.key


def test_what_people_wrote_is_never_markup() -> None:
    assert say("group-hello", "en", name="<b>x</b>", username="a&b").startswith(
        "Hello! I am <b>&lt;b&gt;x&lt;/b&gt;</b>. Mention me (@a&amp;b)"
    )


def test_a_missing_parameter_is_an_error_and_an_unknown_language_is_english() -> None:
    with pytest.raises(LookupError):
        say("menu", "en")
    with pytest.raises(LookupError):
        say("no-such-key", "en")
    assert say("menu-help", "tlh") == "❓ Help"


def every_module(*packages: ModuleType) -> None:
    for package in packages:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def every_error() -> set[type[AppError]]:
    found, waiting = {AppError}, [AppError]
    while waiting:
        fresh = set(waiting.pop().__subclasses__()) - found
        found |= fresh
        waiting += fresh
    return {kind for kind in found if kind.__module__.startswith(("shared.", "services."))}


def made(kind: type[AppError]) -> AppError:
    """An error of this kind, whatever its constructor wants."""
    values = {"limit": 5, "resets_at": MIDNIGHT, "verdict": "x", "reason": "x"}
    if kind.__init__ is Exception.__init__:
        return kind("x")
    wanted = inspect.signature(kind).parameters.values()
    keywords = {p.name: values.get(p.name, "x") for p in wanted if p.kind is p.KEYWORD_ONLY and p.default is p.empty}
    return kind(*("x" for p in wanted if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty), **keywords)


def test_every_error_has_a_code_of_its_own_and_a_sentence_in_every_language() -> None:
    every_module(shared, services)
    errors = every_error()
    codes: dict[str, type[AppError]] = {}
    for kind in errors:
        assert codes.setdefault(kind.code, kind) is kind, f"{kind} has the code of {codes[kind.code]}"
        spoken = {language: sentence_of(made(kind), language) for language in LANGUAGES}
        assert len(set(spoken.values())) == len(LANGUAGES), kind
        if kind is not AppError:
            assert spoken["en"] != say("error-internal", "en"), f"{kind} has no sentence and its kind has none"
    assert len(errors) >= 20


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            DailyTurnsSpentError(limit=5, resets_at=MIDNIGHT),
            "You have used all 5 messages of today. It goes on at 00:00 UTC – see you then!",
        ),
        (AllowanceSpentError(limit=5, resets_at=MIDNIGHT), "Your allowance is used up. It goes on at 00:00 UTC."),
        (ContentRejectedError(verdict="x"), "I would rather not answer that. Let us talk about something else."),
        (UnavailableError("x"), "I cannot do that just now. Please try again in a minute."),
        (NotFoundError("x"), "I could not find that."),
        (AppError("x"), "Something went wrong on our side. Your message is kept; please try again in a minute."),
    ],
)
def test_an_error_is_said_in_words(error: AppError, sentence: str) -> None:
    assert sentence_of(error, "en") == sentence


def test_an_error_without_words_of_its_own_borrows_those_of_its_kind() -> None:
    class RoomTakenError(ConflictError):
        code = "room_taken"

    assert sentence_of(RoomTakenError("x"), "en") == say("error-conflict", "en")
    assert sentence_of(ModelUnavailableError("x", reason="y"), "ru").startswith("Сейчас не получилось ответить")


def handlers_of(dispatcher: Dispatcher) -> list[tuple[str, HandlerObject]]:
    routers = [router for chain in dispatcher.sub_routers for router in chain.chain_tail]
    observed = [(name, handler) for router in routers for name, observer in router.observers.items() for handler in observer.handlers]
    return [*observed, *(("error", handler) for handler in dispatcher.errors.handlers)]


def test_every_handler_gets_what_it_asks_for(desk: Desk) -> None:
    given = {name: type(value) for name, value in desk.dispatcher.workflow_data.items()}
    given |= {"speaker": Speaker, "delivery": Delivery, "bot": Bot}
    handlers = handlers_of(desk.dispatcher)
    assert len(handlers) >= 20
    for name, handler in handlers:
        hints = typing.get_type_hints(handler.callback)
        _event, *asked = inspect.signature(handler.callback).parameters
        for parameter in set(asked) - {"callback_data"}:
            assert parameter in given, f"{handler.callback.__name__} asks for {parameter}, which nobody gives"
            assert issubclass(given[parameter], hints[parameter]), f"{handler.callback.__name__}: {parameter} is no {hints[parameter]}"
        if name in {"my_chat_member", "stopped_message_generation", "error"}:
            assert "speaker" not in asked, f"{handler.callback.__name__}: nobody is recognised there"


def test_telegram_is_asked_for_exactly_the_kinds_that_somebody_handles(desk: Desk) -> None:
    kinds = {"message", "edited_message", "callback_query", "my_chat_member", "stopped_message_generation"}
    assert set(desk.dispatcher.resolve_used_update_types()) == kinds


async def test_the_command_menu_is_published_in_every_language(desk: Desk) -> None:
    await publish_commands(desk.bot)
    calls = await desk.calls("setMyCommands")
    assert [call["params"].get("language_code") for call in calls] == [None, "ru"]
    for call in calls:
        assert [command["command"] for command in call["params"]["commands"]] == list(COMMANDS)
        assert all(3 <= len(command["description"]) <= 100 for command in call["params"]["commands"])

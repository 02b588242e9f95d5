"""What /memory and /forget show: pages of facts, a fact of its own, and what is asked before all is forgotten."""

from collections.abc import Sequence
from datetime import datetime
from html import unescape
from typing import Annotated, Literal
from uuid import UUID

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from pydantic import Field

from services.bot import keyboards
from services.bot.formatting import clean, utf16_len
from services.bot.screens import Screen
from services.bot.sentences import say
from shared.application.memory import KnownMemory, MemoryPage
from shared.application.memory.service import A_PAGE
from shared.domain.speaker import Speaker

PageNumber = Annotated[int, Field(ge=0, le=9999)]
IN_LIST, IN_FULL, ON_BUTTON = 240, 1000, 48
"""UTF-16 units of a fact. Six facts with as many rivals stay far below the 4096 of a message, however long they are."""


class PressPage(CallbackData, prefix="mems"):
    page: PageNumber


class PressMemory(CallbackData, prefix="mem"):
    """A button about one fact; `page` is the page that its Back leads to."""

    do: Literal["open", "fix", "forget", "pin", "unpin", "share", "now", "before"]
    id: UUID
    page: PageNumber


class PressHere(CallbackData, prefix="memhere"):
    """Only the character that the button names shall know it, whoever the person talks to by then; `whose` is its mark."""

    id: UUID
    page: PageNumber
    whose: str


class PressAdd(CallbackData, prefix="memadd"):
    pass


class PressForget(CallbackData, prefix="forget"):
    do: Literal["ask", "yes", "no"]


def known(page: MemoryPage, language: str, *, notice: str | None = None) -> Screen:
    """`notice` is the key of a sentence about what has just happened."""
    above = [say(f"memory-notice-{notice}", language)] if notice else []
    name = page.character_name
    if not page.memories:
        return Screen("\n\n".join([*above, say("memory-nobody-knows", language, character=name)]), _below_list(page, language))
    first = page.page * A_PAGE + 1
    lines = "\n".join(_line(memory, number, language) for number, memory in enumerate(page.memories, first))
    below = "\n".join([*_legend(page.memories, language), say("memory-press-a-number", language)])
    text = "\n\n".join([*above, say("memory", language, character=name), lines, below])
    return Screen(text, _below_list(page, language))


def fact(memory: KnownMemory, speaker: Speaker, page: int, *, notice: str | None = None) -> Screen:
    above = [say(f"memory-notice-{notice}", speaker.language)] if notice else []
    if memory.is_asked:
        return _asked(memory, speaker.language, page)
    head = say("memory-fact", speaker.language, fact=shortened(memory.fact, IN_FULL))
    return Screen("\n\n".join([*above, head, "\n".join(_about(memory, speaker))]), _below_fact(memory, speaker, page))


def forget_ask(language: str) -> Screen:
    yes, no = (_button(say(f"forget-{do}", language), PressForget(do=do)) for do in ("yes", "no"))
    return Screen(say("forget-ask", language), InlineKeyboardMarkup(inline_keyboard=[[yes, no]]))


def forgotten_all(facts: int, language: str) -> Screen:
    return Screen(say("forgotten-all", language, facts=facts), InlineKeyboardMarkup(inline_keyboard=[[_back(0, language)]]))


def elsewhere(link: str, language: str) -> Screen:
    """In a group: nothing about anybody, and the way to the private chat."""
    button = InlineKeyboardButton(text=unescape(say("memory-open-private", language)), url=link)
    return Screen(say("memory-in-private", language), InlineKeyboardMarkup(inline_keyboard=[[button]]))


def mark_of(speaker: Speaker) -> str:
    """By it what was made while a person talked to one character is told from what belongs to the next."""
    return speaker.character_id.hex[:8]


def shortened(text: str, units: int) -> str:
    """In one line, and visibly cut where it has more UTF-16 units."""
    line = " ".join(clean(text).split())
    if utf16_len(line) <= units:
        return line
    return line.encode("utf-16-le")[: 2 * units - 2].decode("utf-16-le", "ignore").rstrip() + "…"


def _line(memory: KnownMemory, number: int, language: str) -> str:
    words, marks = shortened(memory.fact, IN_LIST), " ".join(mark for mark, _ in _marks(memory))
    if memory.is_asked and memory.rival:
        rival = shortened(memory.rival.fact, IN_LIST)
        return say("memory-line-asked", language, number=number, fact=words, marks=marks, rival=rival)
    if marks:
        return say("memory-line-marked", language, number=number, fact=words, marks=marks)
    return say("memory-line", language, number=number, fact=words)


def _marks(memory: KnownMemory) -> list[tuple[str, str]]:
    """(mark, its name in the legend)"""
    every = (
        (memory.is_asked, "❓", "asked"),
        (memory.is_pinned, "📌", "pinned"),
        (memory.is_shared, "🌐", "shared"),
        (memory.is_own_words, "✍️", "own"),
    )
    return [(mark, name) for is_so, mark, name in every if is_so]


def _legend(memories: Sequence[KnownMemory], language: str) -> list[str]:
    """One line for the marks that are on this page."""
    shown = {name for memory in memories for _, name in _marks(memory)}
    said = [say(f"memory-legend-{name}", language) for name in ("asked", "pinned", "shared", "own") if name in shown]
    return [" · ".join(said)] if said else []


def _about(memory: KnownMemory, speaker: Speaker) -> list[str]:
    language, percent = speaker.language, round(100 * memory.confidence)
    known_by = say("memory-is-shared", language) if memory.is_shared else say("memory-is-here", language, character=speaker.character_name)
    if memory.is_own_words:
        source = say("memory-is-own", language)
    elif memory.said_at is None:
        source = say("memory-heard", language, percent=percent)
    else:
        source = say("memory-said", language, date=_day(memory.said_at, language), percent=percent)
    return [*([say("memory-is-pinned", language)] if memory.is_pinned else []), known_by, source]


def _day(at: datetime, language: str) -> str:
    return say("memory-date", language, day=at.day, month=at.month, year=str(at.year))


def _asked(memory: KnownMemory, language: str, page: int) -> Screen:
    """Nothing but the question: once it is settled, the rest can be changed."""

    def to(label: str, do: Literal["now", "before"]) -> list[InlineKeyboardButton]:
        return [_button(label, PressMemory(do=do, id=memory.id, page=page))]

    words = shortened(memory.fact, IN_FULL)
    if memory.rival is None:
        text = say("memory-asked-alone", language, fact=words)
        rows = [to(say("memory-it-holds", language), "now") + to(say("memory-it-does-not", language), "before")]
    else:
        text = say("memory-asked", language, fact=words, rival=shortened(memory.rival.fact, IN_FULL))
        now = say("memory-now-holds", language, fact=shortened(memory.fact, ON_BUTTON))
        before = say("memory-before-holds", language, rival=shortened(memory.rival.fact, ON_BUTTON))
        rows = [to(now, "now"), to(before, "before")]
    return Screen(text, InlineKeyboardMarkup(inline_keyboard=[*rows, [_back(page, language)]]))


def _below_fact(memory: KnownMemory, speaker: Speaker, page: int) -> InlineKeyboardMarkup:
    language = speaker.language

    def to(sentence: str, do: Literal["fix", "forget", "pin", "unpin", "share"]) -> InlineKeyboardButton:
        return _button(say(sentence, language), PressMemory(do=do, id=memory.id, page=page))

    pin = to("memory-unpin", "unpin") if memory.is_pinned else to("memory-pin", "pin")
    name = shortened(speaker.character_name, ON_BUTTON)
    here = _button(say("memory-keep-here", language, character=name), PressHere(id=memory.id, page=page, whose=mark_of(speaker)))
    scope = here if memory.is_shared else to("memory-share", "share")
    first = [to("memory-fix", "fix"), to("memory-forget", "forget")]
    return InlineKeyboardMarkup(inline_keyboard=[first, [pin, scope], [_back(page, language)]])


def _below_list(page: MemoryPage, language: str) -> InlineKeyboardMarkup:
    first = page.page * A_PAGE + 1
    numbers = [
        _button(str(number), PressMemory(do="open", id=memory.id, page=page.page)) for number, memory in enumerate(page.memories, first)
    ]
    turning = (
        [
            _button("‹", PressPage(page=(page.page - 1) % page.pages)),
            _button(f"{page.page + 1}/{page.pages}", PressPage(page=page.page)),
            _button("›", PressPage(page=(page.page + 1) % page.pages)),
        ]
        if page.pages > 1
        else []
    )
    last = [_button(say("memory-add", language), PressAdd())]
    if page.memories:
        last.append(_button(say("memory-forget-all", language), PressForget(do="ask")))
    rows = [row for row in (numbers, turning, last) if row]
    return InlineKeyboardMarkup(inline_keyboard=[*rows, *keyboards.back(language).inline_keyboard])


def _back(page: int, language: str) -> InlineKeyboardButton:
    return _button(say("memory-back", language), PressPage(page=page))


def _button(text: str, press: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=unescape(text), callback_data=press.pack())

"""Parse modes and entities: Telegram's sentences, and counting in UTF-16 units."""

from typing import Any

import pytest

from services.sandbox.entities import checked, detect, finished
from services.sandbox.errors import ApiError
from services.sandbox.html import parse_html
from services.sandbox.markdown import parse_markdown
from services.sandbox.markdown_v2 import parse_markdown_v2
from services.sandbox.people import text_content

PARSERS = {"html": parse_html, "v2": parse_markdown_v2, "legacy": parse_markdown}


@pytest.mark.parametrize(
    ("parser", "source", "text", "entities"),
    [
        ("html", "<b>😀<i>x</i></b>&lt;&amp;&#33;&nope;", "😀x<&!&nope;", [("bold", 0, 3), ("italic", 2, 1)]),
        ("html", '<a href="http://x.io/?a&amp;b">l</a>', "l", [("text_link", 0, 1, "http://x.io/?a&b")]),
        ("html", '<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1, "py")]),
        (
            "html",
            '<span class="tg-spoiler">s</span><blockquote expandable>q</blockquote>',
            "sq",
            [("spoiler", 0, 1), ("expandable_blockquote", 1, 1)],
        ),
        ("html", "<b></b>x", "x", []),
        ("html", "<i><b>x</b></i>", "x", [("bold", 0, 1), ("italic", 0, 1)]),
        (
            "v2",
            "_i_ __u__ ~s~ ||p|| `c`",
            "i u s p c",
            [("italic", 0, 1), ("underline", 2, 1), ("strikethrough", 4, 1), ("spoiler", 6, 1), ("code", 8, 1)],
        ),
        ("v2", r"*😀 \*b* [l](http://a.b/c\)d)", "😀 *b l", [("bold", 0, 5), ("text_link", 6, 1, "http://a.b/c)d")]),
        ("v2", ">a\n>b\nc", "a\nb\nc", [("blockquote", 0, 3)]),
        ("v2", "**>a\n>b||", "a\nb", [("expandable_blockquote", 0, 3)]),
        ("v2", "```py\nx = 1```", "x = 1", [("pre", 0, 5, "py")]),
        (
            "legacy",
            "*b* _i_ `c` [l](http://a.b) \\*",
            "b i c l *",
            [("bold", 0, 1), ("italic", 2, 1), ("code", 4, 1), ("text_link", 6, 1, "http://a.b")],
        ),
    ],
)
def test_marks_become_entities(parser: str, source: str, text: str, entities: list[tuple[Any, ...]]) -> None:
    said, found = PARSERS[parser](source)
    assert said == text
    assert [tuple(entity.values()) for entity in found] == entities


@pytest.mark.parametrize(
    ("parser", "source", "words"),
    [
        ("html", "<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("html", "😀 < 2", 'Unsupported start tag "" at byte offset 5'),
        ("html", "x</b>", "Unexpected end tag at byte offset 1"),
        ("html", "<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("html", "<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("html", "x<b", "Unclosed start tag at byte offset 1"),
        ("v2", "🏟 🏟_abac * asd _", "Can't find end of Italic entity at byte offset 21"),
        ("v2", "🏟 🏟__🏟 🏟_", "Can't find end of Italic entity at byte offset 20"),
        ("v2", "🏟 🏟```a ", "Can't find end of PreCode entity at byte offset 9"),
        ("v2", "[telegram\\.org](asd", "Can't find end of a URL at byte offset 16"),
        ("v2", ">*b\n>ld\nasd*", "Can't find end of Bold entity at byte offset 1"),
        ("v2", "a!", "Character '!' is reserved and must be escaped with the preceding '\\'"),
        ("legacy", "say *this", "Can't find end of the entity starting at byte offset 4"),
    ],
)
def test_broken_marks_are_refused_with_the_place(parser: str, source: str, words: str) -> None:
    with pytest.raises(ApiError) as refused:
        PARSERS[parser](source)
    assert refused.value.description == f"Bad Request: can't parse entities: {words}"


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ({"offset": 1, "length": 1}, "entity begins in a middle of a UTF-16 symbol at byte offset 4"),
        ({"offset": 0, "length": 1}, "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4"),
        ({"offset": 2, "length": 9}, "entity beginning at UTF-16 offset 2 ends after the end of the text at UTF-16 offset 11"),
        ({"offset": 9, "length": 1}, "entity begins after the end of the text at UTF-16 offset 9"),
        ({"offset": -1, "length": 1}, "receive an entity with incorrect offset -1"),
    ],
)
def test_an_entity_that_splits_an_emoji_or_leaves_the_text_is_refused(entity: dict[str, int], words: str) -> None:
    with pytest.raises(ApiError) as refused:
        checked("😀 ab", [{"type": "bold", **entity}])
    assert refused.value.description == f"Bad Request: {words}"


def test_trimming_moves_entities_along_and_drops_empty_ones() -> None:
    given = [{"type": "bold", "offset": 0, "length": 4}, {"type": "italic", "offset": 5, "length": 2}]
    assert finished("  ab   ", given) == ("ab", [{"type": "bold", "offset": 0, "length": 2}])


def cut(text: str, entity: dict[str, Any]) -> str:
    return text.encode("utf-16-le")[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode("utf-16-le")


def test_what_telegram_marks_in_any_text() -> None:
    text = "/start@my_bot 😀 ask @ann_a, see https://x.io/a?b=1. or ann@x.io #tag $USD t.me/ann 1.5 a/b"
    assert [(entity["type"], cut(text, entity)) for entity in detect(text)] == [
        ("bot_command", "/start@my_bot"),
        ("mention", "@ann_a"),
        ("url", "https://x.io/a?b=1"),
        ("email", "ann@x.io"),
        ("hashtag", "#tag"),
        ("cashtag", "$USD"),
        ("url", "t.me/ann"),
    ]


def test_nothing_is_marked_inside_code() -> None:
    assert finished("run /start", [{"type": "code", "offset": 0, "length": 10}])[1] == [{"type": "code", "offset": 0, "length": 10}]


def test_at_most_a_hundred_entities_are_kept() -> None:
    assert len(finished("@abcde " * 150, [])[1]) == 100


def test_a_person_writes_entities_too() -> None:
    assert text_content(" /start ref_42 ") == {"text": "/start ref_42", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}

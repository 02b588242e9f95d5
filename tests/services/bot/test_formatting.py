"""What the reader of a message sees after a model's Markdown went through `formatting`."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegramify_markdown.config import get_runtime_config

from services.bot.formatting import LIMIT, MOST_ENTITIES, TextPart, clean, is_visible, plain, render, split_point, unmarked, utf16_len


def only(parts: list[TextPart]) -> TextPart:
    assert len(parts) == 1
    return parts[0]


def covered(part: TextPart, entity: dict[str, Any]) -> str:
    units = part.text.encode("utf-16-le")
    return units[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode("utf-16-le")


def styled(part: TextPart) -> list[tuple[str, str]]:
    return [(entity["type"], covered(part, entity)) for entity in part.entities]


def assert_telegram_accepts(part: TextPart) -> None:
    assert 0 < utf16_len(part.text) <= LIMIT
    assert is_visible(part.text)
    assert part.text == clean(part.text)
    assert part.text.rstrip() == part.text
    assert len(part.entities) <= MOST_ENTITIES
    for entity in part.entities:
        assert 0 <= entity["offset"] < entity["offset"] + entity["length"] <= utf16_len(part.text)
        assert utf16_len(covered(part, entity)) == entity["length"]  # raises if the entity begins or ends inside a surrogate pair


@pytest.mark.parametrize(
    ("written", "seen", "styles"),
    [
        ("*waves* hello", "waves hello", [("italic", "waves")]),
        ("**He said *wow* and** left", "He said wow and left", [("bold", "He said wow and"), ("italic", "wow")]),
        ("«*шепчет*» да", "«шепчет» да", [("italic", "шепчет")]),
        ("||secret|| ~~no~~", "secret no", [("spoiler", "secret"), ("strikethrough", "no")]),
        ("😀 **x** 👩‍👩‍👧 `y`", "😀 x 👩‍👩‍👧 y", [("bold", "x"), ("code", "y")]),
        ("# Title\n\ntext", "Title\n\ntext", [("bold", "Title"), ("underline", "Title")]),
        ("> said\n>> twice\n\nend", "said\ntwice\n\nend", [("blockquote", "said\ntwice")]),
        ("unclosed *action", "unclosed *action", []),
    ],
)
def test_the_usual_markdown_becomes_entities(written, seen, styles):
    part = only(render(written))
    assert part.text == seen
    assert sorted(styled(part)) == sorted(styles)


@pytest.mark.parametrize(
    "written",
    [
        "<div>x</div>",
        "hi <b>bold</b> <!-- note --> there",
        "<think>hmm</think>hi",
        "2*3*4",
        "2**3**4 and x*y*z and (2)*3*(4)",
        "5 * 3 * 2",
        "[Whisper]: come closer",
        "[softly](smiling) hello",
        "[x](javascript:alert(1))",
        "see [f][1]\n\n[1]: http://q.example",
        "| a |\n|---|\n| b | dropped by Markdown |",
        "snake_case_name",
        "#hashtag and @name",
        "US$ 5 ~ 6",
        "- Привет, - сказал он.",
        "a < b > c & d",
    ],
)
def test_text_that_markdown_would_swallow_stays_as_written(written):
    assert render(written) == [TextPart(written, [])]


def test_tags_in_code_are_shown_without_backslashes():
    part = only(render("```html\n<p>2*3*4</p>\n```\nuse `<b>` or <i>"))
    assert part.text == "<p>2*3*4</p>\nuse <b> or <i>"
    assert styled(part) == [("pre", "<p>2*3*4</p>"), ("code", "<b>")]
    assert part.entities[0]["language"] == "html"


def test_a_scene_break_does_not_turn_the_line_above_into_a_heading():
    assert render("She left.\n---\nNight.") == [TextPart("She left.\n\n————————\nNight.", [])]


def test_words_behind_a_fence_stay_and_are_no_language():
    part = only(render("``` look at this\nworld\n```"))
    assert (part.text, part.entities) == ("look at this\nworld", [{"type": "pre", "offset": 0, "length": 18}])


def test_attributes_of_a_code_block_are_not_its_language():
    assert render('```python title="a.py"\nx\n```') == [TextPart("x", [{"type": "pre", "offset": 0, "length": 1, "language": "python"}])]


def test_prose_behind_a_fence_in_a_quote_is_not_lost():
    assert "look at this" in only(render("> ``` look at this\n> world\n> ```")).text


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("[a](https://b.example/c)", "https://b.example/c"),
        ("[a](b.example/c)", "https://b.example/c"),
        ("[a](tg://user?id=1)", "tg://user?id=1"),
    ],
)
def test_links_that_telegram_can_open_are_links(written, url):
    assert render(written) == [TextPart("a", [{"type": "text_link", "offset": 0, "length": 1, "url": url}])]


def test_links_and_pictures_without_a_name_show_their_address():
    assert only(render("![](http://a.example/b.png) [](c.example)")).text == "http://a.example/b.png c.example"
    assert only(render("<mail@b.example>")).entities == []


def test_lists_and_tasks_carry_no_emoji():
    assert only(render("* a\n* b\n\n1. x\n2. y\n\n- [ ] t\n- [x] d")).text == "- a\n- b\n\n1. x\n2. y\n\n☐ t\n☑ d"


def test_rendering_leaves_the_librarys_shared_settings_alone():
    render("# x\n\n- y")
    assert get_runtime_config().markdown_symbol.heading_level_1 == "📌"


@pytest.mark.parametrize("nothing", ["", " \n\t ", "\x00\x01", "\ud800", "\u200b\u2060", "\u3164", "\u202e\ufeff"])
def test_what_telegram_calls_empty_gives_no_message(nothing):
    assert render(nothing) == []
    assert plain(nothing) == []


@pytest.mark.parametrize("marks", ["***", "[]()", "&nbsp;", "``````", "> ", "[ref]: http://x.example"])
def test_markup_without_words_never_vanishes_into_an_error(marks):
    for part in render(marks):
        assert_telegram_accepts(part)


def test_control_characters_are_removed_and_line_breaks_made_equal():
    assert plain("a\x00b\r\nc\rd\u2028e\ud83d") == [TextPart("ab\nc\nd\ne", [])]
    assert render("**a\x07b**\r\n\r\nc") == [TextPart("ab\n\nc", [{"type": "bold", "offset": 0, "length": 2}])]
    assert render("&#8;**a**") == [TextPart("a", [])]


def test_a_long_text_is_cut_at_paragraphs_then_sentences_then_words():
    paragraphs = "\n\n".join(["word " * 300] * 4)
    assert [len(part.text.split("\n\n")) for part in plain(paragraphs)] == [2, 2]
    sentences = plain("A short sentence stands here. " * 300)
    assert len(sentences) == 3
    assert all(part.text.endswith("here.") for part in sentences)
    words = plain("word " * 2000)
    assert len(words) == 3
    assert {word for part in words for word in part.text.split()} == {"word"}


def test_4096_units_are_one_message_and_one_more_makes_two():
    assert [len(part.text) for part in plain("x" * 4096)] == [4096]
    assert [len(part.text) for part in plain("x" * 4097)] == [4096, 1]
    assert [utf16_len(part.text) for part in plain("😀" * 2048)] == [4096]
    assert [part.text for part in plain("x" + "😀" * 2048)] == ["x" + "😀" * 2047, "😀"]


@pytest.mark.parametrize("sign", ["👩‍👩‍👧‍👦", "🇨🇿", "👍🏽", "e\u0301", "❤️", "1️⃣"])
def test_a_cut_never_tears_a_drawn_character(sign):
    for shift in range(12):
        parts = plain("x" * shift + sign * (9000 // utf16_len(sign)))
        assert len(parts) >= 3
        for part in parts:
            assert_telegram_accepts(part)
            assert part.text.lstrip("x").replace(sign, "") == ""


def test_code_that_is_too_long_continues_as_code_of_the_same_language():
    code = "\n".join(f"    line_{number} = {number}" for number in range(550))
    parts = render(f"Look:\n\n```python\n{code}\n```\n\nDone.")
    assert len(parts) == 3
    for part in parts:
        assert_telegram_accepts(part)
        assert [(entity["type"], entity["language"]) for entity in part.entities] == [("pre", "python")]
    shown = "\n".join(covered(part, part.entities[0]) for part in parts)
    assert shown == code


def test_code_that_fits_into_one_message_is_not_cut():
    code = "\n".join(["x = 1"] * 400)
    first, second = render(f"{'Words. ' * 400}\n\n```python\n{code}\n```")
    assert first.entities == []
    assert covered(second, second.entities[0]) == code


def test_a_cut_behind_code_is_preferred_to_a_gap_in_it():
    code = "\n\n".join(["x = 1" * 30] * 12)
    first, second = render(f"{'Words. ' * 250}\n```\n{code}\n```\n{'word ' * 400}")
    assert first.text.endswith(code)
    assert second.text.replace("word", "").strip() == ""


def test_an_escaped_tag_stays_escaped_once():
    assert render(r"\<b> and \\<b> and \*x*") == [TextPart(r"<b> and \<b> and *x*", [])]


def test_a_long_bold_text_is_bold_in_both_messages():
    first, second = render(f"**{'bold ' * 1000}end**")
    assert styled(first) == [("bold", first.text)]
    assert styled(second) == [("bold", second.text)]


def test_of_too_many_entities_links_stay_and_decoration_goes():
    part = only(render("*a* " * 150 + "[home](https://b.example)"))
    assert len(part.entities) == 100
    assert styled(part)[-1] == ("text_link", "home")
    assert part.text == "a " * 150 + "home"


def test_a_draft_may_ask_where_a_message_has_to_end():
    text = "word " * 1000
    assert split_point("short") == 5
    assert split_point(text) == 4094
    assert split_point(text, 4094) == 5000


# --- any text at all ---------------------------------------------------------------------------------------------------------------

MARKS = [
    "*",
    "**",
    "_",
    "`",
    "```",
    "~~~",
    "||",
    "~~",
    "[",
    "]",
    "](",
    ")",
    "<",
    ">",
    "<b>",
    "</div>",
    "<!--",
    "\\",
    "$",
    "&amp;",
    "&#0;",
    "|",
    "|-|",
]
LINES = ["\n", "\n\n", "\n> ", "\n- ", "\n1. ", "\n# ", "\n---\n", "\n===\n", "\n    ", "\n\t", "\n```py\n", "\r\n", " ", "  \n", "]: "]
SIGNS = [
    "😀",
    "👩‍👧",
    "🇨🇿",
    "\u0301",
    "\u200d",
    "\x00",
    "\ud800",
    "\udc00",
    "\u202e",
    "\u2028",
    "слово",
    "word",
    "語",
    "tg://x",
    "http://a.example",
    "9",
]
FRAGMENTS = st.lists(st.sampled_from(MARKS + LINES + SIGNS) | st.text(max_size=5), max_size=60).map("".join)


@given(FRAGMENTS, st.integers(1, 60))
def test_whatever_a_model_writes_telegram_accepts(fragment, times):
    for text in (fragment, fragment * times):
        parts = render(text)
        for part in parts + plain(text):
            assert_telegram_accepts(part)
        assert bool(parts) == is_visible(clean(text))


@given(st.text(st.characters(), max_size=300), st.integers(1, 40))
def test_any_unicode_is_accepted(text, times):
    for part in render(text * times) + plain(text * times):
        assert_telegram_accepts(part)


DECORATIONS = [
    "{}",
    "*{}*",
    "**{}**",
    "`{}`",
    "||{}||",
    "~~{}~~",
    "<b>{}</b>",
    "[{}]: ",
    "[{}](https://a.example)",
    "\n\n{}",
    "\n- {}",
    "\n> {}",
]
DECORATIONS += [
    "\n<div>{}</div>\n",
    "\n---\n{}",
    "{}.",
    "\n\n```python\n{}\n```\n",
    "\n# {}\n",
    "*{}",
    "_{}",
    "| {} |",
    "``` so {}\n",
    "({}",
    "<{}>",
]


@given(st.lists(st.sampled_from(DECORATIONS), min_size=1, max_size=40), st.integers(1, 12))
def test_no_word_is_lost_or_moved(decorations, repeats):
    names = [f"word{letter}x" for letter in "abcdefghijklmnopqrstuvwxyzабвгдежзиклмно"]
    text = " ".join(decoration.format(name) for decoration, name in zip(decorations, names, strict=False)) + " "
    shown = " ".join(part.text for part in render(text * repeats * 8))
    places = [shown.find(name) for name, _ in zip(names, decorations, strict=False)]
    assert -1 not in places
    assert all(before < after for before, after in pairwise(places))


@given(st.text("ab .\n😀👍🏽é", min_size=1, max_size=40), st.integers(100, 900))
def test_plain_text_survives_cutting_word_for_word(fragment, times):
    text = fragment * times
    parts = plain(text)
    assert "".join("".join(part.text.split()) for part in parts) == "".join(text.split())
    if all(len(word) < 2000 for word in text.split()):
        assert [word for part in parts for word in part.text.split()] == text.split()


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("*laughs* **Alex**!", "laughs Alex!"),
        ("2*3*4 and snake_case", "2*3*4 and snake_case"),
        ("# Title\n* item", "Title\n* item"),
        ("so *", "so "),
        ("so **bo", "so bo"),
    ],
)
def test_a_growing_text_is_shown_without_its_markers(markdown: str, shown: str) -> None:
    assert unmarked(markdown) == shown


def kept_of(before: str, after: str) -> int:
    """Characters that stay on the screen from one frame to the next."""
    return next((place for place, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), min(len(before), len(after)))


@given(st.text(alphabet="ab 23*~#\n", max_size=40))
def test_a_growing_text_is_never_redrawn_further_back_than_its_last_word(markdown: str) -> None:
    frames = [unmarked(markdown[:end]) for end in range(len(markdown) + 1)]
    kept = [kept_of(before, after) for before, after in pairwise(frames)]
    assert all(len(before) - length <= 3 for before, length in zip(frames, kept, strict=False))

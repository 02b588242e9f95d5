"""Sorting raw updates into lanes: the right one for every kind, and never an error."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.intake import KEPT_OF_OVERSIZED, MAX_BODY_BYTES, read_update

CHAT = {"chat": {"id": -100, "type": "supergroup"}}
ANN = {"from": {"id": 7}}


def lane(kind: str, content: dict[str, Any]) -> tuple[str, bool]:
    read = read_update(json.dumps({"update_id": 5, kind: content}).encode())
    assert (read.update_id, read.kind, read.broken) == (5, kind, None)
    return read.lane, read.is_priority


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("message", {**CHAT, **ANN, "text": "Hi"}, ("chat:-100", False)),
        ("message", {**CHAT, "text": "anonymous"}, ("chat:-100", False)),
        ("edited_message", {**CHAT, **ANN}, ("chat:-100", False)),
        ("channel_post", {**CHAT}, ("chat:-100", False)),
        ("my_chat_member", {**CHAT, **ANN}, ("chat:-100", False)),
        ("message_reaction", {**CHAT, "user": {"id": 7}}, ("chat:-100", False)),
        ("chat_join_request", {**CHAT, **ANN}, ("chat:-100", False)),
        ("inline_query", {**ANN}, ("user:7", False)),
        ("purchased_paid_media", {**ANN}, ("user:7", False)),
        ("poll_answer", {"user": {"id": 7}}, ("user:7", False)),
        ("poll", {"id": "1"}, ("unknown", False)),
        ("callback_query", {**ANN, "message": CHAT}, ("press:7", True)),
        ("callback_query", {**ANN, "message": CHAT, "data": "screen:menu"}, ("press:7", True)),
        ("callback_query", {**ANN, "message": CHAT, "data": "turn:5:again:1:1:1"}, ("chat:-100", False)),
        ("callback_query", {**ANN, "inline_message_id": "x", "data": "turn:5:again:1:1:1"}, ("press:7", True)),
        ("callback_query", {**ANN, "message": "?", "data": ["turn:"]}, ("press:7", True)),
        ("pre_checkout_query", {**ANN}, ("checkout:7", True)),
        ("shipping_query", {**ANN}, ("checkout:7", True)),
        ("stopped_message_generation", {**CHAT, "draft_id": "1"}, ("stop:-100", True)),
        ("message", {**CHAT, **ANN, "successful_payment": {}}, ("payment:7", True)),
        ("message", {**CHAT, **ANN, "refunded_payment": {}}, ("payment:7", True)),
    ],
)
def test_every_kind_has_its_lane(kind: str, content: dict[str, Any], expected: tuple[str, bool]) -> None:
    assert lane(kind, content) == expected


@pytest.mark.parametrize(
    ("text", "is_stop"),
    [
        ("/stop", True),
        ("/STOP", True),
        ("/stop@vitte_bot", True),
        ("/stop  ", True),
        ("/stopped", False),
        ("stop", False),
        ("/stop it", False),
    ],
)
def test_the_stop_command_overtakes_its_chat(text: str, is_stop: bool) -> None:
    assert lane("message", {**CHAT, **ANN, "text": text}) == (("stop:-100", True) if is_stop else ("chat:-100", False))


@pytest.mark.parametrize("wrong", [None, [], "7", 7.5, True, {}, {"id": None}, {"id": "7"}, {"id": True}, {"id": 2**70}, {"id": [7]}])
def test_ids_that_are_none_make_no_lane(wrong: Any) -> None:
    assert lane("message", {"chat": wrong, "from": wrong}) == ("unknown", False)


@pytest.mark.parametrize("content", [None, 3, "text", [], True])
def test_a_kind_without_content_is_kept_as_unknown(content: Any) -> None:
    read = read_update(json.dumps({"update_id": 5, "message": content}).encode())
    assert (read.lane, read.is_priority) == ("unknown", False)


@pytest.mark.parametrize("number", ['"5"', "true", "5.0", "null", str(2**62), str(-(2**62)), "1" * 5000])
def test_an_update_id_that_is_no_number_of_telegrams_is_broken(number: str) -> None:
    assert read_update(b'{"update_id": %s, "message": {}}' % number.encode()).broken is not None


def test_a_kind_of_strange_letters_can_be_stored_and_shown() -> None:
    read = read_update('{"update_id": 5, "new\\u0000\\ud800 Kind💥": {}}'.encode())
    assert read.kind == "new????ind?"
    assert read_update(json.dumps({"update_id": 5, "x" * 500: {}}).encode()).kind == "x" * 64


def test_broken_bodies_keep_their_id_where_one_can_be_seen() -> None:
    assert read_update(b'{"update_id": 77, "message": {').update_id == 77
    assert read_update(b'{"message": {}, "update_id" : 78').update_id == 78


def test_broken_bodies_without_an_id_get_one_of_their_own_that_repeats_share() -> None:
    first, again, other = read_update(b"nonsense"), read_update(b"nonsense"), read_update(b"Nonsense")
    assert first.update_id == again.update_id < 0
    assert other.update_id != first.update_id
    assert (first.lane, first.kind, first.body) == ("broken", "broken", b"nonsense")


def test_a_body_too_large_is_kept_shortened_and_the_largest_one_is_whole() -> None:
    start = b'{"update_id": 5, "message": {"text": "'
    whole = read_update(start + b"x" * (MAX_BODY_BYTES - len(start) - 3) + b'"}}')
    assert (whole.broken, len(whole.body)) == (None, MAX_BODY_BYTES)
    giant = read_update(start + b"x" * MAX_BODY_BYTES + b'"}}')
    assert (giant.broken, len(giant.body), giant.update_id) == ("oversized", KEPT_OF_OVERSIZED, 5)


@pytest.mark.parametrize("depth", [500, 5_000, 200_000])
def test_json_as_deep_as_the_sea_is_kept(depth: int) -> None:
    read = read_update(b'{"update_id": 5, "message": ' + b"[" * depth + b"]" * depth + b"}")
    assert read.update_id == 5
    assert read.lane in {"unknown", "broken"}


KINDS = st.sampled_from(["message", "callback_query", "pre_checkout_query", "stopped_message_generation", "poll", "x"]) | st.text(
    max_size=8
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["chat", "from", "user", "id", "text", "successful_payment"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200))
def test_no_bytes_can_break_it(body: bytes) -> None:
    check(body)


@given(st.dictionaries(KINDS | st.just("update_id"), VALUES, max_size=4))
def test_no_json_can_break_it(update: dict[str, Any]) -> None:
    check(json.dumps(update).encode())


@given(st.integers(min_value=0, max_value=2**53), KINDS, VALUES)
def test_every_update_with_an_id_is_kept_under_it(update_id: int, kind: str, content: Any) -> None:
    body = json.dumps({"update_id": update_id, kind: content}).encode() if kind != "update_id" else b'{"update_id": %d}' % update_id
    assert check(body) == update_id


def check(body: bytes) -> int:
    """Whatever comes out can be stored."""
    read = read_update(body)
    assert -(2**63) < read.update_id < 2**63
    assert read.body == body
    assert 0 < len(read.lane) < 64
    assert set(read.kind) <= set("abcdefghijklmnopqrstuvwxyz_?")
    assert 0 < len(read.kind) <= 64
    assert (read.broken is None) == (read.lane != "broken")
    return read.update_id

"""Rules without I/O: allowance, languages, switches, errors, texts."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.allowance import DailyTurnsSpentError, allowance_day, remaining, resets_at
from shared.domain.character import in_language
from shared.domain.dialog import storable
from shared.domain.errors import AllowanceSpentError, AppError, ContentRejectedError, InvalidInputError, UnavailableError
from shared.domain.switches import Switches, UnknownSwitchError, parse_switch, read_switches
from shared.domain.user import LANGUAGES, spoken_language

PRAGUE = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("moment", "day", "reset"),
    [
        (datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC), date(2026, 11, 20), datetime(2026, 11, 21, tzinfo=UTC)),
        (datetime(2026, 11, 21, tzinfo=UTC), date(2026, 11, 21), datetime(2026, 11, 22, tzinfo=UTC)),
        (datetime(2026, 11, 21, 1, 30, tzinfo=PRAGUE), date(2026, 11, 20), datetime(2026, 11, 21, tzinfo=UTC)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), date(2028, 2, 29), datetime(2028, 3, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2026, 12, 31), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_day_is_a_utc_day_wherever_one_is(moment: datetime, day: date, reset: datetime) -> None:
    assert (allowance_day(moment), resets_at(moment)) == (day, reset)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants them so
def test_the_reset_is_always_ahead_by_at_most_a_day(moment: datetime) -> None:
    assert timedelta(0) < resets_at(moment) - moment <= timedelta(days=1)


@pytest.mark.parametrize(("used", "limit", "left"), [(0, 10, 10), (10, 10, 0), (12, 10, 0), (0, 0, 0), (5, None, None)])
def test_what_remains_is_never_below_nothing(used: int, limit: int | None, left: int | None) -> None:
    assert remaining(used, limit) == left


def test_a_spent_allowance_says_its_number_and_its_end() -> None:
    error = DailyTurnsSpentError(limit=5, resets_at=datetime(2026, 11, 21, tzinfo=UTC))
    assert isinstance(error, AllowanceSpentError)
    assert (error.limit, error.resets_at.hour, str(error)) == (5, 0, "allowance of 5 is spent until 2026-11-21 00:00 UTC")


def test_errors_carry_what_an_edge_needs() -> None:
    assert UnavailableError("away", retry_after=2.5).retry_after == 2.5
    assert UnavailableError("away").retry_after is None
    assert ContentRejectedError(verdict="minor").verdict == "minor"
    assert AppError.code == "internal_error"


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("en", "en"),
        ("en-US", "en"),
        ("ru", "ru"),
        ("RU-ru", "ru"),
        ("be", "ru"),
        ("kk", "ru"),
        ("de", "en"),
        ("", "en"),
        (None, "en"),
        ("-", "en"),
    ],
)
def test_people_are_spoken_to_in_the_nearest_language(code: str | None, language: str) -> None:
    assert spoken_language(code) == language


@given(st.none() | st.text())
def test_every_code_leads_to_a_language_we_speak(code: str | None) -> None:
    assert spoken_language(code) in LANGUAGES


@pytest.mark.parametrize(
    ("texts", "language", "text"),
    [
        ({"en": "Hi", "ru": "Привет"}, "ru", "Привет"),
        ({"en": "Hi", "ru": ""}, "ru", "Hi"),
        ({"en": "Hi"}, "ru", "Hi"),
        ({"cs": "Ahoj"}, "ru", "Ahoj"),
        ({}, "en", ""),
    ],
)
def test_a_text_falls_back_to_english_and_then_to_any(texts: dict[str, str], language: str, text: str) -> None:
    assert in_language(texts, language) == text


@given(st.text(alphabet=st.characters() | st.sampled_from("\x00\ud800\udfff")))
def test_a_storable_text_holds_no_nul_and_no_half_of_a_pair(text: str) -> None:
    stored = storable(text)
    stored.encode("utf-8")
    assert "\x00" not in stored
    assert storable(stored) == stored


def test_a_text_that_can_be_stored_is_left_as_it_is() -> None:
    assert storable("Hé 👩‍👩‍👧 \n\t\u202e") == "Hé 👩‍👩‍👧 \n\t\u202e"


@pytest.mark.parametrize(
    ("key", "value"), [("streaming", False), ("registration_open", True), ("keep_messages_days", 0), ("keep_messages_days", 36_500)]
)
def test_a_switch_takes_values_of_its_kind(key: str, value: Any) -> None:
    assert parse_switch(key, value) is value


@pytest.mark.parametrize(
    ("key", "value"),
    [("streaming", 1), ("streaming", "true"), ("streaming", None), ("keep_messages_days", True), ("keep_messages_days", -1),
     ("keep_messages_days", 36_501), ("keep_messages_days", 1.5), ("keep_messages_days", "9")],
)  # fmt: skip
def test_a_switch_refuses_other_values(key: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_switch(key, value)
    assert not isinstance(refused.value, UnknownSwitchError)


@pytest.mark.parametrize("key", ["", "Streaming", "__class__", "unknown"])
def test_what_is_no_switch_is_told_so(key: str) -> None:
    with pytest.raises(UnknownSwitchError):
        parse_switch(key, True)


def test_rows_that_make_no_sense_leave_the_defaults() -> None:
    assert read_switches({"streaming": "maybe", "old_switch": True, "keep_messages_days": -5}) == Switches()
    assert read_switches({"streaming": False, "keep_messages_days": 0}) == Switches(streaming=False, keep_messages_days=0)

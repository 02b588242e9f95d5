"""Who speaks: the first contact, languages, deep links, closed doors."""

import asyncio
from dataclasses import replace

import pytest

from shared.application.accounts import RegistrationClosedError
from shared.application.chat import Said
from shared.domain.errors import InvalidInputError
from tests.factories import ANN_ID, BOB_ID, NOON, House, make_person, make_place, make_plan


async def test_the_first_contact_makes_a_user_with_the_free_plan_and_the_default_character(house: House) -> None:
    speaker = await house.accounts.recognise(make_person(), make_place())

    assert (speaker.telegram_user_id, speaker.language, speaker.place) == (ANN_ID, "en", make_place())
    assert (speaker.plan_code, speaker.daily_turns, speaker.character_name, speaker.character_emoji) == ("free", 100, "Mira", "🌿")
    assert await house.rows("select first_name, username, language_is_chosen, start_payload, blocked_at from users") == [
        ("Ann", "ann_a", False, None, None)
    ]
    assert await house.rows("select plan_code, ends_at from subscriptions") == [("free", None)]


async def test_the_greeting_is_the_first_message_of_the_dialog_in_the_language_of_the_person(house: House) -> None:
    ann = await house.speaker()
    bob = await house.speaker(telegram_user_id=BOB_ID, language_code="ru")

    [(role, greeting)] = await house.messages(ann)
    assert (role, greeting[:24]) == ("assistant", "Oh good, a new voice! I'")
    assert (await house.messages(bob))[0][1].startswith("О, новый голос!")


async def test_a_known_person_is_recognised_with_one_statement_and_nothing_is_written(house: House) -> None:
    first = await house.speaker()

    assert await house.speaker(first_name="Anna", username=None) == first
    assert await house.rows("select first_name from users") == [("Ann",)]
    assert await house.rows("select count(*) from messages") == [(1,)]


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("ru", "ru"),
        ("ru-RU", "ru"),
        ("uk", "ru"),
        ("en-GB", "en"),
        ("pt-BR", "en"),
        ("", "en"),
        (None, "en"),
        ("RU", "ru"),
        ("x" * 99, "en"),
    ],
)
async def test_menus_speak_the_language_that_telegram_names(house: House, code: str | None, language: str) -> None:
    assert (await house.speaker(language_code=code)).language == language


async def test_a_chosen_language_stays_whatever_telegram_says_later(house: House) -> None:
    ann = await house.speaker()
    await house.accounts.choose_language(ann.user_id, "ru")

    assert (await house.speaker(language_code="en")).language == "ru"
    await house.accounts.mark_blocked(ANN_ID, blocked=True)
    assert (await house.speaker(language_code="en")).language == "ru"
    assert await house.rows("select language_is_chosen from users") == [(True,)]


async def test_a_language_we_do_not_speak_is_refused_and_nothing_changes(house: House) -> None:
    ann = await house.speaker()

    with pytest.raises(InvalidInputError):
        await house.accounts.choose_language(ann.user_id, "tlh")
    assert (await house.speaker()).language == "en"


async def test_the_payload_of_a_deep_link_is_kept_the_first_time_only(house: House) -> None:
    await house.accounts.recognise(make_person(), make_place(), start_payload="spring")
    await house.accounts.recognise(make_person(), make_place(), start_payload="summer")
    await house.accounts.mark_blocked(ANN_ID, blocked=True)
    await house.accounts.recognise(make_person(), make_place(), start_payload="autumn")

    assert await house.rows("select start_payload from users") == [("spring",)]


async def test_closed_registration_refuses_only_the_unknown(house: House) -> None:
    await house.speaker()
    await house.switches.set("registration_open", False, by="op")

    with pytest.raises(RegistrationClosedError):
        await house.speaker(telegram_user_id=BOB_ID)
    assert await house.rows("select telegram_user_id from users") == [(ANN_ID,)]

    in_group = await house.accounts.recognise(make_person(), make_place(chat_id=-100))
    assert in_group.place.chat_id == -100
    await house.accounts.mark_blocked(ANN_ID, blocked=True)
    assert not (await house.speaker()).is_blocked


async def test_whoever_comes_back_is_no_longer_blocked_and_keeps_everything(house: House) -> None:
    ann = await house.speaker()
    await house.accounts.mark_blocked(ANN_ID, blocked=True)
    assert await house.rows("select blocked_at from users") == [(NOON,)]

    back = await house.speaker(first_name="Anna")
    assert (back.user_id, back.dialog_id, back.is_blocked) == (ann.user_id, ann.dialog_id, False)
    assert await house.rows("select first_name, blocked_at from users") == [("Anna", None)]
    assert await house.rows("select count(*) from messages") == [(1,)]
    assert await house.rows("select count(*) from subscriptions") == [(1,)]


async def test_blocking_by_somebody_unknown_changes_nothing(house: House) -> None:
    await house.accounts.mark_blocked(BOB_ID, blocked=True)
    assert await house.rows("select count(*) from users") == [(0,)]


async def test_many_first_messages_at_once_make_one_user_one_dialog_one_greeting(house: House) -> None:
    speakers = await asyncio.gather(*(house.speaker() for _ in range(8)))

    assert len({(speaker.user_id, speaker.dialog_id) for speaker in speakers}) == 1
    for table in ("users", "subscriptions", "dialogs", "messages"):
        assert (table, await house.rows(f"select count(*) from {table}")) == (table, [(1,)])


async def test_two_people_who_are_first_in_a_group_at_once_share_its_dialog(house: House) -> None:
    place = make_place(chat_id=-100)
    ann, bob = await asyncio.gather(
        house.accounts.recognise(make_person(), place),
        house.accounts.recognise(make_person(telegram_user_id=BOB_ID, language_code="ru"), place),
    )
    assert ann.dialog_id == bob.dialog_id
    assert await house.rows("select count(*) from messages") == [(1,)]


async def test_topics_of_one_chat_have_dialogs_of_their_own(house: House) -> None:
    places = [make_place(chat_id=-100, thread_id=thread) for thread in (0, 5, 6)]
    speakers = [await house.accounts.recognise(make_person(), place) for place in places]
    assert len({speaker.dialog_id for speaker in speakers}) == 3


async def test_a_name_that_postgresql_cannot_hold_is_kept_without_those_characters(house: House) -> None:
    person = make_person(first_name="A\x00nn\ud800", username="a\x00")
    speaker = await house.accounts.recognise(person, make_place(), start_payload="x\x00y")

    assert await house.rows("select first_name, username, start_payload from users") == [("Ann?", "a", "xy")]
    assert speaker.language == "en"


async def test_a_paid_period_counts_until_it_ends_and_then_the_free_plan_does(house: House) -> None:
    ann = await house.speaker()
    plan = make_plan(code="plus", daily_turns=None)
    await house.add(plan)
    period = "now() - interval '1 day', now() + interval '1 day'"
    await house.rows(f"insert into subscriptions (id, user_id, plan_code, starts_at, ends_at) select id, id, 'plus', {period} from users")
    assert ((await house.speaker()).plan_code, (await house.speaker()).daily_turns) == ("plus", None)

    await house.rows("update subscriptions set ends_at = now() - interval '1 hour' where ends_at is not null")
    assert (await house.speaker()).plan_code == "free"
    assert ann.plan_code == "free"


async def test_somebody_whose_only_period_has_ended_gets_the_free_plan_back(house: House) -> None:
    await house.speaker()
    await house.rows("update subscriptions set starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'")

    assert (await house.speaker()).plan_code == "free"
    assert await house.rows("select plan_code from subscriptions where ends_at is null") == [("free",)]


async def test_the_allowance_says_what_is_used_what_is_left_and_when_it_begins_anew(house: House) -> None:
    ann = await house.speaker()
    state = await house.accounts.allowance(ann)
    assert (state.used, state.limit, state.left, state.resets_at.isoformat()) == (0, 100, 100, "2026-11-21T00:00:00+00:00")

    [_ async for _ in house.chat.reply(ann, [Said("1", "Hello")])]
    state = await house.accounts.allowance(ann)
    assert (state.used, state.left, state.spent_percent) == (1, 99, None)


@pytest.mark.parametrize(("limit", "percent"), [(10_000, 42), (4_100, 100), (0, 100)])
async def test_the_allowance_says_how_much_of_a_budget_is_gone_with_what_is_being_answered(house: House, limit: int, percent: int) -> None:
    ann = replace(await house.speaker(), daily_micros=limit)
    columns = "scope, scope_id, day, reserved_micros, spent_micros"
    for scope, day in (("user", "2026-11-20"), ("user", "2026-11-19"), ("memory", "2026-11-20")):
        row = f"insert into spendings ({columns}) values ('{scope}', :id, '{day}', 200, 4000) returning 1"
        await house.rows(row, id=str(ann.user_id))
    assert (await house.accounts.allowance(ann)).spent_percent == percent


async def test_a_second_subscription_without_an_end_is_impossible(house: House) -> None:
    await house.speaker()
    with pytest.raises(Exception, match="uq_subscriptions_open_end"):
        await house.rows(
            "insert into subscriptions (id, user_id, plan_code, starts_at) select gen_random_uuid(), id, 'free', now() from users"
        )

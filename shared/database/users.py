"""Users, what they may use, and where they talk."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.database.plans import PLAN_COLUMNS
from shared.domain.billing import FREE_PLAN, PlanTerms
from shared.domain.dialog import storable
from shared.domain.speaker import Person, Place, Speaker
from shared.domain.user import spoken_language

# How long a plan stays the user's: until it ends, or until another period begins. By the database's own clock.
_SPEAKER = text(f"""
    select u.id, u.telegram_user_id, u.language, u.level, u.chosen_model, u.blocked_at is not null,
           d.id, d.character_id, c.name, c.emoji, c.task,
           {PLAN_COLUMNS},
           extract(epoch from least(s.ends_at, (
               select min(starts_at) from subscriptions where user_id = u.id and starts_at > clock_timestamp()
           )) - clock_timestamp())::float8
    from users u
    join lateral (
        select id, character_id from dialogs
        where telegram_bot_id = :bot_id and telegram_chat_id = :chat_id and telegram_thread_id = :thread_id
        order by entered_at desc limit 1
    ) d on true
    join characters c on c.id = d.character_id
    join lateral (
        select s.plan_code, s.ends_at from subscriptions s
        where s.user_id = u.id and s.starts_at <= clock_timestamp() and (s.ends_at is null or s.ends_at > clock_timestamp())
        order by s.ends_at nulls last limit 1
    ) s on true
    join plans p on p.code = s.plan_code
    where u.telegram_user_id = :telegram_user_id
""")  # noqa: S608

_USED = text("""
    select coalesce((select used from allowance_usages where user_id = :id and day = :day), 0)::int,
           coalesce((
               select spent_micros + reserved_micros from spendings where scope = 'user' and scope_id = :owner and day = :day
           ), 0)::int8
""")

_REGISTER = text("""
    insert into users (id, telegram_user_id, first_name, username, language, language_is_chosen, start_payload)
    values (gen_random_uuid(), :telegram_user_id, :first_name, :username, :language, false, :start_payload)
    on conflict (telegram_user_id) do update
        set start_payload = coalesce(users.start_payload, excluded.start_payload),
            first_name = excluded.first_name, username = excluded.username, blocked_at = null
    returning id, xmax = 0
""")

_SUBSCRIBE = text("""
    insert into subscriptions (id, user_id, plan_code, starts_at)
    values (gen_random_uuid(), :user_id, :plan, now())
    on conflict (user_id) where ends_at is null do nothing
""")

_OPEN_DIALOG = text("""
    insert into dialogs (id, telegram_bot_id, telegram_chat_id, telegram_thread_id, user_id, character_id, entered_at)
    select gen_random_uuid(), place.*, cast(:user_id as uuid), c.id, clock_timestamp()
    from characters c, (values (cast(:bot_id as bigint), cast(:chat_id as bigint), cast(:thread_id as bigint))) as place (bot, chat, thread)
    where c.is_default and not exists (
        select from dialogs
        where telegram_bot_id = place.bot and telegram_chat_id = place.chat and telegram_thread_id = place.thread
    )
    on conflict do nothing
""")


class Standing(NamedTuple):
    """The dialog that is current in a place, and its character; ids as text."""

    dialog_id: str
    character_id: str


class SpeakerParts(NamedTuple):
    """A speaker as its parts. `plan_seconds` is how long the plan stays theirs, none without an end."""

    user: Mapping[str, Any]
    standing: Standing
    plan: PlanTerms
    character_name: str
    character_emoji: str
    character_task: str
    plan_seconds: float | None = None

    def speaker(self, place: Place) -> Speaker:
        """Raises `KeyError` when `user` misses something, as what was kept by another version may."""
        user, plan = self.user, self.plan
        return Speaker(
            user_id=UUID(user["user_id"]),
            telegram_user_id=user["telegram_user_id"],
            language=user["language"],
            level=user["level"],
            chosen_model=user["chosen_model"],
            is_blocked=user["is_blocked"],
            place=place,
            dialog_id=UUID(self.standing.dialog_id),
            character_id=UUID(self.standing.character_id),
            character_name=self.character_name,
            character_emoji=self.character_emoji,
            character_task=self.character_task,
            plan_code=plan.code,
            daily_turns=plan.daily_turns,
            turns_per_minute=plan.turns_per_minute,
            daily_micros=plan.daily_micros,
            plan_tier=plan.tier,
            may_choose_model=plan.may_choose_model,
            is_paid=plan.is_paid,
        )


@dataclass(frozen=True, slots=True)
class Registration:
    user_id: UUID
    is_new: bool


class UserRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def find_speaker(self, telegram_user_id: int, place: Place) -> Speaker | None:
        """One statement. None when the user is not registered or the place has no dialog yet."""
        parts = await self.find_speaker_parts(telegram_user_id, place)
        return parts.speaker(place) if parts else None

    async def find_speaker_parts(self, telegram_user_id: int, place: Place) -> SpeakerParts | None:
        """The same, in the parts that change independently of each other."""
        row = (await self.connection.execute(_SPEAKER, {"telegram_user_id": telegram_user_id, **_place(place)})).first()
        if row is None:
            return None
        user_id, telegram_id, language, level, chosen_model, blocked, dialog_id, character_id, name, emoji, task, *plan, seconds = row
        return SpeakerParts(
            user={
                "user_id": str(user_id),
                "telegram_user_id": telegram_id,
                "language": language,
                "level": level,
                "chosen_model": chosen_model,
                "is_blocked": blocked,
            },
            standing=Standing(str(dialog_id), str(character_id)),
            plan=PlanTerms(*plan),
            character_name=name,
            character_emoji=emoji,
            character_task=task,
            plan_seconds=seconds,
        )

    async def is_registered(self, telegram_user_id: int) -> bool:
        found = await self.connection.execute(text("select 1 from users where telegram_user_id = :id"), {"id": telegram_user_id})
        return found.first() is not None

    async def register(self, person: Person, start_payload: str | None) -> Registration:
        """A new user with the free plan; a known one keeps language, subscription and the first payload."""
        values = {
            "telegram_user_id": person.telegram_user_id,
            "first_name": storable(person.first_name),
            "username": storable(person.username) if person.username else None,
            "language": spoken_language(person.language_code),
            "start_payload": storable(start_payload) if start_payload else None,
        }
        user_id, is_new = (await self.connection.execute(_REGISTER, values)).one()
        await self.connection.execute(_SUBSCRIBE, {"user_id": user_id, "plan": FREE_PLAN})
        return Registration(user_id, is_new)

    async def open_default_dialog(self, user_id: UUID, place: Place) -> None:
        """Gives the place a dialog with the default character unless it has a current one."""
        await self.connection.execute(_OPEN_DIALOG, {"user_id": user_id, **_place(place)})

    async def choose_language(self, user_id: UUID, language: str) -> int | None:
        """Answers the Telegram id of the user, as do the other choices; none when there is no such user."""
        return await self._choose("language = :value, language_is_chosen = true", user_id, language)

    async def choose_level(self, user_id: UUID, level: str | None) -> int | None:
        return await self._choose("level = :value", user_id, level)

    async def choose_model(self, user_id: UUID, model: str | None) -> int | None:
        return await self._choose("chosen_model = :value", user_id, model)

    async def _choose(self, change: str, user_id: UUID, value: str | None) -> int | None:
        statement = text(f"update users set {change} where id = :id returning telegram_user_id")  # noqa: S608
        telegram_user_id: int | None = (await self.connection.execute(statement, {"value": value, "id": user_id})).scalar()
        return telegram_user_id

    async def mark_blocked(self, telegram_user_id: int, at: datetime | None) -> None:
        statement = text("update users set blocked_at = :at where telegram_user_id = :id")
        await self.connection.execute(statement, {"at": at, "id": telegram_user_id})

    async def used_today(self, user_id: UUID, day: date) -> tuple[int, int]:
        """Turns, and the money of a plan with a budget, in millionths of a US dollar, with what open turns may still cost."""
        turns, micros = (await self.connection.execute(_USED, {"id": user_id, "owner": str(user_id), "day": day})).one()
        return turns, micros


def _place(place: Place) -> dict[str, int]:
    return {"bot_id": place.bot_id, "chat_id": place.chat_id, "thread_id": place.thread_id}

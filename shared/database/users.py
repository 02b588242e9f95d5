"""Users, what they may use, and where they talk."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.domain.billing import FREE_PLAN
from shared.domain.dialog import storable
from shared.domain.speaker import Person, Place, Speaker
from shared.domain.user import spoken_language

_SPEAKER = text("""
    select u.id, u.telegram_user_id, u.language, u.level, u.chosen_model, u.blocked_at is not null,
           d.id, d.character_id, c.name, c.emoji, c.task,
           p.code, p.daily_turns, p.turns_per_minute, p.daily_micros, p.tier, p.may_choose_model, p.is_paid
    from users u
    join lateral (
        select id, character_id from dialogs
        where telegram_bot_id = :bot_id and telegram_chat_id = :chat_id and telegram_thread_id = :thread_id
        order by entered_at desc limit 1
    ) d on true
    join characters c on c.id = d.character_id
    join lateral (
        select s.plan_code from subscriptions s
        where s.user_id = u.id and s.starts_at <= clock_timestamp() and (s.ends_at is null or s.ends_at > clock_timestamp())
        order by s.ends_at nulls last limit 1
    ) s on true
    join plans p on p.code = s.plan_code
    where u.telegram_user_id = :telegram_user_id
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


@dataclass(frozen=True, slots=True)
class Registration:
    user_id: UUID
    is_new: bool


class UserRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def find_speaker(self, telegram_user_id: int, place: Place) -> Speaker | None:
        """One statement. None when the user is not registered or the place has no dialog yet."""
        row = (await self.connection.execute(_SPEAKER, {"telegram_user_id": telegram_user_id, **_place(place)})).first()
        if row is None:
            return None
        user_id, telegram_id, language, level, chosen_model, blocked, dialog_id, character_id, name, emoji, task, *plan = row
        code, daily_turns, turns_per_minute, daily_micros, tier, may_choose_model, is_paid = plan
        return Speaker(
            user_id=user_id,
            telegram_user_id=telegram_id,
            language=language,
            level=level,
            chosen_model=chosen_model,
            is_blocked=blocked,
            place=place,
            dialog_id=dialog_id,
            character_id=character_id,
            character_name=name,
            character_emoji=emoji,
            character_task=task,
            plan_code=code,
            daily_turns=daily_turns,
            turns_per_minute=turns_per_minute,
            daily_micros=daily_micros,
            plan_tier=tier,
            may_choose_model=may_choose_model,
            is_paid=is_paid,
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

    async def choose_language(self, user_id: UUID, language: str) -> None:
        statement = text("update users set language = :language, language_is_chosen = true where id = :id")
        await self.connection.execute(statement, {"language": language, "id": user_id})

    async def mark_blocked(self, telegram_user_id: int, at: datetime | None) -> None:
        statement = text("update users set blocked_at = :at where telegram_user_id = :id")
        await self.connection.execute(statement, {"at": at, "id": telegram_user_id})

    async def used_turns(self, user_id: UUID, day: date) -> int:
        statement = text("select used from allowance_usages where user_id = :id and day = :day")
        return (await self.connection.execute(statement, {"id": user_id, "day": day})).scalar() or 0


def _place(place: Place) -> dict[str, int]:
    return {"bot_id": place.bot_id, "chat_id": place.chat_id, "thread_id": place.thread_id}

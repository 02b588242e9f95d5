"""Plans, and who holds which."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.domain.billing import FREE_PLAN, PlanTerms

PLAN_COLUMNS = "p.code, p.daily_turns, p.turns_per_minute, p.daily_micros, p.tier, p.may_choose_model, p.is_paid"
"""As `PlanTerms` takes them."""

_LIST = text(f"select {PLAN_COLUMNS} from plans p order by p.position, p.code")  # noqa: S608

_CHANGE = text("""
    update plans set daily_turns = :daily_turns, turns_per_minute = :turns_per_minute, daily_micros = :daily_micros, tier = :tier,
                     may_choose_model = :may_choose_model, is_paid = :is_paid
    where code = :code returning code
""")

_ADD = text("""
    insert into plans (code, daily_turns, turns_per_minute, daily_micros, tier, may_choose_model, is_paid, position)
    select cast(:code as text), daily_turns, turns_per_minute, daily_micros, tier, may_choose_model, is_paid,
           (select max(position) + 1 from plans)
    from plans where code = :like
    on conflict do nothing returning code
""")

_REMOVE = text("""
    delete from plans where code = :code and not exists (select from subscriptions where plan_code = :code) returning code
""")

# The same choice among somebody's periods as for a message: the one that ends first.
_HOLDERS = text("""
    select plan_code, count(*) from (
        select distinct on (user_id) plan_code from subscriptions
        where starts_at <= clock_timestamp() and (ends_at is null or ends_at > clock_timestamp())
        order by user_id, ends_at nulls last
    ) held group by plan_code
""")

_FIND_USERS = text("""
    select id, telegram_user_id from users where telegram_user_id = :telegram_user_id or lower(username) = lower(:username)
    order by telegram_user_id for update
""")

# `now()` is when the transaction began: all of it is one moment. What was to begin later does not begin any more.
_DROP_LATER = text("delete from subscriptions where user_id = :user_id and starts_at >= now()")
_CUT = text("""
    update subscriptions set ends_at = now()
    where user_id = :user_id and starts_at < now() and (ends_at > now() or (ends_at is null and cast(:days as int) is null))
""")
_GIVE = text("""
    insert into subscriptions (id, user_id, plan_code, starts_at, ends_at)
    values (gen_random_uuid(), :user_id, :plan, now(), now() + make_interval(days => cast(:days as int)))
    returning ends_at
""")
_AFTERWARDS = text("""
    insert into subscriptions (id, user_id, plan_code, starts_at) values (gen_random_uuid(), :user_id, :plan, now())
    on conflict (user_id) where ends_at is null do nothing
""")


class Holder(NamedTuple):
    user_id: UUID
    telegram_user_id: int


class PlanRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def all(self) -> list[PlanTerms]:
        """In the order they are shown."""
        return [PlanTerms(*row) for row in (await self.connection.execute(_LIST)).all()]

    async def change(self, terms: PlanTerms) -> bool:
        """False when there is no such plan."""
        return (await self.connection.execute(_CHANGE, terms._asdict())).first() is not None

    async def add(self, code: str, *, like: str) -> bool:
        """A further plan, last, that allows what another one does. False when there is one with this code already."""
        return (await self.connection.execute(_ADD, {"code": code, "like": like})).first() is not None

    async def remove(self, code: str) -> bool:
        """False when there is no such plan, or somebody has or had it."""
        return (await self.connection.execute(_REMOVE, {"code": code})).first() is not None

    async def holders(self) -> dict[str, int]:
        """How many people hold each plan now; those that nobody holds are missing."""
        rows = await self.connection.execute(_HOLDERS)
        return dict(rows.all())

    async def find_holders(self, telegram_user_id: int | None, username: str | None) -> list[Holder]:
        """Users with this id or this name (in any case), locked until the end of the transaction."""
        values = {"telegram_user_id": telegram_user_id, "username": username}
        return [Holder(*row) for row in (await self.connection.execute(_FIND_USERS, values)).all()]

    async def give(self, user_id: UUID, plan: str, *, days: int | None) -> datetime | None:
        """From now on, and until when; other periods of the user end. One without an end waits below a plan for some days, and holds
        again afterwards.
        """
        values = {"user_id": user_id, "days": days}
        await self.connection.execute(_DROP_LATER, {"user_id": user_id})
        await self.connection.execute(_CUT, values)
        ends_at: datetime | None = (await self.connection.execute(_GIVE, {**values, "plan": plan})).scalar()
        if days is not None:
            await self.connection.execute(_AFTERWARDS, {"user_id": user_id, "plan": FREE_PLAN})
        return ends_at

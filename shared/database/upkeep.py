"""What grows old and what got stuck. Every method is one statement over one batch and may be run by two at once."""

from datetime import date, datetime

from sqlalchemy import TextClause, text

from shared.database.lines import Connection

_DELETE_MESSAGES = text("""
    with due as (
        select id from messages where created_at < :before order by created_at limit :batch for update skip locked
    )
    delete from messages m using due where m.id = due.id
    returning 1
""")

# A turn goes when nothing that was said in it is left, so that no message goes with it before its own day.
_DELETE_TURNS = text("""
    with due as (
        select id from turns t
        where created_at < :before and status <> 'open' and not exists (select from messages m where m.turn_id = t.id)
        order by created_at limit :batch for update skip locked
    )
    delete from turns t using due where t.id = due.id
    returning 1
""")

_DELETE_UPDATES = text("""
    with due as (
        select telegram_bot_id, telegram_update_id from stored_updates
        where received_at < :before and status = cast(:status as text)
        order by received_at limit :batch for update skip locked
    )
    delete from stored_updates u using due
    where u.telegram_bot_id = due.telegram_bot_id and u.telegram_update_id = due.telegram_update_id
    returning 1
""")

_DELETE_PARCELS = text("""
    with due as (
        select telegram_bot_id, telegram_update_id, step from outbox
        where created_at < :before and status = cast(:status as text)
        order by created_at limit :batch for update skip locked
    )
    delete from outbox o using due
    where o.telegram_bot_id = due.telegram_bot_id and o.telegram_update_id = due.telegram_update_id and o.step = due.step
    returning 1
""")

# Only lanes whose updates are gone: those of people who write now and then would be made anew all the time.
_DELETE_LANES = text("""
    with idle as (
        select telegram_bot_id, lane from lanes l
        where due_at is null and leased_by is null and arrivals = handled
          and not exists (select from stored_updates u where u.telegram_bot_id = l.telegram_bot_id and u.lane = l.lane)
        limit :batch for update skip locked
    )
    delete from lanes l using idle where l.telegram_bot_id = idle.telegram_bot_id and l.lane = idle.lane
    returning 1
""")

_DELETE_USAGES = text("""
    with due as (
        select user_id, day from allowance_usages where day < :before order by day limit :batch for update skip locked
    )
    delete from allowance_usages a using due where a.user_id = due.user_id and a.day = due.day
    returning 1
""")

# An answer that was written down but not sent, though its update counts as handled: the update is opened again, and whoever
# takes it finds the parcels and sends what is left of them.
_REOPEN_UPDATES = text("""
    with unsent as (
        select distinct telegram_bot_id, telegram_update_id from outbox
        where status = 'pending' and created_at between :after and :before
    ), reopened as (
        update stored_updates u set status = 'pending', handled_at = null from unsent s
        where u.telegram_bot_id = s.telegram_bot_id and u.telegram_update_id = s.telegram_update_id
          and u.status = 'handled' and u.handled_at < :before
        returning u.telegram_bot_id, u.lane
    ), counted as (
        select telegram_bot_id, lane, count(*) as updates from reopened group by telegram_bot_id, lane
    ), woken as (
        insert into lanes (telegram_bot_id, lane, is_priority, arrivals, handled, attempts, failures, token, due_at)
        select telegram_bot_id, lane, false, updates, 0, 0, 0, 0, clock_timestamp() from counted order by telegram_bot_id, lane
        on conflict (telegram_bot_id, lane) do update
            set arrivals = lanes.arrivals + excluded.arrivals, due_at = coalesce(lanes.due_at, excluded.due_at)
        returning 1
    ), heard as (
        select pg_notify('vitte_inbox', 'upkeep') from (select from woken limit 1) one
    )
    select (select count(*) from reopened), (select count(*) from heard)
""")

_WAKE_LANES = text("""
    with waiting as (
        select telegram_bot_id, lane, count(*) as updates from stored_updates where status = 'pending' group by telegram_bot_id, lane
    ), stuck as (
        select l.telegram_bot_id, l.lane, w.updates from lanes l join waiting w using (telegram_bot_id, lane)
        where l.due_at is null for update of l skip locked
    ), woken as (
        update lanes l set due_at = clock_timestamp(), leased_by = null, arrivals = l.handled + s.updates from stuck s
        where l.telegram_bot_id = s.telegram_bot_id and l.lane = s.lane
        returning 1
    ), heard as (
        select pg_notify('vitte_inbox', 'upkeep') from (select from woken limit 1) one
    )
    select (select count(*) from woken), (select count(*) from heard)
""")

# Turns that died with their process: their place in the allowance and the money held back for them are given back, once.
_ABANDON_TURNS = text("""
    with abandoned as (
        select t.id, t.reserved_micros, d.telegram_bot_id from turns t join dialogs d on d.id = t.dialog_id
        where t.status = 'open' and t.created_at < :before
          and not exists (
              select from stored_updates u
              where u.telegram_bot_id = d.telegram_bot_id and u.lane = 'chat:' || d.telegram_chat_id and u.status = 'pending'
          )
        order by t.created_at limit :batch for update of t skip locked
    ), ended as (
        update turns t set status = 'failed', error_code = 'abandoned', finished_at = now(), reserved_micros = 0
        from abandoned a where t.id = a.id and t.status = 'open'
        returning t.user_id, t.allowance_day, a.reserved_micros, a.telegram_bot_id
    ), owed as (
        select user_id, allowance_day, count(*)::int as turns from ended group by user_id, allowance_day
    ), given_back as (
        update allowance_usages a set used = greatest(a.used - o.turns, 0) from owed o
        where a.user_id = o.user_id and a.day = o.allowance_day
    ), held as (
        select scope, scope_id, day, sum(micros) as micros
        from (
            select 'user' as scope, user_id::text as scope_id, allowance_day as day, reserved_micros as micros from ended
            union all
            select 'bot', telegram_bot_id::text, allowance_day, reserved_micros from ended
        ) parts
        where micros > 0 group by scope, scope_id, day
    ), released as (
        update spendings s set reserved_micros = greatest(s.reserved_micros - h.micros, 0) from held h
        where s.scope = h.scope and s.scope_id = h.scope_id and s.day = h.day
    )
    select count(*) from ended
""")

_DELETE_SPENDINGS = text("""
    with due as (
        select scope, scope_id, day from spendings where day < :before order by day limit :batch for update skip locked
    )
    delete from spendings s using due where s.scope = due.scope and s.scope_id = due.scope_id and s.day = due.day
    returning 1
""")

# A forgotten one stays as long as its message, which would otherwise be told to a model again.
_DELETE_MEMORIES = text("""
    with due as (
        select id from memories
        where coalesce(updated_at, created_at) < :before
          and (status = 'replaced' or (status = 'forgotten' and source_message_id is null))
        order by id limit :batch for update skip locked
    )
    delete from memories m using due where m.id = due.id
    returning 1
""")

# What the budgets say was spent and is held back, beside what the turns of that day say.
_RECONCILE = text("""
    with told as (
        select 'user' as scope, t.user_id::text as scope_id, t.allowance_day as day,
               coalesce(sum(t.cost_micros), 0) as spent, coalesce(sum(t.reserved_micros) filter (where t.status = 'open'), 0) as held
        from turns t where t.allowance_day >= :day and t.created_at >= cast(:day as date) - 1 group by 2, 3
        union all
        select 'bot', d.telegram_bot_id::text, t.allowance_day,
               coalesce(sum(t.cost_micros), 0), coalesce(sum(t.reserved_micros) filter (where t.status = 'open'), 0)
        from turns t join dialogs d on d.id = t.dialog_id
        where t.allowance_day >= :day and t.created_at >= cast(:day as date) - 1 group by 2, 3
    )
    select s.scope, coalesce(sum(abs(s.spent_micros - s.memory_micros - coalesce(told.spent, 0))), 0)::bigint,
           coalesce(sum(abs(s.reserved_micros - coalesce(told.held, 0))), 0)::bigint
    from spendings s left join told using (scope, scope_id, day)
    where s.day >= :day and s.scope in ('user', 'bot') group by s.scope
""")

# What was said when it was given up is forgotten, or the update would count as answered; an answer that still waits is sent instead.
_REPLAY = text("""
    with reopened as (
        update stored_updates set status = 'pending', error = null, handled_at = null
        where telegram_bot_id = :bot_id and telegram_update_id = :update_id and status = 'dead' and kind <> 'broken'
        returning telegram_bot_id, telegram_update_id, lane
    ), forgotten as (
        delete from outbox o using reopened r
        where o.telegram_bot_id = r.telegram_bot_id and o.telegram_update_id = r.telegram_update_id
          and not exists (
              select from outbox p
              where p.telegram_bot_id = r.telegram_bot_id and p.telegram_update_id = r.telegram_update_id and p.status = 'pending'
          )
    ), woken as (
        insert into lanes (telegram_bot_id, lane, is_priority, arrivals, handled, attempts, failures, token, due_at)
        select telegram_bot_id, lane, false, 1, 0, 0, 0, 0, clock_timestamp() from reopened
        on conflict (telegram_bot_id, lane) do update
            set arrivals = lanes.arrivals + 1, due_at = coalesce(lanes.due_at, excluded.due_at)
        returning 1
    ), heard as (
        select pg_notify('vitte_inbox', 'upkeep') from woken
    )
    select (select count(*) from reopened), (select count(*) from heard)
""")


class UpkeepRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def delete_messages(self, before: datetime, batch: int) -> int:
        return await self._delete(_DELETE_MESSAGES, before, batch)

    async def delete_turns(self, before: datetime, batch: int) -> int:
        """Those of which no message is left; open ones stay."""
        return await self._delete(_DELETE_TURNS, before, batch)

    async def delete_handled_updates(self, before: datetime, batch: int) -> int:
        return await self._delete(_DELETE_UPDATES, before, batch, status="handled")

    async def delete_dead_updates(self, before: datetime, batch: int) -> int:
        return await self._delete(_DELETE_UPDATES, before, batch, status="dead")

    async def delete_sent_parcels(self, before: datetime, batch: int) -> int:
        return await self._delete(_DELETE_PARCELS, before, batch, status="sent")

    async def delete_failed_parcels(self, before: datetime, batch: int) -> int:
        return await self._delete(_DELETE_PARCELS, before, batch, status="failed")

    async def delete_usages(self, before: datetime, batch: int) -> int:
        return len((await self.connection.execute(_DELETE_USAGES, {"before": before.date(), "batch": batch})).all())

    async def delete_spendings(self, before: datetime, batch: int) -> int:
        return len((await self.connection.execute(_DELETE_SPENDINGS, {"before": before.date(), "batch": batch})).all())

    async def delete_replaced_memories(self, before: datetime, batch: int) -> int:
        """Facts that something newer replaced before this moment, and forgotten ones whose message is gone."""
        return await self._delete(_DELETE_MEMORIES, before, batch)

    async def spending_differences(self, day: date) -> dict[str, tuple[int, int]]:
        """By scope: how far budgets since this day are from their turns, in what was spent and in what is held back."""
        rows = await self.connection.execute(_RECONCILE, {"day": day})
        return {scope: (spent, held) for scope, spent, held in rows.all()}

    async def delete_idle_lanes(self, batch: int) -> int:
        """Lanes without any stored update; the next one makes its lane anew."""
        return len((await self.connection.execute(_DELETE_LANES, {"batch": batch})).all())

    async def reopen_unsent(self, after: datetime, before: datetime) -> int:
        """Opens handled updates again whose answer, posted in this span, was never sent."""
        return int((await self.connection.execute(_REOPEN_UPDATES, {"after": after, "before": before})).one()[0])

    async def wake_lanes(self) -> int:
        """Makes lanes due that have work and that nobody would look at."""
        return int((await self.connection.execute(_WAKE_LANES)).one()[0])

    async def abandon_turns(self, before: datetime, batch: int) -> int:
        """Ends open turns that nobody works on any more as failed, and gives back their allowance and what was held back for them."""
        return int((await self.connection.execute(_ABANDON_TURNS, {"before": before, "batch": batch})).scalar_one())

    async def replay(self, bot_id: int, update_id: int) -> bool:
        """Opens a dead letter again. False when it is none, or can never be understood."""
        return bool((await self.connection.execute(_REPLAY, {"bot_id": bot_id, "update_id": update_id})).one()[0])

    async def _delete(self, statement: TextClause, before: datetime, batch: int, **values: str) -> int:
        return len((await self.connection.execute(statement, {"before": before, "batch": batch, **values})).all())

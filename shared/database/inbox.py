"""Stored updates, lanes and the outbox. Every method is one statement over a whole batch."""

from collections.abc import Sequence

import orjson
from sqlalchemy import text

from shared.database.lines import Connection
from shared.domain.inbox import Follower, IncomingUpdate, Lease, Outgoing, Parcel, Settlement

_RECEIVE = text("""
    with incoming as (  -- Telegram may send an update twice in one answer; counted twice, its lane would never come to rest
        select distinct on (update_id) * from unnest(
            cast(:update_ids as bigint[]), cast(:lanes as text[]), cast(:kinds as text[]),
            cast(:priorities as bool[]), cast(:bodies as bytea[]), cast(:errors as text[]), cast(:going_on as bool[])
        ) as i (update_id, lane, kind, is_priority, body, error, goes_on)
    ), stored as (
        insert into stored_updates (telegram_bot_id, telegram_update_id, lane, kind, body, status, error, handled_at)
        select :bot_id, update_id, lane, kind, body, case when error is null then 'pending' else 'dead' end, error,
               case when error is null then null else now() end
        from incoming order by update_id
        on conflict do nothing
        returning telegram_update_id, lane, status
    ), touched as (
        insert into lanes (telegram_bot_id, lane, is_priority, arrivals, handled, attempts, failures, token, due_at)
        select :bot_id, s.lane, bool_or(i.is_priority), count(*), 0, 0, 0, 0, clock_timestamp()
        from stored s join incoming i on i.update_id = s.telegram_update_id where s.status = 'pending'
        group by s.lane order by s.lane
        on conflict (telegram_bot_id, lane) do update
            set arrivals = lanes.arrivals + excluded.arrivals, due_at = coalesce(lanes.due_at, excluded.due_at)
        returning lanes.lane, lanes.leased_by::text as holder
    ), woken as (
        select pg_notify('vitte_inbox', cast(:notice as text)) from (select 1 from touched limit 1) any_lane
    ), gone_on as (
        select t.lane, t.holder from touched t where t.holder is not null and exists (
            select from stored s join incoming i on i.update_id = s.telegram_update_id where s.lane = t.lane and i.goes_on
        )
    ), told as (
        select pg_notify('vitte_gone_on', json_build_array(cast(:bot_id as bigint), json_agg(lane))::text)
        from gone_on where holder <> cast(:notice as text) having count(*) > 0
    )
    select (select count(*) from stored), (select count(*) from stored where status = 'dead'), (select count(*) from woken),
           array(select lane from gone_on where holder = cast(:notice as text)), (select count(*) from told)
""")

# Its commit must wait for the disk: a token that a crash of PostgreSQL forgets would be given out a second time.
_CLAIM = text("""
    with due as (
        select lane, due_at from lanes
        where telegram_bot_id = :bot_id and is_priority = :is_priority and due_at <= clock_timestamp()
        order by is_paid desc, due_at limit :places
        for update skip locked
    ), claimed as (
        update lanes l
        set token = nextval('lane_tokens'), leased_by = :consumer, attempts = l.attempts + 1,
            due_at = clock_timestamp() + make_interval(secs => :lease_seconds)
        from due where l.telegram_bot_id = :bot_id and l.lane = due.lane
        returning l.lane, l.token, l.attempts, l.failures, greatest(l.arrivals - l.handled - 1, 0) as waiting,
                  extract(epoch from clock_timestamp() - due.due_at)::float8 as due_for
    )
    select c.lane, c.token, c.attempts, c.failures, c.waiting, c.due_for, u.telegram_update_id, u.kind, u.body,
           extract(epoch from u.received_at)::float8,
           exists (select from outbox o where o.telegram_bot_id = :bot_id and o.telegram_update_id = u.telegram_update_id)
    from claimed c left join lateral (
        select telegram_update_id, kind, body, received_at from stored_updates
        where telegram_bot_id = :bot_id and lane = c.lane and status = 'pending'
        order by sequence limit 1
    ) u on true
""")

_FOLLOWERS = text("""
    select telegram_update_id, kind, body from stored_updates
    where telegram_bot_id = :bot_id and lane = :lane and status = 'pending' and telegram_update_id <> :update_id
    order by sequence limit :most
""")

_SETTLE = text("""
    with ended as (
        select * from unnest(
            cast(:lanes as text[]), cast(:tokens as bigint[]), cast(:update_ids as bigint[]), cast(:outcomes as text[]),
            cast(:delays as float8[]), cast(:errors as text[]), cast(:paid as bool[])
        ) as e (lane, token, update_id, outcome, delay, error, is_paid)
    ), mine as (
        select l.lane, l.token from lanes l join ended e on l.lane = e.lane and l.token = e.token
        where l.telegram_bot_id = :bot_id order by l.lane for update of l
    ), parcels as (
        update outbox o set status = p.status, telegram_message_id = p.message_id, error = p.error, sent_at = now()
        from unnest(
            cast(:parcel_updates as bigint[]), cast(:parcel_steps as int[]), cast(:parcel_statuses as text[]),
            cast(:parcel_messages as bigint[]), cast(:parcel_errors as text[])
        ) as p (update_id, step, status, message_id, error)
        where o.telegram_bot_id = :bot_id and o.telegram_update_id = p.update_id and o.step = p.step
    ), marked as (
        update stored_updates u set status = e.outcome, error = e.error, handled_at = now()
        from ended e join mine using (lane, token)
        where u.telegram_bot_id = :bot_id and u.telegram_update_id = e.update_id
          and u.status = 'pending' and e.outcome in ('handled', 'dead')
        returning u.lane
    ), merged as (
        update stored_updates u set status = 'handled', handled_at = now()
        from unnest(cast(:merged_lanes as text[]), cast(:merged_updates as bigint[])) as g (lane, update_id) join mine using (lane)
        where u.telegram_bot_id = :bot_id and u.telegram_update_id = g.update_id and u.lane = g.lane and u.status = 'pending'
        returning u.lane
    ), with_it as (
        select lane, count(*) as updates from merged group by lane
    )
    update lanes l
    set handled = l.handled + (m.lane is not null)::int + coalesce(w.updates, 0),
        is_paid = coalesce(e.is_paid, l.is_paid),
        attempts = case when m.lane is not null then 0 when e.outcome = 'released' then greatest(l.attempts - 1, 0) else l.attempts end,
        failures = case when m.lane is not null then 0 when e.outcome = 'failed' then l.failures + 1 else l.failures end,
        leased_by = null,
        due_at = case when l.arrivals > l.handled + (m.lane is not null)::int + coalesce(w.updates, 0)
                 then clock_timestamp() + make_interval(secs => e.delay) end
    from ended e join mine using (lane, token) left join marked m using (lane) left join with_it w using (lane)
    where l.telegram_bot_id = :bot_id and l.lane = e.lane
    returning l.lane, l.due_at is not null
""")

_EXTEND = text("""
    with held as (
        select l.lane from lanes l
        join unnest(cast(:lanes as text[]), cast(:tokens as bigint[])) as h (lane, token) on l.lane = h.lane and l.token = h.token
        where l.telegram_bot_id = :bot_id and l.leased_by is not null order by l.lane for update of l
    )
    update lanes l set due_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    from held where l.telegram_bot_id = :bot_id and l.lane = held.lane
    returning l.lane
""")

_FREE = text("""
    with orphans as (
        select telegram_bot_id, lane from lanes where leased_by = :consumer order by telegram_bot_id, lane for update
    )
    update lanes l set due_at = clock_timestamp(), leased_by = null
    from orphans o where l.telegram_bot_id = o.telegram_bot_id and l.lane = o.lane
    returning l.lane
""")

_POST = text("""
    insert into outbox (telegram_bot_id, telegram_update_id, step, method, params)
    select :bot_id, :update_id, p.step, p.method, cast(p.params as jsonb)
    from unnest(cast(:methods as text[]), cast(:params as text[])) with ordinality as p (method, params, step)
    where exists (select from lanes where telegram_bot_id = :bot_id and lane = :lane and token = :token)
    on conflict do nothing
    returning step
""")

_DEPTH = text("""
    select coalesce(sum(arrivals - handled), 0)::int8,
           coalesce(extract(epoch from clock_timestamp() - (
               select min(received_at) from stored_updates where status = 'pending'
           )), 0)::float8
    from lanes where due_at is not null
""")


class InboxRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def receive(self, bot_id: int, updates: Sequence[IncomingUpdate], notice: str) -> tuple[int, int, list[str]]:
        """Stores what is not known yet; answers how many were new, how many of these are dead letters, and in which of the lanes that this
        process (`notice`) works on somebody goes on speaking. Who works on the others is told.
        """
        values = {
            "bot_id": bot_id,
            "notice": notice,
            "update_ids": [update.update_id for update in updates],
            "lanes": [update.lane for update in updates],
            "kinds": [update.kind for update in updates],
            "priorities": [update.is_priority for update in updates],
            "bodies": [update.body for update in updates],
            "errors": [update.broken for update in updates],
            "going_on": [update.goes_on for update in updates],
        }
        new, dead, _, gone_on, _ = (await self.connection.execute(_RECEIVE, values)).one()
        return new, dead, list(gone_on)

    async def claim(self, bot_id: int, *, consumer: int, is_priority: bool, places: int, lease_seconds: float) -> list[Lease]:
        """Leases up to `places` lanes that are due, each with its oldest update: who pays first, then who has waited longest."""
        values = {"bot_id": bot_id, "consumer": consumer, "is_priority": is_priority, "places": places, "lease_seconds": lease_seconds}
        rows = await self.connection.execute(_CLAIM, values)
        return [
            Lease(
                bot_id=bot_id,
                lane=lane,
                token=token,
                update_id=update_id if update_id is not None else 0,
                kind=kind or "none",
                body=body or b"",
                attempts=attempts,
                failures=failures,
                received_at=received_at or 0.0,
                is_answered=is_answered,
                waiting=waiting,
                due_for=due_for,
            )
            for lane, token, attempts, failures, waiting, due_for, update_id, kind, body, received_at, is_answered in rows
        ]

    async def followers(self, lease: Lease, most: int) -> list[Follower]:
        """What waits behind the leased update, oldest first."""
        values = {"bot_id": lease.bot_id, "lane": lease.lane, "update_id": lease.update_id, "most": most}
        rows = await self.connection.execute(_FOLLOWERS, values)
        return [Follower(update_id=update_id, kind=kind, body=bytes(body)) for update_id, kind, body in rows]

    async def settle(self, bot_id: int, settlements: Sequence[Settlement]) -> bool:
        """Ends leases; those that were overtaken change nothing. True when one of the lanes has more work."""
        every = [one for s in settlements for one in (s, *s.passed)]
        parcels = [
            *((s.lease.update_id, step, "sent", message_id, None) for s in every for step, message_id in s.sent),
            *((s.lease.update_id, step, "failed", None, error) for s in every for step, error in s.failed),
        ]
        others = [(s.lease.lane, update_id) for s in settlements for update_id in s.with_it]
        values = {
            "bot_id": bot_id,
            "lanes": [s.lease.lane for s in settlements],
            "tokens": [s.lease.token for s in settlements],
            "update_ids": [s.lease.update_id for s in settlements],
            "outcomes": [s.outcome.value for s in settlements],
            "delays": [s.delay for s in settlements],
            "errors": [s.error for s in settlements],
            "paid": [s.is_paid for s in settlements],
            "merged_lanes": [lane for lane, _ in others],
            "merged_updates": [update_id for _, update_id in others],
            "parcel_updates": [parcel[0] for parcel in parcels],
            "parcel_steps": [parcel[1] for parcel in parcels],
            "parcel_statuses": [parcel[2] for parcel in parcels],
            "parcel_messages": [parcel[3] for parcel in parcels],
            "parcel_errors": [parcel[4] for parcel in parcels],
        }
        return any(more for _, more in await self.connection.execute(_SETTLE, values))

    async def extend(self, bot_id: int, leases: Sequence[Lease], lease_seconds: float) -> set[str]:
        """Renews leases; answers the lanes that are still ours. One that was ended meanwhile stays ended: its lane is not put off."""
        values = {
            "bot_id": bot_id,
            "lanes": [lease.lane for lease in leases],
            "tokens": [lease.token for lease in leases],
            "lease_seconds": lease_seconds,
        }
        return {lane for (lane,) in await self.connection.execute(_EXTEND, values)}

    async def consumers(self) -> set[int]:
        """Those that hold leases, alive or not."""
        found = await self.connection.execute(text("select distinct leased_by from lanes where leased_by is not null"))
        return {consumer for (consumer,) in found}

    async def free(self, consumer: int) -> int:
        """Takes every lease from a consumer that died; answers how many."""
        return len((await self.connection.execute(_FREE, {"consumer": consumer})).all())

    async def post(self, lease: Lease, outgoing: Sequence[Outgoing]) -> bool:
        """Puts calls in the outbox under the lease's update. False when the lease was overtaken or its parcels are there already."""
        values = {
            "bot_id": lease.bot_id,
            "update_id": lease.update_id,
            "lane": lease.lane,
            "token": lease.token,
            "methods": [call.method for call in outgoing],
            "params": [orjson.dumps(call.params).decode() for call in outgoing],
        }
        return len((await self.connection.execute(_POST, values)).all()) == len(outgoing)

    async def parcels(self, lease: Lease) -> list[Parcel]:
        """Everything in the outbox for the lease's update, in order."""
        statement = text("""
            select telegram_bot_id, telegram_update_id, step, method, params, status, telegram_message_id, error from outbox
            where telegram_bot_id = :bot_id and telegram_update_id = :update_id order by step
        """)
        rows = await self.connection.execute(statement, {"bot_id": lease.bot_id, "update_id": lease.update_id})
        return [Parcel(**row) for row in rows.mappings()]

    async def depth(self) -> tuple[int, float]:
        """Updates that wait or are worked on, and the age of the oldest in seconds."""
        row = (await self.connection.execute(_DEPTH)).one()
        return row[0], max(0.0, row[1])

"""The statements by which the worker reads a dialog and keeps what a model has found in it."""

from sqlalchemy import text

from shared.domain.memory_rules import CERTAIN, MOST_MEMORIES

# A turn that is open, or has just failed and may be taken up again, has not said its last: nothing after it is read yet.
_SETTLED = """m.id < coalesce((
    select min(w.id) from turns o join messages w on w.turn_id = o.id
    where o.dialog_id = cast(:dialog_id as uuid)
      and (o.status = 'open' or (o.status = 'failed' and o.created_at > now() - interval '15 minutes'))
), 9223372036854775807)"""
_COUNTS = "t.status in ('finished', 'interrupted') and t.undone_at is null"
_FORGOTTEN = "exists (select from memories f where f.source_message_id = m.id and f.status = 'forgotten')"
_NOT_FORGOTTEN = f"not {_FORGOTTEN}"
# The reply to something forgotten says it again more often than not.
_LEFT_OUT = f"""({_FORGOTTEN} or (m.role = 'assistant' and exists (
    select from messages w join memories f on f.source_message_id = w.id where w.turn_id = m.turn_id and f.status = 'forgotten'
)))"""
_FIRM = f"({{0}}.is_pinned or {{0}}.confidence >= {CERTAIN})"
_KNOWN_HERE = "({0}.character_id is null or {0}.character_id = cast(:character_id as uuid))"

# Edits are looked for from a little before the last reading on: one may have begun before it and ended after. Those of what was said
# before a fresh start are not read.
READ = text(f"""
    with dialog as (
        select d.id, d.character_id, d.telegram_bot_id, d.history_from, k.until_message_id as seen_until, k.updated_at as seen_at,
               coalesce(k.until_message_id, 0) as until
        from dialogs d left join memory_marks k on k.dialog_id = d.id where d.id = cast(:dialog_id as uuid)
    ), fresh as (
        select m.id, m.role, m.text, m.turn_id, m.is_active from messages m, dialog d
        where m.dialog_id = d.id and m.id > d.until and {_SETTLED} order by m.id limit :most
    ), edited as (
        select m.id, m.role, m.text, m.turn_id, m.is_active from messages m, dialog d
        where m.dialog_id = d.id and m.id between d.history_from and d.until and m.role = 'user' and m.edited_at > d.seen_at
        order by m.id limit :most
    ), last_word as (
        select m.id, m.role, m.text, m.turn_id, m.is_active from messages m, dialog d
        where m.dialog_id = d.id and m.id <= d.until and m.role = 'assistant' and m.is_active order by m.id desc limit 1
    ), read as (
        select *, id in (select id from edited) as is_edited from (
            select * from edited union all select * from last_word union all select * from fresh
        ) parts
    )
    select d.character_id, d.telegram_bot_id, d.seen_until, d.seen_at, clock_timestamp() as read_at,
           coalesce((select max(id) from fresh), d.until) as read_until, (select count(*) from fresh) as fresh,
           m.id, m.role, m.text, t.user_id, m.is_edited
    from dialog d left join (
        read m left join turns t on t.id = m.turn_id
    ) on m.is_active and (m.turn_id is null or ({_COUNTS})) and (m.role = 'assistant' or t.user_id is not null) and not {_LEFT_OUT}
    order by m.id
""")  # noqa: S608 - made of our own parts only

KNOWN = text("""
    select id, topic, fact, confidence, is_pinned, status = 'asked' as is_asked,
           case when status = 'asked' then successor_id end as of, source_message_id as source
    from memories
    where user_id = cast(:user_id as uuid) and (character_id is null or character_id = cast(:character_id as uuid))
      and status in ('active', 'asked') order by created_at, id
""")

# The first of two that have read the same moves the mark; the other one finds it moved, and writes nothing.
MOVE_MARK = text("""
    insert into memory_marks (dialog_id, until_message_id, updated_at)
    values (cast(:dialog_id as uuid), :read_until, cast(:read_at as timestamptz) - interval '5 seconds')
    on conflict (dialog_id) do update set until_message_id = excluded.until_message_id, updated_at = excluded.updated_at
        where memory_marks.until_message_id = cast(:seen_until as bigint) and memory_marks.updated_at = cast(:seen_at as timestamptz)
    returning 1
""")

# A person's memories are written by one dialog at a time; turns, which only refer to the person, do not wait for it.
HOLD = text("select 1 from users where id = any(cast(:ids as uuid[])) order by id for no key update")

STILL_SAID = text(f"""
    select m.id, m.text from messages m join turns t on t.id = m.turn_id
    where m.id = any(cast(:ids as bigint[])) and {_COUNTS} and {_NOT_FORGOTTEN} for share of m, t
""")  # noqa: S608


# Beside the memory that it is about stand those that are asked about because of it; where that one is asked itself, what it contradicts.
# Whoever knew what is replaced knows what takes its place, and a question lives where what it doubts does. What was pinned or written by
# the user while the model read is not replaced by what it read. Those asked about keep to what they contradicted: should the new one be
# taken back, that holds again and they do not.
INSERT = text(f"""
    with about as (
        select coalesce((
            select a.successor_id from memories a
            where a.id = cast(:of as uuid) and a.user_id = cast(:user_id as uuid) and a.status = 'asked'
        ), cast(:of as uuid)) as id
    ), old as (
        select m.id, m.character_id, m.is_pinned, m.confidence, m.status from memories m, about
        where m.user_id = cast(:user_id as uuid)
          and ((m.id = about.id and m.status in ('active', 'asked') and {_KNOWN_HERE.format("m")})
               or (m.successor_id = about.id and m.status = 'asked'))
        for update of m
    ), holds as (
        select id, character_id, is_pinned, confidence from old where status = 'active'
    ), doubt as (
        select :asks or exists (select from holds h where {_FIRM.format("h")} and not :says_so) as asks
    ), added as (
        insert into memories (id, user_id, character_id, topic, fact, confidence, status, is_pinned, source_message_id, successor_id,
                              created_at)
        select cast(:id as uuid), cast(:user_id as uuid),
               case when h.id is null or (d.asks and h.character_id is null) then cast(:owner as uuid) else h.character_id end,
               cast(:topic as text), cast(:fact as text), cast(:confidence as real),
               case when d.asks and h.id is not null then 'asked' else 'active' end,
               not d.asks and coalesce(h.is_pinned, false), cast(:source as bigint), case when d.asks then h.id end, clock_timestamp()
        from doubt d left join holds h on true
        where not exists (
            select from memories s where s.user_id = cast(:user_id as uuid) and s.status in ('active', 'asked')
              and {_KNOWN_HERE.format("s")} and lower(s.fact) = lower(cast(:fact as text))
        )
        returning id
    ), replaced as (
        update memories m set status = 'replaced', updated_at = now(),
            successor_id = case when o.status = 'asked' then coalesce((select id from holds), a.id) else a.id end
        from old o, added a, doubt d where m.id = o.id and not d.asks
    )
    select count(*) from added
""")  # noqa: S608

# What is firm gives way only to the user's own word that it has changed (:says_so), and what only another character knows to nothing.
SETTLE = text(f"""
    with told as (
        select id, user_id, status, successor_id, character_id from memories
        where id = cast(:id as uuid) and status in ('active', 'asked') for update
    ), holds as (
        select r.id, r.character_id, r.is_pinned, r.confidence from told t join memories r on r.id = t.successor_id
        where t.status = 'asked' and r.user_id = t.user_id and r.status = 'active' for update of r
    ), settled as (
        select t.*, h.id as old, h.character_id as owner, h.is_pinned from told t left join holds h on true
        where h.id is null or ((:says_so or not {_FIRM.format("h")}) and {_KNOWN_HERE.format("h")})
    ), replaced as (
        update memories r set status = 'replaced', successor_id = case when r.id = t.old then t.id else t.old end, updated_at = now()
        from settled t
        where r.user_id = t.user_id and (r.id = t.old or (r.successor_id = t.old and r.status = 'asked' and r.id <> t.id))
        returning r.id, case when r.id = t.old then 'active' else 'asked' end as was, r.character_id
    ), dismissed as (
        update memories o set status = 'replaced', updated_at = now() from settled t
        where t.status = 'active' and o.successor_id = t.id and o.user_id = t.user_id and o.status = 'asked'
        returning o.id, 'asked' as was, o.character_id
    ), said as (
        insert into memory_sayings (memory_id, message_id, is_said, was, was_of)
        select c.id, cast(:source as bigint), c.id = cast(:id as uuid), c.was, c.character_id from (
            select * from replaced union all select * from dismissed
            union all select t.id, case when t.old is not null then 'asked' end, t.character_id from settled t
        ) c
        on conflict (memory_id, message_id) do update
            set is_said = memory_sayings.is_said or excluded.is_said, was = excluded.was, was_of = excluded.was_of
            where memory_sayings.was is null
    )
    update memories m set status = 'active', updated_at = now(), successor_id = null,
        is_pinned = m.is_pinned or coalesce(t.is_pinned, false),
        character_id = case when t.old is null then m.character_id else t.owner end
    from settled t where m.id = t.id
    returning 1
""")  # noqa: S608
"""What is said again holds: an asked one takes the place of its rival, and of all that were asked about with it; of an active one the
rivals go.
"""

SAY_AGAIN = text("""
    insert into memory_sayings (memory_id, message_id, is_said)
    select id, cast(:source as bigint), true from memories
    where id = cast(:id as uuid) and status in ('active', 'asked') and source_message_id is distinct from cast(:source as bigint)
    on conflict do nothing
""")

MAKE_ROOM = text(f"""
    delete from memories where not is_pinned and id in (
        select id from memories where user_id = cast(:user_id as uuid) and status in ('active', 'asked')
        order by is_pinned desc, confidence desc, created_at desc, id offset {MOST_MEMORIES}
    )
""")  # noqa: S608

PAST = text(f"""
    select d.history_from, d.telegram_bot_id, s.text as summary, s.until_message_id, s.tokens_before, m.id, m.role, m.text,
           {_LEFT_OUT} as is_left_out
    from dialogs d left join summaries s on s.dialog_id = d.id
         left join (messages m left join turns t on t.id = m.turn_id)
             on m.dialog_id = d.id and m.id >= greatest(d.history_from, coalesce(s.until_message_id, 0) + 1) and m.is_active
             and (m.turn_id is null or ({_COUNTS})) and {_SETTLED}
    where d.id = cast(:dialog_id as uuid)
    order by m.id limit :most
""")  # noqa: S608

# Only of what was read, word for word: not when the user has begun anew, corrected, undone or forgotten something of it, or another one
# was first.
SUMMARISE = text(f"""
    with told as (
        select m.id, cast(m.text as text) as words from messages m
        where m.dialog_id = cast(:dialog_id as uuid) and m.is_active and m.id <= cast(:until as bigint)
          and m.id >= greatest(cast(:history_from as bigint), coalesce(cast(:seen_until as bigint), 0) + 1)
          and (m.turn_id is null or exists (select from turns t where t.id = m.turn_id and {_COUNTS})) and {_SETTLED} and not {_LEFT_OUT}
        for share of m
    ), dialog as (
        select id from dialogs where id = cast(:dialog_id as uuid) and history_from = cast(:history_from as bigint)
          and (select array_agg((id, words) order by id) from told) is not distinct from (
              select array_agg((id, words) order by id) from unnest(cast(:told as bigint[]), cast(:words as text[])) as w (id, words)
          ) for share
    ), before as (
        select until_message_id from summaries where dialog_id = cast(:dialog_id as uuid) for update
    ), changed as (
        insert into summaries (dialog_id, text, until_message_id, tokens_before, tokens_after, model)
        select id, cast(:text as text), cast(:until as bigint), :tokens_before, :tokens_after, cast(:model as text) from dialog
        where (select until_message_id from before) is not distinct from cast(:seen_until as bigint)
        on conflict (dialog_id) do update
            set text = excluded.text, until_message_id = excluded.until_message_id, tokens_before = excluded.tokens_before,
                tokens_after = excluded.tokens_after, model = excluded.model, created_at = now()
            where summaries.until_message_id = cast(:seen_until as bigint)
        returning 1
    )
    select count(*) from changed
""")  # noqa: S608

UNSKETCHED = text("""
    select m.id, m.fact from memories m
    where m.user_id in (
        select user_id from dialogs where id = cast(:dialog_id as uuid)
        union select user_id from turns where dialog_id = cast(:dialog_id as uuid)
    ) and m.status in ('active', 'asked') and m.embedding_model is distinct from cast(:model as text)
    order by m.is_pinned desc, m.created_at desc limit :most
""")

SKETCH = text("""
    update memories m set sketch = cast(s.sketch as bit varying), embedding_model = cast(:model as text)
    from unnest(cast(:ids as uuid[]), cast(:facts as text[]), cast(:sketches as text[])) as s (id, fact, sketch)
    where m.id = s.id and m.fact = s.fact
""")

SPEND = text("""
    insert into spendings (scope, scope_id, day, reserved_micros, spent_micros, memory_micros)
    select s.scope, cast(:bot_id as text), cast(:day as date), 0, cast(:micros as bigint), cast(:micros as bigint)
    from (values ('bot', cast(:is_limited as boolean)), ('memory', true)) s (scope, pays) where s.pays order by s.scope
    on conflict (scope, scope_id, day) do update
        set spent_micros = spendings.spent_micros + excluded.spent_micros, memory_micros = spendings.memory_micros + excluded.memory_micros
""")

SPENT = text("""
    select spent_micros + reserved_micros from spendings
    where scope = 'bot' and scope_id = cast(:bot_id as text) and day = cast(:day as date)
""")

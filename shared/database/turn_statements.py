"""The two statements of a turn."""

from sqlalchemy import text

from shared.domain.prompt import NOT_CERTAIN

# A dialog's newest messages are asked for as a range of (dialog, id), which one index alone can answer in order. Asked for by an equal
# dialog, PostgreSQL may walk all messages of everybody from the newest on, which costs nothing only while there are few dialogs.
NEWEST = "(m.dialog_id, m.id) <= (cast(:dialog_id as uuid), 9223372036854775807) and (m.dialog_id, m.id) >= (cast(:dialog_id as uuid), {})"

LAST_TURN = f"""
    select m.turn_id from messages m join turns t on t.id = m.turn_id
    where {NEWEST.format("(select history_from from dialogs where id = cast(:dialog_id as uuid))")}
      and t.status in ('finished', 'interrupted') and t.undone_at is null
    order by m.dialog_id desc, m.id desc limit 1
"""  # noqa: S608 - made of our own parts only
"""The newest turn of the dialog that has ended and still counts."""

REMEMBERED_FROM = """(
    select greatest(d.history_from, coalesce(s.until_message_id, 0) + 1) from dialogs d left join summaries s on s.dialog_id = d.id
    where d.id = cast(:dialog_id as uuid)
)"""

RECALLED = 12
"""The most memories of a prompt."""

_LONGEST_DOUBTED, _LONGEST_DOUBTS = 150, 100
"""Characters of a fact, and of those that contradict it: with what stands between them they are one memory, which a prompt does not cut."""
_CUT = "case when length({0}) > {1} then left({0}, {1} - 1) || '…' else {0} end"

# What is near to what was said comes first: by the bits in which two sketches differ, as the angle between what they were made of, and by
# shared words. A general topic counts as a little near. In a group only what was said there is used: others read along.
RECALL = f"""sought as materialized (
    select to_tsquery('simple', cast(:sought as text)) as words, cast(cast(:sketch as text) as bit varying) as sketch,
           exists (select from dialogs where id = cast(:dialog_id as uuid) and telegram_chat_id > 0) as is_private
), memories_near as (
    select m.fact, m.is_pinned, m.created_at, m.id,
           case when m.embedding_model = cast(:embedding_model as text) and length(m.sketch) = length(q.sketch)
                then cos(pi() * bit_count(m.sketch # q.sketch) / length(q.sketch)) else 0 end
           + case when w.share > 0 then 0.3 + least(4 * w.share, 0.3) else 0 end
           + case when m.topic in ('name', 'language', 'city') then 0.15 else 0 end as nearness
    from memories m cross join sought q
         cross join lateral (select ts_rank(m.words, q.words) as share) w
    where cast(:sought as text) is not null and m.user_id = cast(:user_id as uuid) and m.status = 'active'
      and (m.character_id is null or m.character_id = cast(:character_id as uuid))
      and (q.is_private or exists (
          select from messages s where s.id = m.source_message_id and s.dialog_id = cast(:dialog_id as uuid)
      ) or exists (
          select from memory_sayings y join messages s on s.id = y.message_id
          where y.memory_id = m.id and y.is_said and s.dialog_id = cast(:dialog_id as uuid)
      ))
), recalled as (
    select case when a.facts is null then n.fact
                else {_CUT.format("n.fact", _LONGEST_DOUBTED)} || ' {NOT_CERTAIN} they have also said "'
                     || {_CUT.format("a.facts", _LONGEST_DOUBTS)} || '")' end as fact
    from (select * from memories_near order by is_pinned desc, nearness desc, created_at desc, id limit {RECALLED}) n
         left join lateral (
             select string_agg(o.fact, '; ' order by o.created_at) as facts from memories o, sought q
             where o.successor_id = n.id and o.user_id = cast(:user_id as uuid) and o.status = 'asked' and q.is_private
               and (o.character_id is null or o.character_id = cast(:character_id as uuid))
         ) a on true
    order by n.is_pinned desc, n.nearness desc, n.created_at desc, n.id
)"""  # noqa: S608 - made of our own parts only
"""What is remembered of the user, for the prompt: `recalled (fact)`, best first; nothing where :sought is null (see `Sought`)."""

# What is locked here is locked in this order everywhere: the turn, purses (the bot's first), the allowance.
# A lock waits for whoever was first and then reads what they left; a row that does not exist yet cannot be locked, so two who create it
# at once break on its unique key instead, and all that the second one wrote goes with it.
# Its commit must wait for the disk: a turn's number that a crash of PostgreSQL forgets would be given to somebody else's turn.
OPEN_TURN = text(f"""
    with known as (
        select id, status from turns
        where id = coalesce(
            (select turn_id from messages where dialog_id = cast(:dialog_id as uuid) and source_id = cast(:source_id as text)),
            (select id from turns where dialog_id = cast(:dialog_id as uuid) and source_id = cast(:source_id as text))
        )
        for update
    ), last as (
        select * from ({LAST_TURN}) l where cast(:last_turn_id as bigint) is not null
    ), limits as (
        select * from unnest(cast(:scopes as text[]), cast(:owners as text[]), cast(:hard as bigint[]), cast(:soft as bigint[]))
            as l (scope, owner, hard, soft)
    ), purses as (
        select s.scope, s.spent_micros + s.reserved_micros as used
        from spendings s join limits l on l.scope = s.scope and l.owner = s.scope_id
        where s.day = cast(:day as date) and (select count(*) from known) >= 0
        order by s.scope for update of s
    ), state as (
        select exists (select from known where status <> 'failed') as is_known,
               coalesce(bool_or(coalesce(p.used, 0) >= l.soft), false) as is_soft,
               min(l.scope) filter (where coalesce(p.used, 0) >= l.hard) as over_budget,
               (cast(:last_turn_id as bigint) is not null
                   and cast(:last_turn_id as bigint) is distinct from (select turn_id from last))
                   or coalesce(cast(:shown as int) < (
                       select count(*) from messages m where m.turn_id = cast(:of_turn_id as bigint) and m.role = 'assistant'
                   ), false) as is_outdated,
               case when coalesce(bool_or(coalesce(p.used, 0) >= l.soft), false)
                    then cast(:soft_reserve as bigint) else cast(:reserve as bigint) end as amount
        from limits l left join purses p on p.scope = l.scope
    ), paid as (
        insert into allowance_usages (user_id, day, used)
        select u.id, cast(:day as date), 1 from state s, dialogs d, users u
        where not s.is_known and not s.is_outdated and s.over_budget is null
          and (cast(:daily_turns as int) is null or cast(:daily_turns as int) > 0)
          and d.id = cast(:dialog_id as uuid) and u.id = cast(:user_id as uuid)
        on conflict (user_id, day) do update set used = allowance_usages.used + 1
            where cast(:daily_turns as int) is null or allowance_usages.used < cast(:daily_turns as int)
        returning used
    ), first_held as (
        insert into spendings (scope, scope_id, day, reserved_micros, spent_micros)
        select l.scope, l.owner, cast(:day as date), s.amount, 0 from limits l, state s, paid
        where not exists (select from purses p where p.scope = l.scope) order by l.scope
    ), held as (
        update spendings h set reserved_micros = h.reserved_micros + s.amount from limits l, purses p, state s, paid
        where h.scope = l.scope and h.scope_id = l.owner and h.day = cast(:day as date) and p.scope = l.scope
    ), reopened as (
        update turns t set status = 'open', error_code = null, finished_at = null, allowance_day = cast(:day as date),
                           reserved_micros = case when cardinality(cast(:scopes as text[])) > 0 then s.amount else 0 end
        from known k, state s, paid where t.id = k.id and k.status = 'failed'
        returning t.id
    ), opened as (
        insert into turns (dialog_id, user_id, source_id, status, allowance_day, of_turn_id, reserved_micros)
        select cast(:dialog_id as uuid), cast(:user_id as uuid), cast(:source_id as text), 'open', cast(:day as date),
               cast(:of_turn_id as bigint), case when cardinality(cast(:scopes as text[])) > 0 then s.amount else 0 end
        from state s, paid where not exists (select from known)
        returning id
    ), begun as (
        select id from opened union all select id from reopened
    ), kept as (
        insert into messages (dialog_id, turn_id, role, text, source_id)
        select cast(:dialog_id as uuid), b.id, 'user', w.text, w.source
        from (select id from begun union all select id from known where status = 'open') b,
             unnest(cast(:texts as text[]), cast(:sources as text[])) with ordinality as w (text, source, place)
        order by w.place
        on conflict (dialog_id, source_id) where source_id is not null do nothing
    ), subject as (
        select coalesce(cast(:of_turn_id as bigint), (select id from known)) as id
    ), history as (
        select m.id, m.role, m.text from messages m left join turns t on t.id = m.turn_id
        where {NEWEST.format(REMEMBERED_FROM)} and m.is_active
          and (m.turn_id is null or m.turn_id is distinct from (select id from subject))
          and t.status is distinct from 'failed' and t.undone_at is null
        order by m.dialog_id desc, m.id desc limit cast(:history as int)
    ), words as (
        select m.id, m.source_id, m.text from messages m where m.turn_id = (select id from subject) and m.role = 'user'
    ), {RECALL}
    select (select id from known) as known_id, (select status from known) as known_status, (select id from begun) as begun_id,
           (select id from subject) as subject_id, state.over_budget, state.is_outdated and not state.is_known as is_outdated,
           state.is_soft,
           c.name, c.system_prompt, c.settings, u.first_name, s.text as summary,
           array(select role from history order by id) as roles, array(select text from history order by id) as texts,
           array(select source_id from words order by id) as word_sources, array(select text from words order by id) as words,
           (select count(*)::int from messages m where m.turn_id = (select id from subject) and m.role = 'assistant') as alternatives,
           array(select fact from recalled) as memories
    from dialogs d join characters c on c.id = d.character_id join users u on u.id = cast(:user_id as uuid)
         left join summaries s on s.dialog_id = d.id cross join state
    where d.id = cast(:dialog_id as uuid)
""")  # noqa: S608 - made of our own parts only

# Merged updates are marked under the lock of their lane: whoever takes the lane later finds them handled, and counted once.
FINISH_TURN = text("""
    with held as (
        select 1 from lanes where telegram_bot_id = cast(:bot_id as bigint) and lane = cast(:lane as text)
                              and token = cast(:token as bigint) and cardinality(cast(:merged as bigint[])) = 0
    ), locked as (
        select 1 from lanes where telegram_bot_id = cast(:bot_id as bigint) and lane = cast(:lane as text)
                              and token = cast(:token as bigint) and cardinality(cast(:merged as bigint[])) > 0 for update
    ), turn as (
        select id, reserved_micros from turns
        where id = :turn_id and status = 'open'
          and (cast(:token as bigint) is null or exists (select from held) or exists (select from locked))
        for update
    ), finished as (
        update turns t
        set status = cast(:status as text), tier = coalesce(cast(:tier as text), t.tier), model = :model,
            prompt_tokens = coalesce(t.prompt_tokens + coalesce(cast(:prompt_tokens as int), 0), cast(:prompt_tokens as int)),
            completion_tokens =
                coalesce(t.completion_tokens + coalesce(cast(:completion_tokens as int), 0), cast(:completion_tokens as int)),
            cost_micros = coalesce(t.cost_micros + coalesce(cast(:cost_micros as bigint), 0), cast(:cost_micros as bigint)),
            first_piece_ms = :first_piece_ms, total_ms = :total_ms, error_code = :error_code, finished_at = now(),
            telegram_update_id = coalesce(cast(:update_id as bigint), t.telegram_update_id), reserved_micros = 0
        from turn where t.id = turn.id and t.status = 'open'
        returning t.id, coalesce(t.of_turn_id, t.id) as subject_id, t.dialog_id, t.user_id, t.allowance_day,
                  turn.reserved_micros as reserved
    ), said as (
        insert into messages (dialog_id, turn_id, role, text)
        select dialog_id, subject_id, 'assistant', cast(:reply as text) from finished where cast(:reply as text) <> ''
    ), replaced as (
        update messages m set is_active = false from finished f
        where f.subject_id <> f.id and cast(:reply as text) <> '' and m.turn_id = f.subject_id and m.role = 'assistant' and m.is_active
    ), purses as (
        select s.scope, s.scope_id, s.day, f.reserved
        from finished f join dialogs d on d.id = f.dialog_id
             cross join lateral (values ('bot', d.telegram_bot_id::text), ('user', f.user_id::text)) o (scope, owner)
             join spendings s on s.scope = o.scope and s.scope_id = o.owner and s.day = f.allowance_day
        where f.reserved > 0
        order by s.scope for update of s
    ), settled as (
        update spendings s set reserved_micros = greatest(s.reserved_micros - p.reserved, 0),
                               spent_micros = s.spent_micros + coalesce(cast(:cost_micros as bigint), 0)
        from purses p where s.scope = p.scope and s.scope_id = p.scope_id and s.day = p.day
        returning 1
    ), given_back as (
        update allowance_usages a set used = a.used - 1 from finished f
        where cast(:status as text) = 'failed' and a.user_id = f.user_id and a.day = f.allowance_day and a.used > 0
          and (select count(*) from settled) >= 0
    ), marked as (
        update stored_updates u set status = 'handled', handled_at = now() from finished
        where cast(:status as text) <> 'failed' and u.telegram_bot_id = cast(:bot_id as bigint) and u.lane = cast(:lane as text)
          and u.telegram_update_id = any(cast(:merged as bigint[])) and u.status = 'pending'
        returning 1
    ), counted as (
        update lanes l set handled = l.handled + m.updates from (select count(*) as updates from marked) m
        where m.updates > 0 and l.telegram_bot_id = cast(:bot_id as bigint) and l.lane = cast(:lane as text)
    ), posted as (
        insert into outbox (telegram_bot_id, telegram_update_id, step, method, params)
        select cast(:bot_id as bigint), cast(:update_id as bigint), p.step, p.method, cast(p.params as jsonb)
        from finished, unnest(cast(:methods as text[]), cast(:params as text[])) with ordinality as p (method, params, step)
    )
    select count(*) from finished
""")

NOTE_USAGE = text("""
    with noted as (
        update turns set prompt_tokens = coalesce(prompt_tokens, 0) + coalesce(cast(:prompt as int), 0),
                         completion_tokens = coalesce(completion_tokens, 0) + coalesce(cast(:completion as int), 0),
                         cost_micros = coalesce(cost_micros, 0) + coalesce(cast(:cost as bigint), 0)
        where id = :turn_id and status = 'open' returning dialog_id, user_id, allowance_day
    ), purses as (
        select s.scope, s.scope_id, s.day
        from noted n join dialogs d on d.id = n.dialog_id
             cross join lateral (values ('bot', d.telegram_bot_id::text), ('user', n.user_id::text)) o (scope, owner)
             join spendings s on s.scope = o.scope and s.scope_id = o.owner and s.day = n.allowance_day
        order by s.scope for update of s
    )
    update spendings s set spent_micros = s.spent_micros + coalesce(cast(:cost as bigint), 0)
    from purses p where s.scope = p.scope and s.scope_id = p.scope_id and s.day = p.day
""")

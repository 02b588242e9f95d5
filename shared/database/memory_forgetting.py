"""The statements by which users have facts forgotten: one, all, or one that is not true."""

from sqlalchemy import text

from shared.database.memory_taken_back import heirs

MINE = "{0}.user_id = cast(:user_id as uuid) and ({0}.character_id is null or {0}.character_id = cast(:character_id as uuid))"
LIVE = "{0}.status in ('active', 'asked')"

THEIRS = f"{MINE.format('m')} and {LIVE.format('m')}"
THIS = f"m.id = cast(:id as uuid) and {THEIRS}"

_WIPED = "status = 'forgotten', fact = '', topic = '', is_pinned = false, sketch = null, embedding_model = null, updated_at = now()"

_PLAIN = "replace(lower({0}), 'ё', 'е')"


def _says(text: str) -> str:
    """Whether a text has all the beginnings of words that tell a fact: a row of `signs`."""
    return f"not exists (select from unnest(s.beginnings) one where {_PLAIN.format(text)} !~ one)"


_THEIR_DIALOGS = """select id from dialogs where user_id = cast(:user_id as uuid)
            union select dialog_id from turns where user_id = cast(:user_id as uuid)"""
"""Also those of others in which they have spoken."""

_TALKS = f"""talks as materialized (
        select d.id, d.character_id, d.history_from from dialogs d
        where d.id in ({_THEIR_DIALOGS})
    )"""  # noqa: S608

_SOURCES = """select m.id, m.dialog_id from gone g join messages m on m.id = g.source_message_id
        union
        select m.id, m.dialog_id from gone g join memory_sayings y on y.memory_id = g.id and y.is_said
             join messages m on m.id = y.message_id"""

_WIPING = f"""wiped as (
        update memories m set {_WIPED}, successor_id = null from gone g where m.id = g.id returning m.id
    ), marked as (
        insert into memories (id, user_id, topic, fact, confidence, status, is_pinned, source_message_id, updated_at)
        select gen_random_uuid(), cast(:user_id as uuid), '', '', 0, 'forgotten', false, w.id, now() from said w
        where not exists (select from gone g where g.source_message_id = w.id)
          and not exists (select from memories f where f.source_message_id = w.id and f.status = 'forgotten')
    ), unsaid as (
        delete from memory_sayings y using gone g where y.memory_id = g.id
    )"""  # noqa: S608

_TOLD = """exists (select from said w where w.dialog_id = d.id and w.id <= u.until_message_id)
            or exists (
                select from gone g where g.source_message_id is null and coalesce(g.character_id, d.character_id) = d.character_id
            )"""

# With all that it once replaced. A fact is told by its names and numbers, or by the words that its kind does not bring along: what else the
# user and the character said with these is marked as forgotten too, so that it is neither read for facts nor told to a summary. Summaries
# that any of it went into go; where its source is not there any more nobody knows which, and all go. Of what waited for an answer
# because of it the first one holds.
FORGET = text(rf"""
    with recursive gone as (
        select m.id, m.source_message_id, m.successor_id, m.character_id, m.fact from memories m where {THIS}
        union
        select p.id, p.source_message_id, p.successor_id, p.character_id, p.fact from memories p join gone g on p.successor_id = g.id
        where p.status = 'replaced' and p.user_id = cast(:user_id as uuid)
    ), parts as (
        select g.id, g.character_id, {_PLAIN.format("w.word")} as word,
               w.word ~ '\d' or (w.place > 1 and w.word <> lower(w.word)) as is_name
        from gone g cross join lateral regexp_split_to_table(g.fact, '\W+') with ordinality w (word, place)
        where w.word <> '' and lower(w.word) <> all(cast(:frame as text[]))
    ), signs as (
        select p.id, p.character_id, array_agg(
            '\m' || case when length(p.word) < 4 or p.word ~ '\d' then p.word || '\M' else left(p.word, greatest(length(p.word) - 2, 3)) end
        ) as beginnings
        from parts p where p.is_name or not exists (select from parts n where n.id = p.id and n.is_name) group by p.id, p.character_id
    ), {_TALKS}, said as (
        {_SOURCES}
        union
        select m.id, m.dialog_id from turns t join messages m on m.turn_id = t.id join talks d on d.id = m.dialog_id
        where t.user_id = cast(:user_id as uuid) and m.id >= d.history_from
          and exists (select from signs s where coalesce(s.character_id, d.character_id) = d.character_id and {_says("m.text")})
    ), {_WIPING}, {heirs("gone", "'asked'")}, unfolded as (
        delete from summaries u using talks d
        where u.dialog_id = d.id and (
            {_TOLD}
            or exists (select from signs s where coalesce(s.character_id, d.character_id) = d.character_id and {_says("u.text")})
        )
    )
    select count(*) from wiped
""")  # noqa: S608

# What is not true is not told on: neither the messages that said it nor the replies to them go into a summary. Others that name the same
# are true for all that anybody knows.
DISMISS = text(f"""
    with gone as (
        select m.id, m.source_message_id, m.character_id from memories m where {THIS} and m.status = 'asked' for update
    ), {_TALKS}, said as (
        {_SOURCES}
    ), {_WIPING}, unfolded as (
        delete from summaries u using talks d where u.dialog_id = d.id and (
            {_TOLD}
        )
    )
    select count(*) from wiped
""")  # noqa: S608

# Before it, in the same transaction: who writes down what they learnt of the user, or condenses one of their dialogs, is waited for, or
# waits, so that nothing they leave goes unseen.
HOLD_EVERYTHING = text(f"""
    with held as (
        select id from users where id = cast(:user_id as uuid) for no key update
    )
    select 1 from dialogs d
    where (select count(*) from held) = 1 and d.id in ({_THEIR_DIALOGS})
    order by d.id for no key update
""")  # noqa: S608

# Every dialog that the user has spoken in begins anew, read to its end: a model neither hears nor reads what was said so far. In a group
# that is so for this user's words alone; what others have said there is still to be read.
FORGET_EVERYTHING = text(f"""
    with spoken as (
        {_THEIR_DIALOGS}
    ), ends as (
        select s.id, d.telegram_chat_id < 0 as is_group, coalesce((select max(m.id) from messages m where m.dialog_id = s.id), 0) as last
        from spoken s join dialogs d on d.id = s.id
    ), marked as (
        insert into memory_marks (dialog_id, until_message_id, updated_at)
        select id, last, clock_timestamp() from ends where not is_group order by id
        on conflict (dialog_id) do update
            set until_message_id = greatest(memory_marks.until_message_id, excluded.until_message_id), updated_at = excluded.updated_at
    ), unread as (
        insert into memories (id, user_id, topic, fact, confidence, status, is_pinned, source_message_id, updated_at)
        select gen_random_uuid(), t.user_id, '', '', 0, 'forgotten', false, m.id, now()
        from ends e left join memory_marks k on k.dialog_id = e.id
             join messages m on m.dialog_id = e.id and m.id > coalesce(k.until_message_id, 0) and m.role = 'user'
             join turns t on t.id = m.turn_id
        where e.is_group and t.user_id = cast(:user_id as uuid)
    ), summaries_gone as (
        delete from summaries s using ends e where s.dialog_id = e.id
    ), begun_anew as (
        update dialogs d set history_from = greatest(d.history_from, e.last + 1) from ends e where d.id = e.id
    ), memories_gone as (
        delete from memories where user_id = cast(:user_id as uuid) returning status
    )
    select count(*) filter (where status in ('active', 'asked')) from memories_gone
""")  # noqa: S608

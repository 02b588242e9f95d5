"""What is known of users, as they see and change it. Each method is one statement.

Whose a memory is stands in every `where`: the user's own, and of the character they talk to or of all.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.database.memory_taken_back import heirs
from shared.domain.memory import KnownMemory, KnownRival, MemoryPage
from shared.domain.memory_rules import CERTAIN, MOST_MEMORIES
from shared.domain.memory_words import FRAME
from shared.domain.speaker import Speaker

_MINE = "{0}.user_id = cast(:user_id as uuid) and ({0}.character_id is null or {0}.character_id = cast(:character_id as uuid))"
_LIVE = "{0}.status in ('active', 'asked')"

_MEMORY = f"{_MINE.format('m')} and {_LIVE.format('m')}"
_THIS = f"m.id = cast(:id as uuid) and {_MEMORY}"


def _shown(table: str) -> str:
    """The memories of `table`, which may have been written by the same statement, with their rivals and the time of their source."""
    return f"""
        select m.id, m.fact, m.topic, m.character_id is null as is_shared, m.is_pinned, m.status = 'asked' as is_asked, m.confidence,
               m.source_message_id is null and m.confidence >= {CERTAIN} as is_own_words, s.created_at as said_at,
               r.id as rival_id, r.fact as rival_fact
        from {table} m left join messages s on s.id = m.source_message_id
             left join memories r on m.status = 'asked' and r.id = m.successor_id and r.status = 'active' and {_MINE.format("r")}
    """  # noqa: S608 - made of our own parts only


_KNOWN = text(f"""
    with mine as (
        select m.*, row_number() over (order by m.status = 'asked' desc, m.is_pinned desc, m.created_at desc, m.id) - 1 as place
        from memories m where {_MEMORY}
    ), size as (
        select count(*) as total, greatest(ceil(count(*) / cast(:a_page as numeric))::int, 1) as pages from mine
    ), chosen as (
        select least(greatest(cast(:page as int), 0), pages - 1) as page from size
    )
    select size.total, size.pages, chosen.page as page_shown, k.*
    from size cross join chosen left join (
        select shown.*, mine.place from ({_shown("mine")}) shown join mine on mine.id = shown.id
    ) k on k.place >= chosen.page * cast(:a_page as int) and k.place < (chosen.page + 1) * cast(:a_page as int)
    order by k.place
""")  # noqa: S608

_FIND = text(f"with found as (select m.* from memories m where {_THIS}) {_shown('found')}")  # noqa: S608

# One place is made before one is taken; what is asked, pinned or certain goes last.
_ADD = text(f"""
    with known as (
        select m.* from memories m where {_MEMORY} and m.status = 'active' and lower(m.fact) = lower(cast(:fact as text)) limit 1
    ), crowding as (
        delete from memories where not is_pinned and not exists (select from known) and id in (
            select m.id from memories m where m.user_id = cast(:user_id as uuid) and {_LIVE.format("m")}
            order by m.is_pinned desc, m.confidence desc, m.created_at desc, m.id offset {MOST_MEMORIES - 1}
        )
    ), added as (
        insert into memories (id, user_id, character_id, topic, fact, confidence, status, is_pinned)
        select gen_random_uuid(), cast(:user_id as uuid), cast(:character_id as uuid), cast(:topic as text), cast(:fact as text),
               {CERTAIN}, 'active', false
        where not exists (select from known)
        returning *
    ), written as (select * from known union all select * from added)
    {_shown("written")}
""")  # noqa: S608

# The new words take the place of the memory, of what it contradicts, and of what contradicted it.
_FIX = text(f"""
    with old as (
        select m.* from memories m where {_THIS} for update
    ), written as (
        insert into memories (id, user_id, character_id, topic, fact, confidence, status, is_pinned)
        select gen_random_uuid(), o.user_id, o.character_id, o.topic, cast(:fact as text), {CERTAIN}, 'active', o.is_pinned from old o
        returning *
    ), replaced as (
        update memories m set status = 'replaced', successor_id = w.id, updated_at = now() from old o, written w
        where m.user_id = o.user_id and {_LIVE.format("m")}
          and (m.id = o.id or (o.status = 'asked' and m.id = o.successor_id) or (m.status = 'asked' and m.successor_id = o.id))
    )
    {_shown("written")}
""")  # noqa: S608

_WIPED = "status = 'forgotten', fact = '', topic = '', is_pinned = false, sketch = null, embedding_model = null, updated_at = now()"

_PLAIN = "replace(lower({0}), 'ё', 'е')"


def _says(text: str) -> str:
    """Whether a text has all the beginnings of words that tell a fact: a row of `signs`."""
    return f"not exists (select from unnest(s.beginnings) one where {_PLAIN.format(text)} !~ one)"


# With all that it once replaced. A fact is told by its names and numbers, or by the words that its kind does not bring along: what else the
# user and the character said with these is marked as forgotten too, so that it is neither read for facts nor told to a summary. Summaries
# that any of it went into go; where its source is not there any more nobody knows which, and all go. Of what waited for an answer
# because of it the first one holds.
_FORGET = text(rf"""
    with recursive gone as (
        select m.id, m.source_message_id, m.successor_id, m.character_id, m.fact from memories m where {_THIS}
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
    ), talks as materialized (
        select d.id, d.character_id, d.history_from from dialogs d
        where d.id in (
            select id from dialogs where user_id = cast(:user_id as uuid)
            union select dialog_id from turns where user_id = cast(:user_id as uuid)
        )
    ), said as (
        select m.id, m.dialog_id from gone g join messages m on m.id = g.source_message_id
        union
        select m.id, m.dialog_id from gone g join memory_sayings y on y.memory_id = g.id and y.is_said
             join messages m on m.id = y.message_id
        union
        select m.id, m.dialog_id from turns t join messages m on m.turn_id = t.id join talks d on d.id = m.dialog_id
        where t.user_id = cast(:user_id as uuid) and m.id >= d.history_from
          and exists (select from signs s where coalesce(s.character_id, d.character_id) = d.character_id and {_says("m.text")})
    ), wiped as (
        update memories m set {_WIPED}, successor_id = null from gone g where m.id = g.id returning m.id
    ), marked as (
        insert into memories (id, user_id, topic, fact, confidence, status, is_pinned, source_message_id, updated_at)
        select gen_random_uuid(), cast(:user_id as uuid), '', '', 0, 'forgotten', false, w.id, now() from said w
        where not exists (select from gone g where g.source_message_id = w.id)
          and not exists (select from memories f where f.source_message_id = w.id and f.status = 'forgotten')
    ), unsaid as (
        delete from memory_sayings y using gone g where y.memory_id = g.id
    ), {heirs("gone", "'asked'")}, unfolded as (
        delete from summaries u using talks d
        where u.dialog_id = d.id and (
            exists (select from said w where w.dialog_id = d.id and w.id <= u.until_message_id)
            or exists (select from gone g where coalesce(g.character_id, d.character_id) = d.character_id and g.source_message_id is null)
            or exists (select from signs s where coalesce(s.character_id, d.character_id) = d.character_id and {_says("u.text")})
        )
    )
    select count(*) from wiped
""")  # noqa: S608

# One place is left to what is not pinned, so that there is always something that can make room.
_PIN = text(f"""
    with pinned as (
        select count(*) as others from memories m
        where m.user_id = cast(:user_id as uuid) and {_LIVE.format("m")} and m.is_pinned and m.id <> cast(:id as uuid)
    ), written as (
        update memories m set is_pinned = :is_pinned and p.others < {MOST_MEMORIES - 1}, updated_at = now() from pinned p
        where {_THIS} returning m.*
    ) {_shown("written")}
""")  # noqa: S608

# A question goes where what it doubts goes: no other character shall hear of that by it.
_SHARE = text(f"""
    with written as (
        update memories m set character_id = case when :is_shared then null else cast(:character_id as uuid) end, updated_at = now()
        where {_THIS} and m.status = 'active' returning m.*
    ), along as (
        update memories o set character_id = w.character_id from written w
        where w.character_id is not null and o.successor_id = w.id and o.user_id = w.user_id and o.status = 'asked'
    ) {_shown("written")}
""")  # noqa: S608

# What it contradicts goes, with all else that was asked about because of that; who knew that, and that it was pinned, stays as it was.
_CONFIRM = text(f"""
    with asked as (
        select m.* from memories m where {_THIS} and m.status = 'asked' for update
    ), holds as (
        select r.id, r.character_id, r.is_pinned from asked a join memories r on r.id = a.successor_id
        where r.status = 'active' and {_MINE.format("r")} for update of r
    ), replaced as (
        update memories r set status = 'replaced', successor_id = case when r.id = h.id then a.id else h.id end, updated_at = now()
        from asked a, holds h
        where r.user_id = a.user_id and (r.id = h.id or (r.successor_id = h.id and r.status = 'asked' and r.id <> a.id))
    ), written as (
        update memories m set status = 'active', successor_id = null, confidence = {CERTAIN}, updated_at = now(),
            is_pinned = m.is_pinned or coalesce(h.is_pinned, false),
            character_id = case when h.id is null then m.character_id else h.character_id end
        from asked a left join holds h on true where m.id = a.id returning m.*
    )
    {_shown("written")}
""")  # noqa: S608

_DISMISS = text(f"""
    with wiped as (
        update memories m set {_WIPED}, successor_id = null where {_THIS} and m.status = 'asked' returning 1
    )
    select count(*) from wiped
""")  # noqa: S608

# Every dialog that the user has spoken in begins anew, read to its end: a model neither hears nor reads what was said so far. In a group
# that is so for this user's words alone; what others have said there is still to be read.
_FORGET_EVERYTHING = text("""
    with spoken as (
        select id from dialogs where user_id = cast(:user_id as uuid)
        union
        select dialog_id from turns where user_id = cast(:user_id as uuid)
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
""")


class MemoryRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def known(self, speaker: Speaker, page: int, a_page: int) -> MemoryPage:
        """A page that is not there any more becomes the last one."""
        values = {**_whose(speaker), "page": page, "a_page": a_page}
        rows = (await self.connection.execute(_KNOWN, values)).mappings().all()
        memories = tuple(_memory(row) for row in rows if row["id"] is not None)
        first = rows[0]
        return MemoryPage(
            memories=memories,
            total=first["total"],
            page=first["page_shown"],
            pages=first["pages"],
            character_name=speaker.character_name,
        )

    async def find(self, speaker: Speaker, memory_id: UUID) -> KnownMemory | None:
        return await self._one(_FIND, speaker, id=memory_id)

    async def add(self, speaker: Speaker, topic: str, fact: str) -> KnownMemory | None:
        """The one that says just this already, where there is one."""
        return await self._one(_ADD, speaker, topic=topic, fact=fact)

    async def fix(self, speaker: Speaker, memory_id: UUID, fact: str) -> KnownMemory | None:
        return await self._one(_FIX, speaker, id=memory_id, fact=fact)

    async def forget(self, speaker: Speaker, memory_id: UUID) -> bool:
        values = {**_whose(speaker), "id": memory_id, "frame": sorted(FRAME)}
        return bool((await self.connection.execute(_FORGET, values)).scalar_one())

    async def pin(self, speaker: Speaker, memory_id: UUID, *, is_pinned: bool) -> KnownMemory | None:
        return await self._one(_PIN, speaker, id=memory_id, is_pinned=is_pinned)

    async def share(self, speaker: Speaker, memory_id: UUID, *, is_shared: bool) -> KnownMemory | None:
        return await self._one(_SHARE, speaker, id=memory_id, is_shared=is_shared)

    async def confirm(self, speaker: Speaker, memory_id: UUID) -> KnownMemory | None:
        """An asked memory is true and replaces what it contradicts."""
        return await self._one(_CONFIRM, speaker, id=memory_id)

    async def dismiss(self, speaker: Speaker, memory_id: UUID) -> bool:
        """An asked memory is not true and is forgotten."""
        values = {**_whose(speaker), "id": memory_id}
        return bool((await self.connection.execute(_DISMISS, values)).scalar_one())

    async def forget_everything(self, user_id: UUID) -> int:
        return int((await self.connection.execute(_FORGET_EVERYTHING, {"user_id": user_id})).scalar_one())

    async def _one(self, statement: Any, speaker: Speaker, **values: Any) -> KnownMemory | None:
        row = (await self.connection.execute(statement, {**_whose(speaker), **values})).mappings().first()
        return None if row is None else _memory(row)


def _whose(speaker: Speaker) -> dict[str, Any]:
    return {"user_id": speaker.user_id, "character_id": speaker.character_id}


def _memory(row: Any) -> KnownMemory:
    return KnownMemory(
        id=row["id"],
        fact=row["fact"],
        topic=row["topic"],
        is_shared=row["is_shared"],
        is_pinned=row["is_pinned"],
        is_asked=row["is_asked"],
        rival=KnownRival(id=row["rival_id"], fact=row["rival_fact"]) if row["rival_id"] else None,
        confidence=row["confidence"],
        said_at=row["said_at"],
        is_own_words=row["is_own_words"],
    )

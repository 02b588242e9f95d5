"""What is known of users, as they see and change it. Each method is one statement.

Whose a memory is stands in every `where`: the user's own, and of the character they talk to or of all.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.database.memory_forgetting import DISMISS, FORGET, FORGET_EVERYTHING, HOLD_EVERYTHING, LIVE, MINE, THEIRS, THIS
from shared.domain.memory import KnownMemory, KnownRival, MemoryPage
from shared.domain.memory_rules import CERTAIN, MOST_MEMORIES
from shared.domain.memory_words import FRAME
from shared.domain.speaker import Speaker


def _shown(table: str) -> str:
    """The memories of `table`, which may have been written by the same statement, with their rivals and the time of their source."""
    return f"""
        select m.id, m.fact, m.topic, m.character_id is null as is_shared, m.is_pinned, m.status = 'asked' as is_asked, m.confidence,
               m.source_message_id is null and m.confidence >= {CERTAIN} as is_own_words, s.created_at as said_at,
               r.id as rival_id, r.fact as rival_fact
        from {table} m left join messages s on s.id = m.source_message_id
             left join memories r on m.status = 'asked' and r.id = m.successor_id and r.status = 'active' and {MINE.format("r")}
    """  # noqa: S608 - made of our own parts only


_KNOWN = text(f"""
    with mine as (
        select m.*, row_number() over (order by m.status = 'asked' desc, m.is_pinned desc, m.created_at desc, m.id) - 1 as place
        from memories m where {THEIRS}
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

_FIND = text(f"with found as (select m.* from memories m where {THIS}) {_shown('found')}")  # noqa: S608

# One place is made before one is taken; what is asked, pinned or certain goes last.
_ADD = text(f"""
    with known as (
        select m.* from memories m where {THEIRS} and m.status = 'active' and lower(m.fact) = lower(cast(:fact as text)) limit 1
    ), crowding as (
        delete from memories where not is_pinned and not exists (select from known) and id in (
            select m.id from memories m where m.user_id = cast(:user_id as uuid) and {LIVE.format("m")}
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
        select m.* from memories m where {THIS} for update
    ), written as (
        insert into memories (id, user_id, character_id, topic, fact, confidence, status, is_pinned)
        select gen_random_uuid(), o.user_id, o.character_id, o.topic, cast(:fact as text), {CERTAIN}, 'active', o.is_pinned from old o
        returning *
    ), replaced as (
        update memories m set status = 'replaced', successor_id = w.id, updated_at = now() from old o, written w
        where m.user_id = o.user_id and {LIVE.format("m")}
          and (m.id = o.id or (o.status = 'asked' and m.id = o.successor_id) or (m.status = 'asked' and m.successor_id = o.id))
    )
    {_shown("written")}
""")  # noqa: S608

# One place is left to what is not pinned, so that there is always something that can make room.
_PIN = text(f"""
    with pinned as (
        select count(*) as others from memories m
        where m.user_id = cast(:user_id as uuid) and {LIVE.format("m")} and m.is_pinned and m.id <> cast(:id as uuid)
    ), written as (
        update memories m set is_pinned = :is_pinned and p.others < {MOST_MEMORIES - 1}, updated_at = now() from pinned p
        where {THIS} returning m.*
    ) {_shown("written")}
""")  # noqa: S608

# A question goes where what it doubts goes: no other character shall hear of that by it.
_SHARE = text(f"""
    with written as (
        update memories m set character_id = case when :is_shared then null else cast(:character_id as uuid) end, updated_at = now()
        where {THIS} and m.status = 'active' returning m.*
    ), along as (
        update memories o set character_id = w.character_id from written w
        where w.character_id is not null and o.successor_id = w.id and o.user_id = w.user_id and o.status = 'asked'
    ) {_shown("written")}
""")  # noqa: S608

# What it contradicts goes, with all else that was asked about because of that; who knew that, and that it was pinned, stays as it was.
_CONFIRM = text(f"""
    with asked as (
        select m.* from memories m where {THIS} and m.status = 'asked' for update
    ), holds as (
        select r.id, r.character_id, r.is_pinned from asked a join memories r on r.id = a.successor_id
        where r.status = 'active' and {MINE.format("r")} for update of r
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
        return bool((await self.connection.execute(FORGET, values)).scalar_one())

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
        return bool((await self.connection.execute(DISMISS, values)).scalar_one())

    async def forget_everything(self, user_id: UUID) -> int:
        """Two statements: the second one sees what was being written when the first one began to wait for it."""
        await self.connection.execute(HOLD_EVERYTHING, {"user_id": user_id})
        return int((await self.connection.execute(FORGET_EVERYTHING, {"user_id": user_id})).scalar_one())

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

"""What becomes of memories when what brought or settled them is taken back: parts of the statements that undo, correct and forget."""

from sqlalchemy import text


def heirs(gone: str, statuses: str) -> str:
    """Of what the memories of `gone (id)` replaced, or were asked about with, one holds again; the rest is beside that one as it was."""
    return f"""heirs as (
        select p.id, first_value(p.id) over places as first, first_value(p.character_id) over places as owner
        from memories p join {gone} g on p.successor_id = g.id
        where p.status in ({statuses}) and p.id not in (select id from {gone})
        window places as (partition by g.id order by p.status = 'asked', coalesce(p.updated_at, p.created_at), p.id)
    ), judged as (
        select p.id, h.first, h.id = h.first or (p.status = 'asked' and coalesce(h.owner <> p.character_id, h.owner is not null)) as holds
        from heirs h join memories p on p.id = h.id
    ), inherited as (
        update memories p set status = case when j.holds then 'active' else p.status end, updated_at = now(),
            successor_id = case when j.holds then null else j.first end
        from judged j where p.id = j.id
    )"""  # noqa: S608 - made of our own parts only


# What another message has said again in the same words stays: it comes from that one now. Where one that was replaced itself goes, what it
# had replaced is replaced by the next in the row. What the message had settled by saying it again (`memory_sayings.was`) is asked again, if
# what it had made hold still holds. No row is written twice: what is written for another reason keeps its source.
RETRACT = f"""
    said_elsewhere as (
        select x.id, min(y.message_id) as message_id from taken_back s join memories x on x.source_message_id = s.id
             join memory_sayings y on y.memory_id = x.id and y.is_said and y.message_id not in (select id from taken_back)
        group by x.id
    ), retracted as (
        delete from memories x using taken_back s where x.source_message_id = s.id and x.status <> 'forgotten' and x.confidence < 1
            and x.id not in (select id from said_elsewhere)
        returning x.id, x.status, x.successor_id
    ), vacant as (
        select id from retracted where status <> 'replaced'
    ), moved_up as (
        update memories p set successor_id = g.successor_id from retracted g
        where g.status = 'replaced' and p.successor_id = g.id and p.id not in (select id from retracted)
    ), {heirs("vacant", "'replaced', 'asked'")}, unsaid as (
        delete from memory_sayings y using taken_back s where y.message_id = s.id returning y.memory_id, y.is_said, y.was, y.was_of
    ), settled as (
        select m.id, m.status, m.successor_id, m.is_pinned, y.is_said, y.was, y.was_of from unsaid y join memories m on m.id = y.memory_id
        where y.was is not null and m.id not in (select id from retracted) and m.id not in (select id from said_elsewhere)
    ), turned as (
        select w.id as winner, o.id as old, w.was_of, o.is_pinned from settled o join settled w on w.id = o.successor_id
        where o.was = 'active' and o.status = 'replaced' and w.is_said and w.was = 'asked' and w.status = 'active'
    ), reopened (id, status, of, character_id, is_pinned) as (
        select m.id, 'active', cast(null as uuid), m.character_id, m.is_pinned from turned t join memories m on m.id = t.old
        union all
        select m.id, 'asked', t.old, t.was_of, m.is_pinned and not t.is_pinned from turned t join memories m on m.id = t.winner
        union all
        select m.id, 'asked', t.old, m.character_id, m.is_pinned from turned t join memories m on m.successor_id = t.winner
        where m.status = 'asked' and m.id not in (select id from retracted)
        union all
        select l.id, 'asked', l.successor_id, l.was_of, l.is_pinned from settled l join memories h on h.id = l.successor_id
        where not l.is_said and l.was = 'asked' and l.status = 'replaced' and h.id not in (select id from retracted)
          and (h.id in (select old from turned) or (h.status = 'active' and h.id not in (select winner from turned)))
    ), asked_again as (
        update memories m set status = r.status, successor_id = r.of, character_id = r.character_id, is_pinned = r.is_pinned,
            updated_at = now()
        from reopened r where m.id = r.id
    ), moved as (
        update memories m set source_message_id = e.message_id from said_elsewhere e
        where m.id = e.id and m.id not in (select id from reopened)
          and (m.successor_id is null or m.successor_id not in (select id from retracted))
    ), unfolded as (
        delete from summaries where dialog_id = cast(:dialog_id as uuid) and until_message_id >= (select min(id) from taken_back)
    )
"""  # noqa: S608
"""What the messages `taken_back (id)` of the dialog have brought goes, and what it replaced holds again; what the user confirmed or said
elsewhere too stays.
The summary that they went into is written anew."""

# Words that were corrected, undone or forgotten in the moment when a summary of them was committed: neither statement could see the other.
# The next reading looks once at a summary that is newer than the one before.
UNFOLD = text("""
    delete from summaries s using dialogs d left join memory_marks k on k.dialog_id = d.id
    where d.id = cast(:dialog_id as uuid) and s.dialog_id = d.id and s.created_at > coalesce(k.updated_at, '-infinity') and exists (
        select from messages m left join turns t on t.id = m.turn_id
             left join memories f on f.source_message_id = m.id and f.status = 'forgotten'
        where m.dialog_id = d.id and m.id between d.history_from and s.until_message_id
          and greatest(m.edited_at, t.undone_at, f.updated_at) > s.created_at - interval '10 seconds'
    )
""")

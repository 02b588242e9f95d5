"""Which dialogs are to be read next: found and written down in one statement, so that of two that ask at once one gets each dialog."""

from sqlalchemy import text

# Whether there is something new one look into an index tells. What goes on is left alone until it has some turns more, or rests. A dialog
# that has not got on since it was asked for waits twice as long each time, up to eight times, and behind all that were asked for less
# often; the bots take turns. So one whose money is spent, or whose dialogs nobody gets done, holds up neither others nor its own.
ASK_FOR = text("""
    with spoken as (
        select t.dialog_id, k.until_message_id as until, max(t.created_at) as at,
               count(*) filter (where t.created_at > coalesce(k.updated_at, '-infinity')) as unread
        from turns t left join memory_marks k on k.dialog_id = t.dialog_id
        where t.created_at > cast(:since as timestamptz) and t.status <> 'open' group by t.dialog_id, k.until_message_id
    ), known as (
        select s.*, r.asked_at, case when r.until_message_id = coalesce(s.until, 0) then r.times else 0 end as times
        from spoken s left join memory_requests r on r.dialog_id = s.dialog_id
        where s.at < case when s.until is null then cast(:new_before as timestamptz) else cast(:before as timestamptz) end
           or s.unread >= :turns
    ), waiting as (
        select dialog_id, at, coalesce(until, 0) as until, times from known
        where asked_at is null or asked_at <= cast(:now as timestamptz)
              - make_interval(secs => cast(:again as float8) * power(2, least(greatest(times, 1), 4) - 1))
    ), chosen as (
        select w.dialog_id, w.until, w.times, row_number() over (order by w.turn, w.times, w.at) as place from (
            select w.*, row_number() over (partition by d.telegram_bot_id order by w.times, w.at) as turn
            from waiting w join dialogs d on d.id = w.dialog_id
            cross join lateral (
                select m.id from messages m
                where (m.dialog_id, m.id) <= (w.dialog_id, 9223372036854775807) and (m.dialog_id, m.id) >= (w.dialog_id, 0)
                order by m.dialog_id desc, m.id desc limit 1
            ) newest
            where newest.id > w.until
        ) w
        order by place limit :most
    ), asked as (
        insert into memory_requests (dialog_id, until_message_id, asked_at, times)
        select dialog_id, until, cast(:now as timestamptz), times + 1 from chosen order by dialog_id
        on conflict (dialog_id) do update
            set until_message_id = excluded.until_message_id, asked_at = excluded.asked_at, times = excluded.times
            where memory_requests.asked_at <= excluded.asked_at - make_interval(secs => cast(:again as float8))
        returning dialog_id
    )
    select c.dialog_id from chosen c join asked a on a.dialog_id = c.dialog_id order by c.place
""")

GIVE_BACK = text("delete from memory_requests where dialog_id = any(cast(:ids as uuid[]))")

"""Dialogs: entering them, and changing what was said there. Each method is one statement, but for a fresh start."""

from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.database.memory_taken_back import RETRACT
from shared.database.turn_statements import LAST_TURN
from shared.domain.character import Character, CharacterNotFoundError
from shared.domain.dialog import DialogNotFoundError
from shared.domain.speaker import Place

_EDIT = text(f"""
    with words as (
        select m.id, m.turn_id, m.text, m.edited_at from messages m join turns t on t.id = m.turn_id
        where m.dialog_id = cast(:dialog_id as uuid) and m.source_id = cast(:source_id as text) and m.role = 'user' and t.undone_at is null
    ), changed as (
        update messages m set text = cast(:text as text), edited_at = now() from words w
        where m.id = w.id and m.text <> cast(:text as text)
        returning m.id
    ), taken_back as (select id from changed), {RETRACT}
    select w.turn_id, coalesce((select turn_id from ({LAST_TURN}) l) = w.turn_id, false), coalesce((
        select array_agg(o.telegram_message_id order by o.step)
        from turns t join dialogs d on d.id = t.dialog_id
             join outbox o on o.telegram_bot_id = d.telegram_bot_id and o.telegram_update_id = t.telegram_update_id
        where (t.id = w.turn_id or t.of_turn_id = w.turn_id) and o.telegram_message_id is not null
          and o.method in ('sendMessage', 'editMessageText')
        group by t.id order by t.id desc limit 1
    ), '{{}}')
    from words w
    where exists (select from changed) or (w.text = cast(:text as text) and w.edited_at is not null and not exists (
        select from messages r where r.turn_id = w.turn_id and r.role = 'assistant' and r.created_at > w.edited_at
    ))
""")  # noqa: S608 - made of our own parts only

_CHOOSE = text("""
    with alternatives as (
        select m.id, m.text, m.is_active, row_number() over (order by m.id) as number, count(*) over () as count
        from messages m join turns t on t.id = m.turn_id
        where t.dialog_id = cast(:dialog_id as uuid) and t.id = :turn_id and t.undone_at is null and m.role = 'assistant'
    ), shown as (
        select coalesce(cast(:shown as bigint), (select number from alternatives where is_active), 1) + cast(:step as bigint) - 1 as place
    ), chosen as (
        select a.* from alternatives a, shown where a.number = ((shown.place % a.count) + a.count) % a.count + 1
    ), changed as (
        update messages m set is_active = (m.id = c.id) from chosen c
        where m.turn_id = :turn_id and m.role = 'assistant' and m.is_active <> (m.id = c.id)
    )
    select text, number, count from chosen
""")

_UNDO = text(f"""
    with before as (
        select id from turns where dialog_id = cast(:dialog_id as uuid) and undone_by = cast(:source_id as text)
    ), undone as (
        update turns t set undone_at = now(), undone_by = cast(:source_id as text) from ({LAST_TURN}) l
        where t.id = l.turn_id and not exists (select from before)
        returning t.id
    ), taken_back as (
        select m.id from messages m join undone u on m.turn_id = u.id where m.role = 'user'
    ), {RETRACT}
    select u.id,
           array(select distinct o.telegram_message_id from turns t
                 join outbox o on o.telegram_bot_id = d.telegram_bot_id and o.telegram_update_id = t.telegram_update_id
                 where (t.id = u.id or t.of_turn_id = u.id) and o.telegram_message_id is not null order by 1),
           array(select source_id from messages where turn_id = u.id and role = 'user' and source_id is not null order by id)
    from (select id from before union all select id from undone) u, dialogs d where d.id = cast(:dialog_id as uuid)
""")  # noqa: S608 - made of our own parts only

# A summary that is just being written holds the dialog: waited for in a statement of its own, it is seen by the next one, and goes.
_HOLD = text("select 1 from dialogs where id = cast(:dialog_id as uuid) for no key update")

_START_OVER = text("""
    with greeted as (
        insert into messages (dialog_id, role, text)
        select d.id, 'assistant', coalesce(c.greeting ->> cast(:language as text), c.greeting ->> 'en', '')
        from dialogs d join characters c on c.id = d.character_id where d.id = cast(:dialog_id as uuid)
        returning id, text
    ), moved as (
        update dialogs d set history_from = g.id from greeted g where d.id = cast(:dialog_id as uuid)
    ), forgotten as (
        delete from summaries where dialog_id = cast(:dialog_id as uuid)
    )
    select text from greeted
""")

_ENTER = text("""
    with entered as (
        insert into dialogs (id, telegram_bot_id, telegram_chat_id, telegram_thread_id, user_id, character_id, entered_at)
        select gen_random_uuid(), :bot_id, :chat_id, :thread_id, :user_id, id, clock_timestamp()
        from characters where id = :character_id
        on conflict (telegram_bot_id, telegram_chat_id, telegram_thread_id, character_id) do update set entered_at = excluded.entered_at
        returning id, character_id, xmax = 0 as is_new
    ), greeted as (
        insert into messages (dialog_id, role, text)
        select e.id, 'assistant', coalesce(c.greeting ->> cast(:language as text), c.greeting ->> 'en', '')
        from entered e join characters c on c.id = e.character_id where e.is_new
    )
    select c.id, c.slug, c.name, c.emoji, c.tagline, c.description, c.greeting, c.system_prompt, c.settings, c.position, c.is_default,
           e.is_new
    from entered e join characters c on c.id = e.character_id
""")


class DialogRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def edit(self, dialog_id: UUID, source_id: str, text: str) -> tuple[int, bool, list[int]] | None:
        """The turn whose words were changed, whether it is the last one, and Telegram's ids of the messages that show its newest reply;
        also when the words were changed before and not answered since."""
        values = {"dialog_id": dialog_id, "source_id": source_id, "text": text}
        row = (await self.connection.execute(_EDIT, values)).first()
        return None if row is None else (row[0], row[1], row[2])

    async def choose(self, dialog_id: UUID, turn_id: int, step: int, shown: int | None) -> tuple[str, int, int] | None:
        """Text, number and count of the reply that is chosen, going round; none when the dialog has no such turn with a reply."""
        values = {"dialog_id": dialog_id, "turn_id": turn_id, "step": step, "shown": shown}
        row = (await self.connection.execute(_CHOOSE, values)).first()
        return None if row is None else (row[0], row[1], row[2])

    async def undo(self, dialog_id: UUID, source_id: str) -> tuple[int, list[int], list[str]] | None:
        """The last turn, no part of the history any more; Telegram's ids of the messages that showed it, source ids of its words."""
        row = (await self.connection.execute(_UNDO, {"dialog_id": dialog_id, "source_id": source_id})).first()
        return None if row is None else (row[0], row[1], row[2])

    async def start_over(self, dialog_id: UUID, language: str) -> str:
        """Nothing said so far counts any more, nor a summary that is being written; two statements, in a transaction. Answers the greeting
        that the history begins with. Raises `DialogNotFoundError`.
        """
        await self.connection.execute(_HOLD, {"dialog_id": dialog_id})
        greeting = (await self.connection.execute(_START_OVER, {"dialog_id": dialog_id, "language": language})).scalar()
        if greeting is None:
            raise DialogNotFoundError("no dialog with this id")
        return str(greeting)

    async def enter(self, place: Place, user_id: UUID, character_id: UUID, language: str) -> tuple[Character, bool]:
        """Makes the dialog with this character the place's current one; True when it is new, and the greeting is its first message.

        Raises `CharacterNotFoundError`.
        """
        values = {
            "bot_id": place.bot_id,
            "chat_id": place.chat_id,
            "thread_id": place.thread_id,
            "user_id": user_id,
            "character_id": character_id,
            "language": language,
        }
        row = (await self.connection.execute(_ENTER, values)).mappings().first()
        if row is None:
            raise CharacterNotFoundError("no character with this id")
        columns = dict(row)
        is_new = columns.pop("is_new")
        return Character(**columns), is_new

    async def greet(self, dialog_id: UUID, greeting: str) -> None:
        """Keeps the greeting as the dialog's first message, so that the character remembers having said it."""
        statement = text("""
            insert into messages (dialog_id, role, text)
            select cast(:dialog_id as uuid), 'assistant', cast(:greeting as text)
            where not exists (select from messages where dialog_id = cast(:dialog_id as uuid))
        """)
        await self.connection.execute(statement, {"dialog_id": dialog_id, "greeting": greeting})

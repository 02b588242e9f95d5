"""Dialogs and their turns: the hot path of a chat. Each method is one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from shared.database.lines import Connection
from shared.domain.character import Character, CharacterNotFoundError
from shared.domain.dialog import DialogNotFoundError, TurnStatus
from shared.domain.inbox import Lease, Outgoing
from shared.domain.prompt import PromptMessage, Role
from shared.domain.speaker import Place

HISTORY_MESSAGES = 40
"""Read per turn; the prompt's token budget takes what fits of them."""

_ROLES = {role.value: role for role in Role}

# Its commit must wait for the disk: a turn's number that a crash of PostgreSQL forgets would be given to somebody else's turn.
_OPEN_TURN = text("""
    with known as (
        select id, status from turns where dialog_id = cast(:dialog_id as uuid) and source_id = cast(:source_id as text)
    ), paid as (
        insert into allowance_usages (user_id, day, used)
        select cast(:user_id as uuid), cast(:day as date), 1
        where not exists (select from known where status <> 'failed')
          and (cast(:limit as int) is null or cast(:limit as int) > 0)
          and exists (select from dialogs d, users u where d.id = cast(:dialog_id as uuid) and u.id = cast(:user_id as uuid))
        on conflict (user_id, day) do update set used = allowance_usages.used + 1
            where cast(:limit as int) is null or allowance_usages.used < cast(:limit as int)
        returning used
    ), opened as (
        insert into turns (dialog_id, user_id, source_id, status, allowance_day)
        select cast(:dialog_id as uuid), cast(:user_id as uuid), cast(:source_id as text), 'open', cast(:day as date) from paid
        on conflict (dialog_id, source_id) do update set status = 'open', error_code = null, allowance_day = excluded.allowance_day
            where turns.status = 'failed'
        returning id
    ), said as (
        insert into messages (dialog_id, turn_id, role, text)
        select cast(:dialog_id as uuid), opened.id, 'user', cast(:text as text) from opened where not exists (select from known)
    ), history as (
        select m.id, m.role, m.text from messages m left join turns t on t.id = m.turn_id
        where m.dialog_id = cast(:dialog_id as uuid)
          and (m.turn_id is null or m.turn_id is distinct from (select id from known))
          and t.status is distinct from 'failed'
        order by m.id desc limit cast(:history as int)
    )
    select (select id from known), (select status from known), (select id from opened), (select used from paid),
           c.name, c.system_prompt, c.settings, u.first_name,
           array(select role from history order by id), array(select text from history order by id)
    from dialogs d join characters c on c.id = d.character_id join users u on u.id = cast(:user_id as uuid)
    where d.id = cast(:dialog_id as uuid)
""")

_FINISH_TURN = text("""
    with finished as (
        update turns
        set status = cast(:status as text), model = :model, prompt_tokens = :prompt_tokens, completion_tokens = :completion_tokens,
            cost_micros = :cost_micros, first_piece_ms = :first_piece_ms, total_ms = :total_ms, error_code = :error_code,
            finished_at = now()
        where id = :turn_id and status = 'open'
          and (cast(:token as bigint) is null
               or exists (select from lanes where telegram_bot_id = cast(:bot_id as bigint)
                          and lane = cast(:lane as text) and token = cast(:token as bigint)))
        returning id, dialog_id, user_id, allowance_day
    ), said as (
        insert into messages (dialog_id, turn_id, role, text)
        select dialog_id, id, 'assistant', cast(:reply as text) from finished where cast(:reply as text) <> ''
    ), given_back as (
        update allowance_usages a set used = a.used - 1 from finished f
        where cast(:status as text) = 'failed' and a.user_id = f.user_id and a.day = f.allowance_day and a.used > 0
    ), posted as (
        insert into outbox (telegram_bot_id, telegram_update_id, step, method, params)
        select cast(:bot_id as bigint), cast(:update_id as bigint), p.step, p.method, cast(p.params as jsonb)
        from finished, unnest(cast(:methods as text[]), cast(:params as text[])) with ordinality as p (method, params, step)
    )
    select count(*) from finished
""")

_EDIT = text("""
    update messages m set text = cast(:text as text), edited_at = now() from turns t
    where t.dialog_id = :dialog_id and t.source_id = :source_id and m.turn_id = t.id and m.role = 'user' and m.text <> cast(:text as text)
    returning m.id
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTurn:
    """`turn_id` is none when the allowance is spent. A known turn that is not open any more needs no answer."""

    turn_id: int | None
    status: TurnStatus
    character_name: str
    system_prompt: str
    settings: dict[str, Any]
    user_name: str
    history: list[PromptMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTurn:
    turn_id: int
    status: TurnStatus
    reply: str
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_micros: int | None = None
    first_piece_ms: int | None = None
    total_ms: int | None = None
    error_code: str | None = None


class DialogRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def open_turn(
        self, *, dialog_id: UUID, user_id: UUID, source_id: str, said: str, day: date, daily_turns: int | None
    ) -> OpenedTurn:
        """Takes one from the allowance, saves what was said, reads what the model needs. A turn that is known already costs nothing.

        Raises `DialogNotFoundError`.
        """
        values = {
            "dialog_id": dialog_id,
            "user_id": user_id,
            "source_id": source_id,
            "text": said,
            "day": day,
            "limit": daily_turns,
            "history": HISTORY_MESSAGES,
        }
        row = (await self.connection.execute(_OPEN_TURN, values)).first()
        if row is None:
            raise DialogNotFoundError("no dialog with this id")
        known_id, known_status, opened_id, _used, name, system_prompt, settings, user_name, roles, texts = row
        reopened = opened_id is not None
        return OpenedTurn(
            turn_id=opened_id if reopened else (known_id if known_status != TurnStatus.FAILED else None),
            status=TurnStatus.OPEN if reopened or known_status is None else TurnStatus(known_status),
            character_name=name,
            system_prompt=system_prompt,
            settings=settings,
            user_name=user_name,
            history=[PromptMessage(_ROLES[role], said) for role, said in zip(roles, texts, strict=True)],
        )

    async def finish_turn(self, turn: FinishedTurn, lease: Lease | None, outgoing: Sequence[Outgoing]) -> bool:
        """Ends an open turn and puts its reply in the outbox; a failed one is given back. False when it was not ours to end any more."""
        values = {
            "turn_id": turn.turn_id,
            "status": turn.status,
            "reply": turn.reply,
            "model": turn.model,
            "prompt_tokens": turn.prompt_tokens,
            "completion_tokens": turn.completion_tokens,
            "cost_micros": turn.cost_micros,
            "first_piece_ms": turn.first_piece_ms,
            "total_ms": turn.total_ms,
            "error_code": turn.error_code,
            "bot_id": lease.bot_id if lease else None,
            "lane": lease.lane if lease else None,
            "token": lease.token if lease else None,
            "update_id": lease.update_id if lease else None,
            "methods": [call.method for call in outgoing],
            "params": [orjson.dumps(call.params).decode() for call in outgoing],
        }
        return bool((await self.connection.execute(_FINISH_TURN, values)).scalar_one())

    async def edit_message(self, *, dialog_id: UUID, source_id: str, text: str) -> bool:
        """True when a message of the user was changed."""
        found = await self.connection.execute(_EDIT, {"dialog_id": dialog_id, "source_id": source_id, "text": text})
        return found.first() is not None

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

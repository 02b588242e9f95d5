"""With thousands of rows nothing that happens on every message reads a whole table."""

import asyncio

from shared.application.chat import Said
from tests.factories import BOT_ID, House, make_character, make_person, make_place, make_update, open_house

FILL = """
insert into users (id, telegram_user_id, first_name, language, language_is_chosen)
    select gen_random_uuid(), n, 'Kim', 'en', false from generate_series(1, 4000) n;
insert into subscriptions (id, user_id, plan_code, starts_at) select gen_random_uuid(), id, 'free', now() - interval '1 day' from users;
insert into dialogs (id, telegram_bot_id, telegram_chat_id, telegram_thread_id, user_id, character_id, entered_at)
    select gen_random_uuid(), 123456, u.telegram_user_id, 0, u.id, c.id, now() from users u, characters c where c.is_default;
insert into turns (dialog_id, user_id, source_id, status, allowance_day, created_at)
    select d.id, d.user_id, n::text, 'finished', current_date, now() - n * interval '1 hour' from dialogs d, generate_series(1, 3) n;
insert into messages (dialog_id, turn_id, role, text, created_at)
    select t.dialog_id, t.id, r, 'Hello', t.created_at from turns t, unnest(array['user', 'assistant']) r;
insert into allowance_usages (user_id, day, used) select id, current_date, 3 from users;
insert into lanes (telegram_bot_id, lane, is_priority, arrivals, handled, attempts, failures, token)
    select 123456, 'chat:' || telegram_user_id, false, 3, 3, 0, 0, 0 from users;
insert into stored_updates (telegram_bot_id, telegram_update_id, lane, kind, body, status, handled_at, received_at)
    select 123456, n, 'chat:' || (n % 4000 + 1), 'message', '{}', 'handled', now(), now() - n * interval '1 minute'
    from generate_series(1, 12000) n;
insert into outbox (telegram_bot_id, telegram_update_id, step, method, params, status)
    select 123456, n, 1, 'sendMessage', '{"chat_id": 1, "text": "Hello"}', 'sent' from generate_series(1, 12000) n;
"""
BIG = ("users", "subscriptions", "dialogs", "turns", "messages", "allowance_usages", "lanes", "stored_updates", "outbox")


OTHERS = "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"


async def full_reads(url: str) -> dict[str, int]:
    """How often each big table was read from end to end; a connection has reported all of its reads when it is gone."""
    async with open_house(url) as house, asyncio.timeout(5):
        while await house.rows(OTHERS):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.01)
        rows = await house.rows("select relname::text, seq_scan::int from pg_stat_user_tables where relname = any(:big)", big=list(BIG))
        return {str(table): int(scans) for table, scans in rows}


async def talk(house: House, fox_id: object) -> None:
    for person in (77, 4321, 99_999):
        speaker = await house.accounts.recognise(make_person(telegram_user_id=person), make_place(chat_id=person))
        [_ async for _ in house.chat.reply(speaker, [Said("900", "Hi")])]
        [_ async for _ in house.chat.reply(speaker, [Said("900", "Hi")])]
        await house.chat.edit(speaker, "900", "Hello")
        [(turn_id,)] = await house.rows("select max(id)::int from turns where dialog_id = :id", id=speaker.dialog_id)
        [_ async for _ in house.chat.regenerate(speaker, turn_id, source_id="again")]
        await house.chat.choose(speaker, turn_id, 1)
        [_ async for _ in house.chat.go_on(speaker, turn_id, source_id="on")]
        await house.chat.undo(speaker, source_id="undo")
        await house.chat.start_over(speaker)
        await house.accounts.allowance(speaker)
        await house.accounts.choose_language(speaker.user_id, "ru")
        await house.characters.enter(speaker, fox_id)  # type: ignore[arg-type]
        await house.characters.greeting(speaker)
        await house.accounts.mark_blocked(person, blocked=True)


async def take_in(house: House) -> None:
    await house.inbox.receive(BOT_ID, [make_update(50_000 + number, user=number % 7 + 1) for number in range(20)], notice="test")
    while leases := await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5):
        await house.inbox.extend(BOT_ID, leases)
        for lease in leases:
            await house.inbox.post(lease, [])
            await house.inbox.parcels(lease)
        await house.inbox.consumers()
        await house.inbox.depth()
        await house.inbox.bury(1)
        await house.rows(
            "update lanes set due_at = null where telegram_bot_id = 123456 and lane = any(:lanes)", lanes=[x.lane for x in leases]
        )


async def test_nothing_on_the_way_of_a_message_reads_a_whole_table(database_url: str) -> None:
    fox = make_character()
    async with open_house(database_url) as house:
        await house.add(fox)
        for statement in FILL.strip().split(";\n"):
            await house.rows(statement.rstrip(";"))
        await house.rows("analyze")
    before = await full_reads(database_url)
    assert set(before) == set(BIG)

    async with open_house(database_url) as house:
        await talk(house, fox.id)
        await take_in(house)
    assert await full_reads(database_url) == before


BUSY = """
insert into turns (dialog_id, user_id, source_id, status, allowance_day)
    select d.id, d.user_id, 'busy' || n, 'finished', current_date from dialogs d, generate_series(1, 6000) n
    where d.telegram_chat_id = 78;
insert into messages (dialog_id, turn_id, role, text)
    select t.dialog_id, t.id, r, 'Hello' from turns t, unnest(array['user', 'assistant']) r;
analyze;
"""
READ = "select idx_tup_read::int from pg_stat_user_indexes where indexrelname = 'pk_messages'"


async def test_a_silent_dialog_beside_a_busy_one_is_not_looked_for_among_everybodys_messages(database_url: str) -> None:
    async with open_house(database_url) as house:
        silent = await house.accounts.recognise(make_person(telegram_user_id=77), make_place(chat_id=77))
        await house.accounts.recognise(make_person(telegram_user_id=78), make_place(chat_id=78))
        for statement in BUSY.strip().split(";\n"):
            await house.rows(statement)
    async with open_house(database_url) as house, asyncio.timeout(5):
        while await house.rows(OTHERS):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.01)
        [(before,)] = await house.rows(READ)
    async with open_house(database_url) as house:
        for number in range(8):
            assert [_ async for _ in house.chat.reply(silent, [Said(str(number), f"What about {number}?")])]
    async with open_house(database_url) as house, asyncio.timeout(5):
        while await house.rows(OTHERS):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.01)
        [(after,)] = await house.rows(READ)
    assert after - before < 1000

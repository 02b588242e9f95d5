"""What an operator is afraid of: a lost disk, a backup that is none, an update in the middle of the evening."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.compose.smoke.load import Load
from scripts.compose.smoke.report import Report, expect, until
from scripts.compose.smoke.stage import Stage
from scripts.compose.smoke.using import PERSON, ask_and_wait, conversation, say, texts_from_bot

BACKUP = "backups/drill"
TABLES = ("users", "dialogs", "turns", "messages", "stored_updates", "operators")
FILE = "drill/picture.png"
STORE = """
import asyncio
from shared.adapters.storage import open_store
from shared.settings import load_settings
async def main():
    store = open_store(load_settings("command"))
    {what}
    await store.aclose()
asyncio.run(main())
"""
PUT = STORE.format(what=f'await store.put("{FILE}", bytes(range(256)) * 400, "image/png")')
GET = STORE.format(what=f'content, kind = await store.take("{FILE}"); print(content == bytes(range(256)) * 400, kind)')
LEASED_BY_A_DEAD_PROCESS = "update lanes set leased_by = 7, due_at = now() + interval '1 hour', token = nextval('lane_tokens')"
RIGHTS = """
select tableowner, has_table_privilege('vitte_app', 'messages', 'insert'), has_sequence_privilege('vitte_app', 'lane_tokens', 'usage')
from pg_tables where tablename = 'messages'
"""
NEWEST_TURN = f"""
select t.id, dialog_id, status from turns t join users u on u.id = t.user_id where telegram_user_id = {PERSON} order by t.id desc limit 1
"""  # noqa: S608 - a number of ours
BROKEN = '\nraise SystemExit("vitte: broken on purpose")\n'


def fingerprints(stage: Stage) -> dict[str, str]:
    """Count and hash of all rows, by table."""
    asked = "select count(*), md5(string_agg(t::text, chr(10) order by t::text)) from {} t"
    return {table: stage.sql(asked.format(table)) for table in TABLES}


def refusal(stage: Stage, *command: str) -> str:
    """The one line with which a command of make ends badly."""
    ran = stage.make(*command)
    said = [line for line in ran.stderr.splitlines() if not line.startswith("make")]
    expect(ran.returncode != 0 and len(said) == 1, f"{command}: {ran.returncode} {ran.stdout[-300:]} {said}")
    return said[0]


def saved(stage: Stage) -> str:
    """While a lane is held by a process that will be gone, and there is a file."""
    stage.python("worker", PUT)
    stage.compose.ask("stop", "bot")
    stage.sql(LEASED_BY_A_DEAD_PROCESS)
    ran = stage.make("backup", f"to={BACKUP}")
    expect(ran.returncode == 0, ran.stderr)
    folder = stage.root / BACKUP
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    expect(modes == {"database.dump": "0o600", "objects.tar": "0o600", "manifest.json": "0o600"}, modes)
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rows = {table: int(stage.sql(f"select count(*) from {table}")) for table in TABLES}  # noqa: S608 - our own names
    expect(told["objects"] == 1 and rows.items() <= told["rows"].items(), told)
    return ran.stdout.splitlines()[0]


def wiped_and_restored(stage: Stage) -> str:
    before, last = fingerprints(stage), _newest_turn(stage)
    ran = stage.compose.run("--profile", "*", "down", "--volumes", "--timeout", "10")
    expect(ran.returncode == 0, ran.stderr[-300:])
    ran = stage.make("restore", f"from={BACKUP}")
    expect(ran.returncode == 0 and "restored and ready" in ran.stdout, (ran.stdout + ran.stderr)[-1500:])
    after = fingerprints(stage)
    expect(after == before, [table for table in TABLES if after[table] != before[table]])
    expect(stage.python("worker", GET) == "True image/png", "the file is not what it was")
    expect(stage.sql(RIGHTS) == "vitte|t|t", f"owner or rights: {stage.sql(RIGHTS)}")
    stage.sandbox("/sim/users", {"id": PERSON, "first_name": "Ann", "language_code": "en"})
    say(stage, "Where were we?")
    until(lambda: bool(texts_from_bot(stage)), 30, "the bot answered after the restore")
    until(lambda: _newest_turn(stage)[1:] == (last[1], "finished"), 10, "the turn was finished in the same dialog")
    expect(_newest_turn(stage)[0] > last[0], "turns are numbered from the beginning")
    return next(line for line in ran.stdout.splitlines() if line.startswith("restored"))


def _newest_turn(stage: Stage) -> tuple[int, str, str]:
    number, dialog, status = stage.sql(NEWEST_TURN).split("|")
    return int(number), dialog, status


def damaged(stage: Stage) -> str:
    """One byte of the dump is another one."""
    before = fingerprints(stage)
    copy = stage.root / "backups" / "damaged"
    shutil.copytree(stage.root / BACKUP, copy)
    content = bytearray((copy / "database.dump").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "database.dump").write_bytes(content)
    told = refusal(stage, "restore", "from=backups/damaged", "replace=yes")
    shutil.rmtree(copy)
    expect("database.dump is not as it was written" in told and told.endswith("nothing was changed"), told)
    expect(fingerprints(stage) == before, "rows have changed")
    return told


def not_over_data(stage: Stage) -> str:
    before = fingerprints(stage)
    told = refusal(stage, "restore", f"from={BACKUP}")
    expect("holds data" in told and told.endswith("nothing was changed"), told)
    expect(fingerprints(stage) == before, "rows have changed")
    ask_and_wait(stage, "Are you still there?")
    return told


def check_drill(report: Report, stage: Stage) -> None:
    if report.check("make backup while a lane is held by a process that will be gone", lambda: saved(stage)):
        report.check("volumes wiped, make restore: the conversation goes on where it stopped", lambda: wiped_and_restored(stage))
        report.check("a damaged backup is refused", lambda: damaged(stage))
        report.check("restore over data is refused", lambda: not_over_data(stage))


def replaced(stage: Stage) -> str:
    """What came after the backup is gone, files too."""
    ask_and_wait(stage, "This will be forgotten.")
    stage.python("worker", PUT.replace(FILE, "drill/later.png"))
    ran = stage.make("restore", f"from={BACKUP}", "replace=yes")
    expect(ran.returncode == 0, (ran.stdout + ran.stderr)[-1500:])
    told = json.loads((stage.root / BACKUP / "manifest.json").read_text(encoding="utf-8"))["rows"]
    expect(int(stage.sql("select count(*) from messages")) == told["messages"], "messages of after the backup are left")
    expect(stage.python("worker", STORE.format(what="print(sorted(await store.sizes()))")) == f"['{FILE}']", "files are left")
    ask_and_wait(stage, "And now?")
    return f"{told['messages']} messages again"


@contextmanager
def _changed(path: Path, more: str) -> Iterator[None]:
    text = path.read_text(encoding="utf-8")
    path.write_text(text + more, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def updated(stage: Stage, load: Load) -> str:
    """Two bots, of a new version, while thirty people write."""
    ran = stage.make("up", environment={"BOT_REPLICAS": "2"})
    expect(ran.returncode == 0, ran.stderr[-300:])
    before = {container["Id"]: container["Image"] for container in stage.inspect("bot")}
    with _changed(stage.root / "services" / "bot" / "commands.py", "\n"), load.running():
        time.sleep(2)
        ran = stage.make("update", "s=bot")
        time.sleep(3)
    expect(ran.returncode == 0, (ran.stdout + ran.stderr)[-800:])
    after = {container["Id"]: container["Image"] for container in stage.inspect("bot")}
    expect(len(after) == 2 and not after.keys() & before.keys(), f"{len(after)} bots, {len(after.keys() & before.keys())} of them old")
    expect(not set(after.values()) & set(before.values()), "the new bots have the old image")
    return f"{ran.stdout.splitlines()[-1]}; {load.judge(doubles_allowed=False)}"


def all_updated(stage: Stage, load: Load) -> str:
    """The code goes back to what it was, so the bot is another again; a limit of nginx is another, too."""
    with load.running():
        ran = stage.make("update", environment={"RATE_ADMIN": "29r/s"})
        time.sleep(3)
    expect(ran.returncode == 0 and "nginx" in ran.stdout.splitlines()[-1], (ran.stdout + ran.stderr)[-800:])
    told = ran.stdout.splitlines()[-1]
    again = stage.make("update", environment={"RATE_ADMIN": "29r/s"})
    expect(again.returncode == 0 and "Nothing to do" in again.stdout, (again.stdout + again.stderr)[-500:])
    ids = set(stage.compose.ask("ps", "-q").split())
    ran = stage.make("up", environment={"RATE_ADMIN": "29r/s", "BOT_REPLICAS": "2"})
    kept = ids & set(stage.compose.ask("ps", "-q").split())
    expect(ran.returncode == 0 and kept == ids, f"make up replaced {len(ids - kept)} containers once more")
    return f"{told}; {load.judge(doubles_allowed=False)}"


def broken_update(stage: Stage) -> str:
    before = sorted(container["Id"] for container in stage.inspect("bot"))
    with _changed(stage.root / "services" / "bot" / "commands.py", BROKEN):
        told = refusal(stage, "update", "s=bot")
    expect("did not become healthy: broken on purpose" in told and "the old one runs on" in told, told)
    expect(sorted(container["Id"] for container in stage.inspect("bot")) == before, "the old bots are gone")
    ask_and_wait(stage, "Did you notice?")
    return told


def check_operations(report: Report, stage: Stage) -> None:
    if not report.check("a conversation", lambda: conversation(stage)):
        return
    check_drill(report, stage)
    report.check("restore with replace=yes: what came later is gone", lambda: replaced(stage))
    load = Load(stage)
    load.prepare()
    report.check("make update s=bot under load: nothing lost, nothing doubled", lambda: updated(stage, load))
    report.check("make update under load: nginx too; then nothing is left to do", lambda: all_updated(stage, load))
    report.check("a version that does not start: the old one runs on", lambda: broken_update(stage))

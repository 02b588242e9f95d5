"""What a person, an operator and an SRE do with it, through the one door."""

import json
import re
import time
import urllib.parse

from scripts.compose.smoke.report import Report, expect, until
from scripts.compose.smoke.stage import SANDBOX, Stage
from scripts.compose.up import OPERATOR

PERSON = 1000001
SEE_OTHER = 303
JOBS = {"bot", "api", "admin", "worker", "nginx", "postgres", "redis", "node", "prometheus", "alertmanager", "grafana"}
TARGETS = """
import urllib.request
print(urllib.request.urlopen("http://prometheus:9090/api/v1/targets?state=active", timeout=5).read().decode())
"""


JOBS_NOW = """
import os
from shared.adapters.celery_jobs import celery_app
app = celery_app(os.environ["REDIS_URL"].removesuffix("/0") + "/1")
for name in ("cleanup_old_messages", "resend_pending"):
    app.send_task(name, queue="upkeep")
"""
SECONDS_TO_FILL = 120
EMPTY_WHEN_WELL = {"Firing alerts"}


def say(stage: Stage, text: str, person: int = PERSON) -> int:
    sent = stage.sandbox("/sim/send", {"bot_id": stage.bot_id(), "chat_id": person, "user_id": person, "text": text})
    return int(sent["update_id"])


def texts_from_bot(stage: Stage, person: int = PERSON) -> list[str]:
    seen = stage.sandbox(f"/sim/chats/{person}/transcript", bot_id=stage.bot_id())
    return [message.get("text", "") for message in seen["messages"] if message["from"]["is_bot"]]


def ask_and_wait(stage: Stage, text: str) -> None:
    before = len(texts_from_bot(stage))
    say(stage, text)
    until(lambda: len(texts_from_bot(stage)) > before, 20, f"an answer to {text!r} came")


def conversation(stage: Stage) -> str:
    """Sandbox → nginx → webhook → bot → the sandbox's model → sandbox."""
    stage.sandbox("/sim/users", {"id": PERSON, "first_name": "Ann", "language_code": "en"})
    say(stage, "/start")
    until(lambda: len(texts_from_bot(stage)) >= 2, 20, "the bot greeted")
    for number in range(3):
        ask_and_wait(stage, f"Tell me something, please: {number}")
    info = stage.sandbox("/sim/calls", bot_id=stage.bot_id(), method="setWebhook")
    expect(info and info[-1]["params"]["url"].startswith("http://nginx/telegram/webhook/"), info[-1:])
    arrived = [row for row in stage.sandbox("/sim/updates", bot_id=stage.bot_id()) if row["acknowledged_at"] is None]
    expect(not arrived, f"{len(arrived)} updates were not taken")
    log = stage.compose.ask("logs", "--no-log-prefix", "nginx")
    expect(f'"path":"/telegram/webhook/{stage.bot_id()}","status":"200"' in log, "nginx noted no webhook call")
    return repr(texts_from_bot(stage)[-1][:60])


def signed_in(stage: Stage) -> None:
    form = stage.http("GET", "/admin/login")
    cookies = [value.partition(";")[0] for value in form.headers.get_all("Set-Cookie") or []]
    csrf = re.search(r'name="csrf" value="([^"]+)"', form.body)
    expect(form.status == 200 and csrf and cookies, f"{form.status} {form.body[:200]}")
    fields = {"login": OPERATOR, "password": stage.settings()["OPERATOR_PASSWORD"], "csrf": csrf[1] if csrf else "", "next": ""}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": f"http://127.0.0.1:{stage.http_port}",
        "Sec-Fetch-Site": "same-origin",
        "Cookie": "; ".join(cookies),
    }
    wrong = stage.http(
        "POST", "/admin/login", body=urllib.parse.urlencode({**fields, "password": "wrong-wrong-wrong"}).encode(), headers=headers
    )
    expect(wrong.status == 403, f"a wrong password was answered {wrong.status}")
    entered = stage.http("POST", "/admin/login", body=urllib.parse.urlencode(fields).encode(), headers=headers)
    expect(entered.status == SEE_OTHER, f"{entered.status} {entered.body[:300]}")
    session = [value.partition(";")[0] for value in entered.headers.get_all("Set-Cookie") or []]
    page = stage.http("GET", "/admin/", headers={"Cookie": "; ".join([*cookies, *session])})
    expect(page.status == 200 and "/admin/logout" in page.body, f"{page.status} {page.body[:200]}")


def routes(stage: Stage) -> str:
    """The paths of the contract, and what must not be reachable from outside."""
    wanted = {
        "/api/v1/health": 200,
        "/api/v1/health/db": 200,
        "/api/v1/health/redis": 200,
        "/api/docs": 200,
        "/admin/health": 200,
        "/metrics": 404,
        "/api/metrics": 404,
        "/admin/metrics": 404,
        "/grafana/metrics": 404,
        "/health": 404,
    }
    found = {path: stage.http("GET", path).status for path in wanted}
    expect(found == wanted, {path: status for path, status in found.items() if wanted[path] != status})
    forged = stage.http("POST", f"/telegram/webhook/{stage.bot_id()}", body=b"{}", headers={"X-Telegram-Bot-Api-Secret-Token": "wrong"})
    expect(forged.status == 401, f"a forged update was answered {forged.status}")
    hidden = stage.http("GET", f"/bot{stage.settings()['DEMO_BOT_TOKEN']}/getMe", host=SANDBOX)
    expect(hidden.status == 404, f"the sandbox's Bot API answers outside: {hidden.status}")
    return f"{len(wanted) + 2} paths"


def targets_up(stage: Stage) -> str:
    found: dict[str, str] = {}

    def are_up() -> bool:
        active = json.loads(stage.python("worker", TARGETS))["data"]["activeTargets"]
        found.clear()
        found.update({f"{target['labels']['job']} {target['labels']['instance']}": target["health"] for target in active})
        return {name.split()[0] for name in found} >= JOBS and set(found.values()) == {"up"}

    until(are_up, 60, "every target was up", pause=2)
    return f"{len(found)} targets"


def live_a_little(stage: Stage) -> None:
    """Something of everything that is measured: a message, pages, jobs."""
    say(stage, "And what happened then?")
    for path in ("/api/v1/characters", "/api/docs", "/admin/login"):
        stage.http("GET", path)
    stage.python("worker", JOBS_NOW)


def dashboards_filled(stage: Stage) -> str:
    """Every panel's query returns data. Rates need two scrapes, so it takes a moment."""
    report = stage.grafana("/api/standin/report")
    if report.status == 404:
        return f"a real Grafana: {len(stage.grafana('/api/search').json())} dashboards are there, their queries were not run"
    expect(report.json()["ok"] and report.json()["dashboards"], report.json()["problems"])
    deadline = time.monotonic() + SECONDS_TO_FILL
    while True:
        live_a_little(stage)
        rows = [row for row in stage.grafana("/api/standin/queries").json()["queries"] if row["panel"] not in EMPTY_WHEN_WELL]
        empty = [f"{row['dashboard']}/{row['panel']}: {row.get('error') or row['expr']}" for row in rows if row["status"] != "ok"]
        if rows and not empty:
            return f"{len(report.json()['dashboards'])} dashboards, {len(rows)} queries"
        expect(time.monotonic() < deadline, f"{len(empty)} without data: {empty}")
        time.sleep(5)


def check_use(report: Report, stage: Stage) -> None:
    report.check("a conversation: sandbox → nginx → webhook → bot → model", lambda: conversation(stage))
    report.check("an operator signs in through nginx", lambda: signed_in(stage))
    report.check("the contract's paths, and no others", lambda: routes(stage))
    report.check("every Prometheus target is up", lambda: targets_up(stage))
    report.check("every dashboard query returns data", lambda: dashboards_filled(stage))

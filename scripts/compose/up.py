"""`make up`: looks first, builds, migrates, waits until all is healthy, and says where it is."""

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from scripts.compose.checking import check_compose, check_in_images, check_values, port
from scripts.compose.engine import ROOT, Compose, RefusedError, find_compose, last_line
from scripts.compose.installation import Values, prepare, values
from scripts.compose.prerequisites import check_disk, check_memory, check_ports, memory_bytes

OPERATOR = "operator"
PATIENCE_SECONDS = 300
SHOWN_LINES = 15
BEFORE_THE_REST = ("migrations", "bucket")
NOISE = ("(Background on this error", "[SQL:", "[parameters:", "During handling", "Traceback")


def say(line: str) -> None:
    print(line, flush=True)


def wanted_demo() -> bool | None:
    """DEMO=1 and DEMO=0 of the command; None when it says nothing."""
    given = os.environ.get("DEMO", "").strip().lower()
    return None if not given else given not in {"0", "no", "false", "off"}


def up() -> None:
    """Raises `RefusedError`: before anything starts for what is missing or wrong, else with the reason of what failed."""
    started = time.monotonic()
    compose, given = prepared()
    start(compose)
    create_operator(compose, given)
    say(f"ready ({time.monotonic() - started:.0f} s)")
    for line in addresses(given):
        say(line)


def prepared() -> tuple[Compose, Values]:
    """Machine and settings are in order and the images built; nothing was started. Raises `RefusedError`."""
    compose = find_compose()
    memory = memory_bytes()
    check_memory(memory)
    check_disk(ROOT)
    for done in prepare(ROOT, demo=wanted_demo(), memory=memory):
        say(done)
    given = values(ROOT)
    check_values(given, ROOT)
    check_compose(compose)
    check_ports(compose, given)
    build(compose)
    check_in_images(compose)
    return compose, given


def build(compose: Compose, *services: str) -> None:
    """Of these services, or of all."""
    say("Building the images …")
    ran = compose.run("build", "--quiet", *services, seconds=3600)
    if ran.returncode != 0:
        say(ran.stderr[-4000:].rstrip())
        raise RefusedError(f"building failed: {last_line(ran.stderr)}")


def start(compose: Compose) -> None:
    say("Starting: database, migrations, then the services …")
    ran = compose.run("up", "--detach", "--wait", "--wait-timeout", str(PATIENCE_SECONDS), "--no-build", "--remove-orphans")
    if ran.returncode != 0:
        raise RefusedError(why(compose, last_line(ran.stderr)))


def why(compose: Compose, said: str) -> str:
    """Shows the last words of the container that failed; answers the reason in one line."""
    failed = sorted((row for row in compose.containers() if _has_failed(row)), key=lambda row: row["Service"] not in BEFORE_THE_REST)
    if not failed:
        return said
    service = failed[0]["Service"]
    lines = compose.run("logs", "--no-log-prefix", "--no-color", "--tail", "60", service).stdout.replace("\x1b[2K", "").splitlines()
    for line in lines[-SHOWN_LINES:]:
        say(f"  {service} | {line}")
    outcome = f"failed with exit code {failed[0]['ExitCode']}" if failed[0]["State"] == "exited" else "did not become healthy"
    consequence = ", so nothing else was started" if service in BEFORE_THE_REST else ""
    return f"{service} {outcome}{consequence}: {reason(lines)}"


def _has_failed(row: Mapping[str, Any]) -> bool:
    if row["State"] == "exited":
        return bool(row["ExitCode"])
    return row["State"] == "restarting" or row.get("Health") == "unhealthy"


def reason(lines: list[str]) -> str:
    """The line that says most, of a traceback or of our own logs."""
    ours = [line.removeprefix("vitte: ") for line in lines if line.startswith("vitte: ")]
    if ours:
        return ours[-1]
    for line in reversed(lines):
        text = line.strip()
        if text.startswith("{"):
            entry = _parsed(text)
            if entry.get("level") in {"error", "critical", "warning"}:
                return f"{entry.get('event')} {last_line(str(entry.get('exception') or entry.get('error') or ''))}".strip()
        elif text and not text.startswith(NOISE) and not set(text) <= set("^~| +-"):
            return text
    return "it said nothing; see make logs"


def _parsed(text: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def create_operator(compose: Compose, given: Values) -> None:
    command = ("exec", "-T", "admin", "python", "-m", "scripts.create_operator", "--login", OPERATOR, "--password-stdin")
    ran = compose.run(*command, said=f"{given.get('OPERATOR_PASSWORD')}\n")
    if ran.returncode != 0:
        raise RefusedError(f"the first login was not made: {last_line(ran.stderr)}")


def addresses(given: Values) -> list[str]:
    base = base_address(given)
    rows = [("Admin", f"{base}/admin/", f"login {OPERATOR}, password OPERATOR_PASSWORD of .env")]
    if given.is_demo:
        rows.insert(0, ("Chat", f"{sandbox_address(given)}/", "the sandbox: write to the bot here"))
    rows += [("API", f"{base}/api/docs", "REST for integrations"), ("Health", f"{base}/api/v1/health", "")]
    if "monitoring" in given.profiles:
        rows.append(("Grafana", f"{base}/grafana/", "login admin, password GRAFANA_PASSWORD of .env"))
    width = max(len(address) for _, address, _ in rows)
    return ["", *(f"  {title:<8} {address:<{width}}  {note}".rstrip() for title, address, note in rows), ""]


def base_address(given: Values) -> str:
    name = given.get("SERVER_NAME", "_").split()[0]
    if given.get("TLS_MODE", "off") != "off":
        number = port(given, "HTTPS_PORT", 443)
        return f"https://{name}" + ("" if number == 443 else f":{number}")
    bind = given.get("PUBLIC_BIND", "127.0.0.1")
    host = "127.0.0.1" if bind in {"0.0.0.0", "127.0.0.1"} else bind  # noqa: S104 - compared, never bound
    return f"http://{host if name == '_' else name}" + _with_port(given)


def sandbox_address(given: Values) -> str:
    return f"http://{given.get('SANDBOX_NAME', 'sandbox.localhost')}{_with_port(given)}"


def _with_port(given: Values) -> str:
    number = port(given, "HTTP_PORT", 80)
    return "" if number == 80 else f":{number}"


def down() -> None:
    """Stops and removes all containers and networks of this installation, whatever its profiles; the data stays."""
    compose = find_compose(environment=without_demands())
    if compose.show("--profile", "*", "down", "--remove-orphans") != 0:
        raise RefusedError("not everything was stopped: see above")


def without_demands() -> dict[str, str]:
    """For commands that start nothing: what is missing in `.env` must not keep them from working."""
    given = values(ROOT)
    demanded = (ROOT / "docker-compose.yml").read_text(encoding="utf-8").split("${")[1:]
    names = {part.split(":?")[0] for part in demanded if ":?" in part.split("}")[0] and part.split(":?")[0].isidentifier()}
    return {name: "unset" for name in sorted(names | {"BOT_TOKEN", "LLM_STRONG"}) if not given.get(name)}

"""Settings that are missing or cannot be right, found before anything is built. The processes' own checks follow once there are images."""

import ipaddress
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from scripts.compose.engine import Compose, RefusedError, last_line
from scripts.compose.installation import GENERATED, Values

BOT_TOKEN = re.compile(r"\d{6,16}:[A-Za-z0-9_-]{30,}")
PASSWORD = re.compile(r"[A-Za-z0-9_-]{12,}")
MODEL = re.compile(r"[a-z0-9_-]+:\S+")
KEYS = {name: f"{name.upper()}_API_KEY" for name in ("openai", "gemini", "openrouter", "anthropic")}
PREFIX = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}")
PROCESSES = {"migrations": "migrations", "bot": "bot", "api": "api", "worker": "worker", "admin": "admin"}
DEMO_HINT = "or try `make up DEMO=1`, which needs none"


def port(values: Values, name: str, usual: int) -> int:
    given = values.get(name, str(usual))
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise RefusedError(f"{name} is {given!r} and should be a port number from 1 to 65535")
    return int(given)


def check_values(values: Values, root: Path) -> None:
    """Raises `RefusedError` for the first that is wrong, naming the variable."""
    for problem in _problems(values, root):
        raise RefusedError(problem)


def _problems(values: Values, root: Path) -> Iterator[str]:
    yield from _about_telegram(values)
    yield from _about_models(values)
    yield from _about_the_door(values, root)
    for name in GENERATED:
        if not PASSWORD.fullmatch(values.get(name)):
            yield f"{name} may hold only letters, digits, - and _, 12 or more: empty it in .env and `make up` makes a new one"


def _about_telegram(values: Values) -> Iterator[str]:
    if not values.get("DEMO_BOT_TOKEN"):
        token = values.real("BOT_TOKEN")
        if not token:
            yield f"BOT_TOKEN is missing: ask @BotFather for one and put it in .env, {DEMO_HINT}"
        elif not BOT_TOKEN.fullmatch(token):
            yield "BOT_TOKEN is not a Telegram bot token (digits, a colon, 35 characters): copy it again from @BotFather"
    mode = values.get("TELEGRAM_MODE", "polling")
    if mode not in {"polling", "webhook"}:
        yield f"TELEGRAM_MODE is polling or webhook, not {mode!r}"
    url = urlsplit(values.get("WEBHOOK_URL"))
    if mode == "webhook" and not values.get("DEMO_BOT_TOKEN") and (url.scheme != "https" or not url.hostname):
        yield "WEBHOOK_URL is missing or no https address, and TELEGRAM_MODE=webhook needs one that Telegram can reach"


def _about_models(values: Values) -> Iterator[str]:
    if values.get("DEMO_LLM_STRONG"):
        return
    models = [part.strip() for part in values.real("LLM_STRONG").split(",") if part.strip()]
    if not models:
        yield f"LLM_STRONG is missing: name a model in .env, such as openai:gpt-4o-mini, with its key, {DEMO_HINT}"
    for name in ("LLM_STRONG", "LLM_SIMPLE", "EMBEDDINGS_MODEL"):
        yield from _about_each_model(values, name)


def _about_each_model(values: Values, name: str) -> Iterator[str]:
    """Also of the fallbacks: one without a key is found out on the day when it is needed."""
    for model in filter(None, map(str.strip, values.real(name).split(","))):
        if not MODEL.fullmatch(model):
            yield f"{name}: {model!r} is no provider:model, such as openai:gpt-4o-mini"
        key = KEYS.get(model.partition(":")[0])
        if key and not values.real(key):
            yield f"{key} is missing, and {name}={model} needs it"


def _about_the_door(values: Values, root: Path) -> Iterator[str]:
    mode = values.get("TLS_MODE", "off")
    if mode not in {"off", "own", "acme"}:
        yield f"TLS_MODE is off, own or acme, not {mode!r}"
    if mode in {"own", "acme"} and values.get("SERVER_NAME", "_") == "_":
        yield f"SERVER_NAME is missing: TLS_MODE={mode} needs the domain of the certificate"
    folder = root / values.get("TLS_FOLDER", "infrastructure/nginx/tls")
    for name in ("fullchain.pem", "privkey.pem"):
        if mode == "own" and not (folder / name).is_file():
            yield f"TLS_FOLDER: TLS_MODE=own needs {name} in {folder}"
    try:
        ipaddress.ip_address(values.get("PUBLIC_BIND", "127.0.0.1"))
    except ValueError:
        yield f"PUBLIC_BIND is an address of this machine (127.0.0.1, or 0.0.0.0 for all), not {values.get('PUBLIC_BIND')!r}"
    if not PREFIX.fullmatch(values.get("EDGE_PREFIX", "10.213.250")):
        yield "EDGE_PREFIX is the first three numbers of a free /24 network, such as 10.213.250"
    port(values, "HTTP_PORT", 80)
    port(values, "HTTPS_PORT", 443)


def check_compose(compose: Compose) -> None:
    """Whether Compose can read it all. Raises `RefusedError` with the variable that it misses."""
    ran = compose.run("config", "--quiet")
    if ran.returncode == 0:
        return
    said = last_line(ran.stderr)
    missing = re.search(r"required variable (\w+) is missing a value: (.*)", said)
    raise RefusedError(f"{missing[1]} is missing: {missing[2]}" if missing else said)


def check_in_images(compose: Compose) -> None:
    """Each process looks at its own settings, in its own image and without any other container. Raises `RefusedError`."""

    def look(service: str) -> str:
        command = ("run", "--rm", "--no-deps", "-T", service, "python", "-m", "scripts.check_settings", PROCESSES[service])
        ran = compose.run(*command, seconds=120)
        return "" if ran.returncode == 0 else last_line(ran.stderr) or f"{service} does not start: {last_line(ran.stdout)}"

    with ThreadPoolExecutor(max_workers=3) as pool:
        for said in pool.map(look, PROCESSES):
            if said:
                raise RefusedError(said.removeprefix("vitte: "))

"""What of `.env` the demo obeys, and what the sandbox stands in for."""

import json
from pathlib import Path

import pytest

from scripts.local.demo import check_ports
from scripts.local.environment import Given, StandIns, kept_secrets, read_given, stand_ins, told
from scripts.local.ports import free_port
from scripts.local.processes import StartError
from shared.adapters.llm.prices import parse_prices

KEPT = {"BOT_TOKEN": "1:kept", "OPENAI_API_KEY": "kept-key", "ADMIN_SECRET_KEY": "a" * 64, "WEBHOOK_SECRET": "w" * 64}
EMBEDDED = {"DATABASE_URL": "postgresql+asyncpg://embedded", "REDIS_URL": "redis://embedded"}
REAL_TOKEN = "123456789:" + "A" * 35


def effective(**values: str) -> dict[str, str]:
    return told(Given(values), KEPT, EMBEDDED)


def test_without_settings_the_sandbox_plays_telegram_and_the_model() -> None:
    env = effective()
    assert stand_ins(Given({})) == StandIns(telegram=True, model=True)
    assert (env["BOT_TOKEN"], env["TELEGRAM_API_URL"], env["TELEGRAM_MODE"]) == ("1:kept", "http://127.0.0.1:8080", "polling")
    assert (env["LLM_STRONG"], env["LLM_SIMPLE"]) == ("openai:sandbox-large", "openai:sandbox-small")
    assert set(parse_prices(env["LLM_PRICES"])) == {"openai:sandbox-large", "openai:sandbox-small"}
    assert env["SANDBOX_MISTAKES"] == "0"
    assert (env["OPENAI_BASE_URL"], env["OPENAI_API_KEY"]) == ("http://127.0.0.1:8080/llm/v1", "kept-key")
    assert env["ENVIRONMENT"] == "dev"


def test_a_token_leads_to_the_real_telegram_with_the_scripted_model() -> None:
    env = effective(BOT_TOKEN=REAL_TOKEN, SANDBOX_PORT="9999")
    assert env["BOT_TOKEN"] == REAL_TOKEN
    assert "TELEGRAM_API_URL" not in env
    assert env["OPENAI_BASE_URL"] == "http://127.0.0.1:9999/llm/v1"


@pytest.mark.parametrize(
    ("given", "strong"),
    [
        ({"OPENAI_API_KEY": "sk-x"}, "openai:gpt-4o-mini"),
        ({"GEMINI_API_KEY": "g", "OPENAI_API_KEY": "sk-x"}, "openai:gpt-4o-mini,gemini:gemini-2.5-flash"),
        ({"LLM_STRONG": "ollama:llama3"}, "ollama:llama3"),
    ],
)
def test_a_provider_leads_to_the_real_model_with_the_sandbox_telegram(given: dict[str, str], strong: str) -> None:
    env = effective(**given)
    assert (env["LLM_STRONG"], env["LLM_SIMPLE"]) == (strong, strong)
    assert "OPENAI_BASE_URL" not in env
    assert "LLM_PRICES" not in env
    assert env.get("OPENAI_API_KEY", "") == given.get("OPENAI_API_KEY", "")
    assert env["TELEGRAM_API_URL"] == "http://127.0.0.1:8080"


def test_with_both_nothing_is_played() -> None:
    assert not stand_ins(Given({"BOT_TOKEN": REAL_TOKEN, "GEMINI_API_KEY": "g"})).any


def test_prices_that_were_given_stand_beside_those_of_the_demo() -> None:
    given = parse_prices(effective(LLM_PRICES="openai:mine=1/2, openai:sandbox-small=0/0")["LLM_PRICES"])
    assert set(given) == {"openai:sandbox-large", "openai:sandbox-small", "openai:mine"}
    assert given["openai:sandbox-small"] == parse_prices("x:y=0/0")["x:y"]


def test_a_placeholder_counts_as_nothing() -> None:
    assert stand_ins(Given({"BOT_TOKEN": "change-me", "OPENAI_API_KEY": "your-key"})) == StandIns(telegram=True, model=True)


def test_a_mistyped_token_is_not_silently_replaced() -> None:
    with pytest.raises(StartError, match="BOT_TOKEN in .env is not a Telegram bot token"):
        effective(BOT_TOKEN="12345")


def test_the_demo_never_touches_a_database_of_the_settings() -> None:
    theirs = {"DATABASE_URL": "postgresql+asyncpg://production", "REDIS_URL": "redis://production", "DATABASE_URL_FILE": "/run/secrets/url"}
    env = effective(**theirs, LOG_LEVEL="DEBUG")
    assert (env["DATABASE_URL"], env["REDIS_URL"]) == ("postgresql+asyncpg://embedded", "redis://embedded")
    assert "DATABASE_URL_FILE" not in env
    assert env["LOG_LEVEL"] == "DEBUG"


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{REAL_TOKEN}\n")
    assert not stand_ins(Given({"BOT_TOKEN_FILE": str(tmp_path / "token")})).telegram
    with pytest.raises(StartError, match="BOT_TOKEN_FILE: cannot read"):
        stand_ins(Given({"BOT_TOKEN_FILE": str(tmp_path / "absent")}))


def test_the_command_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("API_PORT=8100\nADMIN_PORT=8101  # ours\n")
    monkeypatch.setenv("API_PORT", "8200")
    monkeypatch.delenv("ADMIN_PORT", raising=False)
    given = read_given(tmp_path)
    assert (given.port("API_PORT"), given.port("ADMIN_PORT"), given.port("BOT_PORT")) == (8200, 8101, 8002)


@pytest.mark.parametrize("value", ["none", "0", "65536", "-1"])
def test_a_port_that_is_none_is_named(value: str) -> None:
    with pytest.raises(StartError, match="API_PORT is .* and should be a port number"):
        Given({"API_PORT": value}).port("API_PORT")


def test_secrets_are_made_once_for_this_user_only(tmp_path: Path) -> None:
    kept = kept_secrets(tmp_path)
    assert kept_secrets(tmp_path) == kept
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    digits, _, letters = kept["BOT_TOKEN"].partition(":")
    assert (digits.isdigit(), len(letters)) == (True, 35)
    assert len(kept["ADMIN_SECRET_KEY"]) >= 32
    assert len(set(json.loads((tmp_path / "secrets.json").read_text()).values())) == len(kept)


def free_ports() -> dict[str, str]:
    return {name: str(free_port()) for name in ("SANDBOX_PORT", "API_PORT", "ADMIN_PORT", "BOT_PORT", "WORKER_PORT")}


def test_a_taken_port_is_named_with_its_holder_and_the_variable_to_change(redis_server) -> None:
    ports = {**free_ports(), "ADMIN_PORT": str(redis_server.port)}
    holder = rf"Port {redis_server.port} is taken by valkey-server \(process \d+\)"
    expected = rf"{holder}\. Stop it, or choose another port: `ADMIN_PORT={redis_server.port + 1000} make demo`"
    with pytest.raises(StartError, match=expected):
        check_ports(Given(ports), StandIns(telegram=True, model=True))


def test_a_sandbox_that_is_not_needed_needs_no_port(redis_server) -> None:
    check_ports(Given({**free_ports(), "SANDBOX_PORT": str(redis_server.port)}), StandIns(telegram=False, model=False))


def test_one_port_cannot_serve_two() -> None:
    ports = free_ports()
    with pytest.raises(StartError, match="BOT_PORT and API_PORT are both"):
        check_ports(Given({**ports, "BOT_PORT": ports["API_PORT"]}), StandIns(telegram=True, model=True))

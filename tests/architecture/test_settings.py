"""What an operator notices when a setting is missing or wrong: one line that names it, before anything starts."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import Process, SettingsError, load_settings

TOKEN = "4242424242:" + "A" * 35
SECRET = "0123456789abcdef" * 4
GOOD = {
    "DATABASE_URL": "postgresql+asyncpg://vitte:s3cr3tly-chosen@db/vitte",
    "REDIS_URL": "redis://:s3cr3tly-chosen@redis/0",
    "BOT_TOKEN": TOKEN,
    "LLM_STRONG": "openai:gpt-4o-mini",
    "OPENAI_API_KEY": "k3y-of-the-provider",
    "ADMIN_SECRET_KEY": SECRET,
}

OTHER_MODELS = ("LLM_SIMPLE", "EMBEDDINGS_MODEL", "GEMINI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY")


@pytest.fixture(autouse=True)
def only_these_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        *GOOD,
        "ENVIRONMENT",
        "TELEGRAM_MODE",
        "WEBHOOK_URL",
        "WEBHOOK_SECRET",
        "TELEGRAM_API_URL",
        "CELERY_BROKER_URL",
        *OTHER_MODELS,
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "BOT_TOKEN", "LLM_STRONG"])
def test_the_bot_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SettingsError, match=f"^{name} is missing"):
        load_settings("bot")


@pytest.mark.parametrize("value", ["changeme", "your-token-here", "placeholder", "xxxx"])
def test_production_refuses_placeholders_and_dev_takes_them(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ADMIN_SECRET_KEY", value)
    with pytest.raises(SettingsError, match="^ADMIN_SECRET_KEY is a placeholder"):
        load_settings("admin")
    monkeypatch.setenv("ENVIRONMENT", "dev")
    assert load_settings("admin").admin_secret_key == SecretStr(value)


def test_production_refuses_a_model_whose_provider_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_STRONG", "gemini:gemini-2.5-flash,openai:gpt-4o-mini")
    with pytest.raises(SettingsError, match="^GEMINI_API_KEY is missing"):
        load_settings("bot")
    monkeypatch.setenv("LLM_STRONG", "ollama:llama3")
    assert load_settings("bot").llm_strong == "ollama:llama3"


@pytest.mark.parametrize("process", ["bot", "api", "worker"])
@pytest.mark.parametrize(
    ("name", "models", "missing"),
    [
        ("LLM_STRONG", "openai:gpt-4o-mini, Anthropic:claude-haiku-4-5", "ANTHROPIC_API_KEY"),
        ("LLM_SIMPLE", "openai:gpt-4o-mini,openrouter:a/b", "OPENROUTER_API_KEY"),
        ("EMBEDDINGS_MODEL", "gemini:gemini-embedding-001", "GEMINI_API_KEY"),
    ],
)
def test_production_refuses_a_fallback_without_a_key(
    monkeypatch: pytest.MonkeyPatch, process: Process, name: str, models: str, missing: str
) -> None:
    monkeypatch.setenv(name, models)
    with pytest.raises(SettingsError, match=f"^{missing} is missing: {name} names "):
        load_settings(process)
    monkeypatch.setenv(missing, "k3y-of-the-other")
    assert load_settings(process)


def test_production_refuses_a_short_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_SECRET_KEY", "k3y-of-sixteen-c")
    with pytest.raises(SettingsError, match="^ADMIN_SECRET_KEY is shorter than 32"):
        load_settings("admin")


@pytest.mark.parametrize(("token", "problem"), [("nonsense", "not a Telegram bot token"), ("4242:short", "not a real Telegram token")])
def test_production_refuses_a_token_that_cannot_be_one(monkeypatch: pytest.MonkeyPatch, token: str, problem: str) -> None:
    monkeypatch.setenv("BOT_TOKEN", token)
    with pytest.raises(SettingsError, match=f"^BOT_TOKEN is {problem}") as refused:
        load_settings("bot")
    assert token not in str(refused.value)


@pytest.mark.parametrize("secret", ["", "with space", "schlüssel"])
def test_webhook_mode_needs_a_secret_that_telegram_takes(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("TELEGRAM_MODE", "webhook")
    monkeypatch.setenv("WEBHOOK_URL", "https://bot.vitte.test")
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    with pytest.raises(SettingsError, match="^WEBHOOK_SECRET"):
        load_settings("bot")


def test_webhook_mode_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_MODE", "webhook")
    with pytest.raises(SettingsError, match="WEBHOOK_URL"):
        load_settings("bot")


def test_a_secret_may_be_a_file_and_the_file_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n", encoding="utf-8")
    monkeypatch.setenv("BOT_TOKEN", "nonsense")
    monkeypatch.setenv("BOT_TOKEN_FILE", str(file))
    assert load_settings("bot").bot_token == SecretStr(TOKEN)


def test_a_secret_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN_FILE", "/nowhere/token")
    with pytest.raises(SettingsError, match="^BOT_TOKEN_FILE: cannot read"):
        load_settings("bot")


def test_a_number_that_is_none_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_POOL_SIZE", "many-secrets")
    with pytest.raises(SettingsError, match="^DB_POOL_SIZE") as refused:
        load_settings("bot")
    assert "many-secrets" not in str(refused.value)


@pytest.mark.parametrize(
    ("redis", "broker"),
    [
        ("redis://:p@redis:6379/0", "redis://:p@redis:6379/1"),
        ("redis://redis:6379", "redis://redis:6379/1"),
        ("redis://redis:6379/", "redis://redis:6379/1"),
    ],
)
def test_the_broker_is_database_one_of_the_same_server(monkeypatch: pytest.MonkeyPatch, redis: str, broker: str) -> None:
    monkeypatch.setenv("REDIS_URL", redis)
    assert load_settings("worker").broker_url == broker

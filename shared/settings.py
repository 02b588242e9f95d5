"""The only reader of the environment. `python -m shared.settings` prints the effective values, secrets masked.

Names, defaults and meanings are promised in `.env.example`. Every secret may be given as `<NAME>_FILE`, the path of a file that holds it.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any, Literal, NoReturn, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

EXIT_CONFIG = 78
"""sysexits.h: something is wrong with the configuration."""
MIN_SECRET_LENGTH = 32
PLACEHOLDER = re.compile(
    r"change.?me|placeholder|example|secret.?here|your.?(token|key|secret)|^(x+|0+|password|secret|test|token|key)$", re.IGNORECASE
)

Process = Literal["bot", "api", "worker", "admin", "migrations", "command"]


class SettingsError(Exception):
    """One line that names the variable and says what to do."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    environment: Literal["production", "dev"] = "production"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    database_url: SecretStr = SecretStr("")
    db_pool_size: int = Field(20, ge=1)
    db_max_overflow: int = Field(40, ge=0)
    db_connect_timeout: float = Field(3.0, gt=0)
    db_pool_recycle: int = Field(3600, gt=0)

    redis_url: SecretStr = SecretStr("")
    celery_broker_url: SecretStr | None = None
    cache_url: SecretStr | None = None
    cache_enabled: bool = True

    bot_token: SecretStr = SecretStr("")
    telegram_api_url: str | None = None
    telegram_mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str | None = None
    webhook_secret: SecretStr = SecretStr("")
    telegram_pool_size: int = Field(150, ge=1)
    max_concurrent_updates: int = Field(75, ge=1)
    operator_telegram_ids: str = ""

    llm_strong: str = ""
    llm_simple: str = ""
    llm_first_token_timeout: float = Field(20.0, gt=0)
    llm_first_token_timeouts: str = ""
    llm_total_timeout: float = Field(120.0, gt=0)
    llm_max_tokens: int = Field(800, ge=16)
    prompt_tokens: int = Field(1500, ge=200)
    llm_prices: str = ""
    llm_hedging: bool = False
    embeddings_model: str = ""
    memory_enabled: bool = True
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = "https://api.openai.com/v1"
    gemini_api_key: SecretStr = SecretStr("")
    gemini_base_url: str = "https://generativelanguage.googleapis.com/v1beta/openai"
    anthropic_api_key: SecretStr = SecretStr("")
    anthropic_base_url: str = "https://api.anthropic.com/v1"
    openrouter_api_key: SecretStr = SecretStr("")
    openrouter_base_url: str = "https://openrouter.ai/api/v1"
    ollama_base_url: str = "http://127.0.0.1:11434/v1"
    vllm_api_key: SecretStr = SecretStr("")
    vllm_base_url: str = "http://127.0.0.1:8100/v1"

    s3_endpoint: str | None = None
    s3_access_key: SecretStr = SecretStr("")
    s3_secret_key: SecretStr = SecretStr("")
    s3_bucket: str = "vitte"

    admin_secret_key: SecretStr = SecretStr("")

    worker_concurrency: int = Field(8, ge=1)

    bind_host: str = "127.0.0.1"
    bot_port: int = Field(8002, ge=0, le=65535)
    api_port: int = Field(8000, ge=0, le=65535)
    admin_port: int = Field(8001, ge=0, le=65535)
    worker_port: int = Field(8003, ge=0, le=65535)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _SecretFiles(settings_cls), env_settings, dotenv_settings, file_secret_settings

    @field_validator("operator_telegram_ids")
    @classmethod
    def _only_numbers(cls, value: str) -> str:
        if any(not part.strip().isdigit() for part in value.split(",") if part.strip()):
            raise ValueError("give Telegram user ids as numbers separated by commas")
        return value

    @model_validator(mode="after")
    def _webhook_is_complete(self) -> Self:
        if self.telegram_mode == "webhook" and not self.webhook_url:
            raise ValueError("WEBHOOK_URL is missing, and TELEGRAM_MODE=webhook needs it")
        return self

    @property
    def operators(self) -> frozenset[int]:
        return frozenset(int(part) for part in self.operator_telegram_ids.split(",") if part.strip())

    @property
    def broker_url(self) -> str:
        """Celery's own URL, else database 1 of the same Redis."""
        if self.celery_broker_url:
            return self.celery_broker_url.get_secret_value()
        return re.sub(r"(/\d+)?/?$", "/1", self.redis_url.get_secret_value(), count=1)


class _SecretFiles(PydanticBaseSettingsSource):
    """`<NAME>_FILE` wins over `<NAME>`: the file is what the operator mounted."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE") if "SecretStr" in str(field.annotation) else None
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            raise SettingsError(f"{field_name.upper()}_FILE: cannot read {path} ({error.strerror})") from None

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


_NEEDED: dict[Process, tuple[str, ...]] = {
    "bot": ("database_url", "redis_url", "bot_token", "llm_strong"),
    "api": ("database_url", "redis_url"),
    "worker": ("database_url", "redis_url"),
    "admin": ("database_url", "redis_url", "admin_secret_key"),
    "migrations": ("database_url",),
    "command": ("database_url",),
}
_BOT_TOKEN = re.compile(r"\d{1,16}:[A-Za-z0-9_-]{3,}")
_PROVIDERS_WITH_KEYS = ("openai", "gemini", "openrouter", "anthropic")
_ASKING_MODELS: tuple[Process, ...] = ("bot", "api", "worker")
_REAL_BOT_TOKEN = re.compile(r"\d{6,16}:[A-Za-z0-9_-]{30,}")


def load_settings(process: Process) -> Settings:
    """Effective settings, checked for what this process needs.

    Raises `SettingsError` with one line that names the variable. Outside `ENVIRONMENT=dev` missing, short and placeholder
    secrets are refused.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "settings"
        raise SettingsError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None
    for name in _NEEDED[process]:
        if not _plain(settings, name):
            raise SettingsError(f"{name.upper()} is missing: set it in the environment or in .env (see .env.example)")
    _check_database(settings.database_url.get_secret_value())
    if process == "bot":
        _check_bot(settings)
    if settings.environment != "dev":
        _refuse_placeholders(settings, process)
    return settings


def _check_database(url: str) -> None:
    try:
        parts = urlsplit(url)
        known = parts.scheme == "postgresql+asyncpg" and len(parts.path) > 1 and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise SettingsError("DATABASE_URL must look like postgresql+asyncpg://user:password@host:5432/name")


def _check_bot(settings: Settings) -> None:
    if not _BOT_TOKEN.fullmatch(settings.bot_token.get_secret_value()):
        raise SettingsError("BOT_TOKEN is not a Telegram bot token (digits, a colon, letters): ask @BotFather for one")
    secret = settings.webhook_secret.get_secret_value()
    if settings.telegram_mode == "webhook" and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise SettingsError("WEBHOOK_SECRET is missing or has other characters than A-Z a-z 0-9 _ - (Telegram allows 1 to 256 of them)")


def _refuse_placeholders(settings: Settings, process: Process) -> None:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and PLACEHOLDER.search(value.get_secret_value()):
            raise SettingsError(f"{name.upper()} is a placeholder: set a real value (ENVIRONMENT=dev allows placeholders)")
    generated = {"bot": ("webhook_secret",) if settings.telegram_mode == "webhook" else (), "admin": ("admin_secret_key",)}.get(process, ())
    for name in generated:
        if len(_plain(settings, name)) < MIN_SECRET_LENGTH:
            raise SettingsError(f"{name.upper()} is shorter than {MIN_SECRET_LENGTH} characters: generate one with 'openssl rand -hex 32'")
    if process in _ASKING_MODELS:
        _refuse_models_without_key(settings)
    if process == "bot" and not _REAL_BOT_TOKEN.fullmatch(_plain(settings, "bot_token")):
        raise SettingsError("BOT_TOKEN is not a real Telegram token: ask @BotFather for one (ENVIRONMENT=dev allows the sandbox's)")


def _refuse_models_without_key(settings: Settings) -> None:
    """Of every entry: a fallback that answers nobody is found out when it is needed."""
    for name in ("llm_strong", "llm_simple", "embeddings_model"):
        for entry in _plain(settings, name).split(","):
            provider = entry.partition(":")[0].strip().lower()
            if provider in _PROVIDERS_WITH_KEYS and not _plain(settings, f"{provider}_api_key"):
                key, setting = f"{provider.upper()}_API_KEY", name.upper()
                raise SettingsError(f"{key} is missing: {setting} names a model of {provider}, which answers nobody without a key")


def _plain(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")


def exit_with(error: SettingsError) -> NoReturn:
    """Ends the process with one line on stderr."""
    sys.stderr.write(f"vitte: {error}\n")
    raise SystemExit(EXIT_CONFIG)


def _show() -> None:
    try:
        settings = Settings()
    except (ValidationError, SettingsError) as error:
        sys.stderr.write(f"vitte: {error}\n")
        raise SystemExit(EXIT_CONFIG) from None
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        masked = ("********" if value.get_secret_value() else "") if isinstance(value, SecretStr) else ("" if value is None else value)
        sys.stdout.write(f"{name.upper()}={masked}\n")


if __name__ == "__main__":
    _show()

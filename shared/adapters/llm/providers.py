"""From `LLM_STRONG=gemini:gemini-2.5-flash,openai:gpt-4o-mini` to models."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import aiohttp

from shared.adapters.llm.anthropic import AnthropicModel
from shared.adapters.llm.embeddings import OpenAICompatibleEmbedder
from shared.adapters.llm.exchange import CallLimits
from shared.adapters.llm.http_model import CallOptions, HttpModel
from shared.adapters.llm.openai_compatible import OpenAICompatibleModel
from shared.adapters.llm.prices import Prices
from shared.adapters.llm.scripted import ScriptedModel
from shared.application.ports import ChatModel, Embedder
from shared.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class ProviderEndpoint:
    """Where a provider is and with which key; an empty `base_url` is the provider's own."""

    base_url: str = ""
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    base_url: str = ""
    needs_key: bool = False
    max_tokens_field: str = "max_tokens"
    adapter: type[HttpModel] = OpenAICompatibleModel


_PROVIDERS = {
    "openai": _Provider(base_url="https://api.openai.com/v1", needs_key=True, max_tokens_field="max_completion_tokens"),
    "gemini": _Provider(base_url="https://generativelanguage.googleapis.com/v1beta/openai", needs_key=True),
    "openrouter": _Provider(base_url="https://openrouter.ai/api/v1", needs_key=True),
    "anthropic": _Provider(base_url="https://api.anthropic.com/v1", needs_key=True, adapter=AnthropicModel),
    "ollama": _Provider(base_url="http://localhost:11434/v1"),
    "vllm": _Provider(),
    "sandbox": _Provider(),
}
_SCRIPTED = "scripted"
KNOWN: Final = (*_PROVIDERS, _SCRIPTED)


def parse_specs(specs: str, *, setting: str = "LLM_STRONG") -> tuple[ModelSpec, ...]:
    """The models of a fallback list, in order and each once. Raises `InvalidInputError` naming `setting`."""
    found = tuple(dict.fromkeys(_parse(spec.strip(), setting) for spec in specs.split(",") if spec.strip()))
    if not found:
        raise InvalidInputError(f"{setting} names no model; write for example openai:gpt-4o-mini")
    return found


def parse_seconds(text: str, *, setting: str = "LLM_FIRST_TOKEN_TIMEOUTS") -> dict[str, float]:
    """`openai:o3=60, ollama:llama3=90`: seconds of one model each. Raises `InvalidInputError` naming `setting`."""
    found: dict[str, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        spec, _, seconds = part.rpartition("=")
        if not seconds.strip().replace(".", "", 1).isdecimal() or float(seconds) <= 0:
            raise InvalidInputError(f"{setting} has {part[:64]!r}; write provider:model=seconds, such as openai:o3=60")
        found[str(_parse(spec.strip(), setting))] = float(seconds)
    return found


def build_model(
    spec: ModelSpec,
    providers: Mapping[str, ProviderEndpoint],
    session: aiohttp.ClientSession | None = None,
    *,
    setting: str = "LLM_STRONG",
    options: CallOptions | None = None,
    limits: CallLimits | None = None,
) -> ChatModel:
    """Raises `InvalidInputError` that names the setting to change."""
    if spec.provider == _SCRIPTED:
        return ScriptedModel(name=str(spec))
    provider = _PROVIDERS[spec.provider]
    endpoint = _endpoint(spec.provider, provider, providers.get(spec.provider, ProviderEndpoint()), setting)
    return provider.adapter(
        provider=spec.provider,
        model=spec.model,
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        session=session,
        options=replace(options or CallOptions(), max_tokens_field=provider.max_tokens_field),
        limits=limits,
    )


def build_embedder(
    spec: str,
    providers: Mapping[str, ProviderEndpoint],
    session: aiohttp.ClientSession | None = None,
    *,
    prices: Prices | None = None,
    setting: str = "EMBEDDINGS_MODEL",
) -> Embedder:
    """Raises `InvalidInputError` that names the setting to change."""
    [found, *more] = parse_specs(spec, setting=setting)
    if more or found.provider in (_SCRIPTED, "anthropic"):
        raise InvalidInputError(f"{setting} is one model that gives embeddings, such as openai:text-embedding-3-small")
    endpoint = _endpoint(found.provider, _PROVIDERS[found.provider], providers.get(found.provider, ProviderEndpoint()), setting)
    return OpenAICompatibleEmbedder(
        provider=found.provider,
        model=found.model,
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        session=session,
        prices=prices,
    )


def _parse(spec: str, setting: str) -> ModelSpec:
    provider, _, model = spec.partition(":")
    provider, model = provider.strip().lower(), model.strip()
    if provider not in KNOWN:
        raise InvalidInputError(f"{setting} names the provider {provider[:32]!r}; known are {', '.join(KNOWN)}")
    if not model or any(character.isspace() for character in model):
        raise InvalidInputError(f"{setting} needs provider:model, such as openai:gpt-4o-mini; {provider} stands without a model")
    return ModelSpec(provider, model)


def _endpoint(name: str, provider: _Provider, endpoint: ProviderEndpoint, setting: str) -> ProviderEndpoint:
    """A key may be missing where the address is the operator's own: a gateway of theirs may hold it."""
    if not endpoint.base_url and not provider.base_url:
        raise InvalidInputError(f"{setting} uses {name}, so {name.upper()}_BASE_URL must say where it is")
    if provider.needs_key and not endpoint.base_url and not endpoint.api_key.strip():
        raise InvalidInputError(f"{setting} uses {name}, so {name.upper()}_API_KEY must be set")
    return replace(endpoint, base_url=endpoint.base_url or provider.base_url)

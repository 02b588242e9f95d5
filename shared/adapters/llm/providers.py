"""From `LLM_STRONG=gemini:gemini-2.5-flash,openai:gpt-4o-mini` to a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import aiohttp

from shared.adapters.llm.exchange import CallLimits
from shared.adapters.llm.openai_compatible import CallOptions, OpenAICompatibleModel
from shared.adapters.llm.scripted import ScriptedModel
from shared.application.ports import ChatModel
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


_PROVIDERS = {
    "openai": _Provider(base_url="https://api.openai.com/v1", needs_key=True, max_tokens_field="max_completion_tokens"),
    "gemini": _Provider(base_url="https://generativelanguage.googleapis.com/v1beta/openai", needs_key=True),
    "openrouter": _Provider(base_url="https://openrouter.ai/api/v1", needs_key=True),
    "ollama": _Provider(base_url="http://localhost:11434/v1"),
    "vllm": _Provider(),
    "sandbox": _Provider(),
}
_SCRIPTED = "scripted"
_NOT_YET = "anthropic"
_KNOWN = (*_PROVIDERS, _NOT_YET, _SCRIPTED)


def parse_specs(specs: str, *, setting: str = "LLM_STRONG") -> tuple[ModelSpec, ...]:
    """The models of a fallback list, in order. Raises `InvalidInputError` naming `setting`."""
    found = tuple(_parse(spec.strip(), setting) for spec in specs.split(",") if spec.strip())
    if not found:
        raise InvalidInputError(f"{setting} names no model; write for example openai:gpt-4o-mini")
    return found


def build_model(
    specs: str,
    providers: Mapping[str, ProviderEndpoint],
    session: aiohttp.ClientSession | None = None,
    *,
    setting: str = "LLM_STRONG",
    options: CallOptions | None = None,
    limits: CallLimits | None = None,
) -> ChatModel:
    """The first model of the list. The others are parsed and not used: failing over to them is the next issue's pool.

    Raises `InvalidInputError` that names the setting to change.
    """
    first = parse_specs(specs, setting=setting)[0]
    if first.provider == _SCRIPTED:
        return ScriptedModel(name=str(first))
    if first.provider == _NOT_YET:
        raise InvalidInputError(f"{setting} begins with {first}, and anthropic cannot be talked to yet; put another provider first")
    provider = _PROVIDERS[first.provider]
    endpoint = _endpoint(first.provider, provider, providers.get(first.provider, ProviderEndpoint()), setting)
    return OpenAICompatibleModel(
        provider=first.provider,
        model=first.model,
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        session=session,
        options=replace(options or CallOptions(), max_tokens_field=provider.max_tokens_field),
        limits=limits,
    )


def _parse(spec: str, setting: str) -> ModelSpec:
    provider, _, model = spec.partition(":")
    provider, model = provider.strip().lower(), model.strip()
    if provider not in _KNOWN:
        raise InvalidInputError(f"{setting} names the provider {provider[:32]!r}; known are {', '.join(_KNOWN)}")
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

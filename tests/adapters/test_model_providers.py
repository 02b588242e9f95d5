"""From the operator's settings to a model."""

import pytest

from shared.adapters.llm import CallOptions, ModelSpec, OpenAICompatibleModel, ProviderEndpoint, ScriptedModel, build_model, parse_specs
from shared.domain.errors import InvalidInputError
from tests.adapters.listening import say
from tests.adapters.provider_server import ProviderServer, streams, whole

KEYS = {name: ProviderEndpoint(api_key="k") for name in ("openai", "gemini", "openrouter")}


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ("openai:gpt-4o-mini", [ModelSpec("openai", "gpt-4o-mini")]),
        (" Gemini:gemini-2.5-flash , ollama:llama3.2:3b,", [ModelSpec("gemini", "gemini-2.5-flash"), ModelSpec("ollama", "llama3.2:3b")]),
        ("openrouter:meta-llama/llama-3:free", [ModelSpec("openrouter", "meta-llama/llama-3:free")]),
        ("vllm:a,anthropic:claude", [ModelSpec("vllm", "a"), ModelSpec("anthropic", "claude")]),
    ],
)
def test_a_fallback_list_is_read_in_order(specs: str, expected: list[ModelSpec]) -> None:
    assert list(parse_specs(specs)) == expected


@pytest.mark.parametrize(
    ("specs", "sentence"),
    [
        ("", "LLM_SIMPLE names no model; write for example openai:gpt-4o-mini"),
        (" , ", "LLM_SIMPLE names no model; write for example openai:gpt-4o-mini"),
        ("gpt-4o-mini", "LLM_SIMPLE names the provider 'gpt-4o-mini'; known are openai, gemini,"),
        ("openai:", "LLM_SIMPLE needs provider:model, such as openai:gpt-4o-mini; openai stands without a model"),
        ("openai:gpt 4", "LLM_SIMPLE needs provider:model"),
        ("vllm:a, cohere:b", "LLM_SIMPLE names the provider 'cohere'"),
        ("anthropic:claude", "LLM_SIMPLE begins with anthropic:claude, and anthropic cannot be talked to yet; put another provider first"),
        ("vllm:llama", "LLM_SIMPLE uses vllm, so VLLM_BASE_URL must say where it is"),
        ("openai:gpt-4o-mini", "LLM_SIMPLE uses openai, so OPENAI_API_KEY must be set"),
    ],
)
def test_a_setting_that_cannot_work_is_named(specs: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        build_model(specs, {}, setting="LLM_SIMPLE")

    assert str(refusal.value).startswith(sentence)


def test_the_setting_is_llm_strong_unless_said_otherwise() -> None:
    with pytest.raises(InvalidInputError, match="LLM_STRONG begins with anthropic:claude"):
        build_model("anthropic:claude", {})


@pytest.mark.parametrize("spec", ["openai:gpt-4o-mini", "gemini:gemini-2.5-flash", "openrouter:a/b", "ollama:llama3.2:3b"])
def test_known_providers_need_no_address(spec: str) -> None:
    model = build_model(f"{spec},anthropic:claude", KEYS)

    assert isinstance(model, OpenAICompatibleModel)
    assert model.name == spec


def test_a_scripted_model_needs_nothing() -> None:
    assert isinstance(build_model("scripted:parrot", {}), ScriptedModel)


async def test_openai_is_asked_by_the_field_that_its_newer_models_accept(provider: ProviderServer) -> None:
    from_settings = {"openai": ProviderEndpoint(provider.base_url), "vllm": ProviderEndpoint(provider.base_url)}
    options = CallOptions(max_tokens=9)
    provider.script(streams(whole("Hi")))

    for spec in ("openai:m", "vllm:m"):
        model = build_model(spec, from_settings, options=options)
        assert await say(model) == "Hi"
        await model.aclose()

    assert [sorted(set(asked) & {"max_tokens", "max_completion_tokens"}) for asked in provider.requests] == [
        ["max_completion_tokens"],
        ["max_tokens"],
    ]


def test_an_endpoint_does_not_show_its_key() -> None:
    assert "k-sec" not in repr(ProviderEndpoint("https://host/v1", "k-sec"))

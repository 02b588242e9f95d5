"""From the operator's settings to a model."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from shared.adapters.llm import (
    Breakers,
    CallOptions,
    ModelChoice,
    ModelPools,
    ModelSpec,
    OpenAICompatibleModel,
    Prices,
    ProviderEndpoint,
    ScriptedModel,
    build_embedder,
    build_model,
    parse_prices,
    parse_seconds,
    parse_specs,
)
from shared.adapters.llm.anthropic import AnthropicModel
from shared.domain.errors import InvalidInputError
from tests.adapters.listening import say
from tests.adapters.provider_server import ProviderServer, streams, whole

KEYS = {name: ProviderEndpoint(api_key="k") for name in ("openai", "gemini", "openrouter", "anthropic")}


def build_all(specs: str) -> None:
    for spec in parse_specs(specs, setting="LLM_SIMPLE"):
        build_model(spec, {}, setting="LLM_SIMPLE")


def pools(strong: str, simple: str = "", **fields: Any) -> ModelPools:
    choice = ModelChoice(strong=strong, simple=simple, providers=fields.pop("providers", KEYS), **fields)
    return ModelPools(choice, Breakers(), Prices(parse_prices("scripted:dear=10/100, scripted:cheap=1/2")))


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ("openai:gpt-4o-mini", [ModelSpec("openai", "gpt-4o-mini")]),
        (" Gemini:gemini-2.5-flash , ollama:llama3.2:3b,", [ModelSpec("gemini", "gemini-2.5-flash"), ModelSpec("ollama", "llama3.2:3b")]),
        ("openrouter:meta-llama/llama-3:free", [ModelSpec("openrouter", "meta-llama/llama-3:free")]),
        ("openai:a, OPENAI:a,openai:b", [ModelSpec("openai", "a"), ModelSpec("openai", "b")]),
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
        ("anthropic:claude", "LLM_SIMPLE uses anthropic, so ANTHROPIC_API_KEY must be set"),
        ("vllm:llama", "LLM_SIMPLE uses vllm, so VLLM_BASE_URL must say where it is"),
        ("openai:gpt-4o-mini", "LLM_SIMPLE uses openai, so OPENAI_API_KEY must be set"),
    ],
)
def test_a_setting_that_cannot_work_is_named(specs: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        build_all(specs)

    assert str(refusal.value).startswith(sentence)


def test_every_entry_of_both_lists_must_work() -> None:
    with pytest.raises(InvalidInputError, match="^LLM_STRONG uses vllm"):
        pools("openai:a,vllm:b")
    with pytest.raises(InvalidInputError, match="^LLM_SIMPLE names the provider 'opnai'"):
        pools("openai:a", "openai:b,opnai:c")


@pytest.mark.parametrize("spec", ["openai:gpt-4o-mini", "gemini:gemini-2.5-flash", "openrouter:a/b", "ollama:llama3.2:3b"])
def test_known_providers_need_no_address(spec: str) -> None:
    model = build_model(*parse_specs(spec), KEYS)

    assert isinstance(model, OpenAICompatibleModel)
    assert model.name == spec


def test_anthropic_is_spoken_to_in_its_own_words() -> None:
    assert isinstance(build_model(ModelSpec("anthropic", "claude-haiku-4-5"), KEYS), AnthropicModel)


def test_a_scripted_model_needs_nothing() -> None:
    assert isinstance(build_model(ModelSpec("scripted", "parrot"), {}), ScriptedModel)


def test_pools_are_told_apart_and_share_their_models() -> None:
    models = pools("scripted:dear,scripted:both", "scripted:cheap,scripted:both")

    assert [member.name for member in models.pool("strong").members] == ["scripted:dear", "scripted:both"]
    assert [member.name for member in models.pool("simple").members] == ["scripted:cheap", "scripted:both"]
    assert models.names() == ("scripted:dear", "scripted:both", "scripted:cheap")
    assert models.pool("strong").members[1] is models.pool("simple").members[1]


def test_metrics_tell_which_model_of_a_tier_is_asked_first() -> None:
    pools("scripted:one,scripted:two", "scripted:two,scripted:one")

    found = [REGISTRY.get_sample_value("vitte_model_place", {"tier": tier, "model": "scripted:two"}) for tier in ("strong", "simple")]
    assert found == [2.0, 1.0]


def test_without_a_simple_list_the_strong_models_do_it_all() -> None:
    assert pools("scripted:dear").pool("simple").name == "scripted:dear"


def test_a_model_that_a_user_chose_comes_first_and_its_list_stands_behind_it() -> None:
    models = pools("scripted:a,scripted:b,scripted:c", "scripted:d")

    found = models.find("scripted:b")

    assert found is not None
    assert [member.name for member in found.members] == ["scripted:b", "scripted:a", "scripted:c"]
    assert models.find("scripted:nobody") is None


@pytest.mark.parametrize(
    ("name", "tier"), [("scripted:a", "strong"), ("scripted:both", "strong"), ("scripted:b", "simple"), ("scripted:nobody", None)]
)
def test_a_model_belongs_to_the_list_that_names_it_and_to_the_strong_ones_if_both_do(name: str, tier: str | None) -> None:
    assert pools("scripted:a,scripted:both", "scripted:b,scripted:both").tier_of(name) == tier


def test_an_estimate_is_of_the_dearest_model_that_may_answer() -> None:
    models = pools("scripted:cheap,scripted:dear", "scripted:cheap")

    assert models.estimate_micros("strong", 1000, 100) == 1000 * 10 + 100 * 100
    assert models.estimate_micros("simple", 1000, 100) == 1000 * 1 + 100 * 2
    assert models.estimate_micros("scripted:nobody", 1000, 100) is None
    assert pools("openai:unheard-of").estimate_micros("strong", 1, 1) is None


def test_a_model_that_thinks_first_has_its_own_deadline() -> None:
    strong = pools("openai:o3,openai:gpt-4o", first_token_timeouts=parse_seconds("openai:o3=60")).pool("strong")

    assert [member.limits.first_token_timeout for member in strong.members] == [60.0, 20.0]


@pytest.mark.parametrize("text", ["openai:o3", "openai:o3=soon", "openai:o3=0", "o3=60", "openai:o3=-1", "openai:o3=1e3"])
def test_a_deadline_that_is_none_is_named(text: str) -> None:
    with pytest.raises(InvalidInputError, match="^LLM_FIRST_TOKEN_TIMEOUTS "):
        parse_seconds(text)


@pytest.mark.parametrize("spec", ["openai:a,openai:b", "anthropic:claude", "scripted:parrot", "nobody:a"])
def test_embeddings_come_from_one_model_that_gives_them(spec: str) -> None:
    with pytest.raises(InvalidInputError, match="^EMBEDDINGS_MODEL "):
        build_embedder(spec, KEYS)


async def test_openai_is_asked_by_the_field_that_its_newer_models_accept(provider: ProviderServer) -> None:
    from_settings = {"openai": ProviderEndpoint(provider.base_url), "vllm": ProviderEndpoint(provider.base_url)}
    options = CallOptions(max_tokens=9)
    provider.script(streams(whole("Hi")))

    for spec in ("openai:m", "vllm:m"):
        model = build_model(*parse_specs(spec), from_settings, options=options)
        assert await say(model) == "Hi"
        await model.aclose()

    assert [sorted(set(asked) & {"max_tokens", "max_completion_tokens"}) for asked in provider.requests] == [
        ["max_completion_tokens"],
        ["max_tokens"],
    ]


def test_an_endpoint_does_not_show_its_key() -> None:
    assert "k-sec" not in repr(ProviderEndpoint("https://host/v1", "k-sec"))

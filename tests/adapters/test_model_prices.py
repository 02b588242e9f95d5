"""What a call costs, in millionths of a dollar."""

import pytest
import structlog

from shared.adapters.llm import Prices, parse_prices
from shared.adapters.llm.price_table import USD_PER_MILLION
from shared.adapters.llm.prices import Price
from shared.adapters.llm.providers import KNOWN
from shared.domain.errors import InvalidInputError


@pytest.mark.parametrize(
    ("name", "micros"),
    [
        ("openai:gpt-4o-mini", 150_000 + 600_000),
        ("openai:gpt-4o-mini-2024-07-18", 150_000 + 600_000),
        ("gemini:gemini-2.0-flash-001", 100_000 + 400_000),
        ("anthropic:claude-haiku-4-5-20251001", 1_000_000 + 5_000_000),
        ("openrouter:openai/gpt-4o-mini", 150_000 + 600_000),
        ("openrouter:google/gemini-2.5-flash", 300_000 + 2_500_000),
        ("openrouter:meta-llama/llama-3:free", 0),
        ("ollama:llama3.2:3b", 0),
        ("vllm:anything", 0),
    ],
)
def test_a_million_tokens_each_way(name: str, micros: int) -> None:
    assert Prices().cost(name, 1_000_000, 1_000_000) == micros


@pytest.mark.parametrize(("prompt", "completion", "micros"), [(0, 0, 0), (1, 0, 1), (7, 3, 3), (1000, 500, 450), (1001, 500, 451)])
def test_a_cost_is_rounded_up(prompt: int, completion: int, micros: int) -> None:
    assert Prices().cost("openai:gpt-4o-mini", prompt, completion) == micros


def test_the_operators_price_wins() -> None:
    prices = Prices(parse_prices("openai:gpt-4o-mini=0.1/0.2, vllm:mine=3/4"))

    assert prices.cost("openai:gpt-4o-mini", 1_000_000, 1_000_000) == 300_000
    assert prices.cost("openai:gpt-4o-mini-2024-07-18", 1_000_000, 1_000_000) == 300_000
    assert prices.cost("vllm:mine", 1_000_000, 0) == 3_000_000


def test_a_model_without_a_price_costs_nobody_knows_what_and_is_told_once() -> None:
    prices = Prices()

    with structlog.testing.capture_logs() as lines:
        assert [prices.cost("openai:unheard-of", 5, 5) for _ in range(3)] == [None, None, None]

    assert [(line["event"], line["model"]) for line in lines] == [("model_has_no_price", "openai:unheard-of")]


@pytest.mark.parametrize(
    "text", ["gpt-4o=1/2", "openai:gpt-4o", "openai:gpt-4o=1", "openai:gpt-4o=a/b", "openai:gpt-4o=1.2.3/4", "openai:gpt-4o=1/1000000"]
)
def test_a_price_that_is_none_is_named(text: str) -> None:
    with pytest.raises(InvalidInputError, match="^LLM_PRICES has "):
        parse_prices(text)


def test_the_shipped_table_is_of_providers_that_we_know_and_of_sane_amounts() -> None:
    prices = Prices()
    for name in USD_PER_MILLION:
        assert name.partition(":")[0] in KNOWN
        price = prices.find(name)
        assert price is not None
        assert 0 < price.prompt <= 50_000_000
        assert price.completion == 0 or price.prompt < price.completion <= 200_000_000


def test_amounts_are_whole_numbers() -> None:
    assert parse_prices("openai:a=0.075/0.3") == {"openai:a": Price(75_000, 300_000)}

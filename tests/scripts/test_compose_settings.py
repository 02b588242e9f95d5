"""What `make up` says about models before it builds anything."""

from pathlib import Path

import pytest

from scripts.compose.checking import check_values
from scripts.compose.engine import RefusedError
from scripts.compose.installation import GENERATED, Values

GOOD = {
    **dict.fromkeys(GENERATED, "a1b2c3d4e5f6g7h8"),
    "BOT_TOKEN": "4242424242:" + "A" * 35,
    "LLM_STRONG": "openai:gpt-4o-mini",
    "OPENAI_API_KEY": "k3y-of-the-provider",
}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"LLM_STRONG": ""}, "LLM_STRONG is missing"),
        ({"LLM_STRONG": "openai:a,gpt-4o"}, "LLM_STRONG: 'gpt-4o' is no provider:model"),
        ({"LLM_STRONG": "openai:a, anthropic:claude"}, "ANTHROPIC_API_KEY is missing, and LLM_STRONG=anthropic:claude needs it"),
        ({"LLM_SIMPLE": "gemini:gemini-2.5-flash"}, "GEMINI_API_KEY is missing, and LLM_SIMPLE=gemini:gemini-2.5-flash needs it"),
        ({"LLM_SIMPLE": "small"}, "LLM_SIMPLE: 'small' is no provider:model"),
        ({"EMBEDDINGS_MODEL": "openrouter:a/b"}, "OPENROUTER_API_KEY is missing, and EMBEDDINGS_MODEL=openrouter:a/b needs it"),
    ],
)
def test_every_model_of_every_list_is_looked_at(tmp_path: Path, changes: dict[str, str], problem: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_values(Values({**GOOD, **changes}), tmp_path)

    assert str(refused.value).startswith(problem)


def test_a_complete_list_is_taken(tmp_path: Path) -> None:
    models = {"LLM_STRONG": "openai:a, anthropic:claude,ollama:b", "LLM_SIMPLE": "ollama:b", "ANTHROPIC_API_KEY": "k3y-of-the-other"}

    check_values(Values({**GOOD, **models}), tmp_path)

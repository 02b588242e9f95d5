"""What an operator reads of the models in LLM_STRONG and LLM_SIMPLE when a provider says no, in each of its ways."""

import pytest

from scripts.doctor.findings import Level
from scripts.local.ports import free_port
from tests.scripts.clinic import Clinic, only, provider, says, secret


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_the_provider_refuses(clinic: Clinic, status: int) -> None:
    async with provider(models=says(status)) as address:
        found = only(
            await clinic.wrong(llm_strong="gemini:flash", gemini_base_url=address, gemini_api_key=secret("G")), Level.FAIL, "models"
        )
    assert f"refuses the key of gemini:flash ({status})" in found.found
    assert "GEMINI_API_KEY" in found.do


async def test_a_key_that_is_missing_is_not_called_wrong(clinic: Clinic) -> None:
    found = only(await clinic.wrong(openai_api_key="", llm_simple=""), Level.FAIL, "models")
    assert found.found.endswith("wants a key for openai:sandbox, and none is set")


async def test_openrouter_shows_its_list_to_everybody_so_its_key_is_asked_for_itself(clinic: Clinic) -> None:
    models = says(200, {"data": [{"id": "m"}]})
    async with provider(models=models, key=says(401)) as address:
        given = {"llm_strong": "openrouter:m", "llm_simple": "", "openrouter_base_url": address, "openrouter_api_key": secret("O")}
        assert "OPENROUTER_API_KEY" in only(await clinic.wrong(**given), Level.FAIL, "models").do


async def test_a_model_that_the_provider_does_not_know(clinic: Clinic) -> None:
    async with provider(models=says(200, {"data": [{"id": "other"}]}), completions=says(404)) as address:
        found = only(await clinic.wrong(llm_strong="vllm:mine", llm_simple="", vllm_base_url=address), Level.FAIL, "models")
    assert "does not know vllm:mine (404)" in found.found
    assert "LLM_STRONG" in found.do


@pytest.mark.parametrize("listed", ["mine", "models/mine", "mine:latest"])
async def test_a_listed_model_is_not_asked_for_words(clinic: Clinic, listed: str) -> None:
    async with provider(models=says(200, {"data": [{"id": listed}]}), completions=says(500)) as address:
        assert await clinic.wrong(llm_strong="vllm:mine", llm_simple="", vllm_base_url=address) == []


async def test_a_fallback_in_trouble_is_a_warning_the_first_model_a_problem(clinic: Clinic) -> None:
    away = f"http://127.0.0.1:{free_port()}/v1"
    strong = only(await clinic.wrong(llm_strong="vllm:m,openai:sandbox", vllm_base_url=away), Level.FAIL, "models")
    fallback = only(await clinic.wrong(llm_strong="openai:sandbox,vllm:m", vllm_base_url=away), Level.WARN, "models")
    assert strong.found == fallback.found
    assert "VLLM_BASE_URL" in fallback.do


async def test_a_quota_that_is_used_up(clinic: Clinic) -> None:
    async with provider(models=says(429)) as address:
        assert "429" in only(await clinic.wrong(llm_strong="vllm:m", llm_simple="", vllm_base_url=address), Level.WARN, "models").found


async def test_no_model_at_all_and_an_unknown_provider(clinic: Clinic) -> None:
    assert "LLM_STRONG names none" in only(await clinic.wrong(llm_strong="", llm_simple=""), Level.FAIL, "models").found
    assert "LLM_STRONG names the provider 'nobody'" in only(await clinic.wrong(llm_strong="nobody:m"), Level.FAIL, "models").found

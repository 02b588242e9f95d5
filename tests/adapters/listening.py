"""How a test reads a model that is going to fail."""

from collections.abc import Callable, Sequence

from shared.adapters.llm import OpenAICompatibleModel
from shared.application.ports import ChatModel, ModelUnavailableError, Piece, PromptMessage, Role

Talk = Callable[..., OpenAICompatibleModel]
PROMPT = (PromptMessage(Role.SYSTEM, "You are Mira."), PromptMessage(Role.USER, "hello"))


async def read(model: ChatModel, prompt: Sequence[PromptMessage] = PROMPT) -> list[Piece]:
    return [piece async for piece in model.stream(prompt)]


async def say(model: ChatModel, prompt: Sequence[PromptMessage] = PROMPT) -> str:
    return "".join(piece.text for piece in await read(model, prompt))


async def listen_until_failure(model: ChatModel) -> tuple[list[str], ModelUnavailableError]:
    heard: list[str] = []
    try:
        async for piece in model.stream(PROMPT):
            heard.append(piece.text)  # noqa: PERF401  (what came before the failure counts)
    except ModelUnavailableError as failure:
        return heard, failure
    raise AssertionError(f"the reply was whole: {heard}")

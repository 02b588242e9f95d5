"""The provider as a client sees it, through OpenAI's own SDK and by hand."""

import math

import pytest
from aiohttp import ClientSession
from openai import AsyncOpenAI, BadRequestError

KEY = {"Authorization": "Bearer any"}
CHAT = "/llm/v1/chat/completions"
HELLO = {"model": "scripted-strong", "messages": [{"role": "user", "content": "hello"}]}


async def test_a_streamed_answer_equals_the_whole_one(openai: AsyncOpenAI, provider: ClientSession):
    await provider.post("/sim/model", json={"reply": "Hello!  It's *good* to see\n\na message: привет 😀."})
    whole = await openai.chat.completions.create(**HELLO)
    stream = await openai.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == whole.choices[0].message.content
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert len(chunks) == whole.usage.completion_tokens + 3


async def test_without_include_usage_no_chunk_is_empty(openai: AsyncOpenAI):
    stream = await openai.chat.completions.create(**HELLO, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


async def test_usage_grows_with_the_prompt_and_adds_up(openai: AsyncOpenAI):
    short = (await openai.chat.completions.create(**HELLO)).usage
    longer = {**HELLO, "messages": [{"role": "system", "content": "You are Mira. " * 100}, *HELLO["messages"]]}
    more = (await openai.chat.completions.create(**longer)).usage
    assert (short.prompt_tokens, more.prompt_tokens) == (9, 9 + 4 + 350)
    assert short.total_tokens == short.prompt_tokens + short.completion_tokens


async def test_max_tokens_cuts_and_says_so(openai: AsyncOpenAI):
    cut = await openai.chat.completions.create(**HELLO, max_tokens=3)
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 3)


async def test_json_mode_answers_json(openai: AsyncOpenAI):
    answered = await openai.chat.completions.create(**HELLO, response_format={"type": "json_object"})
    assert answered.choices[0].message.content.startswith('{"reply":"')


async def test_parts_of_a_message_are_read(openai: AsyncOpenAI):
    parts = [{"type": "text", "text": "how much is 6 * 7?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    answered = await openai.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])
    assert "42" in answered.choices[0].message.content


async def test_models_are_listed(openai: AsyncOpenAI):
    assert [model.id async for model in openai.models.list()] == ["scripted-strong", "scripted-simple", "scripted-embedding"]


async def test_embeddings_are_stable_and_put_kin_together(openai: AsyncOpenAI):
    texts = ["the cat sleeps on the sofa", "a cat sleeping on my sofa", "interest rates rose again"]
    first = await openai.embeddings.create(model="scripted-embedding", input=texts)
    again = await openai.embeddings.create(model="scripted-embedding", input=texts, encoding_format="float")
    cat, kin, rates = ([*one.embedding] for one in first.data)
    assert [len(cat), len(kin), len(rates)] == [256, 256, 256]
    assert sum(map(math.prod, zip(cat, kin, strict=True))) > sum(map(math.prod, zip(cat, rates, strict=True))) + 0.2
    assert cat == pytest.approx(again.data[0].embedding, abs=1e-6)
    assert math.hypot(*cat) == pytest.approx(1, abs=1e-6)
    short = await openai.embeddings.create(model="scripted-embedding", input="cat", dimensions=32)
    assert len(short.data[0].embedding) == 32


async def test_a_missing_key_is_refused(provider: ClientSession):
    for path, body in ((CHAT, HELLO), ("/llm/v1/embeddings", {"model": "m", "input": "x"})):
        async with provider.post(path, json=body) as answered:
            assert answered.status == 401
            assert (await answered.json())["error"]["code"] == "invalid_api_key"
    async with provider.get("/llm/v1/models", headers={"Authorization": "Basic abc"}) as answered:
        assert answered.status == 401


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [3]}]}, "messages[0].content"),
        ({"model": ""}, "model"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"stop": [1]}, "stop"),
    ],
)
async def test_a_bad_request_names_the_field(openai: AsyncOpenAI, change: dict[str, object], param: str):
    with pytest.raises(BadRequestError) as refused:
        await openai.post("/chat/completions", cast_to=object, body={**HELLO, **change})
    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
async def test_a_body_that_is_no_object_is_refused(provider: ClientSession, body: bytes):
    async with provider.post(CHAT, data=body, headers=KEY) as answered:
        assert answered.status == 400
        assert (await answered.json())["error"]["type"] == "invalid_request_error"


async def test_asked_again_it_answers_otherwise(openai: AsyncOpenAI, provider: ClientSession):
    async def hello(memories: str) -> str:
        system = f"You are Mira, a warm companion. {memories}"
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "The lake froze over last night"}]
        answered = await openai.chat.completions.create(model="m", messages=messages)
        return answered.choices[0].message.content or ""

    said = [await hello(memories) for memories in ("", "", "They live in Brno.")]
    assert len(set(said)) == 3

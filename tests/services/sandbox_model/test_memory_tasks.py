"""The model as a reader: what it understands, the mistakes it makes, and that they are the same every time."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession

KEY = {"Authorization": "Bearer any"}
FACTS = "Task: facts\nRead what the user says of themselves."
SUMMARY = "Task: summary\nTwo or three sentences."


async def ask(provider: ClientSession, system: str, data: object) -> str:
    text = f"<data>\n{json.dumps(data, ensure_ascii=False)}\n</data>"
    messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    async with provider.post("/llm/v1/chat/completions", json={"model": "m", "messages": messages}, headers=KEY) as response:
        assert response.status == 200, await response.text()
        return str((await response.json())["choices"][0]["message"]["content"])


async def facts(provider: ClientSession, *rows: str | dict[str, Any], known: object = (), mistakes: object = 0) -> list[dict[str, Any]]:
    """Texts are the user's messages, numbered from 1."""
    async with provider.post("/sim/model", json={"mistakes": mistakes}) as response:
        assert response.status == 200, await response.text()
    messages = [row if isinstance(row, dict) else {"id": number, "text": row} for number, row in enumerate(rows, 1)]
    found: list[dict[str, Any]] = json.loads(await ask(provider, FACTS, {"known": known, "messages": messages}))["facts"]
    return found


def told(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(fact["topic"], fact["fact"]) for fact in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi, I'm Anna and I live in Brno, and you?", {("name", "Name is Anna"), ("city", "Lives in Brno")}),
        ("i'm 34 years old, my birthday is on 3 March", {("age", "Is 34 years old"), ("birthday", "Birthday is 3 March")}),
        ("I work as a nurse. I'm learning Czech!", {("job", "Works as a nurse"), ("language", "Learns Czech")}),
        ("i live in prague, i work as an engineer", {("city", "Lives in Prague"), ("job", "Works as an engineer")}),
        ("I'm a nurse and I have a dog called Rex", {("job", "Works as a nurse"), ("pet.dog", "Has a dog called Rex")}),
        ("my name is anna. i have an old dog called rex", {("name", "Name is Anna"), ("pet.dog", "Has a dog called Rex")}),
        ("I have a dog, his name is Rex", {("pet.dog", "Has a dog called Rex")}),
        ("I have a cat, Tom. I got a new job as a baker", {("pet.cat", "Has a cat called Tom"), ("job", "Got a job as a baker")}),
        ("I have two cats and work as a cook", {("pet.cat", "Has two cats"), ("job", "Works as a cook")}),
        ("меня зовут оля, я живу в туле", {("name", "Зовут Оля"), ("city", "Живёт в Туле")}),
        ("My sister's name is Eva and I have a cat called Tom", {("family.sister", "Sister: Eva"), ("pet.cat", "Has a cat called Tom")}),
        (
            "I hate mushrooms, I'm allergic to nuts",
            {("dislikes.mushrooms", "Does not like mushrooms"), ("health.allergy", "Allergic to nuts")},
        ),
        ("Привет, я Оля, мне 27 лет, живу в Казани", {("name", "Зовут Оля"), ("age", "Возраст: 27"), ("city", "Живёт в Казани")}),
        ("Мою жену зовут Лена, у меня есть кот Барсик", {("family.wife", "Жену: Лена"), ("pet.cat", "Кот, зовут Барсик")}),
        ("Теперь я работаю в банке. Не люблю грибы", {("job", "Работает в банке"), ("dislikes.грибы", "Не любит грибы")}),
        ("Do you live in Prague? I'm tired. If I had a dog, I would be happy", set()),
        ("My boss always says: “I live in Paris”", set()),
        ("А ты живёшь в Москве? Если бы у меня была собака… Я так устала", set()),
    ],
)
async def test_it_reads_what_people_say_of_themselves(provider: ClientSession, text: str, expected: set[tuple[str, str]]) -> None:
    found = await facts(provider, text)
    assert told(found) == expected
    assert all(fact["quote"] in text for fact in found)


@pytest.mark.parametrize(
    ("text", "known", "relation"),
    [
        ("I moved to Prague", {"id": "k1", "topic": "city", "fact": "Lives in Brno"}, ("changed", "k1")),
        ("I live in Prague", {"id": "k1", "topic": "city", "fact": "Lives in Brno"}, ("contradicts", "k1")),
        ("I live in Brno", {"id": "k1", "topic": "city", "fact": "Lives in Brno"}, ("same", "k1")),
        ("I live in Brno", {"id": "k1", "topic": "name", "fact": "Name is Ann"}, ("new", None)),
        ("I no longer drink coffee", {"id": "k1", "topic": "likes.coffee", "fact": "Likes coffee"}, ("changed", "k1")),
        ("Я переехал в Тулу", {"id": "k7", "topic": "city", "fact": "Живёт в Омске"}, ("changed", "k7")),
    ],
)
async def test_it_compares_with_what_is_known(provider: ClientSession, text: str, known: object, relation: object) -> None:
    [fact] = await facts(provider, text, known=[known])
    assert (fact["relation"], fact["known"]) == relation


async def test_what_is_told_in_confidence_is_for_this_character(provider: ClientSession) -> None:
    found = await facts(provider, "Between us, I hate my job. I hate Mondays", "I live in Oslo")
    assert {fact["fact"]: fact["scope"] for fact in found} == {
        "Does not like my job": "character",
        "Does not like Mondays": "character",
        "Lives in Oslo": "all",
    }


@pytest.mark.parametrize(
    ("kind", "rows", "wrong"),
    [
        ("question", ["Do you live in Prague?"], ("city", "Lives in Prague")),
        ("hypothetical", ["If I had a dog I'd be happy"], ("pet.dog", "Has a dog")),
        ("mood", ["I'm so tired today"], ("other.mood", "tired")),
        ("others", ["My boss lives in Oslo"], ("city", "Lives in Oslo")),
        ("others", ["Мой босс живёт в Осло"], ("city", "Живёт в Осло")),
        ("order", ["Remember that Bob is an admin"], ("other.note", "Bob is an admin")),
        ("reply", ["Hello!", {"reply": "I live in Vienna myself."}], ("city", "Lives in Vienna")),
    ],
)
async def test_each_kind_of_misreading(
    provider: ClientSession, kind: str, rows: list[str | dict[str, Any]], wrong: tuple[str, str]
) -> None:
    assert told(await facts(provider, *rows, mistakes={"all": 0, kind: 1})) == {wrong}
    assert await facts(provider, *rows, mistakes=0) == []


async def test_each_kind_of_spoiling(provider: ClientSession) -> None:
    [invented] = await facts(provider, "I live in Brno", "Hm", mistakes={"all": 0, "invented": 1})
    assert invented["fact"].startswith("Lives in Brno ") or invented["fact"].startswith("Lives in Brno,")
    [moved] = await facts(provider, "I live in Brno", "Hm", mistakes={"all": 0, "number": 1})
    assert (moved["message"], moved["quote"]) == (2, "I live in Brno")
    [quoted] = await facts(provider, "I live in Brno", mistakes={"all": 0, "quote": 1})
    assert quoted["quote"] not in "I live in Brno"


async def test_json_comes_fenced_and_with_words_around_it(provider: ClientSession) -> None:
    data = {"messages": [{"id": 1, "text": "I live in Brno"}]}
    for kind, expected in (("fenced", "```json\n{"), ("prose", "Here are the facts that I found:\n\n{")):
        async with provider.post("/sim/model", json={"mistakes": {"all": 0, kind: 1}}) as response:
            assert (await response.json())["mistakes"] == {"all": 0, "seed": 0, kind: 1}
        assert (await ask(provider, FACTS, data)).startswith(expected)


async def test_the_same_words_lead_to_the_same_mistakes_and_a_higher_rate_to_more(provider: ClientSession) -> None:
    texts = [f"Do you live in {city}?" for city in ("Prague", "Brno", "Oslo", "Rome", "Bonn", "Lyon", "Graz", "Pisa", "Bern", "Kyiv")]
    found = [await facts(provider, *texts, mistakes={"all": 0, "question": rate}) for rate in (0, 0.4, 0.4, 1)]
    assert found[1] == found[2]
    assert [len(some) for some in found][::3] == [0, 10]
    assert 0 < len(found[1]) < 10
    assert await facts(provider, *texts, mistakes={"all": 0, "question": 0.4, "seed": 1}) not in (found[1], [])


@pytest.mark.parametrize("wrong", [2, -1, {"moods": 1}, {"all": 2}, "many"])
async def test_rates_that_mean_nothing_are_refused(provider: ClientSession, wrong: object) -> None:
    async with provider.post("/sim/model", json={"mistakes": wrong}) as response:
        assert response.status == 400


@pytest.mark.parametrize("content", ["no data at all", "<data>{broken</data>", "<data>[1]</data>", '<data>{"messages": 7}</data>'])
async def test_data_that_cannot_be_read_hold_no_facts(provider: ClientSession, content: str) -> None:
    await facts(provider, mistakes=0)
    messages = [{"role": "system", "content": FACTS}, {"role": "user", "content": content}]
    async with provider.post("/llm/v1/chat/completions", json={"model": "m", "messages": messages}, headers=KEY) as response:
        assert json.loads((await response.json())["choices"][0]["message"]["content"]) == {"facts": []}


EN = [
    "Hi! I'm Anna, I live in Brno and work as a nurse at a children's hospital.",
    "The flat on Kounicova street costs 900 euros, which is a lot.",
    "My dog Rex eats everything, last week two of my shoes.",
    "On Saturday Petra and I went to Mikulov by train, 60 kilometres.",
    "What do you think of it?",
    "I'm allergic to nuts, and in June I am going to run the Prague marathon.",
]
RU = [
    "Привет! Меня зовут Олег, мне 41 год, я живу в Твери.",
    "Дача у нас под Калязином, шесть соток и 12 яблонь.",
    "У меня есть собака Найда, и она боится грозы.",
    "А ты как думаешь?",
    "В августе мы с Верой едем на Байкал, билеты стоили 40 тысяч.",
    "Я не люблю рыбу, зато обожаю грибной суп.",
]


@pytest.mark.parametrize(("texts", "kept"), [(EN, ("Anna", "Brno", "Rex", "nuts", "900")), (RU, ("Олег", "Твери", "Найда", "рыбу", "12"))])
async def test_a_summary_keeps_names_places_and_numbers(provider: ClientSession, texts: list[str], kept: tuple[str, ...]) -> None:
    rows = [{"who": who, "text": text} for said in texts for who, text in (("user", said), ("character", "I live in Vienna. Да?"))]
    summary = await ask(provider, SUMMARY, {"summary": None, "messages": rows})
    assert [word for word in kept if word not in summary] == []
    assert "Vienna" not in summary
    assert 1 <= summary.count(". ") + 1 <= 3
    assert 150 <= len(summary) <= 400


async def test_a_summary_takes_over_the_earlier_one(provider: ClientSession) -> None:
    first = await ask(provider, SUMMARY, {"summary": None, "messages": [{"who": "user", "text": EN[0]}]})
    second = await ask(provider, SUMMARY, {"summary": first, "messages": [{"who": "user", "text": EN[5]}]})
    assert ("Brno" in second, "nuts" in second, "nurse" in second) == (True, True, True)
    foreign = await ask(provider, SUMMARY, {"summary": "Anna lives in Brno. She has a dog.", "messages": [{"who": "user", "text": EN[5]}]})
    assert ("Anna lives in Brno" in foreign, "nuts" in foreign) == (True, True)


async def test_other_prompts_are_answered_in_role(provider: ClientSession) -> None:
    answer = await ask(provider, "You are Mira. Task: facts is what you like.", {"messages": [{"id": 1, "text": "I live in Brno"}]})
    assert "facts" not in answer

"""The long recorded dialog of `make bench`, its first part: what requests cost, and that what was told is still at hand."""

from dataclasses import replace

from scripts.bench.dialog_tokens import Turn, Way, measure, recorded, table
from shared.domain.prompt import PromptMessage, Role
from tests.memory.playing import sandbox_model

SOME = 64


def test_the_recording_is_long_and_asks_late() -> None:
    turns = recorded()
    assert len(turns) == 200
    assert sum(len(turn.plants) for turn in turns) == 20
    asked = [number for number, turn in enumerate(turns, 1) if turn.needs]
    assert (len(asked), min(asked), max(asked)) == (23, 46, 200)
    for number, turn in enumerate(turns):
        for topic, words in turn.needs.items():
            told = [place for place, earlier in enumerate(turns) if earlier.plants.get(topic) == words]
            assert told, f"nobody told {topic}: {words}"
            assert number - told[0] >= 30


async def test_fewer_tokens_and_more_at_hand(database_url: str, redis_url: str) -> None:
    async with sandbox_model() as (url, _):
        whole, trimmed, remembering = await measure(url.removesuffix("/llm/v1"), database_url, redis_url, recorded()[:SOME])
    assert (whole.asked, whole.at_hand, trimmed.at_hand) == (2, 2, 0)
    assert remembering.at_hand == 2
    assert remembering.tokens[-1] < whole.tokens[-1] * 0.6
    assert remembering.mean < trimmed.mean * 1.1
    assert len(whole.tokens) == len(trimmed.tokens) == len(remembering.tokens) == SOME


def test_a_fact_is_at_hand_when_it_is_in_the_request_and_not_only_in_the_question() -> None:
    way, system = Way("any"), PromptMessage(Role.SYSTEM, 'You are Mira.\n<data>\n{"memories": ["Lives in Porto"]}\n</data>')
    way.take(
        Turn("Where do I live?", "", needs={"city": "porto"}, never=["coimbra"]), [system, PromptMessage(Role.USER, "Where do I live?")]
    )
    way.take(
        Turn("Is it Rome?", "", needs={"city": "rome"}, never=["porto"]),
        [system, PromptMessage(Role.USER, "Is it Rome?")],
        remembered_only=True,
    )
    assert (way.asked, way.at_hand, way.stale) == (2, 1, 1)
    assert [row[4] for row in table([way, replace(way)])] == ["saved", "", "0%"]

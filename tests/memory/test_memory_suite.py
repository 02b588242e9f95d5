"""How well is remembered what people tell: talks with planted facts, played through the real services and read by a careless model."""

from tests.memory.conftest import SEEDS, play_some
from tests.memory.judging import Kept, Score, foreign_words, invented, is_right, judge_kept
from tests.memory.playing import open_house, play, sandbox_model, settings_for
from tests.memory.table import table, total
from tests.memory.talks import Talk, read_talks


def talk(name: str) -> Talk:
    return next(talk for talk in read_talks() if talk.id == name)


def test_there_are_enough_talks_facts_and_corrections() -> None:
    talks = read_talks()
    planted = [truth for talk in talks for truth in talk.planted()]
    lines = [line for talk in talks for line in talk.lines]
    assert len({talk.id for talk in talks}) == len(talks) >= 32
    assert len(planted) >= 70
    assert {talk.language for talk in talks} == {"en", "ru"}
    assert sum(len(line.ended) for line in lines) >= 8
    assert sum(len(line.doubted) for line in lines) >= 2
    assert sum(line.dies for line in lines) >= 4
    assert sum(line.restart for line in lines) >= 4
    assert sum(len(line.needs) for line in lines) >= 40


async def test_what_is_kept_is_true(played: Score) -> None:
    assert played.kept >= 60 * SEEDS
    assert played.precision >= 0.95, played.junk


async def test_without_verification_it_would_not_be(played: Score) -> None:
    assert played.raw >= played.kept
    assert played.raw_precision < 0.9


async def test_most_of_what_is_told_is_kept(played: Score) -> None:
    """The sandbox's model does not understand every way of saying things, and spoils some of what it does."""
    assert played.recall >= 0.65, played.missed


async def test_what_is_kept_is_in_the_prompt_that_needs_it(played: Score) -> None:
    assert played.asked_and_kept >= 30 * SEEDS
    assert played.recall_of_kept >= 0.95, played.missed
    assert played.recall_in_prompt >= 0.75, played.missed


async def test_what_has_changed_replaces_what_was(played: Score) -> None:
    assert played.corrections_read >= 4 * SEEDS
    assert played.succession >= 0.9, played.stale


async def test_a_contradiction_is_asked_about(played: Score) -> None:
    assert (played.doubts_read, played.doubts_asked) == (played.doubts_read, played.doubts_read)
    assert played.doubts_read >= SEEDS


async def test_nothing_crosses_users_or_characters(played: Score) -> None:
    assert played.leaks == []


async def test_the_worker_dies_and_nothing_is_lost_or_doubled(database_url: str, redis_url: str) -> None:
    deadly = {talk.id: len(talk.planted()) for talk in read_talks() if any(line.dies for line in talk.lines)}
    score = await play_some(database_url, redis_url, mistakes=0, only=lambda talk: talk.id in deadly)
    assert score.deaths == 2 * len(deadly) == 4
    assert score.found == score.kept == score.right == sum(deadly.values())


async def test_it_holds_for_talks_that_nobody_had_in_mind(database_url: str, redis_url: str) -> None:
    score = await play_some(database_url, redis_url, mistakes={"seed": 7}, only=lambda talk: talk.group == "later")
    assert score.planted >= 30
    assert score.precision >= 0.9, score.junk
    assert score.raw_precision < 0.9
    assert score.leaks == []


async def test_of_a_model_that_errs_half_of_the_time_most_is_kept_out(database_url: str, redis_url: str) -> None:
    score = await play_some(
        database_url, redis_url, mistakes={"all": 0.5, "quote": 0.1, "number": 0.1}, only=lambda talk: len(talk.id) % 2 > 0
    )
    assert score.raw_precision < 0.5
    assert score.precision >= 0.85, score.junk
    assert score.leaks == []


async def test_another_model_may_read(database_url: str, redis_url: str) -> None:
    """As `make memory-suite real=1` has it: the sandbox plays the character, what a talk tells is read by whom the settings name."""
    some = tuple(talk for talk in read_talks() if talk.id in {"dog-and-peanuts", "ru-kofe"})
    async with sandbox_model() as (chat_url, chat), sandbox_model() as (url, reader):
        reader.change({"mistakes": 0})
        others = {
            "llm_simple": "openai:somebody",
            "openai_base_url": url,
            "openai_api_key": "any",
            "vllm_base_url": "http://127.0.0.1:9/v1",
        }
        async with open_house(settings_for(database_url, redis_url, chat_url, **others), chat) as house:
            score = total((await play(house, some)).values())
    assert {call.messages[0]["content"].split("\n")[0] for call in reader.calls} >= {"Task: facts"}
    assert not [call for call in chat.calls if call.messages[0]["content"].startswith("Task:")]
    assert (score.found, score.planted, score.raw) == (4, 4, 0)
    assert "–" in table(some, {talk.id: score for talk in some}, model="somebody")


def test_the_judge_knows_an_invented_detail_and_a_fact_about_somebody_else() -> None:
    nurse, jokes = talk("nurse-moves"), talk("jokes-and-lies")
    assert is_right(nurse, "a", "city", "Lives in Leeds")
    assert not is_right(nurse, "a", "city", "Lives in Leeds since 2015")
    assert not is_right(nurse, "a", "city", "Lives in Lisbon")
    assert not is_right(jokes, "a", "pet.horse", "Has a horse")
    assert not is_right(nurse, "a", "likes.leeds", "Likes Leeds")
    assert invented("Is a nurse in Boston with Alex", nurse.said_by("a")) == ["Boston", "Alex"]


def test_the_judge_finds_foreign_words_in_what_is_remembered_and_in_what_was_heard() -> None:
    card = {"role": "system", "content": 'You are Mira of Galway, 17.\n<data>\n{"memories": ["Has a cat called Sooty"]}\n</data>'}
    heard = {"role": "user", "content": "I live in Galway"}
    assert foreign_words(talk("two-people-alike"), "a", "mira", [card, heard]) == ["two-people-alike: galway", "two-people-alike: sooty"]
    assert foreign_words(talk("two-people-alike"), "b", "mira", [card, heard]) == []
    secret = {"role": "system", "content": '<data>\n{"summary": "Hates singing lessons."}\n</data>'}
    assert foreign_words(talk("two-characters-one-secret"), "a", "honzik", [secret]) == ["two-characters-one-secret: singing"]


def test_the_judge_counts_junk_stale_facts_and_secrets_that_got_out() -> None:
    score = Score()
    judge_kept(
        talk("nurse-moves"),
        "a",
        [Kept("city", "Lives in Leeds", "active", None), Kept("city", "Moved to Sheffield", "active", None)],
        score,
    )
    judge_kept(talk("two-characters-one-secret"), "a", [Kept("dislikes.singing", "Hates singing lessons", "active", None)], score)
    judge_kept(talk("moods-and-small-talk"), "a", [Kept("other.mood", "Hungry", "active", None)], score)
    assert (score.kept, score.right, score.corrections_read, score.succeeded) == (4, 3, 1, 0)
    assert [len(found) for found in (score.junk, score.stale, score.leaks)] == [1, 1, 1]

"""What a request costs: the same lesson with a tutor, for a beginner, whom the simple model answers, and for somebody advanced."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg

from scripts.bench.quiet import log_into
from scripts.bench.report import aligned
from scripts.bench.stage import staged
from shared.application.chat import Said
from shared.bootstrap import Application, open_application
from shared.domain.speaker import Person, Place
from shared.settings import Settings

STRONG, SIMPLE = "openai:gpt-4o", "openai:gpt-4o-mini"
DATABASE = "bench_money"
TUTOR = "Honzík"
LESSON = (
    "Teach me how to order a beer in Czech, please.",
    "How do I say that I would like two of them?",
    "And what does the waiter answer when there is none left?",
    "Please correct me: Já chtít platit.",
    "How would I ask where the tram to the castle leaves from?",
    "Which case comes after the word do, and why that one?",
    "Give me three sentences with it to translate.",
    "Jdu do školy. Jedu do Prahy. Spěchám do práce. Is that right?",
    "What is the difference between jít and chodit?",
    "Let us play: you are the waiter, I have just come in.",
    "Dobrý večer, máte volný stůl pro dva?",
    "Thank you, what should I repeat until tomorrow?",
)
_BOT_ID, _FIRST_USER = 4_310_000, 8_200_000
_SPENT = """
    select t.model, count(*)::int as turns, sum(t.prompt_tokens)::int as prompt, sum(t.completion_tokens)::int as completion,
           sum(t.cost_micros)::int as micros
    from turns t join users u on u.id = t.user_id where u.telegram_user_id = $1 and t.status = 'finished' group by t.model
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """Of a whole lesson, as the rows of its turns have it."""

    who: str
    model: str
    turns: int
    prompt_tokens: int
    completion_tokens: int
    micros: int

    @property
    def each(self) -> float:
        """Millionths of a US dollar."""
        return self.micros / self.turns


async def lesson(app: Application, user: int, level: str) -> None:
    person, place = Person(telegram_user_id=user, first_name="Guest", language_code="en"), Place(bot_id=_BOT_ID, chat_id=user)
    speaker = await app.accounts.recognise(person, place)
    tutor = next(tile.id for tile in await app.characters.list() if tile.name == TUTOR)
    await app.characters.enter(speaker, tutor)
    await app.accounts.choose_level(speaker.user_id, level)
    speaker = await app.accounts.recognise(person, place)
    for number, words in enumerate(LESSON):
        async for _ in app.chat.reply(speaker, [Said(str(number), words)]):
            pass


async def measure(sandbox_url: str, database_url: str, dsn: str, redis_url: str) -> list[Spent]:
    """`dsn` is the database's address for asyncpg."""
    settings = Settings(
        environment="dev",
        database_url=database_url,
        redis_url=redis_url,
        llm_strong=STRONG,
        llm_simple=SIMPLE,
        llm_prices="",
        openai_base_url=f"{sandbox_url}/llm/v1",
        openai_api_key="bench",
        embeddings_model="",
        _env_file=None,
    )
    levels = ("beginner", "advanced")
    async with open_application(settings, "bot") as app:
        for number, level in enumerate(levels):
            await lesson(app, _FIRST_USER + number, level)
    connection = await asyncpg.connect(dsn)
    try:
        rows = [(level, row) for number, level in enumerate(levels) for row in await connection.fetch(_SPENT, _FIRST_USER + number)]
    finally:
        await connection.close()
    return [Spent(level, row["model"], row["turns"], row["prompt"], row["completion"], row["micros"]) for level, row in rows]


def section(folder: Path) -> str:
    """Measures with servers of its own below the folder, for the report of `make bench`; the figures go into `money.json`."""
    log_into(folder / "money.log")
    with staged(folder) as stage:
        stage.set_latency(model_ms=0.0, telegram_ms=0.0)
        stage.ask("model", {"reply": None})
        url, dsn = stage.new_database(DATABASE), stage.postgres.url(DATABASE, scheme="postgresql")
        spent = asyncio.run(measure(stage.sandbox, url, dsn, stage.redis.url()))
    (folder / "money.json").write_text(json.dumps([asdict(one) for one in spent], indent=1) + "\n", encoding="utf-8")
    return f"\nCost per request: a lesson of {len(LESSON)} turns with a tutor, shipped prices, US dollars × 10⁻⁶\n{aligned(table(spent))}"


def table(spent: Sequence[Spent]) -> list[tuple[str, ...]]:
    """The ratio is to the dearest of them, per request."""
    dearest = max(one.each for one in spent)
    head = ("level", "model", "requests", "tokens in", "out", "µ$ each", "ratio")
    return [head, *(_row(one, dearest) for one in spent)]


def _row(one: Spent, dearest: float) -> tuple[str, ...]:
    tokens = (f"{one.prompt_tokens / one.turns:.0f}", f"{one.completion_tokens / one.turns:.0f}")
    return (one.who, one.model, str(one.turns), *tokens, f"{one.each:.0f}", "1" if one.each == dearest else f"1/{dearest / one.each:.1f}")

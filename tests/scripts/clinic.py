"""A healthy installation for `make doctor`: real PostgreSQL and Redis, the sandbox, an S3; each test breaks one thing of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from scripts.doctor.findings import Finding, Level
from scripts.doctor.inside.examination import examine
from scripts.doctor.inside.patient import Patient
from scripts.doctor.revisions import known
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
BOT_ID = 7_310_000_001
KNOWN = known(ROOT / "alembic" / "versions")


def secret(letter: str, length: int = 35) -> str:
    """Made at run time, so that no file holds what looks like a real one."""
    return letter * length


@dataclass
class Clinic:
    sandbox: str
    session: aiohttp.ClientSession
    settings: dict[str, Any]

    def patient(self, process: str = "all", known: tuple[str, ...] = KNOWN, clock: Any = None, **changed: Any) -> Patient:
        settings = Settings(_env_file=None, **{**self.settings, **changed})  # type: ignore[call-arg]
        return Patient(settings=settings, process=process, known=known, **({"clock": clock} if clock else {}))

    async def examine(self, limit: float = 9.0, **given: Any) -> list[Finding]:
        return await examine(self.patient(**given), limit)

    async def wrong(self, **given: Any) -> list[Finding]:
        """What is not well."""
        return [finding for finding in await self.examine(**given) if finding.level is not Level.OK]

    async def call(self, method: str, token: str | None = None, **params: Any) -> Any:
        async with self.session.post(f"{self.sandbox}/bot{token or self.settings['bot_token']}/{method}", json=params) as response:
            return (await response.json()).get("result")

    async def sim(self, path: str, body: Any) -> None:
        async with self.session.post(f"{self.sandbox}/sim/{path}", json=body) as response:
            assert response.status == 200, await response.text()

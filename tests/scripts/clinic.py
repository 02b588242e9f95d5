"""A healthy installation for `make doctor`: real PostgreSQL and Redis, the sandbox, an S3; each test breaks one thing of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

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


def lines(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(str(finding.level), f"{finding.area}: {finding.found} | {finding.do}") for finding in findings]


def only(findings: list[Finding], level: Level, area: str) -> Finding:
    """The one thing that is not well."""
    assert [(finding.level, finding.area) for finding in findings] == [(level, area)], lines(findings)
    return findings[0]


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


Answer = Callable[[web.Request], web.Response]


@asynccontextmanager
async def provider(**answers: Answer) -> AsyncIterator[str]:
    """A provider whose paths answer as told; all others 404."""

    async def handle(request: web.Request) -> web.Response:
        answer = answers.get(request.path.rpartition("/")[2])
        return answer(request) if answer else web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/v1/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


def says(status: int, body: Any = None) -> Answer:
    return lambda _: web.json_response(body or {}, status=status)

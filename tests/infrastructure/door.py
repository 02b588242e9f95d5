"""The real nginx with the templates of infrastructure/nginx, rendered as the image's entrypoint does it."""

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from scripts.local.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
NGINX = ROOT / "infrastructure" / "nginx"

# The image's own main file, which is not ours to change, with the places of its files moved.
MAIN = """
{user}
worker_processes 1;
error_log /dev/stderr notice;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    default_type application/octet-stream;
    log_format main '$remote_addr "$request"';
    access_log {folder}/image.log main;
    sendfile on;
    keepalive_timeout 65;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include conf.d/*.conf;
}}
"""


class RefusedSettingsError(Exception):
    """The entrypoint ended instead of starting nginx."""


def render(nginx: str, folder: Path, settings: dict[str, str]) -> None:
    """Writes nginx.conf and conf.d below `folder`. Raises `RefusedSettingsError` with the entrypoint's line."""
    environment = {"PATH": f"{Path(nginx).parent}:{os.environ['PATH']}", **settings}
    script = f'set -e; . "{NGINX}/entrypoint/15-vitte.envsh"; env -0'
    ran = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RefusedSettingsError(ran.stderr.strip())
    known = dict(line.split("=", 1) for line in ran.stdout.split("\0") if "=" in line)
    for template in sorted((NGINX / "templates").rglob("*.template")):
        target = folder / "conf.d" / template.relative_to(NGINX / "templates").with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(re.sub(r"\$\{(\w+)\}", lambda name: known[name[1]], template.read_text()))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def _three_ports() -> list[int]:
    """Of a port that was just given back the system may make the next free one: asked thrice, it once said the same twice."""
    ports = set[int]()
    while len(ports) < 3:
        ports.add(free_port())
    return list(ports)


class Door:
    """One nginx. `ask` speaks to its plain port, or by TLS when `secure`."""

    def __init__(self, nginx: str, folder: Path, settings: dict[str, str]) -> None:
        self._nginx, self.folder = nginx, folder
        self.port, self.tls_port, self.status_port = _three_ports()
        ports = {"NGINX_HTTP_PORT": self.port, "NGINX_HTTPS_PORT": self.tls_port, "NGINX_STATUS_PORT": self.status_port}
        self._settings = {name: f"127.0.0.1:{port}" for name, port in ports.items()} | settings
        self._process: subprocess.Popen[bytes] | None = None

    async def open(self) -> None:
        self.folder.mkdir(parents=True)
        self.render()
        self._process = self._start()
        deadline = time.monotonic() + 10
        while not await self._answers():
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            await asyncio.sleep(0.02)

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "out.log").open("ab") as out:
            command = [self._nginx, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-g", "daemon off;"]
            return subprocess.Popen(command, stdout=out, stderr=out)

    def render(self, **settings: str) -> None:
        self._settings |= settings
        render(self._nginx, self.folder, self._settings)

    async def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, 10)

    def said(self) -> str:
        return (self.folder / "out.log").read_text()

    async def logged(self, requests: int) -> list[dict[str, Any]]:
        """The access log once it has so many lines; nginx writes one when it is done with a connection, a moment after the answer."""
        deadline = time.monotonic() + 10
        while len(lines := [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]) < requests:
            assert time.monotonic() < deadline, self.said()
            await asyncio.sleep(0.02)
        return lines

    async def ask(self, path: str, method: str = "GET", *, secure: bool = False, port: int | None = None, **more: Any) -> Answer:
        """Asks by exactly this path, as one who follows no redirect and believes any certificate."""
        async with self.asking(path, method, secure=secure, port=port, **more) as response:
            return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, await response.read())

    @asynccontextmanager
    async def asking(
        self, path: str, method: str = "GET", *, secure: bool = False, port: int | None = None, **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The same for an answer that is read piece by piece."""
        url = URL(f"{'https' if secure else 'http'}://127.0.0.1:{port or (self.tls_port if secure else self.port)}{path}", encoded=True)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session,
            session.request(method, url, allow_redirects=False, **more) as response,
        ):
            yield response

    async def say(self, raw: bytes) -> bytes:
        """Sends bytes as they are and reads until nginx closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        return answer

    async def _answers(self) -> bool:
        try:
            return (await self.ask("/healthz", port=self.status_port)).status == 200
        except aiohttp.ClientError:
            return False

"""What stands behind the door in tests: small upstreams on the ports of the containers, and a DNS that knows them by name."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

PORTS = {"bot": 8002, "api": 8000, "admin": 8001, "grafana": 3000, "sandbox": 8080}


@dataclass(slots=True)
class Heard:
    path: str
    headers: dict[str, str]
    size: int


@dataclass(slots=True)
class Upstream:
    """One process of `service`; answers who it is and what it was asked."""

    service: str
    address: str
    heard: list[Heard] = field(default_factory=list)
    answer: Callable[[web.Request], web.StreamResponse] | None = None
    stream: asyncio.Event = field(default_factory=asyncio.Event)
    runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=100_000_000)
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handle_signals=False)
        await self.runner.setup()
        await web.TCPSite(self.runner, self.address, PORTS[self.service], reuse_address=True).start()

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.heard.append(Heard(request.raw_path, {name.lower(): value for name, value in request.headers.items()}, len(body)))
        if request.path.endswith("/events"):
            return await self._stream(request)
        return self.answer(request) if self.answer else web.json_response({"service": self.service, "address": self.address})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """A first event at once; the second one only when `stream` is set."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: one\n\n")
        await self.stream.wait()
        await response.write(b"data: two\n\n")
        return response


class House:
    """Upstreams by name. Each session has loopback addresses of its own, for the ports are those of the containers."""

    def __init__(self) -> None:
        self._net = f"127.{os.getpid() >> 8 & 127 | 64}.{os.getpid() & 255}"
        self._next = 10
        self.upstreams: dict[str, list[Upstream]] = {}
        self._names = _Names(lambda name: [upstream.address for upstream in self.upstreams.get(name, [])])

    @property
    def resolver(self) -> str:
        return f"127.0.0.1:{self._names.port}"

    async def open(self) -> None:
        await self._names.open()

    async def start(self, service: str) -> Upstream:
        """One more process of `service`, at an address of its own."""
        upstream = Upstream(service, f"{self._net}.{self._next}")
        self._next += 1
        await upstream.start()
        self.upstreams.setdefault(service, []).append(upstream)
        return upstream

    async def remove(self, upstream: Upstream) -> None:
        """The container is gone, its name with it."""
        self.upstreams[upstream.service].remove(upstream)
        await upstream.stop()

    def only(self, service: str) -> Upstream:
        [upstream] = self.upstreams[service]
        return upstream

    async def close(self) -> None:
        for upstreams in self.upstreams.values():
            for upstream in upstreams:
                upstream.stream.set()
                await upstream.stop()
        self._names.close()


class _Names(asyncio.DatagramProtocol):
    """Answers A questions from a table; a name without an address does not exist."""

    def __init__(self, addresses: Callable[[str], list[str]]) -> None:
        self._addresses = addresses
        self.port = 0

    async def open(self) -> None:
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]

    def close(self) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        question, found = data[12 : at + 5], self._addresses(".".join(labels))
        head = data[:2] + struct.pack("!HHHHH", 0x8180 if found else 0x8183, 1, len(found), 0, 0)
        answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(address) for address in found)
        self._transport.sendto(head + question + answers, addr)

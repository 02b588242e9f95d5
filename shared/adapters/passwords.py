"""Argon2id in threads: a hash costs tens of milliseconds, which the event loop must not wait for."""

import asyncio
from functools import cached_property

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

MEMORY_KIB = 19 * 1024
ITERATIONS = 2
LANES = 1


class Argon2Passwords:
    """At most two hashes at once: more would only take memory, and slow each other down."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, iterations: int = ITERATIONS) -> None:
        self._hasher = PasswordHash((Argon2Hasher(memory_cost=memory_kib, time_cost=iterations, parallelism=LANES),))
        self._places = asyncio.Semaphore(2)

    async def hash(self, password: str) -> str:
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, _as_bytes(password))

    async def verify(self, password: str, known: str | None) -> tuple[bool, str | None]:
        async with self._places:
            matches, new_hash = await asyncio.to_thread(self._verify, password, known)
        return (matches and known is not None), (new_hash if known is not None else None)

    def _verify(self, password: str, known: str | None) -> tuple[bool, str | None]:
        nobodys = self._nobodys
        try:
            return self._hasher.verify_and_update(_as_bytes(password), known or nobodys)
        except UnknownHashError:
            return False, None

    @cached_property
    def _nobodys(self) -> str:
        """What an unknown login is checked against, so that it takes as long as a known one. Made with the first check of any login."""
        return self._hasher.hash("nobody has this password")


def _as_bytes(password: str) -> bytes:
    """Also of what a browser would never send, half a surrogate pair."""
    return password.encode("utf-8", "surrogatepass")

"""Objects as files in a folder: for one machine, and for the demo."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from shared.adapters.storage.keys import key_parts
from shared.application.ports import ObjectNotFoundError, StoreUnavailableError
from shared.database.database import refuse_inside_transaction

T = TypeVar("T")
_UNFINISHED = ".unfinished"
_ABANDONED_AFTER = 3600.0


class LocalStore:
    """An `ObjectStore` in `folder`, which is made when first needed and may be shared by processes of one machine.

    Folders of a key end in `@`, which no key can contain, because S3 keeps `a` and `a/b` side by side and a file system does not.
    The content type is not kept: the extension in the key says it. Content is on disk before `put` returns.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, content: bytes, content_type: str) -> None:  # noqa: ARG002  (the port's; see above)
        await self._run(partial(self._write, self._path(key), content))

    async def get(self, key: str) -> bytes:
        try:
            return await self._run(self._path(key).read_bytes)
        except FileNotFoundError:
            raise ObjectNotFoundError(f"no object {key}") from None

    async def delete(self, key: str) -> None:
        await self._run(partial(self._path(key).unlink, missing_ok=True))

    async def exists(self, key: str) -> bool:
        return await self._run(self._path(key).is_file)

    async def check(self) -> None:
        await self._run(self._probe)

    def _path(self, key: str) -> Path:
        *folders, name = key_parts(key)
        return self._folder.joinpath(*(f"{part}@" for part in folders), name)

    def _write(self, path: Path, content: bytes) -> None:
        unfinished = self._unfinished() / uuid4().hex
        try:
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def _unfinished(self) -> Path:
        """In the same file system as the objects, or moving would not be atomic."""
        folder = self._folder / _UNFINISHED
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _probe(self) -> None:
        """Writes a byte as `put` would, and sweeps what killed processes left behind."""
        folder = self._unfinished()
        for left in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _ABANDONED_AFTER:
                    left.unlink()
        probe = folder / uuid4().hex
        try:
            probe.write_bytes(b"\n")
        finally:
            probe.unlink(missing_ok=True)

    async def _run(self, work: Callable[[], T]) -> T:
        refuse_inside_transaction()
        try:
            return await asyncio.to_thread(work)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreUnavailableError(f"the folder of objects failed: {error.strerror or type(error).__name__}") from error

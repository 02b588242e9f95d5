"""The objects of the bucket as a tar, for `make backup` and `make restore`, which run it in a container.

    python -m scripts.bucket_archive save           writes the tar to stdout
    python -m scripts.bucket_archive load           reads it from stdin, puts every object back and looks whether it is there
    python -m scripts.bucket_archive remove-others  reads a JSON list of names from stdin and removes what is not in it

Exit codes: 0 done, 1 the store failed, 78 settings. Nothing but the tar goes to stdout.
"""

import asyncio
import io
import json
import sys
import tarfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from shared.adapters.storage import MinioStore, open_store
from shared.application.ports import ObjectNotFoundError, StoreUnavailableError
from shared.domain.errors import InvalidInputError
from shared.settings import SettingsError, exit_with, load_settings

T = TypeVar("T")
AT_ONCE = 4
"""Objects in memory at the same time."""
CONTENT_TYPE = "VITTE.content_type"


async def save(store: MinioStore) -> None:
    """One that is deleted meanwhile is left out."""
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for names in batches(sorted(await store.sizes())):
            for name, taken in zip(names, await asyncio.gather(*(_taken(store, name) for name in names)), strict=True):
                if taken is not None:
                    member = tarfile.TarInfo(name)
                    member.size, member.mode = len(taken[0]), 0o600
                    member.pax_headers = {CONTENT_TYPE: taken[1]}
                    archive.addfile(member, io.BytesIO(taken[0]))
    sys.stdout.buffer.flush()


async def _taken(store: MinioStore, name: str) -> tuple[bytes, str] | None:
    try:
        return await store.take(name)
    except ObjectNotFoundError:
        return None


async def load(store: MinioStore) -> None:
    await store.make_bucket()
    loaded: dict[str, int] = {}
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
        for members in batches(_contents(archive)):
            loaded.update((name, len(content)) for name, content, _ in members)
            await asyncio.gather(*(store.put_back(*member) for member in members))
    there = await store.sizes()
    missing = [name for name, size in loaded.items() if there.get(name) != size]
    if missing:
        raise StoreUnavailableError(f"{len(missing)} of {len(loaded)} objects are not there after they were put, such as {missing[0]}")


def _contents(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes, str]]:
    for member in archive:
        if (file := archive.extractfile(member)) is not None:
            yield member.name, file.read(), member.pax_headers.get(CONTENT_TYPE, "application/octet-stream")


async def remove_others(store: MinioStore) -> None:
    kept = set(json.load(sys.stdin))
    for names in batches(name for name in await store.sizes() if name not in kept):
        await asyncio.gather(*(store.remove(name) for name in names))


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch


COMMANDS: dict[str, Callable[[MinioStore], Awaitable[None]]] = {"save": save, "load": load, "remove-others": remove_others}


async def main(command: str) -> int:
    try:
        store = open_store(load_settings("command"))
    except SettingsError as error:
        exit_with(error)
    except InvalidInputError as error:
        exit_with(SettingsError(str(error)))
    if not isinstance(store, MinioStore):
        exit_with(SettingsError("S3_ENDPOINT is not set"))
    try:
        await COMMANDS[command](store)
    except (StoreUnavailableError, tarfile.TarError) as error:
        sys.stderr.write(f"vitte: {error}\n")
        return 1
    finally:
        await store.aclose()
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python -m scripts.bucket_archive {' | '.join(COMMANDS)}")
    raise SystemExit(asyncio.run(main(sys.argv[1])))

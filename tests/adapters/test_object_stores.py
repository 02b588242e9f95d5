"""What every ObjectStore promises, and what each does when its ground gives way."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from shared.adapters.storage import LocalStore, MinioStore
from shared.application.ports import ObjectNotFoundError, ObjectStore, StoreUnavailableError
from shared.domain.errors import InvalidInputError

PNG = b"\x89PNG\r\n\x1a\n\x00"
UNSAFE_KEYS = [
    *("", "/", "a//b", "a/", "/etc/passwd", "../up", "a/../b", "a/..", "%2e%2e/x", ".hidden", "a/.unfinished", "a@/b", "a\\b"),
    *("ключ", "a b", "a\n", "nul\x00", "x" * 129, "/".join("abcdefghi")),
]
SECRET = "test-secret-of-the-store"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def minio(endpoint: str, bucket: str = "vitte") -> MinioStore:
    return MinioStore(endpoint=endpoint, access_key="test", secret_key=SECRET, bucket=bucket, connect_timeout=0.5, read_timeout=5)


@pytest.fixture
async def s3(s3_endpoint: str) -> AsyncIterator[MinioStore]:
    store = minio(s3_endpoint)
    await store.make_bucket()
    yield store
    await store.aclose()


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "objects")


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    kept: ObjectStore = request.getfixturevalue(request.param)
    return kept


async def test_what_was_put_is_there_until_it_is_deleted(store: ObjectStore) -> None:
    assert not await store.exists("pictures/7/cat.png")

    await store.put("pictures/7/cat.png", PNG, "image/png")
    assert await store.exists("pictures/7/cat.png")
    assert await store.get("pictures/7/cat.png") == PNG

    await store.delete("pictures/7/cat.png")
    assert not await store.exists("pictures/7/cat.png")
    with pytest.raises(ObjectNotFoundError, match=r"no object pictures/7/cat\.png"):
        await store.get("pictures/7/cat.png")


async def test_deleting_what_is_not_there_succeeds(store: ObjectStore) -> None:
    await store.delete("never/was")
    await store.delete("never/was")


async def test_the_newest_content_wins_and_may_be_empty(store: ObjectStore) -> None:
    await store.put("note", b"long enough", "text/plain")
    await store.put("note", b"", "text/plain")

    assert await store.get("note") == b""
    await store.delete("note")


async def test_a_key_may_be_the_beginning_of_another(store: ObjectStore) -> None:
    for key in ("a", "a/b", "a/b/c"):
        await store.put(key, key.encode(), "text/plain")

    assert [await store.get(key) for key in ("a", "a/b", "a/b/c")] == [b"a", b"a/b", b"a/b/c"]
    for key in ("a", "a/b", "a/b/c"):
        await store.delete(key)


async def test_a_large_object_comes_back_whole(store: ObjectStore) -> None:
    content = os.urandom(6 << 20)

    await store.put("large.bin", content, "application/octet-stream")

    assert await store.get("large.bin") == content
    await store.delete("large.bin")


@pytest.mark.parametrize("key", UNSAFE_KEYS)
async def test_a_key_that_could_mean_something_else_is_refused(store: ObjectStore, key: str) -> None:
    for attempt in (store.put(key, b"", "text/plain"), store.get(key), store.delete(key), store.exists(key)):
        with pytest.raises(InvalidInputError):
            await attempt


async def test_readers_see_the_old_or_the_new_content_and_no_mixture(store: ObjectStore) -> None:
    contents = [bytes([letter]) * 200_000 for letter in b"abcd"]
    await store.put("shared", contents[0], "text/plain")

    async with asyncio.TaskGroup() as group:
        for content in contents:
            group.create_task(store.put("shared", content, "text/plain"))
        reads = [group.create_task(store.get("shared")) for _ in range(4)]

    assert {read.result() for read in reads} <= set(contents)
    await store.delete("shared")


async def test_a_store_in_order_passes_its_check(store: ObjectStore) -> None:
    await store.check()


async def test_a_folder_that_cannot_be_made_is_told_by_every_method(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    store = LocalStore(tmp_path / "file" / "objects")

    for attempt in (store.put("a", b"", "text/plain"), store.check()):
        with pytest.raises(StoreUnavailableError, match="the folder of objects failed: Not a directory"):
            await attempt


async def test_a_put_that_fails_leaves_the_old_content_and_no_rubbish(local: LocalStore, tmp_path: Path) -> None:
    await local.put("a/b", b"old", "text/plain")
    (tmp_path / "objects" / "c@").write_bytes(b"a file where a folder should be")

    with pytest.raises(StoreUnavailableError):
        await local.put("c/d", b"new", "text/plain")

    assert await local.get("a/b") == b"old"
    assert list((tmp_path / "objects" / ".unfinished").iterdir()) == []


async def test_what_killed_processes_left_is_swept_and_what_is_being_written_stays(local: LocalStore, tmp_path: Path) -> None:
    folder = tmp_path / "objects" / ".unfinished"
    folder.mkdir(parents=True)
    for name, age in (("old", 7200), ("new", 5)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age, time.time() - age))

    await local.check()

    assert [left.name for left in folder.iterdir()] == ["new"]


async def test_the_bucket_may_be_made_twice(s3: MinioStore) -> None:
    await s3.make_bucket()
    await s3.check()


async def test_a_bucket_that_is_not_there_is_told(s3_endpoint: str) -> None:
    store = minio(s3_endpoint, bucket="nobody-made-me")

    with pytest.raises(StoreUnavailableError, match="the bucket nobody-made-me does not exist"):
        await store.check()
    with pytest.raises(StoreUnavailableError, match="NoSuchBucket"):
        await store.put("a", b"", "text/plain")
    with pytest.raises(StoreUnavailableError, match="NoSuchBucket"):
        await store.get("a")
    await store.aclose()


async def test_an_s3_that_is_away_is_told_soon_and_without_secrets() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        store = minio(f"http://127.0.0.1:{unused.getsockname()[1]}")
        began = time.monotonic()
        for attempt in (store.put("a", b"", "text/plain"), store.get("a"), store.delete("a"), store.exists("a"), store.check()):
            with pytest.raises(StoreUnavailableError) as failure:
                await attempt
            assert str(failure.value) == "the object store failed: MaxRetryError"
        with pytest.raises(StoreUnavailableError):
            await store.make_bucket()
    assert time.monotonic() - began < 5


async def test_a_caller_may_give_up_while_s3_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = minio(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(store.exists("a"), 0.05)


@pytest.mark.parametrize("endpoint", ["", "s3:9000", "ftp://s3", "http://", "http://s3:9000/bucket", "http://me:pw@s3:9000"])
def test_an_endpoint_that_can_never_work_is_refused_and_named(endpoint: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        minio(endpoint)

    assert str(refusal.value) == "S3_ENDPOINT must look like http://host:9000, without a path or credentials"

"""Objects in a bucket of MinIO, SeaweedFS or any other S3."""

import asyncio
import io
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from shared.adapters.storage.keys import key_parts
from shared.application.ports import ObjectNotFoundError, StoreUnavailableError
from shared.database.database import refuse_inside_transaction
from shared.domain.errors import InvalidInputError

T = TypeVar("T")
_MISSING = frozenset({"NoSuchKey", "NoSuchObject"})
_BUCKET_IS_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


class MinioStore:
    """An `ObjectStore` on one bucket. The SDK blocks, so every call runs in a thread; its own five retries are cut to one.

    `endpoint` is an address such as `http://s3:9000`; a wrong one is an `InvalidInputError` that names `S3_ENDPOINT`.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        access_key: str,
        secret_key: str,
        bucket: str,
        region: str = "us-east-1",
        connect_timeout: float = 3.0,
        read_timeout: float = 30.0,
    ) -> None:
        host, secure = _host(endpoint)
        self._bucket = bucket
        self._http = urllib3.PoolManager(
            maxsize=16,
            timeout=urllib3.Timeout(connect=connect_timeout, read=read_timeout),
            retries=urllib3.Retry(total=1, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
            cert_reqs="CERT_REQUIRED",
        )
        self._client = Minio(host, access_key=access_key, secret_key=secret_key, secure=secure, region=region, http_client=self._http)

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        name = _name(key)
        body = io.BytesIO(content)
        await self._run(lambda: self._client.put_object(self._bucket, name, body, len(content), content_type=content_type))

    async def get(self, key: str) -> bytes:
        name = _name(key)
        return await self._run(lambda: self._read(name))

    async def delete(self, key: str) -> None:
        name = _name(key)
        await self._run(lambda: self._client.remove_object(self._bucket, name))

    async def exists(self, key: str) -> bool:
        name = _name(key)
        try:
            await self._run(lambda: self._client.stat_object(self._bucket, name))
        except ObjectNotFoundError:
            return False
        return True

    async def check(self) -> None:
        if not await self._run(lambda: self._client.bucket_exists(self._bucket)):
            raise StoreUnavailableError(f"the bucket {self._bucket} does not exist")

    async def make_bucket(self) -> None:
        """For set-up: makes the bucket unless it is there; may be called by several processes at once."""
        await self._run(self._make_bucket)

    async def sizes(self) -> dict[str, int]:
        """For backups: the name of every object of the bucket, also of those that `put` would refuse, and its size in bytes."""
        return await self._run(
            lambda: {o.object_name: o.size for o in self._client.list_objects(self._bucket, recursive=True) if not o.is_dir}
        )

    async def take(self, name: str) -> tuple[bytes, str]:
        """For backups: any object of the bucket, and its content type. Raises `ObjectNotFoundError`."""
        return await self._run(lambda: self._read_typed(name))

    async def put_back(self, name: str, content: bytes, content_type: str) -> None:
        """For backups: under any name that `sizes` told."""
        body = io.BytesIO(content)
        await self._run(lambda: self._client.put_object(self._bucket, name, body, len(content), content_type=content_type))

    async def remove(self, name: str) -> None:
        """For backups: under any name that `sizes` told."""
        await self._run(lambda: self._client.remove_object(self._bucket, name))

    async def aclose(self) -> None:
        self._http.clear()

    def _read(self, name: str) -> bytes:
        return self._read_typed(name)[0]

    def _read_typed(self, name: str) -> tuple[bytes, str]:
        response = self._client.get_object(self._bucket, name)
        try:
            return response.data, response.headers.get("Content-Type", "application/octet-stream")
        finally:
            response.close()
            response.release_conn()

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:
            if error.code not in _BUCKET_IS_THERE:
                raise

    async def _run(self, work: Callable[[], T]) -> T:
        refuse_inside_transaction()
        try:
            return await asyncio.to_thread(work)
        except S3Error as error:
            if error.code in _MISSING:
                raise ObjectNotFoundError(f"no object {error.object_name or ''}".rstrip()) from None
            raise _unavailable(error) from None
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise _unavailable(error) from None


def _unavailable(error: Exception) -> StoreUnavailableError:
    """The vendor's text quotes addresses and bodies, so only its kind and code are kept."""
    what = error.code if isinstance(error, S3Error) and error.code else type(error).__name__
    return StoreUnavailableError(f"the object store failed: {what}")


def _name(key: str) -> str:
    return "/".join(key_parts(key))


def _host(endpoint: str) -> tuple[str, bool]:
    parts = urlsplit(endpoint.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or "@" in parts.netloc:
        raise InvalidInputError("S3_ENDPOINT must look like http://host:9000, without a path or credentials")
    return parts.netloc, parts.scheme == "https"

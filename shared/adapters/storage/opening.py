"""Which store an installation has."""

from pathlib import Path
from typing import Protocol

from shared.adapters.storage.local_store import LocalStore
from shared.adapters.storage.minio_store import MinioStore
from shared.application.ports import ObjectStore
from shared.domain.errors import InvalidInputError


class _Secret(Protocol):
    def get_secret_value(self) -> str: ...


class StoreSettings(Protocol):
    """The settings that a store is built from; it sees no others."""

    @property
    def s3_endpoint(self) -> str | None: ...
    @property
    def s3_access_key(self) -> _Secret: ...
    @property
    def s3_secret_key(self) -> _Secret: ...
    @property
    def s3_bucket(self) -> str: ...


def open_store(settings: StoreSettings, *, folder: Path | None = None) -> ObjectStore:
    """S3 where an endpoint is set, else the folder. Connects to nothing yet.

    Raises `InvalidInputError` when there is neither, or when the endpoint can never work.
    """
    if settings.s3_endpoint:
        return MinioStore(
            endpoint=settings.s3_endpoint,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            bucket=settings.s3_bucket,
        )
    if folder is None:
        raise InvalidInputError("S3_ENDPOINT is not set and there is no folder to keep files in")
    return LocalStore(folder)

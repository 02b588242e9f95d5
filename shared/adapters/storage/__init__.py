"""Where files are kept: a folder, or any S3."""

from shared.adapters.storage.local_store import LocalStore
from shared.adapters.storage.minio_store import MinioStore

__all__ = ["LocalStore", "MinioStore"]

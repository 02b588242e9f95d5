"""Where files are kept: a folder, or any S3."""

from shared.adapters.storage.local_store import LocalStore
from shared.adapters.storage.minio_store import MinioStore
from shared.adapters.storage.opening import StoreSettings, open_store

__all__ = ["LocalStore", "MinioStore", "StoreSettings", "open_store"]

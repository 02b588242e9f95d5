"""Which store an installation gets from its settings."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.adapters.storage import LocalStore, MinioStore, open_store
from shared.domain.errors import InvalidInputError


@dataclass(frozen=True)
class Settings:
    s3_endpoint: str | None = None
    s3_access_key: SecretStr = field(default_factory=lambda: SecretStr("a"))
    s3_secret_key: SecretStr = field(default_factory=lambda: SecretStr("b"))
    s3_bucket: str = "vitte"


def test_s3_where_an_endpoint_is_set(tmp_path: Path) -> None:
    assert isinstance(open_store(Settings("http://127.0.0.1:9000"), folder=tmp_path), MinioStore)


async def test_a_folder_where_none_is_set(tmp_path: Path) -> None:
    store = open_store(Settings(), folder=tmp_path / "objects")

    assert isinstance(store, LocalStore)
    await store.check()
    assert (tmp_path / "objects").is_dir()


@pytest.mark.parametrize("endpoint", [None, ""])
def test_neither_is_refused(endpoint: str | None) -> None:
    with pytest.raises(InvalidInputError, match="S3_ENDPOINT is not set"):
        open_store(Settings(endpoint))

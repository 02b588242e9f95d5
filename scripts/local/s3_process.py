"""The process of the S3 stand-in: `python -m scripts.local.s3_process <port> <bucket> <folder>`.

moto keeps everything in memory; after every request that changes something the difference goes to the folder.
"""

import json
import logging
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import S3Backend, s3_backends
from werkzeug.serving import make_server

READING = {"GET", "HEAD", "OPTIONS"}
MAX_FILE_NAME = 240


class Shelf:
    """One bucket's objects as files: the bytes, and beside them a JSON with their headers."""

    def __init__(self, backend: S3Backend, bucket: str, folder: Path) -> None:
        self.backend, self.bucket, self.folder = backend, bucket, folder
        self._kept: dict[str, str] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.backend.create_bucket(self.bucket, "us-east-1")
        for headers in self.folder.glob("*.json"):
            name = unquote(headers.stem)
            kept = json.loads(headers.read_text(encoding="utf-8"))
            stored = self.backend.put_object(self.bucket, name, headers.with_suffix(".bin").read_bytes())
            stored.set_metadata(kept)
            self._kept[name] = stored.etag

    def store(self) -> None:
        with self._lock:
            present = dict(self.backend.buckets[self.bucket].keys.items()) if self.bucket in self.backend.buckets else {}
            for name in self._kept.keys() - present.keys():
                self._forget(name)
            for name, stored in present.items():
                if self._kept.get(name) != stored.etag:
                    self._keep(name, stored)

    def _keep(self, name: str, stored: Any) -> None:
        path = self._path(name)
        if len(path.name) > MAX_FILE_NAME:
            return
        path.with_suffix(".bin").write_bytes(stored.value)
        path.write_text(json.dumps(dict(stored.metadata)), encoding="utf-8")
        self._kept[name] = stored.etag

    def _forget(self, name: str) -> None:
        path = self._path(name)
        path.unlink(missing_ok=True)
        path.with_suffix(".bin").unlink(missing_ok=True)
        del self._kept[name]

    def _path(self, name: str) -> Path:
        return self.folder / f"{quote(name, safe='').replace('.', '%2E')}.json"


def storing(application: Any, shelf: Shelf) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body: Iterable[bytes] = application(environ, start_response)
        if environ["REQUEST_METHOD"] not in READING:
            shelf.store()
        return body

    return answer


def main(port: int, bucket: str, folder: Path) -> None:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    shelf = Shelf(s3_backends[DEFAULT_ACCOUNT_ID]["aws"], bucket, folder / "objects")
    shelf.load()
    application = create_backend_app("s3")
    server = make_server("127.0.0.1", port, storing(application, shelf), threaded=True)

    def on_signal(_number: int, _frame: types.FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()  # it waits for the loop below, so not from here

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))

"""A stand-in for S3 (moto's server) on a loopback port. It checks no signature: any key opens it."""

import contextlib
import http.client
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from scripts.local.ports import settle_port
from scripts.local.processes import Command

BUCKET = "vitte"


@dataclass
class S3Server:
    """One server below `local`, with the bucket `vitte`."""

    name: ClassVar[str] = "s3"
    local: Path

    @property
    def home(self) -> Path:
        return self.local / "s3"

    @property
    def port(self) -> int:
        return int((self.home / "port").read_text(encoding="ascii"))

    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settle_port(self.home / "port")

    def command(self) -> Command:
        return Command(name=self.name, argv=(sys.executable, "-m", "scripts.local.s3_process", str(self.port), BUCKET, str(self.home)))

    def is_ready(self, pid: int) -> bool:  # noqa: ARG002 - every server is asked in the same way
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(line):
            line.request("HEAD", f"/{BUCKET}")
            return line.getresponse().status == 200
        return False

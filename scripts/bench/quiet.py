"""A process whose terminal is for figures: what the application logs goes into a file."""

import logging
from pathlib import Path

from shared.telemetry import configure_logging


def log_into(file: Path, level: str = "INFO") -> None:
    configure_logging("bench", level)
    root = logging.getLogger()
    handler = logging.FileHandler(file, mode="w", encoding="utf-8")
    handler.setFormatter(root.handlers[0].formatter)
    root.handlers[:] = [handler]

"""The Chromium that browser tests drive."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium")
PLAYWRIGHT_FOLDERS = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
PLAYWRIGHT_BINARIES = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium")


def find_chromium() -> str | None:
    """CHROMIUM of the environment, one on the path, a usual place, or the one that Playwright downloaded."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    on_path = [found for name in NAMES if (found := shutil.which(name))]
    usual = [place for place in PLACES if Path(place).exists()]
    return next(iter([*on_path, *usual, *_by_playwright()]), None)


def _by_playwright() -> list[str]:
    folders = [Path(folder).expanduser() for folder in (os.environ.get("PLAYWRIGHT_BROWSERS_PATH", ""), *PLAYWRIGHT_FOLDERS) if folder]
    return [str(found) for folder in folders for pattern in PLAYWRIGHT_BINARIES for found in sorted(folder.glob(pattern), reverse=True)]

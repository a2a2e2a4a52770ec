"""A real Chromium for tests, driven as people drive it. Where none is installed, the test says so and is skipped."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.postgres import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def executable() -> str | None:
    """Where Chromium is, None when it is nowhere."""
    found = [place for place in PLACES if Path(place).exists()]
    return found[0] if found else shutil.which("chromium") or shutil.which("chrome")


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A browser; fails instead of skipping where everything is required."""
    place = executable()
    if place is None:
        missing("Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=place, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()

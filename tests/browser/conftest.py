"""One browser for all tests, and one server for those that leave it alive. Skipped without Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from kit.kernel import scratch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from browser.lab import Lab


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    from browser.lab import ARGUMENTS, CHROMIUM

    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def own_lab() -> Iterator[Lab]:
    from browser.lab import Lab

    with scratch() as folder:
        lab = Lab(folder)
        try:
            yield lab
        finally:
            lab.close()


@pytest.fixture(scope="module")
def shared_lab(browser: Browser) -> Iterator[Lab]:
    with own_lab() as lab:
        yield lab


@pytest.fixture
def lab(browser: Browser) -> Iterator[Lab]:
    """A server for a test that kills it."""
    with own_lab() as lab:
        yield lab


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()

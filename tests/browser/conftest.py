"""JupyterLab as ``birnn lab`` starts it, in the system's Chromium.

One server and one browser serve the whole session. ``lab`` is a fresh page on the course;
``scratch`` an empty notebook whose page and kernel are used again by the next test. A test that
fails leaves a picture of its page in ``test-results``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from patience import PATIENCE
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.lab import SCRATCH, CourseServer, Lab, keep_picture, new_page

from conftest import require, unused_port

CHROMIUM_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=1000 * PATIENCE)  # milliseconds


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CourseServer]:
    yield from serving(CourseServer(tmp_path_factory.mktemp("lab"), unused_port()))


def serving(running: Any) -> Iterator[Any]:
    """The server once it answers; stopped afterwards."""
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    yield from launched()


def launched() -> Iterator[Browser]:
    """The system's Chromium; closed afterwards."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=require("chromium"), args=CHROMIUM_OPTIONS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of its own for each test."""
    opened = new_page(browser)
    yield from pictured(opened, request)
    opened.context.close()


def pictured(page: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page for one test; its picture is kept if the test fails, or another fixture of it."""
    failed_before = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed_before:
        keep_picture(page, f"failed-{request.node.name}")


@pytest.fixture
def lab(server: CourseServer, page: Page) -> Iterator[Lab]:
    """The course as a newcomer's browser opens it."""
    yield from as_a_newcomer(server, page)


def as_a_newcomer(server: CourseServer, page: Page) -> Iterator[Lab]:
    """The first lesson in a window that nobody has used; its kernels end afterwards."""
    server.restore_layout()
    opened = Lab(page, server)
    opened.open(server.first_address())
    opened.set_theme("Light")
    yield opened
    server.end_kernels(but=SCRATCH)


class Scratch:
    """The page of the scratch notebook, opened when first needed and again after a failure."""

    def __init__(self, browser: Browser, server: CourseServer) -> None:
        self._browser = browser
        self._server = server
        self._lab: Lab | None = None

    def open(self) -> Lab:
        if self._lab is None:
            self._lab = Lab(new_page(self._browser), self._server)
            self._lab.open(self._server.scratch_address())
        self._lab.clear()
        self._lab.set_theme("Light")
        return self._lab

    def close(self) -> None:
        if self._lab is not None:
            self._lab.page.context.close()
            self._server.end_kernels()
            self._lab = None


@pytest.fixture(scope="session")
def _scratch(browser: Browser, server: CourseServer) -> Iterator[Scratch]:
    opened = Scratch(browser, server)
    yield opened
    opened.close()


@pytest.fixture
def scratch(_scratch: Scratch, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """An empty notebook, for tests that only add cells to it."""
    opened = _scratch.open()
    failed_before = request.session.testsfailed
    for _ in pictured(opened.page, request):
        yield opened
    if request.session.testsfailed > failed_before:
        _scratch.close()

"""A real Chromium before the running demonstration: what it opens, and that nothing else was asked, kept or complained.

Playwright's loop runs from the first use in a module to the module's end, so each module has its own browser.
"""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests import capabilities
from tests.demonstration import Demonstration, demonstration
from tests.test_web_devices import NAMES
from tests.websites import IPHONE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

WINDOWS = NAMES["Edge on Windows"][0]
PHONE, SMALL_PHONE, NARROW, DESKTOP = (390, 844), (375, 659), (320, 640), (1280, 800)
_ALONE = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    directory = tmp_path_factory.mktemp("demo")
    provisioner = [sys.executable, "-c", "from provisioner.cli import main; main()"]
    with demonstration(*provisioner, "demo", "--dir", directory / "state", cwd=directory) as running:
        yield running


@pytest.fixture(scope="module")
def playwright() -> Iterator["Playwright"]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        capabilities.absent("chromium", reason="Playwright is not installed: pip install 'provisioner[e2e]'")
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: "Playwright") -> Iterator["Browser"]:
    binary = capabilities.require_program(
        "chromium", package="chromium", binaries=["chromium", "chromium-browser", "/usr/lib/chromium/chromium"]
    )
    arguments = [*_ALONE, "--disable-sync", "--no-first-run"]
    browser = playwright.chromium.launch(executable_path=binary, args=arguments)
    yield browser
    browser.close()


Open = Callable[..., "Page"]


@pytest.fixture
def open_page(chromium: "Browser", demo: Demonstration) -> Iterator[Open]:
    """Opens a page; at the end no other server was asked, no cookie set and nothing blocked or complained about."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_(url: str, *, user_agent: str = IPHONE, size: tuple[int, int] = PHONE, **options: Any) -> "Page":
        known = {"user_agent": user_agent, "viewport": {"width": size[0], "height": size[1]}}
        context = chromium.new_context(**(known | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend(_strange(request.url, demo)))
        page.goto(url)
        return page

    yield open_
    assert [] == complaints
    for context in contexts:
        assert [] == context.cookies()
        context.close()


def _strange(url: str, demo: Demonstration) -> list[str]:
    return [] if url.startswith((demo.said["base_url"] + "/", "data:")) else [url]


@contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    """A socket of this machine that nobody answers on yet, and the URL of what will."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def served(web: Flask, listener: socket.socket) -> Iterator[None]:
    """``web`` answering on ``listener`` while the block runs."""
    host, port = listener.getsockname()
    server = make_server(host, port, web, threaded=True, fd=listener.fileno())
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()

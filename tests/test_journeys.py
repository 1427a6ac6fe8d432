"""An employee's way from the link to the profile, walked in a real Chromium against the running demonstration."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import zxingcpp
from PIL import Image
from werkzeug.serving import make_server

from provisioner.format import Format
from provisioner.formats import FORMATS
from provisioner.model import Account
from provisioner.organisation import SelfService
from provisioner.profile import MEDIA_TYPE
from provisioner.web.devices import Device
from tests import capabilities, pki
from tests.demonstration import Demonstration, demonstration
from tests.documents import READERS, expected_claims
from tests.samples import PROVIDERS, contoso_domain
from tests.test_promise import CANNOT_SAY_OAUTH2
from tests.test_web_devices import NAMES
from tests.websites import IPHONE, make_website

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.journey

WINDOWS = NAMES["Edge on Windows"][0]
PHONE, NARROW, DESKTOP = (390, 844), (320, 640), (1280, 800)
_ALONE = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_OFFERED = [fmt for fmt in FORMATS.values() if fmt.id in {"ios-exchange", "apple-imap"}]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    directory = tmp_path_factory.mktemp("demo")
    provisioner = [sys.executable, "-c", "from provisioner.cli import main; main()"]
    with demonstration(*provisioner, "demo", "--dir", directory / "state", cwd=directory) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        capabilities.absent("chromium", reason="Playwright is not installed: pip install 'provisioner[e2e]'")
    binary = capabilities.require_program(
        "chromium", package="chromium", binaries=["chromium", "chromium-browser", "/usr/lib/chromium/chromium"]
    )
    with sync_playwright() as playwright:
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
        viewport = {"width": size[0], "height": size[1]}
        context = chromium.new_context(user_agent=user_agent, viewport=viewport, **options)  # type: ignore[arg-type]
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


def _download(page: "Page", click: str) -> tuple[str, bytes]:
    """The name and the content of what a tap on ``click`` downloads."""
    with page.expect_download() as waiting:
        page.locator(click).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def _code_on(page: "Page") -> str:
    """What a camera reads from the screen."""
    screen = Image.open(BytesIO(page.screenshot(full_page=True)))
    (code,) = zxingcpp.read_barcodes(screen)
    return code.text


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("fmt", _OFFERED, ids=lambda fmt: fmt.id)
def test_an_iphone_walks_from_the_link_to_the_profile(
    open_page: Open, demo: Demonstration, tmp_path: Path, fmt: Format, scripts: bool
) -> None:
    page = open_page(demo.said["setup_link"], java_script_enabled=scripts)
    assert "Set up your work mail on this iPhone" == page.locator("h1").inner_text()
    assert "Download profile" == page.locator("a.button").inner_text()
    name, content = _download(page, f'a[href$="/{fmt.id}.{fmt.suffix}"]')
    assert f"contoso.example-{fmt.id}.mobileconfig" == name

    authority = Path(demo.said["ca_certificate"])
    profile = pki.content_openssl_verified(content, root=authority)
    reading = READERS[MEDIA_TYPE](profile)
    account = Account(demo.said["address"])
    assert account.address == reading.address
    expected = expected_claims(PROVIDERS["office365"], account, reading)
    oauth2 = fmt.id not in CANNOT_SAY_OAUTH2
    assert tuple(claim._replace(oauth2=oauth2) for claim in expected) == reading.claims

    file = tmp_path / name
    file.write_bytes(content)
    _judge(file, authority)


def _judge(file: Path, authority: Path) -> None:
    """Let the independent checker look at the file, where it is here."""
    checker = capabilities.apple_conformance_checker()
    command = [sys.executable, str(checker), str(file), "--require-signed", "--ca", str(authority), "--o365", "--json"]
    judged = subprocess.run(command, capture_output=True, check=False)
    reports = json.loads(judged.stdout.decode().rpartition("]")[0] + "]")
    assert [] == [issue for report in reports for issue in report["issues"] if issue["severity"] == "ERROR"]
    assert 0 == judged.returncode


def test_the_button_on_an_iphone_is_the_exchange_profile(open_page: Open, demo: Demonstration) -> None:
    name, _ = _download(open_page(demo.said["setup_link"]), "a.button")
    assert "contoso.example-ios-exchange.mobileconfig" == name


LOOKS = {
    "an iPhone in light": {"color_scheme": "light"},
    "an iPhone in dark": {"color_scheme": "dark"},
    "an iPhone in forced colours": {"forced_colors": "active"},
    "a sharp screen": {"device_scale_factor": 3},
    "a computer": {"user_agent": WINDOWS, "size": DESKTOP},
    "a computer in dark": {"user_agent": WINDOWS, "size": DESKTOP, "color_scheme": "dark"},
    "a narrow screen": {"size": NARROW},
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_camera_reads_the_link_from_the_screen(open_page: Open, demo: Demonstration, look: dict[str, Any]) -> None:
    assert demo.said["setup_link"] == _code_on(open_page(demo.said["setup_link"], **look))


def test_a_computer_shows_the_code_without_scrolling(open_page: Open, demo: Demonstration) -> None:
    page = open_page(demo.said["setup_link"], user_agent=WINDOWS, size=DESKTOP)
    assert "Continue on your phone" in page.locator("main").inner_text()
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(page.screenshot())))
    assert demo.said["setup_link"] == code.text


@pytest.mark.parametrize("device", Device)
@pytest.mark.parametrize("size", [NARROW, PHONE, DESKTOP], ids=["narrow", "phone", "desktop"])
def test_no_page_has_to_be_scrolled_sideways(
    open_page: Open, demo: Demonstration, device: Device, size: tuple[int, int]
) -> None:
    page = open_page(f"{demo.said['setup_link']}?device={device.value}", size=size)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("device", Device)
def test_everything_to_tap_is_big_enough_for_a_finger(open_page: Open, demo: Demonstration, device: Device) -> None:
    page = open_page(f"{demo.said['setup_link']}?device={device.value}")
    heights = page.evaluate(
        """[...document.querySelectorAll('a, summary')]
            .map(each => [each.innerText, each.getBoundingClientRect().height])"""
    )
    assert [] == [(text, height) for text, height in heights if height < 44]


def test_a_phone_shows_the_button_without_scrolling(open_page: Open, demo: Demonstration) -> None:
    page = open_page(demo.said["setup_link"])
    box = page.locator("a.button").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE[1]


def test_another_device_is_one_tap_away(open_page: Open, demo: Demonstration) -> None:
    page = open_page(demo.said["setup_link"])
    page.get_by_role("link", name="Choose another device").click()
    page.get_by_role("link", name="Android", exact=True).click()
    assert "Set up your work mail on this Android phone" == page.locator("h1").inner_text()
    assert PROVIDERS["office365"].apps["outlook-android"].store_url == page.locator("a.button").get_attribute("href")


def test_a_setting_is_selected_as_a_whole_by_one_click(open_page: Open, demo: Demonstration) -> None:
    page = open_page(demo.said["setup_link"], user_agent=WINDOWS, size=DESKTOP)
    imap = PROVIDERS["office365"].imap
    assert imap is not None
    page.get_by_role("cell", name=imap.hostname).nth(1).click()
    assert imap.hostname == page.evaluate("getSelection().toString()").strip()


def test_the_page_can_be_read_on_paper(open_page: Open, demo: Demonstration) -> None:
    page = open_page(demo.said["setup_link"], color_scheme="dark")
    page.emulate_media(media="print")
    assert "rgb(255, 255, 255)" == page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert "rgb(0, 0, 0)" == page.evaluate("getComputedStyle(document.body).color")
    assert demo.said["setup_link"] in page.locator("main").inner_text()


def test_the_page_can_be_made_larger(open_page: Open, demo: Demonstration) -> None:
    page = open_page(demo.said["setup_link"])
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_a_link_that_does_not_exist_says_what_to_do(chromium: "Browser", demo: Demonstration) -> None:
    page = chromium.new_page()
    answer = page.goto(demo.said["base_url"] + "/s/mistyped")
    assert answer is not None
    assert 404 == answer.status
    assert "Scan the QR code again" in page.locator("main").inner_text()
    page.close()


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[str]:
    """The URL of a site with one domain whose people may take a link themselves."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    website = make_website(tmp_path, domain=replace(contoso_domain(), self_service=SelfService.OPEN), public_url=url)
    server = make_server("127.0.0.1", 0, website.web, threaded=True, fd=listener.fileno())
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()
    listener.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_iphone_takes_a_link_at_the_start_page_and_walks_to_the_profile(
    chromium: "Browser", open_site: str, scripts: bool
) -> None:
    context = chromium.new_context(user_agent=IPHONE, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(open_site)
    page.get_by_label("Your work address").fill("anna@contoso")
    page.get_by_role("button", name="Set up this device").click()
    assert "No mailbox can have this address." in page.get_by_role("alert").inner_text()
    page.get_by_label("Your work address").fill("anna@contoso.example")
    page.get_by_role("button", name="Set up this device").click()
    assert page.url.startswith(f"{open_site}/s/")
    assert "anna@contoso.example" in page.locator("main").inner_text()
    assert "it is for this device alone, and works for one hour" in page.locator("main").inner_text()
    name, content = _download(page, 'a[href$="/ios-exchange.mobileconfig"]')
    assert "contoso.example-ios-exchange.mobileconfig" == name
    assert b"anna@contoso.example" in content
    assert [] == context.cookies()
    context.close()

"""An employee's way from the link to the profile, walked in a real Chromium against the running demonstration."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zxingcpp
from PIL import Image

from provisioner.format import Format
from provisioner.formats import FORMATS
from provisioner.model import Account
from provisioner.organisation import SelfService
from provisioner.profile import MEDIA_TYPE
from provisioner.texts import LANGUAGES, translations
from provisioner.web.devices import Device
from tests import capabilities, pki
from tests.browsers import DESKTOP, NARROW, PHONE, SMALL_PHONE, WINDOWS, Open, listening, served
from tests.demonstration import Demonstration
from tests.documents import READERS, expected_claims
from tests.samples import PROVIDERS, contoso_domain
from tests.test_promise import CANNOT_SAY_OAUTH2
from tests.test_web_devices import NAMES
from tests.websites import IPHONE, make_website

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

pytestmark = pytest.mark.journey

BUTTON = "a.button:not(.second)"  # the page's one main button
_OFFERED = [fmt for fmt in FORMATS.values() if fmt.id in {"ios-exchange", "apple-imap"}]


def _download(page: "Page", click: str) -> tuple[str, bytes]:
    """The name and the content of what a tap on ``click`` downloads."""
    with page.expect_download() as waiting:
        page.locator(click).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def _code_on(page: "Page") -> str:
    """What a camera reads from the code of the page; a computer shows another one, for Thunderbird."""
    picture = page.locator(".qr img").first.screenshot()
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture)))
    return code.text


OUTLOOK = PROVIDERS["office365"].apps
# Playwright's descriptor -> what the page calls the device, and where its one button leads.
WALKS = {
    "iPhone 15": ("Set up your work mail on this iPhone", "/ios-exchange.mobileconfig"),
    "iPad (gen 7)": ("Set up your work mail on this iPad", "/ios-exchange.mobileconfig"),
    "Pixel 7": ("Set up your work mail on this Android phone", OUTLOOK["outlook-android"].store_url),
    "Desktop Chrome": ("Set up your work mail on your phone", ""),
}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("tag", ["en", "ar"])
@pytest.mark.parametrize("name", WALKS)
def test_every_device_is_led_to_its_own_way_in_the_browsers_language(
    playwright: "Playwright", open_page: Open, demo: Demonstration, name: str, tag: str, scripts: bool
) -> None:
    title, goal = WALKS[name]
    descriptor = {key: value for key, value in playwright.devices[name].items() if key != "default_browser_type"}
    page = open_page(demo.said["setup_link"], locale=tag, java_script_enabled=scripts, **descriptor)
    assert (tag, LANGUAGES[tag].direction) == (
        page.locator("html").get_attribute("lang"),
        page.locator("html").get_attribute("dir"),
    )
    assert translations(tag).gettext(title) == page.locator("h1").inner_text()
    if goal.startswith("/"):
        file, content = _download(page, BUTTON)
        assert f"contoso.example{goal.replace('/', '-')}" == file
        assert demo.said["address"].encode() in content
    elif goal:
        assert goal == page.locator(BUTTON).get_attribute("href")
    else:
        assert demo.said["setup_link"] == _code_on(page)
    assert scripts == page.locator("button.copy").first.is_visible()


@pytest.mark.parametrize("tag", ["en", "ar", "he"])
def test_the_settings_to_go_through_stand_in_the_order_of_reading(
    open_page: Open, demo: Demonstration, tag: str
) -> None:
    page = open_page(f"{demo.said['setup_link']}?device=iphone&lang={tag}", size=DESKTOP)
    path = page.locator(".path", has_text="General").first
    path.evaluate("path => path.style.whiteSpace = 'nowrap'")
    places = [box["x"] for name in path.locator("bdi").all() if (box := name.bounding_box())]
    assert 4 == len(places)
    assert places == sorted(places, reverse="rtl" == LANGUAGES[tag].direction)


@pytest.mark.parametrize("tag", ["en", "ar"])
def test_a_setting_is_copied_by_one_tap_and_that_is_said(open_page: Open, demo: Demonstration, tag: str) -> None:
    page = open_page(f"{demo.said['setup_link']}?device=android&lang={tag}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("button.copy").first.click()
    page.get_by_role("status").get_by_text(translations(tag).gettext("Copied.")).wait_for(state="attached")
    assert demo.said["address"] == page.evaluate("navigator.clipboard.readText()")


def test_an_ipad_that_says_it_is_a_mac_gets_the_ipads_steps_by_itself(chromium: "Browser", demo: Demonstration) -> None:
    context = chromium.new_context(user_agent=NAMES["Safari on a Mac"][0], has_touch=True)
    # Chromium pretends to one finger; an iPad says five.
    context.add_init_script("Object.defineProperty(navigator, 'maxTouchPoints', {get: () => 5})")
    page = context.new_page()
    page.goto(demo.said["setup_link"])
    page.wait_for_url("**?device=ipad")
    assert "Set up your work mail on this iPad" == page.locator("h1").inner_text()
    context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("fmt", _OFFERED, ids=lambda fmt: fmt.id)
def test_an_iphone_walks_from_the_link_to_the_profile(
    open_page: Open, demo: Demonstration, tmp_path: Path, fmt: Format, scripts: bool
) -> None:
    page = open_page(demo.said["setup_link"], java_script_enabled=scripts)
    assert "Set up your work mail on this iPhone" == page.locator("h1").inner_text()
    assert "Download the profile" == page.locator(BUTTON).inner_text()
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
    name, _ = _download(open_page(demo.said["setup_link"]), BUTTON)
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


@pytest.mark.parametrize("size", [PHONE, SMALL_PHONE], ids=["phone", "small phone"])
def test_a_phone_shows_the_button_without_scrolling(
    open_page: Open, demo: Demonstration, size: tuple[int, int]
) -> None:
    page = open_page(demo.said["setup_link"], size=size)
    box = page.locator(BUTTON).bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= size[1]


def test_another_device_is_one_tap_away(open_page: Open, demo: Demonstration) -> None:
    page = open_page(demo.said["setup_link"])
    page.get_by_role("link", name="Choose another device").click()
    page.get_by_role("link", name="Android", exact=True).click()
    assert "Set up your work mail on this Android phone" == page.locator("h1").inner_text()
    assert PROVIDERS["office365"].apps["outlook-android"].store_url == page.locator(BUTTON).get_attribute("href")


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
    domain = replace(contoso_domain(), self_service=SelfService.OPEN)
    with listening() as (listener, url), served(make_website(tmp_path, domain=domain, public_url=url).web, listener):
        yield url


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

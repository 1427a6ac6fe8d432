"""Everybody can use the pages: axe finds nothing on any of them, in two directions, light and dark, narrow and wide.

WCAG 2.2 levels A and AA, and axe's own best practices (axe-core, its rules as installed).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from provisioner.organisation import SelfService
from provisioner.texts import LANGUAGES
from provisioner.web.devices import Device
from tests.browsers import listening, served
from tests.samples import ANNA, CONTOSO, contoso_domain
from tests.test_web_devices import NAMES
from tests.websites import IPHONE, Website, make_website, no_identity

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.journey

TAGS = ("en", "ar")
LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (320, 1280)]
DEVICES = {f"open, {device.value}": f"?device={device.value}" for device in Device}
STATES = ("downloaded before", "used up", "expired", "revoked", "self-service", "inside another app")
PAGES = ("/", "/help", "/s/unknown", "/?password=x", "/?a=%")


@dataclass
class Place:
    """A running site and the address of each of its states."""

    url: str
    links: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    organisation = replace(
        CONTOSO, help_text="Room 12, from 8 to 17", consent_text="You agree.", accent_colour="#7a1f5c"
    )
    domain = replace(contoso_domain(), self_service=SelfService.OPEN)
    with listening() as (listener, url):
        website = make_website(
            tmp_path_factory.mktemp("site"), organisation=organisation, domain=domain, public_url=url
        )
        links = _links(website)
        with served(website.web, listener):
            yield Place(url, links)


@pytest.fixture(scope="module")
def paused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A site that cannot sign, and has no form on its start page."""
    with listening() as (listener, url):
        website = make_website(tmp_path_factory.mktemp("paused"), public_url=url, identity=no_identity)
        link = website.link()
        with served(website.web, listener):
            yield Place(url, {"paused": link.path})


def _links(website: Website) -> dict[str, str]:
    """The path of a link in each state, all of them at the same moment."""
    expired = website.link(lifetime=timedelta(minutes=1))
    used_up = website.link(devices=1)
    website.links.count_device(used_up, "ios-exchange")
    website.clock.turn(timedelta(hours=1))
    downloaded, revoked = website.link(), website.link()
    website.links.count_device(downloaded, "ios-exchange")
    website.links.revoke(revoked.id, actor="test")
    taken = website.links.hand_out(ANNA, client="192.0.2.1", limits=website.site.self_service)
    return {
        "open": website.link().path,
        "downloaded before": downloaded.path,
        "used up": used_up.path,
        "expired": expired.path,
        "revoked": revoked.path,
        "self-service": taken.path,
        "inside another app": website.link().path,
    }


def _require_no_violation(chromium: "Browser", address: str, *, user_agent: str = IPHONE) -> None:
    """Let axe look at the page in every language and look."""
    for tag in TAGS:
        context = chromium.new_context(user_agent=user_agent, locale=tag)
        page = context.new_page()
        page.goto(address)
        assert LANGUAGES[tag].direction == page.locator("html").get_attribute("dir")
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for scheme, width in LOOKS:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal
            page.set_viewport_size({"width": width, "height": 800})
            assert [] == _violations(page), (address, tag, scheme, width)
        context.close()


def _violations(page: "Page") -> list[str]:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types

    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("query", DEVICES.values(), ids=DEVICES)
def test_axe_finds_nothing_on_the_page_of_any_device(chromium: "Browser", site: Place, query: str) -> None:
    _require_no_violation(chromium, site.url + site.links["open"] + query)


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_any_state(chromium: "Browser", site: Place, state: str) -> None:
    browser = NAMES["Instagram's own view"][0] if state == "inside another app" else IPHONE
    _require_no_violation(chromium, site.url + site.links[state], user_agent=browser)


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_on_the_other_pages(chromium: "Browser", site: Place, path: str) -> None:
    _require_no_violation(chromium, site.url + path)


def test_axe_finds_nothing_while_the_service_is_paused(chromium: "Browser", paused: Place) -> None:
    for path in (paused.links["paused"], "/"):
        _require_no_violation(chromium, paused.url + path)


def test_axe_would_find_something(chromium: "Browser") -> None:
    page = chromium.new_page()
    page.set_content('<html><body><img src="data:,"><p style="color:#ccc;background:#fff">pale</p></body></html>')
    assert {"image-alt", "color-contrast", "html-has-lang"} <= {each.partition(":")[0] for each in _violations(page)}
    page.close()

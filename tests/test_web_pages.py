"""The page behind a link: the right steps, the exact settings, the truth about what happens, in every state."""

import gzip
import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from random import Random
from string import ascii_letters
from urllib.parse import quote, unquote

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from werkzeug.test import TestResponse

from provisioner.errors import InvalidSetting
from provisioner.formats import FORMATS
from provisioner.links import SetupLink
from provisioner.model import Account, ConnectionSecurity
from provisioner.organisation import EwsAccess, Kind, Logo, Organisation, Preference
from provisioner.qr import qr_png, qr_svg
from provisioner.signing import Trust
from provisioner.texts import LANGUAGES, translations
from provisioner.web.accent import text_colour
from provisioner.web.devices import Device
from tests.samples import ANNA, CONTOSO, PROVIDERS, contoso_domain
from tests.test_web_devices import NAMES
from tests.websites import IPHONE, PUBLIC_URL, Website, identity_of, make_website, no_identity

_ENCRYPTION = {ConnectionSecurity.IMPLICIT_TLS: "SSL/TLS", ConnectionSecurity.STARTTLS: "STARTTLS"}


@pytest.fixture
def website(tmp_path: Path) -> Website:
    return make_website(tmp_path)


class Page(HTMLParser):
    """What a browser makes of a page: its tags in order, and its text."""

    def __init__(self, answer: TestResponse) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._silent = False
        self.feed(answer.get_data(as_text=True))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._silent = tag in ("style", "script")
        if tag == "td":
            self.texts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def links(self) -> list[str]:
        return [attributes["href"] for attributes in self.all("a")]

    def buttons(self) -> list[str]:
        """Where the page's one main button leads; the second best are drawn as outlines."""
        return [each["href"] for each in self.all("a") if each.get("class") == "button"]

    def downloads(self) -> list[str]:
        return [href.rpartition("/")[2] for href in self.links() if href.endswith(".mobileconfig")]


def _page(website: Website, link: SetupLink, *, query: str = "", user_agent: str = IPHONE) -> Page:
    answer = website.get(link.path + query, user_agent=user_agent)
    assert 200 == answer.status_code
    return Page(answer)


def _expire(website: Website, link: SetupLink) -> None:
    website.clock.now = link.expires_at


def _revoke(website: Website, link: SetupLink) -> None:
    website.links.revoke(link.id, actor="test")


def _use_up(website: Website, link: SetupLink) -> None:
    for _ in range(link.devices_allowed):
        website.links.count_device(link, "ios-exchange")
        website.clock.turn(timedelta(minutes=10))


def _leave(_website: Website, _link: SetupLink) -> None:
    pass


STATES: dict[str, tuple[Callable[[Website, SetupLink], None], int]] = {
    "open": (_leave, 200),
    "used up": (_use_up, 200),
    "expired": (_expire, 410),
    "revoked": (_revoke, 410),
}


@pytest.mark.parametrize(("change", "status"), STATES.values(), ids=STATES)
def test_every_state_has_its_status_and_names_whom_to_ask(
    website: Website, change: Callable[[Website, SetupLink], None], status: int
) -> None:
    link = website.link()
    change(website, link)
    answer = website.get(link.path)
    page = Page(answer)
    assert status == answer.status_code
    assert "mailto:help@contoso.example" in page.links()
    assert "Contoso & Töchter" in page.text


def test_an_expired_page_says_when(website: Website) -> None:
    link = website.link(lifetime=timedelta(days=1))
    _expire(website, link)
    assert "24 November 2026" in Page(website.get(link.path)).text


def test_the_four_states_look_different(tmp_path: Path) -> None:
    titles = set()
    for name, (change, _) in STATES.items():
        website = make_website(_directory(tmp_path / name))
        link = website.link()
        change(website, link)
        titles.add(Page(website.get(link.path)).text)
    assert len(STATES) == len(titles)


def _directory(path: Path) -> Path:
    path.mkdir()
    return path


def test_the_page_says_how_many_devices_are_set_up_and_until_when_it_works(website: Website) -> None:
    link = website.link()
    website.links.count_device(link, "ios-exchange")
    text = _page(website, link).text
    assert "Devices set up with it so far: 1 of 3." in text
    assert "30 November 2026" in text


def test_a_used_up_link_shows_its_page_without_downloads(website: Website) -> None:
    link = website.link(devices=1)
    _use_up(website, link)
    page = _page(website, link)
    assert "This link is used up." in page.text
    assert [] == page.downloads()


def test_the_last_device_can_still_repeat_its_own_download(website: Website) -> None:
    link = website.link(devices=1)
    website.links.count_device(link, "ios-exchange")
    page = _page(website, link)
    assert ["ios-exchange.mobileconfig"] == page.downloads()
    assert "If this device is one of them, you can go on." in page.text


UNKNOWN = {
    "unknown": "/s/aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "too short": "/s/abc",
    "not base32": "/s/!!!!!!!!!!!!!!!!!!!!!!!!!!",
    "not canonical": "/s/aaaaaaaaaaaaaaaaaaaaaaaaab",
    "very long": "/s/" + "a" * 5000,
    "not UTF-8": "/s/%ff%fe",
    "NUL": "/s/%00",
    "half a surrogate": "/s/%ed%a0%80",
    "empty": "/s/",
    "no token": "/s",
    "a file of none": "/s/aaaaaaaaaaaaaaaaaaaaaaaaaa/ios-exchange.mobileconfig",
    "a code of none": "/s/aaaaaaaaaaaaaaaaaaaaaaaaaa/qr.svg",
    "a picture of none": "/S/AAAAAAAAAAAAAAAAAAAAAAAAAA/qr.png",
    "deeper": "/s/a/b/c",
    "doubled": "//s//abc",
    "elsewhere": "/admin/",
    "a way up": "/s/../../etc/passwd",
}


@pytest.mark.parametrize("path", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_not_there_is_always_the_same_page(website: Website, path: str, method: str) -> None:
    reference, answer = website.get(UNKNOWN["unknown"], method=method), website.get(path, method=method)
    assert 404 == answer.status_code
    assert (reference.data, dict(reference.headers)) == (answer.data, dict(answer.headers))


def test_a_wrong_link_names_the_help_desk_where_there_is_only_one(website: Website) -> None:
    page = Page(website.get(UNKNOWN["unknown"]))
    assert "mailto:help@contoso.example" in page.links()
    website.directory.add_organisation(Organisation("fabrikam", "Fabrikam"), actor="test")
    page = Page(website.get(UNKNOWN["unknown"]))
    assert "mailto:help@contoso.example" not in page.links()
    assert "Ask the IT department of your company, or whoever gave you the link." in page.text


def test_a_wrong_link_is_the_same_kind_page_while_the_store_is_down(website: Website, tmp_path: Path) -> None:
    reference = website.get("/nowhere")
    (tmp_path / "provisioner.sqlite3").rename(tmp_path / "away")
    website.directory.refresh()
    assert (404, reference.data) == ((answer := website.get("/nowhere")).status_code, answer.data)


def test_a_file_that_is_not_offered_is_that_same_page(website: Website) -> None:
    reference, answer = website.get(UNKNOWN["unknown"]), website.get(f"{website.link().path}/none.mobileconfig")
    assert (reference.data, dict(reference.headers)) == (answer.data, dict(answer.headers))


def test_a_logo_does_not_tell_a_wrong_file_from_a_wrong_link(tmp_path: Path) -> None:
    website = make_website(tmp_path, organisation=replace(CONTOSO, logo=Logo(b"\x89PNG\r\n\x1a\n")))
    reference, answer = website.get(UNKNOWN["unknown"]), website.get(f"{website.link().path}/none.mobileconfig")
    assert (reference.status_code, reference.data) == (answer.status_code, answer.data)


def test_a_link_whose_domain_was_removed_is_that_same_page(website: Website) -> None:
    link = website.link()
    _revoke(website, link)
    website.directory.remove_domain("contoso.example", actor="test")
    reference = website.get(UNKNOWN["unknown"])
    for part in ("", "/ios-exchange.mobileconfig", "/qr.svg"):
        answer = website.get(link.path + part)
        assert (404, reference.data) == (answer.status_code, answer.data)


@pytest.mark.parametrize(("user_agent", "device"), [(name[0], name[1]) for name in NAMES.values()], ids=NAMES)
def test_a_device_gets_its_own_steps(website: Website, user_agent: str, device: Device) -> None:
    link = website.link()
    guessed = _page(website, link, user_agent=user_agent)
    current = [each["href"] for each in guessed.all("a") if each.get("aria-current") == "page"]
    assert [f"?device={device.value}"] == current


@pytest.mark.parametrize("device", Device)
def test_every_device_can_be_chosen_from_every_other(website: Website, device: Device) -> None:
    link = website.link()
    page = _page(website, link, query=f"?device={device.value}")
    assert {f"?device={each.value}" for each in Device} <= set(page.links())
    assert "#devices" in page.links()


@pytest.mark.parametrize("device", ["iphone", "ipad"])
def test_an_iphone_or_ipad_gets_the_exchange_profile_and_every_step(website: Website, device: str) -> None:
    link = website.link()
    page = _page(website, link, query=f"?device={device}")
    assert [f"{link.path}/ios-exchange.mobileconfig"] == page.buttons()
    steps = ["Download the profile", "Allow", "Settings", "Profile Downloaded", "Install", "passcode", "Open Mail"]
    positions = [page.text.index(step, page.text.index("Step by step")) for step in steps]
    assert sorted(positions) == positions
    assert "eight minutes" in page.text
    assert "Only one profile can wait at a time" in page.text
    assert "Sign in with Microsoft as anna.oneil@contoso.example" in page.text


def test_the_page_does_not_hide_what_an_exchange_account_lets_it_do(website: Website) -> None:
    text = _page(website, website.link()).text
    assert "cannot see your photos, messages, apps or location" in text
    # Microsoft: a "Wipe Data" resets the devices of Apple's Mail.
    assert "it can require a passcode and erase a lost iPhone" in text
    assert "VPN & Device Management › Remove Profile" in text


def test_chrome_on_an_iphone_is_told_of_its_own_warning(website: Website) -> None:
    link = website.link()
    assert "tap Continue" in _page(website, link, user_agent=NAMES["Chrome on iPhone"][0]).text
    assert "tap Continue" not in _page(website, link).text


@pytest.mark.parametrize(
    ("browser", "said"),
    [
        ("Firefox on iPhone", "This browser cannot install a profile."),
        ("DuckDuckGo on iPhone", "This browser cannot install a profile."),
        ("a bare web view", "This page is open inside another app, which cannot install a profile."),
        ("Instagram's own view", "This page is open inside another app, which cannot install a profile."),
    ],
)
def test_a_browser_that_cannot_install_is_sent_to_safari(website: Website, browser: str, said: str) -> None:
    link = website.link()
    page = _page(website, link, user_agent=NAMES[browser][0])
    assert [f"x-safari-{PUBLIC_URL}{link.path}"] == page.buttons()
    assert f"{PUBLIC_URL}{link.path}" in page.text
    assert said in page.text
    assert f"{link.path}/ios-exchange.mobileconfig" in page.links()


def test_an_app_on_android_shows_the_way_to_the_browser(website: Website) -> None:
    link = website.link()
    page = _page(website, link, user_agent=NAMES["a web view on Android"][0])
    (way_out,) = [href for href in page.links() if href.startswith("intent:")]
    address = f"{PUBLIC_URL}{link.path}".removeprefix("https://")
    fallback = quote(f"{PUBLIC_URL}{link.path}", safe="")
    expected = f"#Intent;scheme=https;package=com.android.chrome;S.browser_fallback_url={fallback};end"
    assert f"intent://{address}{expected}" == way_out
    assert f"{PUBLIC_URL}{link.path}" in page.text
    assert [] == [href for href in _page(website, link, query="?device=android").links() if "intent:" in href]


def test_the_way_out_of_an_app_keeps_the_language_that_was_picked(website: Website) -> None:
    link = website.link()
    apple = _page(website, link, user_agent=NAMES["Instagram's own view"][0], query="?lang=ar&device=ipad&utm=x")
    assert [f"x-safari-{PUBLIC_URL}{link.path}?device=ipad&lang=ar"] == apple.buttons()
    android = _page(website, link, user_agent=NAMES["any app's view on Android"][0], query="?lang=ar")
    (way_out,) = [href for href in android.links() if href.startswith("intent:")]
    target = f"{PUBLIC_URL}{link.path}?lang=ar"
    assert way_out.startswith(f"intent://{target.partition('://')[2]}#Intent;scheme=https;")
    assert f"S.browser_fallback_url={quote(target, safe='')};" in way_out


def test_android_gets_outlook_from_its_store_and_the_address_to_copy(website: Website) -> None:
    page = _page(website, website.link(), query="?device=android")
    assert [PROVIDERS["office365"].apps["outlook-android"].store_url] == page.buttons()
    assert ANNA.address in page.text
    assert [] == [href for href in page.links() if "mobileconfig" in href]


def test_where_the_store_has_no_app_no_button_leads_nowhere(tmp_path: Path) -> None:
    website = make_website(tmp_path, provider=replace(PROVIDERS["office365"], apps={}))
    page = _page(website, website.link(), query="?device=android")
    assert [] == page.buttons()
    assert "from the app store" in page.text


@pytest.mark.parametrize("prefer", Preference)
@pytest.mark.parametrize("device", ["iphone", "ipad", "mac"])
def test_both_apps_are_offered_and_the_domain_says_which_is_first(
    tmp_path: Path, device: str, prefer: Preference
) -> None:
    website = make_website(tmp_path, domain=replace(contoso_domain(), prefer=prefer))
    link = website.link()
    page = _page(website, link, query=f"?device={device}")
    profile = f"{link.path}/{'macos' if device == 'mac' else 'ios'}-exchange.mobileconfig"
    store = PROVIDERS["office365"].apps["outlook-mac" if device == "mac" else "outlook-ios"].store_url
    assert [profile if prefer is Preference.BUILTIN else store] == page.buttons()
    assert {profile, store} <= set(page.links())


def test_a_mac_gets_the_ews_profile_with_its_dates(website: Website) -> None:
    text = _page(website, website.link(), query="?device=mac").text
    assert "Since 1 October 2026 they work only where your IT department has allowed them" in text
    assert "from 1 April 2027 not at all" in text


def test_a_mac_without_ews_leads_with_outlook_whatever_the_domain_prefers(tmp_path: Path) -> None:
    website = make_website(tmp_path, domain=replace(contoso_domain(), ews=EwsAccess.BLOCKED))
    page = _page(website, website.link(), query="?device=mac")
    assert [PROVIDERS["office365"].apps["outlook-mac"].store_url] == page.buttons()
    assert "your IT department has not allowed them. Use Outlook." in page.text


def test_a_mac_leads_with_outlook_once_ews_has_ended(website: Website) -> None:
    ews = PROVIDERS["office365"].ews
    assert ews is not None
    link = website.link(lifetime=timedelta(days=3000))
    website.clock.now = datetime.combine(ews.ends, time(), UTC)
    page = _page(website, link, query="?device=mac")
    assert [PROVIDERS["office365"].apps["outlook-mac"].store_url] == page.buttons()


def test_a_mac_without_ews_gets_no_exchange_profile(tmp_path: Path) -> None:
    website = make_website(tmp_path, domain=replace(contoso_domain(), ews=EwsAccess.BLOCKED))
    link = website.link()
    page = _page(website, link, query="?device=mac")
    assert ["apple-imap", "apple-pop"] == [
        href.removeprefix(f"{link.path}/").removesuffix(".mobileconfig")
        for href in page.links()
        if href.endswith(".mobileconfig")
    ]


def test_a_mac_that_may_be_an_ipad_is_asked(website: Website) -> None:
    link = website.link()
    assert "This is an iPad" in _page(website, link, user_agent=NAMES["Safari on a Mac"][0]).text
    assert "This is an iPad" not in _page(website, link, query="?device=mac").text


@pytest.mark.parametrize("device", Device)
def test_every_device_can_hand_on_to_a_phone(website: Website, device: Device) -> None:
    link = website.link()
    page = _page(website, link, query=f"?device={device.value}")
    alternatives = [each["alt"] for each in page.all("img")]
    assert 1 == alternatives.count(f"QR code that opens {PUBLIC_URL}{link.path}")
    assert f"{PUBLIC_URL}{link.path}" in page.text


@pytest.mark.parametrize("device", Device)
def test_thunderbirds_code_stands_wherever_a_phone_can_see_it(website: Website, device: Device) -> None:
    page = _page(website, website.link(), query=f"?device={device.value}")
    (expected,) = [website.site.provisioner.draft(ANNA, FORMATS["thunderbird-qr"]).content.decode()]
    drawings = [each["src"] for each in page.all("img") if each["alt"] == "QR code with the settings for Thunderbird"]
    if device in (Device.IPHONE, Device.IPAD):
        assert [] == drawings
    else:
        (drawing,) = drawings
        label = f"QR code for Thunderbird with the settings of {ANNA.address}"
        assert qr_svg(expected, label=label) == unquote(drawing.removeprefix("data:image/svg+xml,"))


@pytest.mark.parametrize("device", Device)
def test_what_microsoft_may_say_is_explained_on_every_device(website: Website, device: Device) -> None:
    text = _page(website, website.link(), query=f"?device={device.value}").text
    for words in ("Need admin approval", "Not an approved app", "Waiting for approval", "This account is already on"):
        assert words in text


@pytest.mark.parametrize("device", ["mac", "windows", "linux", "other"])
def test_thunderbird_is_a_way_on_every_computer(website: Website, device: str) -> None:
    assert "Open Thunderbird, and add a mail account." in _page(website, website.link(), query=f"?device={device}").text


@pytest.mark.parametrize("device", ["windows", "linux", "other"])
def test_a_computer_is_shown_the_way_to_the_phone_first(website: Website, device: str) -> None:
    page = _page(website, website.link(), query=f"?device={device}")
    assert page.text.index("Continue on your phone") < page.text.index("On this computer")


@pytest.mark.parametrize("provider_id", [name for name, each in PROVIDERS.items() if not each.consumer_domains])
def test_the_manual_settings_are_the_providers_own(tmp_path: Path, provider_id: str) -> None:
    website = make_website(tmp_path, domain=contoso_domain(provider_id))
    text = _page(website, website.link()).text
    for server in PROVIDERS[provider_id].servers:
        encryption = _ENCRYPTION[server.security]
        settings = f"Server {server.hostname}Copy Port {server.port}Copy Encryption {encryption}"
        assert f"{settings} Sign-in Sign in with Microsoft (OAuth2) User name anna.oneil@contoso.example" in text


def test_every_manual_setting_can_be_copied_and_is_selected_as_a_whole(website: Website) -> None:
    page = _page(website, website.link())
    imap = PROVIDERS["office365"].imap
    assert imap is not None
    labels = [each["aria-label"] for each in page.all("button")]
    assert {f"Copy {imap.hostname}", f"Copy {imap.port}", f"Copy {ANNA.username}"} <= set(labels)
    assert all("hidden" in each and "copy" == each["class"] for each in page.all("button"))  # shown by the script
    assert re.search(r"\.value \{[^}]*user-select: all;", (website.site.templates / "style.css").read_text())


def test_pop_is_told_from_imap_before_it_empties_a_mailbox(website: Website) -> None:
    text = _page(website, website.link()).text
    assert "the mailbox can end up empty everywhere else" in text[text.index("Settings for any other mail app") :]


def test_imap_and_pop_stand_under_other_profiles_with_the_truth_beside_them(website: Website) -> None:
    text = _page(website, website.link()).text
    others = text[text.index("Other profiles") :]
    assert "Exchange Online takes no password over IMAP" in others
    assert "Exchange Online takes no password over POP" in others
    assert "cannot sign in with Microsoft" in others


def test_imap_and_pop_are_absent_where_the_domain_does_not_name_them(tmp_path: Path) -> None:
    website = make_website(tmp_path, domain=replace(contoso_domain(), account_kinds=(Kind.EXCHANGE,)))
    page = _page(website, website.link())
    assert [] == [href for href in page.links() if "apple-imap" in href or "apple-pop" in href]


def test_a_domain_with_imap_alone_leads_with_outlook(tmp_path: Path) -> None:
    website = make_website(tmp_path, domain=replace(contoso_domain(), account_kinds=(Kind.IMAP,)))
    link = website.link()
    page = _page(website, link)
    assert [PROVIDERS["office365"].apps["outlook-ios"].store_url] == page.buttons()
    assert f"{link.path}/apple-imap.mobileconfig" in page.links()
    assert "Step by step" in page.text


VERIFIED = {
    Trust.PUBLIC: "The profile must say Verified and name Contoso IT department.",
    Trust.ORGANISATION: "On a device that your IT department manages, the profile says Verified",
    Trust.UNKNOWN: (
        "The profile will say Not Verified, because this iPhone does not know its signer, Contoso IT department."
    ),
}


@pytest.mark.parametrize(("trust", "sentence"), VERIFIED.items(), ids=str)
def test_what_is_said_about_verified_follows_from_the_identity(tmp_path: Path, trust: Trust, sentence: str) -> None:
    website = make_website(tmp_path, identity=identity_of(trust))
    text = _page(website, website.link()).text
    assert sentence in text
    assert [sentence] == [each for each in VERIFIED.values() if each in text]


def test_without_an_identity_the_page_says_that_downloads_are_paused(tmp_path: Path) -> None:
    website = make_website(tmp_path, identity=no_identity)
    page = _page(website, website.link())
    assert "The download is paused." in page.text
    assert [] == page.downloads()


@pytest.mark.parametrize("suffix", ["svg", "png"])
@pytest.mark.parametrize(("capitals", "spell"), [(False, str), (True, str.upper)])
def test_the_code_holds_the_pages_public_address_whatever_host_was_asked(
    tmp_path: Path, suffix: str, capitals: bool, spell: Callable[[str], str]
) -> None:
    website = make_website(tmp_path, qr_capitals=capitals)
    link = website.link()
    answer = website.get(f"{link.path}/qr.{suffix}", X_Forwarded_Host="evil.example", X_Forwarded_Proto="http")
    address = PUBLIC_URL + link.path
    assert {"svg": "image/svg+xml", "png": "image/png"}[suffix] == answer.headers["Content-Type"]
    if suffix == "png":
        (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(answer.data)))
        assert spell(address) == code.text
    else:
        assert qr_svg(spell(address), label=f"QR code that opens {address}") == answer.text


def test_the_address_in_capitals_is_the_page(website: Website) -> None:
    link = website.link()
    assert website.get(link.path).data == website.get(link.path.upper()).data


@pytest.mark.parametrize("part", ["/qr.svg", "/qr.png"])
@pytest.mark.parametrize("close", [_expire, _revoke])
def test_a_closed_link_has_no_code(website: Website, part: str, close: Callable[[Website, SetupLink], None]) -> None:
    link = website.link()
    close(website, link)
    assert 410 == website.get(link.path + part).status_code


def _every_page(website: Website) -> dict[str, TestResponse]:
    link = website.link()
    answers = {f"setup {each.value}": website.get(f"{link.path}?device={each.value}") for each in Device}
    answers |= {name: website.get(name) for name in ("/", "/help", "/s/unknown", "/?password=x", "/?a=%")}
    answers["405"] = website.get("/", method="POST")
    _revoke(website, link)
    answers["revoked"] = website.get(link.path)
    return answers


def test_every_page_is_made_for_everybody_and_asks_no_other_server(website: Website) -> None:
    for name, answer in _every_page(website).items():
        page = Page(answer)
        assert [{"lang": "en", "dir": "ltr"}] == page.all("html"), name
        assert [1, 1, 1] == [len(page.all(tag)) for tag in ("h1", "main", "title")], name
        assert [] == [tag for tag, _ in page.tags if tag in {"iframe", "form", "input", "object", "base"}], name
        assert [{"nonce": "unguessable"}] == page.all("script") == page.all("style"), name
        assert "width=device-width, initial-scale=1" in [each.get("content") for each in page.all("meta")], name
        sources = [each.get("src", "") + each.get("srcset", "") for _, each in page.tags]
        assert all(source.startswith("data:") for source in sources if source), name
        assert ["data:,"] == [each["href"] for each in page.all("link")], name
        assert not any("style" in each for _, each in page.tags), name
        assert "Help" in page.text, name


def test_every_page_fits_into_one_first_flight_of_a_connection(website: Website) -> None:
    sizes = {name: len(gzip.compress(answer.data)) for name, answer in _every_page(website).items()}
    for tag in LANGUAGES:
        link = website.link()
        for device in Device:
            answer = website.get(f"{link.path}?device={device.value}&lang={tag}")
            sizes[f"{device.value} in {tag}"] = len(gzip.compress(answer.data))
    assert max(sizes.values()) <= 14 * 1024, sizes


@pytest.mark.parametrize(
    ("letters", "most"), [("".join(map(chr, range(0x4E00, 0x5A00))), 900), (ascii_letters, 2000)], ids=["zh", "en"]
)
def test_the_longest_texts_of_an_organisation_fit_in_too(tmp_path: Path, letters: str, most: int) -> None:
    # Letters by chance, which compress worse than anything that people write.
    one, other = ("".join(Random(seed).choices(letters, k=most)) for seed in (1, 2))  # noqa: S311
    with pytest.raises(InvalidSetting):
        replace(CONTOSO, help_text=one + letters[0])
    website = make_website(tmp_path, organisation=replace(CONTOSO, help_text=one, consent_text=other))
    link = website.link()
    paths = [f"{link.path}?device={device.value}&lang={tag}" for device in Device for tag in LANGUAGES]
    sizes = {path: len(gzip.compress(website.get(path).data)) for path in paths}
    assert max(sizes.values()) <= 14 * 1024, sizes


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_page_is_read_in_the_language_that_was_chosen(website: Website, tag: str) -> None:
    link, language = website.link(), LANGUAGES[tag]
    for path in (link.path, "/", "/help", "/s/unknown"):
        page = Page(website.get(f"{path}?lang={tag}"))
        assert [{"lang": tag, "dir": language.direction}] == page.all("html")
        assert translations(tag).gettext("Help") in page.text
        assert [tag] == [each["hreflang"] for each in page.all("a") if each.get("aria-current") == "true"]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_profile_without_a_heading_of_its_own_is_named_in_the_readers_language(website: Website, tag: str) -> None:
    title = FORMATS["apple-declarations"].title
    assert translations(tag).gettext(title) in _page(website, website.link(), query=f"?lang={tag}").text
    assert (tag == "en") == (translations(tag).gettext(title) == title)


def test_the_choice_of_a_language_keeps_the_device(website: Website) -> None:
    links = _page(website, website.link(), query="?device=mac&lang=de").links()
    assert {"?device=mac&lang=fr", "?device=ipad&lang=de"} <= set(links)


def test_what_was_downloaded_before_is_told_on_its_own_device(website: Website) -> None:
    link = website.link()
    assert "Downloaded before" not in _page(website, link).text
    website.links.count_device(link, "ios-exchange")
    text = _page(website, link).text
    assert "Downloaded before with this link" in text
    assert "The profile for mail, calendar and contacts, on 23 November 2026" in text
    assert "Downloaded before" not in _page(website, link, query="?device=android").text


@pytest.mark.parametrize("close", [_expire, _use_up])
def test_a_new_link_is_asked_for_by_a_mail_to_the_support_contact(
    website: Website, close: Callable[[Website, SetupLink], None]
) -> None:
    link = website.link(devices=1)
    close(website, link)
    page = Page(website.get(link.path))
    (href,) = page.buttons() if close is _expire else [each for each in page.links() if "?subject=" in each]
    assert href.startswith("mailto:help@contoso.example?subject=New%20setup%20link")
    assert link.token not in unquote(href)
    assert ANNA.address not in unquote(href)


def test_a_logo_stands_on_the_page_and_is_one_more_file_of_this_site(tmp_path: Path) -> None:
    picture = qr_png("logo", module_pixels=2)
    website = make_website(tmp_path, organisation=replace(CONTOSO, logo=Logo(picture)))
    link = website.link()
    assert f"{link.path}/logo" in [each["src"] for each in _page(website, link).all("img")]
    answer = website.get(f"{link.path}/logo")
    assert ("image/png", picture) == (answer.headers["Content-Type"], answer.data)
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "default-src 'none'; sandbox" == answer.headers["Content-Security-Policy"]


def test_without_a_logo_there_is_none_to_fetch(website: Website) -> None:
    assert 404 == website.get(f"{website.link().path}/logo").status_code


@given(st.integers(0, 0xFFFFFF))
def test_the_button_can_be_read_whatever_colour_an_organisation_has(colour: int) -> None:
    ground = f"#{colour:06x}"
    assert _contrast(ground, text_colour(ground)) >= 4.5  # WCAG 2.2, 1.4.3


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2 (Understanding 1.4.3)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_help_text_and_the_consent_are_in_the_readers_language(tmp_path: Path) -> None:
    organisation = replace(
        CONTOSO,
        help_text="Room 12",
        help_texts={"de": "Zimmer 12"},
        consent_text="You agree",
        consent_texts={"de": "Sie stimmen zu"},
    )
    website = make_website(tmp_path, organisation=organisation)
    link = website.link()
    english, german = _page(website, link).text, _page(website, link, query="?lang=de").text
    assert ("Room 12" in english, "You agree" in english) == (True, True)
    assert ("Zimmer 12" in german, "Sie stimmen zu" in german) == (True, True)


def test_names_that_careless_pages_get_wrong_are_shown_as_they_are(tmp_path: Path) -> None:
    organisation = Organisation(id="contoso", name="<b>\"A\" & 'B'</b>", support_contact="<script>alert(1)</script>")
    website = make_website(tmp_path, organisation=organisation)
    answer = website.get(website.link(Account("o'neil+{{7*7}}@contoso.example")).path)
    assert "o'neil+{{7*7}}@contoso.example" in Page(answer).text
    assert organisation.name in Page(answer).text
    assert 1 == answer.text.count("<script")
    assert html.escape(organisation.support_contact) in answer.text


def test_an_organisation_without_a_contact_still_names_whom_to_ask(tmp_path: Path) -> None:
    website = make_website(tmp_path, organisation=replace(CONTOSO, support_contact=""))
    assert "Ask the IT department of Contoso & Töchter." in _page(website, website.link()).text


def test_the_start_page_is_the_same_for_everybody(website: Website) -> None:
    first, second = website.get("/"), website.get("/", user_agent="curl/8.5.0")
    assert (200, first.data) == (second.status_code, second.data)
    assert "Ask the IT department of your company for your setup link" in Page(first).text


def test_the_help_page_tells_people_with_any_mail_app_how_to_sign_in_and_asks_for_nothing(website: Website) -> None:
    first, second = website.get("/help"), website.get("/help", user_agent="Thunderbird")
    assert (200, first.data) == (second.status_code, second.data)
    page = Page(first)
    for words in ("choose OAuth2", "never asks for your password", "SMTP AUTH", "IMAP or POP", "Need admin approval"):
        assert words in page.text
    assert not {"form", "input"} & {tag for tag, _ in page.tags}
    assert {f"?lang={tag}" for tag in LANGUAGES} == set(page.links())


def test_no_text_was_forgotten_in_a_page(website: Website) -> None:
    for name, answer in _every_page(website).items():
        assert not re.search(r"\{[{%#]|None|<[A-Z]\w+\.", answer.text), name


def test_steps_never_name_a_button_that_is_not_there(tmp_path: Path) -> None:
    website = make_website(tmp_path, identity=no_identity)
    page = _page(website, website.link())
    assert [] == page.buttons()
    assert "That is not possible at the moment: see above." in page.text
    assert "Tap Download the profile" not in page.text

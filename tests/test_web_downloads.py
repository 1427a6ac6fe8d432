"""The file a person installs: the exact type, repeatable without cookies, counted per device, signed or not at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from provisioner.errors import StoreUnavailable
from provisioner.format import Audience
from provisioner.formats import FORMATS, find_format
from provisioner.links import SetupLink
from provisioner.organisation import EwsAccess, Kind
from provisioner.provisioning import Signature
from provisioner.signing import Identity
from provisioner.texts import LANGUAGES, translate
from tests.samples import ANNA, PROVIDERS, contoso_domain
from tests.test_web_previews import AGENTS
from tests.websites import Website, contoso_identity, make_website, no_identity

IOS = "ios-exchange.mobileconfig"
OFFERED = sorted(fmt.id for fmt in FORMATS.values() if fmt.audience is Audience.PERSON)


@pytest.fixture
def website(tmp_path: Path) -> Website:
    return make_website(tmp_path)


def _download(website: Website, link: SetupLink, filename: str = IOS, **options: str) -> TestResponse:
    return website.get(f"{link.path}/{filename}", **options)


@pytest.mark.parametrize("format_id", OFFERED)
def test_every_offered_format_is_the_document_of_that_person_signed_where_it_is_due(
    website: Website, format_id: str
) -> None:
    fmt = find_format(format_id)
    answer = _download(website, website.link(), f"{fmt.id}.{fmt.suffix}")
    assert (200, fmt.media_type) == (answer.status_code, answer.headers["Content-Type"])
    assert website.site.provisioner.draft(ANNA, fmt).content in answer.data
    signed = [(fmt.id, "contoso.example")] if fmt.signed else []
    assert signed == [(each.format_id, each.domain) for each in website.signatures]


@pytest.mark.parametrize("filename", ["thunderbird-qr.json", "instructions.txt"])
def test_what_is_read_on_a_screen_counts_no_device(website: Website, filename: str) -> None:
    link = website.link(devices=1)
    assert 200 == _download(website, link, filename).status_code
    assert 0 == website.used(link)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_download_speaks_its_readers_language(website: Website, tag: str) -> None:
    link, text = website.link(devices=1), find_format("instructions").texts["explanation"]
    expected = translate(tag)(text).encode()
    assert (tag == "en") == (expected == text.encode())
    for path, accept in (("instructions.txt", tag), (f"instructions.txt?lang={tag}", "en")):
        answer = website.get(f"{link.path}/{path}", Accept_Language=accept)
        assert expected in answer.data
        assert "Accept-Language" == answer.headers["Vary"]


def test_the_headers_of_a_download_keep_it_whole_and_out_of_every_cache(website: Website) -> None:
    answer = _download(website, website.link())
    expected = {
        "Content-Type": "application/x-apple-aspen-config",
        "Content-Disposition": 'attachment; filename="contoso.example-ios-exchange.mobileconfig"',
        "Content-Length": str(len(answer.data)),
        "Cache-Control": "private, no-store, no-transform",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "Vary": "Accept-Language",
        "Strict-Transport-Security": "max-age=31536000",
    }
    assert expected == dict(answer.headers)


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.swapcase, str.title])
def test_the_link_opens_in_any_case(website: Website, spelling: Callable[[str], str]) -> None:
    assert 200 == website.get(f"{spelling(website.link().path)}/{IOS}").status_code


def test_a_second_fetch_without_cookies_is_the_same_device(website: Website) -> None:
    link = website.link()
    first, second = _download(website, link), _download(website, link)
    assert [200, 200, 1] == [first.status_code, second.status_code, website.used(link)]


def test_another_format_or_another_time_is_another_device(website: Website) -> None:
    link = website.link()
    _download(website, link)
    _download(website, link, "apple-imap.mobileconfig")
    website.clock.turn(timedelta(minutes=10))
    _download(website, link)
    assert 3 == website.used(link)


def test_a_device_that_is_the_last_one_may_fetch_again_for_ten_minutes(website: Website) -> None:
    link = website.link(devices=1)
    assert [200, 200] == [_download(website, link).status_code for _ in range(2)]
    website.clock.turn(timedelta(minutes=10))
    assert 410 == _download(website, link).status_code


@pytest.mark.parametrize("user_agent", AGENTS.values(), ids=AGENTS)
def test_a_preview_is_served_and_counts_nothing(website: Website, user_agent: str) -> None:
    link = website.link(devices=1)
    assert 200 == _download(website, link, user_agent=user_agent).status_code
    assert 0 == website.used(link)


def test_a_download_that_goes_on_is_served_whole_and_counts_nothing(website: Website) -> None:
    link = website.link()
    answer = _download(website, link, Range="bytes=100-")
    assert (200, len(answer.data), 0) == (answer.status_code, answer.content_length, website.used(link))


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=0-99,200-", "nonsense", "bytes=x-"])
def test_a_range_from_the_beginning_counts(website: Website, value: str) -> None:
    link = website.link()
    assert (200, 1) == (_download(website, link, Range=value).status_code, website.used(link))


def test_head_is_the_same_answer_without_the_file_and_counts_nothing(website: Website) -> None:
    link = website.link()
    head, get = _download(website, link, method="HEAD"), _download(website, link)
    assert (b"", 200) == (head.data, head.status_code)
    length = {"Content-Length"}  # each answer is signed anew, and an ECDSA signature's length varies by an octet or two
    assert {**get.headers} | dict.fromkeys(length) == {**head.headers} | dict.fromkeys(length)
    assert 1 == website.used(link)


def test_a_page_that_is_looked_at_counts_nothing(website: Website) -> None:
    link = website.link(devices=1)
    for part in ("", "/qr.svg", "/qr.png"):
        assert 200 == website.get(link.path + part).status_code
    assert 0 == website.used(link)


@pytest.mark.parametrize(
    "filename",
    [
        "no-such-format.mobileconfig",
        "ios-exchange",
        "ios-exchange.plist",
        "ios-exchange.MOBILECONFIG",
        "ios-exchange.mobileconfig.exe",
        ".mobileconfig",
        "ios-exchange.mobileconfig%00",
        "%2e%2e%2fios-exchange.mobileconfig",
    ],
)
def test_any_other_name_is_no_file(website: Website, filename: str) -> None:
    link = website.link()
    assert (404, 0) == (_download(website, link, filename).status_code, website.used(link))
    assert [] == website.signatures


def test_what_is_not_offered_looks_like_what_does_not_exist(tmp_path: Path) -> None:
    domain = replace(contoso_domain(), account_kinds=(Kind.EXCHANGE,), ews=EwsAccess.BLOCKED)
    website = make_website(tmp_path, domain=domain)
    link = website.link()
    answers = [_download(website, link, f"{name}.mobileconfig") for name in ("apple-imap", "macos-exchange", "none")]
    assert {(404, answers[0].data)} == {(answer.status_code, answer.data) for answer in answers}
    assert 200 == _download(website, link).status_code


def test_what_the_provider_lacks_does_not_exist(tmp_path: Path) -> None:
    website = make_website(tmp_path, provider=replace(PROVIDERS["office365"], activesync=None))
    assert 404 == _download(website, website.link()).status_code


def _expire(website: Website, link: SetupLink) -> None:
    website.clock.now = link.expires_at


def _revoke(website: Website, link: SetupLink) -> None:
    website.links.revoke(link.id, actor="test")


@pytest.mark.parametrize("close", [_expire, _revoke])
def test_a_closed_link_hands_out_nothing(website: Website, close: Callable[[Website, SetupLink], None]) -> None:
    link = website.link()
    close(website, link)
    assert (410, []) == (_download(website, link).status_code, website.signatures)


def test_without_an_identity_nothing_is_handed_out_or_counted(tmp_path: Path) -> None:
    website = make_website(tmp_path, identity=no_identity)
    link = website.link()
    answer = _download(website, link)
    assert (503, "300") == (answer.status_code, answer.headers["Retry-After"])
    assert "text/html; charset=utf-8" == answer.headers["Content-Type"]
    assert b"help@contoso.example" in answer.data
    assert ([], 0) == (website.signatures, website.used(link))


def test_without_a_place_for_the_audit_record_nothing_is_handed_out(tmp_path: Path) -> None:
    def fail(_signature: Signature) -> None:
        raise StoreUnavailable("The database is full.")

    website = make_website(tmp_path, audit=fail)
    link = website.link()
    answer = _download(website, link)
    assert (503, "30", 0) == (answer.status_code, answer.headers["Retry-After"], website.used(link))


def test_a_store_that_does_not_answer_is_said_so(website: Website, tmp_path: Path) -> None:
    link = website.link()
    website.store.close()
    for file in tmp_path.glob("*.sqlite3*"):
        file.unlink()
    answers = [website.get(link.path), _download(website, link), website.get("/s/unknown")]
    assert [(503, "30"), (503, "30"), (404, None)] == [
        (answer.status_code, answer.headers.get("Retry-After")) for answer in answers
    ]


def test_of_two_people_at_the_last_device_one_is_told_the_link_is_used_up(tmp_path: Path) -> None:
    others = list[SetupLink]()

    def overtaken() -> Identity:
        """Signing begins after the look at the link; another person's fetch comes in just then."""
        if others:
            busy.links.count_device(others.pop(), "apple-imap")
        return contoso_identity()

    busy = make_website(tmp_path, identity=overtaken)
    link = busy.link(devices=1)
    others.append(link)
    assert (410, 1) == (_download(busy, link).status_code, busy.used(link))

"""The start page: a link for whoever may take one, and for everybody else one and the same answer."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from html import unescape
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from provisioner.errors import InvalidQuery
from provisioner.links import SelfServiceLimits
from provisioner.organisation import SelfService
from provisioner.texts import LANGUAGES, translate
from provisioner.web.start import MAX_FORM, read_address
from tests.samples import ANNA, contoso_domain
from tests.websites import PUBLIC_URL, Website, make_website

OPEN = replace(contoso_domain(), self_service=SelfService.OPEN)
FORM = "application/x-www-form-urlencoded"
SOMEBODY = "somebody@contoso.example"


@pytest.fixture
def website(tmp_path: Path) -> Website:
    """A site whose one domain is open."""
    return make_website(tmp_path, domain=OPEN)


@pytest.fixture
def by_invitation(tmp_path: Path) -> Website:
    """A site that has a domain that is open, and contoso.example, whose people are invited."""
    website = make_website(tmp_path)
    website.directory.add_domain(replace(OPEN, name="open.example"), actor="test")
    return website


def _send(website: Website, address: str = SOMEBODY, *, client: str = "192.0.2.1", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in ({"Origin": PUBLIC_URL} | headers).items()}
    return website.browser().post(
        "/",
        base_url=PUBLIC_URL,
        data={"address": address},
        headers=named,
        environ_base={"REMOTE_ADDR": client},
    )


def _notice(answer: TestResponse) -> str:
    """The words in the page's notice."""
    notice = re.search(r'role="alert">(.*?)</div>', answer.text, re.DOTALL)
    assert notice is not None
    return unescape(re.sub(r"<[^>]+>|\s+", " ", notice[1])).strip()


def test_without_an_open_domain_there_is_no_form(tmp_path: Path) -> None:
    answer = make_website(tmp_path).get("/")
    assert "<form" not in answer.text
    assert "form-action 'none'" in answer.headers["Content-Security-Policy"]


def test_with_an_open_domain_there_is_a_form_that_goes_to_this_site_alone(website: Website) -> None:
    answer = website.get("/")
    assert '<form method="post" action="/"' in answer.text
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert "same-origin" == answer.headers["Referrer-Policy"]
    link = website.links.hand_out(ANNA, client="192.0.2.1", limits=SelfServiceLimits())
    elsewhere = website.get(link.path)
    assert "form-action 'none'" in elsewhere.headers["Content-Security-Policy"]
    assert "no-referrer" == elsewhere.headers["Referrer-Policy"]


def test_the_form_leads_to_a_link_for_this_device_and_one_hour(website: Website) -> None:
    answer = _send(website, " Somebody@CONTOSO.example ")
    assert (303, b"") == (answer.status_code, answer.data)
    assert "Set-Cookie" not in answer.headers
    (link,) = website.links.list(handed_out=True)
    assert "Somebody@contoso.example" == link.account.address
    assert link.path == answer.headers["Location"]
    page = website.get(link.path)
    assert 200 == page.status_code
    assert "it is for this device alone, and works for one hour" in page.text
    assert 200 == website.get(f"{link.path}/ios-exchange.mobileconfig").status_code
    assert 1 == website.used(link)
    assert 410 == website.get(f"{link.path}/apple-imap.mobileconfig").status_code
    website.clock.turn(timedelta(hours=1))
    assert 410 == website.get(link.path).status_code


@pytest.mark.parametrize(("query", "kept"), [("?lang=de", "?lang=de"), ("?lang=tlh", ""), ("?x=1", ""), ("", "")])
def test_the_language_that_was_picked_stays_picked(website: Website, query: str, kept: str) -> None:
    assert f'action="/{kept}"' in website.get(f"/{query}").text
    answer = website.browser().post(f"/{query}", base_url=PUBLIC_URL, data={"address": SOMEBODY})
    (link,) = website.links.list(handed_out=True)
    assert link.path + kept == answer.headers["Location"]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_page_and_its_refusal_are_in_the_readers_language(website: Website, tag: str) -> None:
    to_language = translate(tag)
    answer = website.get("/", Accept_Language=tag)
    assert to_language("Your work address") in unescape(answer.text)
    refused = _send(website, "anna", Accept_Language=tag)
    assert to_language("The part from the @ sign on is missing.") in _notice(refused)
    assert ["Accept-Language"] * 2 == [each.headers["Vary"] for each in (answer, refused)]


@pytest.mark.parametrize("taken", [True, False])
def test_whoever_took_a_link_that_no_longer_opens_is_led_back_to_the_start_page(website: Website, taken: bool) -> None:
    if taken:
        link = website.links.hand_out(ANNA, client="192.0.2.1", limits=SelfServiceLimits())
    else:
        link = website.link(devices=1, lifetime=timedelta(hours=1))
    again = 'href="/">Take another link at the start page</a>'
    assert again not in website.get(link.path).text
    website.links.count_device(link, "ios-exchange")
    closed = [website.get(link.path), website.get(f"{link.path}/apple-imap.mobileconfig")]
    website.clock.turn(timedelta(hours=1))
    closed.append(website.get(link.path))
    assert [200, 410, 410] == [answer.status_code for answer in closed]
    assert [taken] * 3 == [again in answer.text for answer in closed]


def test_a_link_that_was_revoked_is_not_replaced_at_the_start_page(website: Website) -> None:
    link = website.links.hand_out(ANNA, client="192.0.2.1", limits=SelfServiceLimits())
    website.links.revoke(link.id, actor="test")
    answer = website.get(link.path)
    assert 410 == answer.status_code
    assert "Take another link" not in answer.text


def test_a_link_of_an_invitation_says_nothing_of_one_hour(website: Website) -> None:
    assert "works for one hour" not in website.get(website.link().path).text


def test_an_invited_person_gets_the_same_answer_as_nobody_and_keeps_their_link(website: Website) -> None:
    invited = website.link()
    answers = [_send(website, address) for address in (ANNA.address, "nobody@contoso.example")]
    assert {303} == {answer.status_code for answer in answers}
    headers = [{name: value for name, value in answer.headers.items() if name != "Location"} for answer in answers]
    assert headers[0] == headers[1]
    assert invited == website.links.get(invited.id)


def test_a_domain_by_invitation_and_a_strangers_domain_get_one_and_the_same_answer(by_invitation: Website) -> None:
    ours, strangers = (_send(by_invitation, f"anna@{domain}") for domain in ("contoso.example", "gmail.example"))
    assert 200 == ours.status_code
    assert ours.data == strangers.data
    assert dict(ours.headers) == dict(strangers.headers)
    assert _notice(ours).startswith("For this address you need an invitation.")
    assert [] == by_invitation.links.list(handed_out=True)
    assert 303 == _send(by_invitation, "anna@open.example").status_code


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "The address is missing."),
        ("  ", "The address is missing."),
        ("anna", "The part from the @ sign on is missing."),
        ("anna@contoso", "No mailbox can have this address."),
        ("an na@contoso.example", "No mailbox can have this address."),
        ("anna\u202e@contoso.example", "No mailbox can have this address."),
        ("<script>@contoso.example", "No mailbox can have this address."),
        ("a" * 400 + "@contoso.example", "No mailbox can have this address."),
    ],
)
def test_an_address_that_is_none_is_said_so_and_stands_there_to_be_mended(
    website: Website, typed: str, reason: str
) -> None:
    answer = _send(website, typed)
    assert 400 == answer.status_code
    assert reason in _notice(answer)
    value = re.search(r'<input[^>]* value="([^"]*)"', answer.text)
    assert value is not None
    assert typed[:254] == unescape(value[1])
    assert "<script>" not in answer.text
    assert 'aria-invalid="true" aria-describedby="wrong"' in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": PUBLIC_URL + ".evil.example"}, 403),
        ({"Origin": "http://setup.contoso.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec_Fetch_Site": "none"}, 303),
        ({"Origin": PUBLIC_URL.upper()}, 303),
    ],
)
def test_only_this_sites_own_page_can_send_the_form(website: Website, headers: dict[str, str], status: int) -> None:
    answer = _send(website, **headers)
    assert status == answer.status_code
    assert (303 == status) == bool(website.links.list(handed_out=True))
    if status == 403:
        assert _notice(answer).startswith("Another web site has sent this form.")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", FORM, 400),
        (b"address=a%40contoso.example&address=b%40contoso.example", FORM, 400),
        (b"address=a%40contoso.example&password=x", FORM, 400),
        (b"address=a%40contoso.example&also=x", FORM, 400),
        (b"address=%zz", FORM, 400),
        (b"address=\xff", FORM, 400),
        (b'{"address":"a@contoso.example"}', "application/json", 415),
        (b"address=a%40contoso.example", "text/plain", 415),
        (b"address=" + b"a" * (MAX_FORM - 8), FORM, 400),
        (b"address=" + b"a" * (MAX_FORM - 7), FORM, 413),
    ],
)
def test_what_is_not_the_form_is_refused(website: Website, body: bytes, content_type: str, status: int) -> None:
    answer = website.browser().post("/", base_url=PUBLIC_URL, data=body, content_type=content_type)
    assert status == answer.status_code
    assert "text/html; charset=utf-8" == answer.headers["Content-Type"]
    assert [] == website.links.list(handed_out=True)


def test_the_longest_address_fits_even_where_every_octet_is_escaped(website: Website) -> None:
    address = "a" * 64 + "@" + ".".join(["b" * 60] * 3)[: 254 - 65 - len(".contoso.example")] + ".contoso.example"
    assert 254 == len(address)
    body = "address=" + "".join(f"%{octet:02X}" for octet in address.encode())
    answer = website.browser().post("/", base_url=PUBLIC_URL, data=body, content_type=FORM)
    assert 200 == answer.status_code


def test_too_many_are_told_when_to_come_back_whoever_they_ask_for(tmp_path: Path) -> None:
    website = make_website(tmp_path, domain=OPEN, self_service=SelfServiceLimits(per_network=2, per_domain=100))
    website.link()
    assert [303, 303] == [_send(website).status_code for _ in range(2)]
    website.clock.turn(timedelta(minutes=29, seconds=30))
    refused = [_send(website, address) for address in (ANNA.address, "nobody@contoso.example")]
    assert refused[0].data == refused[1].data
    assert (429, str(30 * 60 + 30)) == (refused[0].status_code, refused[0].headers["Retry-After"])
    assert "Try again in 31 minutes." in _notice(refused[0])
    assert 303 == _send(website, client="192.0.2.2").status_code


def test_a_client_behind_an_unknown_proxy_shares_the_proxys_share_and_the_operator_is_told(tmp_path: Path) -> None:
    website = make_website(tmp_path, domain=OPEN, self_service=SelfServiceLimits(per_network=1, per_domain=100))
    with capture_logs() as logs:
        assert 303 == _send(website, X_Forwarded_For="203.0.113.1").status_code
        assert 429 == _send(website, X_Forwarded_For="203.0.113.2").status_code
    told = [line for line in logs if line["event"] == "self_service_behind_unknown_proxy"]
    assert [("contoso.example", "trusted_proxies")] * 2 == [(line["domain"], line["setting"]) for line in told]
    assert not [line for line in logs if "203.0.113" in str(line) or "somebody" in str(line)]


def test_clients_behind_a_proxy_of_ours_have_a_share_each(tmp_path: Path) -> None:
    limits, ours = SelfServiceLimits(per_network=1, per_domain=100), (ip_network("10.0.0.0/8"),)
    website = make_website(tmp_path, domain=OPEN, self_service=limits, trusted_proxies=ours)
    clients = ["203.0.113.1", "203.0.113.2", "203.0.113.1", "9.9.9.9, 203.0.113.1"]  # the last one made something up
    with capture_logs() as logs:
        answers = [_send(website, client="10.1.1.1", X_Forwarded_For=client).status_code for client in clients]
    assert [303, 303, 429, 429] == answers
    assert not [line for line in logs if line["event"] == "self_service_behind_unknown_proxy"]


def test_looking_at_the_page_takes_nothing_and_other_methods_are_named(website: Website) -> None:
    assert [200, 200] == [website.get("/", method=method).status_code for method in ("GET", "HEAD")]
    assert [] == website.links.list(handed_out=True)
    refused = website.get("/", method="PUT")
    assert (405, "GET, HEAD, OPTIONS, POST") == (refused.status_code, refused.headers["Allow"])


def test_while_the_store_is_down_nothing_is_given_and_the_page_still_stands(website: Website, tmp_path: Path) -> None:
    assert 200 == website.get("/").status_code
    (tmp_path / "provisioner.sqlite3").rename(tmp_path / "away")
    assert 200 == website.get("/").status_code
    refused = _send(website)
    assert (503, "30") == (refused.status_code, refused.headers["Retry-After"])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_every_text_that_a_browser_sends_is_read_as_it_was_typed(typed: str) -> None:
    assert typed == read_address(urlencode({"address": typed}).encode())
    assert typed == read_address(b"address=" + quote_plus(typed, safe="@").encode())


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(form: bytes) -> None:
    with suppress(InvalidQuery):
        assert isinstance(read_address(form), str)

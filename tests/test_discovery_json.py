"""A program that asks for one protocol is told one URL: Autodiscover version 2, as Outlook and the phones ask it."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.format import Reply
from provisioner.formats import find_format
from provisioner.model import MailProvider
from provisioner.organisation import AutodiscoverPolicy
from tests.desks import Desk
from tests.samples import ANNA, PROVIDERS, contoso_context

FORMAT = find_format("autodiscover-json")
PATH = "/autodiscover/autodiscover.json"
MINIMAL = "Email=anna%40contoso.example&Protocol=ActiveSync"
CLOUDS = [name for name, provider in PROVIDERS.items() if FORMAT.needs <= provider.services]
MAIL = ["ActiveSync", "AutodiscoverV1", "EWS"]


def get(query: str = MINIMAL, *, path: str = PATH, desk: Desk | None = None, host: str = "") -> Reply:
    """The reply; nobody is ever asked to sign in."""
    reply = (desk or Desk()).ask(method="GET", path=path, query=query, headers={"host": host} if host else None)
    assert 401 != reply.status
    assert "www-authenticate" not in {name.lower() for name in reply.headers}
    return reply


def read(reply: Reply) -> dict[str, str]:
    """The answer, which is compact JSON."""
    assert "application/json" == reply.media_type
    answer: dict[str, str] = json.loads(reply.body)
    assert json.dumps(answer, separators=(",", ":"), sort_keys=True).encode() == reply.body
    return answer


def error(reply: Reply) -> tuple[int, str]:
    """The status and the code of a refusal, which has a message too."""
    answer = read(reply)
    assert {"ErrorCode", "ErrorMessage"} == set(answer)
    assert answer["ErrorMessage"]
    return reply.status, answer["ErrorCode"]


def urls_of(provider: MailProvider) -> dict[str, str]:
    """What the catalogue knows."""
    assert provider.activesync
    assert provider.ews
    assert provider.autodiscover
    further = provider.autodiscover.protocols.urls if provider.autodiscover.protocols else {}
    return {
        **further,
        "ActiveSync": provider.activesync.url,
        "AutodiscoverV1": provider.autodiscover.pox_url,
        "EWS": provider.ews.url,
    }


@pytest.mark.parametrize("policy", AutodiscoverPolicy)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_protocol_of_a_cloud_has_its_url_under_every_policy(cloud: str, policy: AutodiscoverPolicy) -> None:
    desk = Desk(cloud, policy)
    for protocol, url in urls_of(PROVIDERS[cloud]).items():
        reply = get(f"Email=anna@contoso.example&Protocol={protocol}", desk=desk)
        assert 200 == reply.status
        assert {"Protocol": protocol, "Url": url} == read(reply)


def test_the_answer_is_the_one_in_the_providers_documentation() -> None:
    url = "https://outlook.office365.com/Microsoft-Server-ActiveSync"
    assert f'{{"Protocol":"ActiveSync","Url":"{url}"}}'.encode() == get().body


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_document_of_a_person_holds_every_answer_there_is(cloud: str) -> None:
    answers = json.loads(FORMAT.render(ANNA, PROVIDERS[cloud], contoso_context(FORMAT, cloud)))
    desk = Desk(cloud)
    assert answers == [read(get(f"Protocol={answer['Protocol']}", desk=desk)) for answer in answers]
    assert sorted(urls_of(PROVIDERS[cloud])) == [answer["Protocol"] for answer in answers]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("Autodiscoverv1", "AutodiscoverV1"),  # Outlook for Windows
        ("activesync", "ActiveSync"),  # Outlook's AutoDetect service
        ("ACTIVESYNC", "ActiveSync"),
        ("Ews", "EWS"),
        ("ews", "EWS"),
        ("%20EWS%20", "EWS"),
        ("substratesearchservice", "SubstrateSearchService"),
    ],
)
def test_the_name_of_a_protocol_may_be_in_any_case_unlike_mailcows_and_mailus(asked: str, answered: str) -> None:
    assert answered == read(get(f"Email=anna%40contoso.example&Protocol={asked}"))["Protocol"]


@pytest.mark.parametrize(
    "path",
    [
        "/autodiscover/autodiscover.json/v1.0/anna@contoso.example",
        "/Autodiscover/Autodiscover.json/V1.0/anna@contoso.example",
        "/AUTODISCOVER/AUTODISCOVER.JSON/V1.0/Anna+x/y@CONTOSO.example",
    ],
)
def test_the_address_may_stand_in_the_path(path: str) -> None:
    assert get().body == get("Protocol=ActiveSync&RedirectCount=1", path=path, host="192.0.2.1").body


@pytest.mark.parametrize("path", ["/Autodiscover/autodiscover.json", "/AutoDiscover/AutoDiscover.JSON"])
def test_the_path_may_be_in_any_case(path: str) -> None:
    assert get().body == get(path=path).body


@pytest.mark.parametrize(
    "query",
    [
        "Email=anna%40contoso.example&Protocol=ActiveSync&RedirectCount=1",
        "email=anna@contoso.example&protocol=ActiveSync",
        "Protocol=ActiveSync&EMAIL=nobody%40contoso.example",
        "Email=anna+phone@contoso.example&Protocol=ActiveSync",  # a plus that was not escaped
        "Email=o%27neil%2Ba%3Db%26c%2F@contoso.example&Protocol=ActiveSync",
        "Email=%20anna@CONTOSO.Example.%20&Protocol=ActiveSync",
        f"Email={'a' * 64}@contoso.example&Protocol=ActiveSync",
        "Email=&Protocol=ActiveSync",  # then the Host says whose
        "Protocol=ActiveSync",
    ],
)
def test_everybody_of_a_domain_gets_the_same_bytes(query: str) -> None:
    assert get().body == get(query).body


def test_an_internationalised_domain_is_known_in_both_its_spellings() -> None:
    desk = Desk(domain="xn--bcher-kva.example")
    for domain in ("bücher.example", "xn--bcher-kva.example", "BÜCHER.example"):
        assert 200 == get(f"Protocol=EWS&Email={quote(f'anna@{domain}')}", desk=desk).status


@pytest.mark.parametrize("query", ["Email=anna%40contoso.example", "Email=anna%40contoso.example&Protocol=", "", "a=b"])
def test_a_question_without_a_protocol_is_told_what_is_missing(query: str) -> None:
    assert (400, "MandatoryParameterMissing") == error(get(query))


def test_an_unknown_protocol_is_told_the_supported_ones() -> None:
    reply = get("Email=anna%40contoso.example&Protocol=Imap", desk=Desk("office365-dod"))
    assert (400, "InvalidProtocol") == error(reply)
    expected = "The given protocol value 'Imap' is invalid. Supported values are 'ActiveSync,AutodiscoverV1,EWS'"
    assert expected == read(reply)["ErrorMessage"]


@pytest.mark.parametrize("protocol", ["x%3Bpassword%3Dhunter2", "password%3Dhunter2"])
def test_a_password_in_the_wrong_place_is_not_repeated(protocol: str) -> None:
    reply = get(f"Email=anna%40contoso.example&Protocol={protocol}")
    assert (400, "InvalidProtocol") == error(reply)
    assert b"hunter2" not in reply.body


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_is_retired_is_not_offered(cloud: str) -> None:
    assert (400, "InvalidProtocol") == error(get("Protocol=Rest", desk=Desk(cloud)))


@pytest.mark.parametrize("cloud", [cloud for cloud in CLOUDS if cloud != "office365"])
def test_a_sovereign_cloud_offers_no_url_of_the_worldwide_one(cloud: str) -> None:
    assert MAIL == sorted(urls_of(PROVIDERS[cloud]))
    assert (400, "InvalidProtocol") == error(get("Protocol=Substrate", desk=Desk(cloud)))


@pytest.mark.parametrize("protocol", ['"}<script>', "\u202e\x00\n", "x" * 5000, "ｅｗｓ", "\ud7ff\U0010ffff"])
def test_a_protocol_that_is_none_comes_back_short_and_escaped(protocol: str) -> None:
    reply = get(f"Email=anna%40contoso.example&Protocol={quote(protocol)}")
    assert (400, "InvalidProtocol") == error(reply)
    message = read(reply)["ErrorMessage"]
    assert reply.body.isascii()
    assert message.isprintable()
    assert "x" * 50 not in message


@pytest.mark.parametrize(
    "address",
    [
        "secret",
        "secret@",
        "@contoso.example",
        "secret@b@contoso.example",
        "secret@[192.0.2.1]",
        "secret@contoso",
        ".secret@contoso.example",
        "secret\0@contoso.example",
        "secret\n@contoso.example",
        "\u202esecret@contoso.example",
        "sécret@contoso.example",
        f"secret{'a' * 59}@contoso.example",
        f"secret@{'.'.join(['b' * 60] * 5)}",
        "secret" * 400,
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(address: str) -> None:
    for reply in (
        get(f"Email={quote(address)}&Protocol=EWS"),
        get("Protocol=EWS", path=f"{PATH}/v1.0/{address}"),
    ):
        assert (400, "InvalidUserId") == error(reply)
        assert b"secret" not in reply.body


@pytest.mark.parametrize(
    ("query", "host"),
    [
        ("Email=anna%40fabrikam.example&Protocol=EWS", "contoso.example"),
        ("Protocol=EWS", "autodiscover.fabrikam.example"),
        ("Protocol=EWS", "192.0.2.1"),
        ("Protocol=NoSuchProtocol", "fabrikam.example"),
    ],
)
def test_a_domain_that_is_not_ours_has_no_user(query: str, host: str) -> None:
    assert (404, "UserNotFound") == error(get(query, host=host))


def test_a_domain_that_is_not_ours_is_told_to_the_administrator() -> None:
    desk = Desk()
    get("Email=anna%40fabrikam.example&Protocol=EWS", desk=desk)
    assert ["fabrikam.example"] == desk.unknown


@pytest.mark.parametrize("protocol", MAIL)
def test_a_domain_whose_provider_has_no_exchange_is_not_configured_for_it(protocol: str) -> None:
    assert (404, "UserNotFound") == error(get(f"Protocol={protocol}", desk=Desk("outlook-com")))


def test_an_empty_address_in_the_path_leaves_the_domain_to_the_host() -> None:
    assert 200 == get("Protocol=EWS", path=f"{PATH}/v1.0/").status


def test_every_error_has_an_error_status_and_no_answer_lacks_a_url_unlike_gromoxs() -> None:
    for protocol in urls_of(PROVIDERS["office365"]):
        assert read(get(f"Protocol={protocol}"))["Url"].startswith("https://")
    assert 400 == get("Protocol=Nothing").status


def test_it_is_read_and_not_sent_to() -> None:
    assert get().body == Desk().ask(method="HEAD", path=PATH, query=MINIMAL).body
    reply = Desk().ask(method="POST", path=PATH, query=MINIMAL)
    assert (405, "GET, HEAD, OPTIONS") == (reply.status, reply.headers["Allow"])


@given(email=st.text(max_size=80), protocol=st.text(max_size=80), host=st.text(max_size=40))
def test_any_address_protocol_and_host_get_a_reply(email: str, protocol: str, host: str) -> None:
    pairs = f"Email={quote(email, errors='replace')}&Protocol={quote(protocol, errors='replace')}"
    assert get(pairs, host=host).status in (200, 400, 404)


@given(address=st.text(max_size=80))
def test_any_path_gets_a_reply(address: str) -> None:
    assert get("Protocol=EWS", path=f"{PATH}/v1.0/{address}").status in (200, 400, 404)


@given(query=st.text(alphabet="Protcl=&%EmailWS0f+@.", max_size=60))
def test_any_query_gets_a_reply(query: str) -> None:
    assert get(query).status in (200, 400, 404)

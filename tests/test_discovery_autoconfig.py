"""Mozilla autoconfig: however a mail client asks, it gets the one document that all of them read right, or a 404."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element, TreeBuilder, XMLParser, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.directory import Snapshot
from provisioner.discovery import MailClientDesk
from provisioner.errors import InvalidAddress
from provisioner.format import AnyoneAt, Reply
from provisioner.formats import FORMATS, find_format
from provisioner.model import Account, Authentication, ConnectionSecurity, MailProvider
from provisioner.organisation import Organisation
from provisioner.provisioning import Provisioner
from tests.autoconfig_clients import BOM, CLIENTS, Rejected, Used, thunderbird, thunderbird_android
from tests.samples import ANNA, CONTOSO, NOW, PROVIDERS, contoso_context, contoso_domain, contoso_snapshot

FORMAT = find_format("autoconfig")
PATH = "/mail/config-v1.1.xml"
PATHS = [PATH, "/.well-known/autoconfig/mail/config-v1.1.xml", "/v1.1/mail/config-v1.1.xml"]
HELP = "https://setup.contoso.example/"
TEXT = "text/plain; charset=utf-8"
every_provider = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


class Client:
    """A mail client in front of a service that knows ``snapshot``: contoso.example, where nothing else is said."""

    def __init__(
        self,
        snapshot: Snapshot | None = None,
        *,
        providers: Mapping[str, MailProvider] = PROVIDERS,
        help_url: str = "",
    ) -> None:
        self.unknown: list[str] = []
        provisioner = Provisioner(
            providers=providers,
            snapshot=lambda: snapshot or contoso_snapshot(),
            identity=_nobody_signs,
            audit=lambda _: None,
            clock=lambda: NOW,
            help_url=help_url,
        )
        self._desk = MailClientDesk(
            formats=FORMATS, find=provisioner.find, clock=lambda: NOW, unknown=self.unknown.append
        )

    def ask(
        self, query: str = "", *, host: str = "nobody.example", path: str = PATH, method: str = "GET", body: bytes = b""
    ) -> Reply:
        return self._desk.answer(
            method=method, path=path, query=query, headers={"host": host}, body=body, plain_http=False
        )

    def content(self, query: str = "emailaddress=anna%40contoso.example", **how: str) -> bytes:
        """The document; the request must be answered with one."""
        reply = self.ask(query, **how)  # type: ignore[arg-type]  # texts only
        assert (200, "text/xml; charset=utf-8") == (reply.status, reply.media_type)
        return reply.body


def _nobody_signs() -> NoReturn:
    raise AssertionError("autoconfig is never signed")


def _snapshot(provider_id: str = "office365", **changes: object) -> Snapshot:
    domain = replace(contoso_domain(provider_id), **changes)  # type: ignore[arg-type]  # by name
    return Snapshot(organisations={CONTOSO.id: CONTOSO}, domains={domain.name: domain})


def _rendered(provider: MailProvider, *, help_url: str = "") -> bytes:
    return FORMAT.render(ANNA, provider, replace(contoso_context(FORMAT, provider.id), help_url=help_url))


# How clients ask


@pytest.mark.parametrize("path", [*PATHS, *map(str.upper, PATHS), "/Mail/Config-v1.1.XML"])
def test_every_path_answers_in_any_case(path: str) -> None:
    assert Client().content() == Client().content(path=path)


@pytest.mark.parametrize(
    "query",
    [
        "emailaddress=anna@contoso.example",
        "emailaddress=anna%40contoso.example",
        "emailaddress=nobody%40contoso.example",
        "emailaddress=EVOLUTIONUSER%40contoso.example&emailmd5=3ec8ba2d0a86a1dd1f4c1dfbc0ca4be1",  # Evolution
        "emailaddress=anna tag%40contoso.example",
        "emailaddress=anna+tag@contoso.example",  # FairEmail encodes nothing, so the plus is a blank
        "emailaddress=anna%2Btag%40contoso.example",
        "emailaddress=+anna%40contoso.example+",
        "EmailAddress=anna%40contoso.example",
        "EMAILADDRESS=anna%40contoso.example",
        "emailaddress=anna%40CONTOSO.EXAMPLE",
        "emailaddress=anna%40contoso.example.",
        "emailaddress=anna%2Eo%27neil%40contoso%2Eexample",
        "emailaddress=" + quote("!#$%&'*/=?^_`{|}~-@contoso.example"),
        "emailaddress=" + "a" * 64 + "%40contoso.example",
        "emailaddress=anna%40contoso.example&lang=de",
    ],
)
def test_whatever_stands_before_the_at_and_however_it_is_written_the_document_is_the_same(query: str) -> None:
    assert Client().content() == Client().content(query)


@pytest.mark.parametrize(
    "host",
    [
        "autoconfig.contoso.example",
        "contoso.example",
        "autodiscover.contoso.example",
        "AutoConfig.Contoso.Example",
        "autoconfig.contoso.example.",
        "autoconfig.contoso.example:8443",
    ],
)
def test_without_an_address_the_host_says_the_domain_unlike_automx2_which_refuses(host: str) -> None:
    # Thunderbird for Android, Geary, KMail and Delta Chat ask so (automx2 issues 27, 30 and 34; Stalwart issue 1042).
    assert Client().content() == Client().content("", host=host)


def test_the_addresss_domain_counts_and_not_the_hosts() -> None:
    assert Client().content() == Client().content(host="autoconfig.fabrikam.example")
    assert 404 == Client().ask("emailaddress=anna%40fabrikam.example", host="autoconfig.contoso.example").status


def test_a_head_request_is_answered_as_a_get() -> None:
    query = "emailaddress=anna%40contoso.example"
    assert Client().ask(query) == Client().ask(query, method="HEAD")


def test_a_post_is_told_what_is_allowed() -> None:
    reply = Client().ask("emailaddress=anna%40contoso.example", method="POST", body=b"<clientConfig/>")
    assert (405, "GET, HEAD, OPTIONS") == (reply.status, reply.headers["Allow"])


# What has no answer


def _assert_not_found(reply: Reply) -> None:
    assert (404, TEXT) == (reply.status, reply.media_type)
    assert {} == reply.headers
    with pytest.raises(Rejected):  # Geary ignores the status and reads the body
        CLIENTS["Geary"](reply.body)


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "anna",
        "@",
        "@contoso.example",
        "anna@",
        "anna@@contoso.example",
        "anna@tag@contoso.example",
        ".anna@contoso.example",
        "an..na@contoso.example",
        "anna@contoso",
        "anna@contoso example",
        "anna@[192.0.2.1]",
        "anna@192.0.2.1",
        "änna@contoso.example",
        '"anna"@contoso.example',
        "anna\t@contoso.example",
        "anna\0@contoso.example",
        "anna\x85@contoso.example",
        "anna\u202e@contoso.example",
        "anna\uffff@contoso.example",
        "a" * 65 + "@contoso.example",
        "anna@" + "a." * 125 + "contoso.example",
        "%EMAILADDRESS%",
    ],
)
def test_a_malformed_address_is_not_found_even_where_the_host_is_ours(address: str) -> None:
    query = urlencode({"emailaddress": address})
    _assert_not_found(Client().ask(query, host="autoconfig.contoso.example"))


@pytest.mark.parametrize("address", ["anna@fabrikam.example", "anna@sub.contoso.example", "anna@xcontoso.example"])
def test_a_domain_that_is_not_ours_is_not_found_and_is_reported(address: str) -> None:
    client = Client()
    _assert_not_found(client.ask(urlencode({"emailaddress": address})))
    assert [address.partition("@")[2]] == client.unknown


@pytest.mark.parametrize("host", ["", "fabrikam.example", "192.0.2.1", "[2001:db8::1]:443", "localhost", "a\0b", "a b"])
def test_a_host_that_is_not_ours_is_not_found(host: str) -> None:
    _assert_not_found(Client().ask(host=host))


def test_nothing_that_was_asked_stands_in_a_refusal() -> None:
    first = Client().ask(urlencode({"emailaddress": "anna@fabrikam.example"}))
    assert first == Client().ask(urlencode({"emailaddress": "<clientConfig>"}))


@pytest.mark.parametrize(
    "query",
    [
        "emailaddress=%ff%40contoso.example",
        "emailaddress=anna%40contoso.example&emailaddress=anna%40contoso.example",
        "emailaddress=anna%40contoso.example&EmailAddress=berta%40contoso.example",
        "emailaddress=anna%40contoso.example&password=hunter2",
    ],
)
def test_a_query_that_cannot_be_meant_is_a_bad_request(query: str) -> None:
    reply = Client().ask(query)
    assert (400, TEXT) == (reply.status, reply.media_type)
    assert b"hunter2" not in reply.body


def test_a_provider_without_pop3_has_no_document() -> None:
    without = replace(PROVIDERS["office365"], pop3=None)
    _assert_not_found(Client(providers={"office365": without}).ask("emailaddress=anna%40contoso.example"))


@given(query=st.text(), host=st.text(), path=st.sampled_from(PATHS), method=st.sampled_from(["GET", "HEAD"]))
def test_whatever_is_asked_there_is_an_answer(query: str, host: str, path: str, method: str) -> None:
    reply = Client().ask(query, host=host, path=path, method=method)
    assert reply.status in (400, 404)
    assert TEXT == reply.media_type


@given(address=st.text() | st.builds("{}@contoso.example".format, st.text(max_size=70)))
def test_an_address_gets_the_domains_document_or_nothing(address: str) -> None:
    expected = Client().content()
    repaired = address.strip(" ").replace(" ", "+")
    try:
        known = Account(repaired).domain == "contoso.example"
    except InvalidAddress:
        known = False
    reply = Client().ask(urlencode({"emailaddress": address}, errors="surrogatepass"))
    assert (expected if known else b"") == (reply.body if reply.status == 200 else b"")


# What the document says


def _elements(content: bytes) -> Element:
    """The document with its comments kept."""
    parser = XMLParser(target=TreeBuilder(insert_comments=True, insert_pis=True))
    parser.feed(content)
    root: Element = parser.close()
    return root


def _expected(server: Element, provider: MailProvider) -> tuple[str, ...]:
    fact = {"imap": provider.imap, "pop3": provider.pop3, "smtp": provider.submission}[server.attrib["type"]]
    assert fact is not None
    socket_type = "SSL" if fact.security is ConnectionSecurity.IMPLICIT_TLS else "STARTTLS"
    return fact.hostname, str(fact.port), socket_type, "OAuth2", "%EMAILADDRESS%"


@every_provider
def test_the_document_is_imap_then_pop3_then_smtp_with_the_catalogues_servers(provider: MailProvider) -> None:
    servers = fromstring(_rendered(provider)).findall("emailProvider/*[hostname]")
    assert [("incomingServer", "imap"), ("incomingServer", "pop3"), ("outgoingServer", "smtp")] == [
        (server.tag, server.attrib["type"]) for server in servers
    ]
    for server in servers:
        assert ["hostname", "port", "socketType", "authentication", "username"] == [value.tag for value in server]
        assert _expected(server, provider) == tuple(value.text for value in server)


@pytest.mark.parametrize("help_url", ["", HELP])
@every_provider
def test_no_client_stumbles_over_blanks_comments_or_nested_values(provider: MailProvider, help_url: str) -> None:
    content = _rendered(provider, help_url=help_url)
    assert content.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<clientConfig version="1.1">')
    assert not content.startswith(BOM)
    for element in _elements(content).iter():
        assert isinstance(element.tag, str), "a comment or a processing instruction"
        assert "{" not in element.tag, "a namespace"
        assert element.tail is None
        assert (element.text is None) == (len(element) > 0)
        assert element.text is None or element.text == element.text.strip()
        assert element.text is None or element.text


@every_provider
def test_no_exchange_or_ews_server_is_offered(provider: MailProvider) -> None:
    # Thunderbird would preselect it, and FairEmail and Geary would read nothing after it.
    types = [server.get("type") for server in fromstring(_rendered(provider)).iter() if server.get("type")]
    assert ["imap", "pop3", "smtp"] == types


def test_the_user_name_is_a_whole_placeholder_unlike_in_mozillas_own_entry_whose_percent_sign_is_missing() -> None:
    names = {name.text for name in fromstring(_rendered(PROVIDERS["office365"])).iter("username")}
    assert {"%EMAILADDRESS%"} == names


def test_a_person_and_somebody_unknown_get_the_same_document() -> None:
    provider, context = PROVIDERS["office365"], contoso_context(FORMAT)
    assert FORMAT.render(AnyoneAt(ANNA.domain), provider, context) == FORMAT.render(ANNA, provider, context)


def test_the_provider_is_called_by_the_domain_that_was_asked_for_and_names_no_other() -> None:
    contoso = contoso_domain()
    names = ["berta.example", "contoso.example", "contoso.test"]
    domains = {name: replace(contoso, name=name) for name in names}
    client = Client(Snapshot(organisations={CONTOSO.id: CONTOSO}, domains=domains))
    for name in names:
        (provider,) = fromstring(client.content(f"emailaddress=anna%40{name}")).findall("emailProvider")
        assert name == provider.get("id")
        assert [name] == [domain.text for domain in provider.findall("domain")]
        assert "domain" == provider[0].tag


@pytest.mark.parametrize("asked", ["münchen.example", "MÜNCHEN.example", "xn--mnchen-3ya.example"])
def test_an_internationalised_domain_is_written_in_a_labels(asked: str) -> None:
    client = Client(_snapshot(name="münchen.example"))
    content = client.content(urlencode({"emailaddress": f"anna@{asked}"}))
    assert client.content("", host="autoconfig.xn--mnchen-3ya.example") == content
    assert b"<domain>xn--mnchen-3ya.example</domain>" in content
    assert thunderbird(content).incoming


@every_provider
def test_a_password_follows_oauth2_for_sending_only_where_the_domain_and_the_cloud_still_take_one(
    provider: MailProvider,
) -> None:
    root = fromstring(Client(_snapshot(provider.id, smtp_password=True)).content())
    methods = {
        server.attrib["type"]: [method.text for method in server.findall("authentication")]
        for server in root.iter()
        if server.get("type")
    }
    assert provider.submission is not None
    takes_one = Authentication.PASSWORD in provider.submission.transitional_authentication
    sending = ["OAuth2", "password-cleartext"] if takes_one else ["OAuth2"]
    assert {"imap": ["OAuth2"], "pop3": ["OAuth2"], "smtp": sending} == methods
    assert (provider.id == "office365") == takes_one


def test_thunderbird_signs_in_with_oauth2_though_a_password_is_offered_too() -> None:
    setup = thunderbird(Client(_snapshot(smtp_password=True)).content())
    assert setup.outgoing is not None
    assert "OAuth2" == setup.outgoing.sign_in


@every_provider
def test_the_sign_in_service_is_named_for_information_without_a_client_id(provider: MailProvider) -> None:
    (block,) = fromstring(_rendered(provider)).findall("oAuth2")
    oauth = provider.oauth
    assert {
        "issuer": oauth.authority.removeprefix("https://"),
        "scope": " ".join([oauth.scopes["imap"], oauth.scopes["pop"], oauth.scopes["smtp"], "offline_access"]),
        "authURL": oauth.authorize_url,
        "tokenURL": oauth.token_url,
    } == {entry.tag: entry.text for entry in block}


def test_help_is_linked_where_there_is_a_page() -> None:
    (provider,) = fromstring(Client(help_url=HELP).content()).findall("emailProvider")
    documentation, enable = provider.find("documentation"), provider.find("enable")
    assert documentation is not None
    assert enable is not None
    assert (HELP, HELP) == (documentation.get("url"), enable.get("visiturl"))
    assert f"How to set up your {CONTOSO.name} mail" == documentation.findtext("descr")
    assert f"ask {CONTOSO.name} IT" in enable.findtext("instruction", "")


def test_no_help_is_linked_where_there_is_no_page() -> None:
    root = fromstring(Client().content())
    assert [] == [element.tag for element in root.iter() if element.tag in ("documentation", "enable")]


# Names


def _names(name: str) -> tuple[str, str]:
    snapshot = contoso_snapshot(organisation=Organisation(id=CONTOSO.id, name=name))
    root = fromstring(Client(snapshot).content())
    return root.findtext("emailProvider/displayName", ""), root.findtext("emailProvider/displayShortName", "")


def test_names_are_cut_to_what_the_draft_allows() -> None:
    name = "The Contoso Company of Upper and Lower Franconia and all of its many Subsidiaries"
    assert (name[:59], "The Contoso Company") == _names(name)  # the next one would be a blank


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Twenty characters ab", "Twenty characters ab"),
        ("Nineteen characterse\u0301s", "Nineteen characters"),
        ("Nineteen characters \U0001f469\u200d\U0001f680", "Nineteen characters"),
        ("Eighteen character\U0001f469\u200d\U0001f680", "Eighteen character"),
        ("a" + "\u0301" * 30, "a" + "\u0301" * 19),
    ],
)
def test_a_letter_keeps_its_accents_or_goes_with_them(name: str, short: str) -> None:
    assert short == _names(name)[1]


@given(name=st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=100))
def test_every_organisations_name_comes_back_whole_or_cut(name: str) -> None:
    for shown, limit in zip(_names(name), (60, 20), strict=True):
        assert 0 < len(shown) <= limit
        assert name.startswith(shown)
        if len(name) <= limit:
            assert name == shown
        elif not all(unicodedata.category(character).startswith("M") for character in name[1 : limit + 1]):
            assert not unicodedata.category(name[len(shown)]).startswith("M")


# What real clients make of it


def _catalogues(provider: MailProvider) -> list[tuple[str, int, str]]:
    assert provider.imap is not None
    assert provider.submission is not None
    socket_type = {ConnectionSecurity.IMPLICIT_TLS: "SSL", ConnectionSecurity.STARTTLS: "STARTTLS"}
    return [
        (server.hostname, server.port, socket_type[server.security]) for server in (provider.imap, provider.submission)
    ]


@pytest.mark.parametrize("help_url", ["", HELP])
@every_provider
@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_ends_with_the_catalogues_servers(client: str, provider: MailProvider, help_url: str) -> None:
    content = _rendered(provider, help_url=help_url)
    if client == "Thunderbird" and not provider.oauth.authority.endswith("microsoftonline.com"):
        # An honest gap: Thunderbird is registered with the worldwide cloud alone, and then takes no server at all.
        with pytest.raises(Rejected):
            thunderbird(content)
        return
    used = CLIENTS[client](content)
    assert used.outgoing is not None
    servers = [used.incoming, used.outgoing]
    assert _catalogues(provider) == [server[:3] for server in servers]
    assert {server.sign_in for server in servers} <= {"OAuth2", None}
    assert {server.username for server in servers} <= {"%EMAILADDRESS%", None}


def _swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def swap(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, 1)

    return swap


def _without(element: str) -> Callable[[bytes], bytes]:
    return lambda content: re.sub(rf"<{element}\b.*?</{element}>".encode(), b"", content, count=1)


def _pop3_first(content: bytes) -> bytes:
    imap, pop3 = re.findall(rb"<incomingServer.*?</incomingServer>", content)
    return content.replace(imap + pop3, pop3 + imap)


_REJECT = "reject"
_GOOD = "993 SSL"
# One change each to a good document, and what the client was measured to use for incoming mail (FairEmail and Geary:
# read in their sources). What is not named is as good as before.
_VARIANTS: dict[str, tuple[Callable[[bytes], bytes], dict[str, str]]] = {
    "no domain": (_without("domain"), {"Thunderbird": _REJECT, "Thunderbird for Android": _REJECT}),
    "id with a space": (
        _swap(b'id="contoso.example"', b'id="Contoso Ltd"'),
        {"Thunderbird": _REJECT, "Thunderbird for Android": _REJECT},
    ),
    "no id": (_swap(b' id="contoso.example"', b""), {"Thunderbird": _REJECT, "Thunderbird for Android": _REJECT}),
    "unknown sign-in": (
        lambda content: content.replace(b"OAuth2<", b"OAUTH2<"),
        {"Thunderbird": _REJECT, "Thunderbird for Android": _REJECT},
    ),
    "another host": (
        lambda content: content.replace(b"outlook.office365.com", b"imap.contoso.example"),
        {"Thunderbird": _REJECT},
    ),
    "TLS for SSL": (
        lambda content: content.replace(b">SSL<", b">TLS<"),
        {
            "Thunderbird": _REJECT,
            "Thunderbird for Android": _REJECT,
            "Evolution": "993 none",
            "Delta Chat": "993 tried",
            "Geary": "993 none",
        },
    ),
    "ssl for SSL": (
        lambda content: content.replace(b">SSL<", b">ssl<"),
        {
            "Thunderbird": _REJECT,
            "Thunderbird for Android": _REJECT,
            "Evolution": "993 none",
            "Geary": "993 none",
        },
    ),
    "no outgoing server": (
        _without("outgoingServer"),
        {"Thunderbird": _REJECT, "Thunderbird for Android": _REJECT, "FairEmail": _REJECT, "Geary": _REJECT},
    ),
    "byte-order mark": (
        lambda content: BOM + content,
        {"Thunderbird for Android": _REJECT, "Evolution": _REJECT},
    ),
    "blanks around values": (
        lambda content: re.sub(rb">([^<>]+)</", rb"> \1 </", content),
        {
            "Thunderbird": _REJECT,
            "Thunderbird for Android": _REJECT,
            "Evolution": "993 none",
            "FairEmail": _REJECT,
            "Geary": "993 none",
        },
    ),
    "no user name": (_without("username"), {"Thunderbird for Android": _REJECT, "Delta Chat": _REJECT}),
    "type in capitals": (
        _swap(b'type="imap"', b'type="IMAP"'),
        {
            "Thunderbird": "995 SSL",
            "Thunderbird for Android": _REJECT,
            "Evolution": _REJECT,
            "FairEmail": _REJECT,
            "Geary": _REJECT,
        },
    ),
    "POP3 first": (_pop3_first, {"Thunderbird": "995 SSL", "FairEmail": _REJECT, "Geary": _REJECT}),
    "cut off": (lambda content: content[:-30], dict.fromkeys(CLIENTS, _REJECT)),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("variant", _VARIANTS)
def test_each_reader_stumbles_where_the_real_client_does(variant: str, client: str) -> None:
    change, expected = _VARIANTS[variant]
    try:
        used: Used | None = CLIENTS[client](change(_rendered(PROVIDERS["office365"]))).incoming
    except Rejected:
        used = None
    assert expected.get(client, _GOOD) == (f"{used.port} {used.encryption}" if used else _REJECT)


def test_thunderbird_for_android_is_offered_both_ways_to_send_where_there_are_two() -> None:
    setup = thunderbird_android(Client(_snapshot(smtp_password=True)).content())
    assert setup.outgoing is not None
    assert "OAuth2+password-cleartext" == setup.outgoing.sign_in

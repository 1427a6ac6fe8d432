"""A mail program that asks Autodiscover gets its servers, or the way to Microsoft's Autodiscover, or the exact error.

One minimal request, one thing changed in each test. [MS-OXDSCLI] is what the answers are held against, and the rules by
which real programs read them (tests/mail_clients.py).
"""

import dataclasses
import re
from collections.abc import Mapping
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import InvalidInput
from provisioner.format import Audience, Reply
from provisioner.formats import find_format
from provisioner.model import Account
from provisioner.organisation import AutodiscoverPolicy
from provisioner.pox import Question, read_question
from provisioner.xmltree import MAX_DEPTH
from tests.desks import Desk
from tests.mail_clients import (
    Connection,
    NotAccepted,
    delta_chat,
    ews_managed_api,
    exchangelib,
    fairemail,
    is_redirect_for_ews_managed_api,
    thunderbird,
)
from tests.samples import PROVIDERS, contoso_context

SCHEMAS = "http://schemas.microsoft.com/exchange/autodiscover"
REQUEST = f"{SCHEMAS}/outlook/requestschema/2006"
RESPONSE = f"{SCHEMAS}/outlook/responseschema/2006a"
ADDRESS = "anna@contoso.example"
MINIMAL = (
    f'<Autodiscover xmlns="{REQUEST}"><Request><EMailAddress>{ADDRESS}</EMailAddress>'
    f"<AcceptableResponseSchema>{RESPONSE}</AcceptableResponseSchema></Request></Autodiscover>"
)
AUTO, SETTINGS, REDIRECT = AutodiscoverPolicy
FORMAT = find_format("autodiscover")
CLOUDS = [name for name, provider in PROVIDERS.items() if FORMAT.needs <= provider.services]
OUTLOOK = {"user-agent": "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17726; Pro)"}
THUNDERBIRD = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0"}


def changed(old: str, new: str) -> bytes:
    """The minimal request with one thing changed."""
    assert old in MINIMAL
    return MINIMAL.replace(old, new).encode()


def settings_of(reply: Reply) -> dict[str, dict[str, str]]:
    """Each Protocol by its Type; asserts that the answer holds settings."""
    account = _account_of(reply)
    assert ["AccountType", "Action"] == list(account)[:2]
    assert ("email", "settings") == (account["AccountType"], account["Action"])
    protocols = fromstring(reply.body).iter(f"{{{RESPONSE}}}Protocol")
    words = [{part.tag.rpartition("}")[2]: part.text or "" for part in protocol} for protocol in protocols]
    assert ["IMAP", "POP3", "SMTP"] == [protocol["Type"] for protocol in words]
    return {protocol.pop("Type"): protocol for protocol in words}


def _account_of(reply: Reply) -> dict[str, str]:
    assert 200 == reply.status
    account = fromstring(reply.body).find(f"{{{RESPONSE}}}Response/{{{RESPONSE}}}Account")
    assert account is not None, reply.body
    return {part.tag.rpartition("}")[2]: part.text or "" for part in account}


def action_of(reply: Reply) -> str:
    """settings or redirectUrl."""
    return _account_of(reply)["Action"]


def code_of(reply: Reply) -> str:
    """The ErrorCode, at the one place where it may stand."""
    outer = f"{{{SCHEMAS}/responseschema/2006}}"
    return fromstring(reply.body).findtext(f"{outer}Response/{outer}Error/{outer}ErrorCode", "")


def facts(cloud: str) -> list[tuple[str, str, int, str]]:
    """Type, hostname, port and encryption of each of the cloud's servers, as the catalogue has them."""
    kinds = {"imap": "IMAP", "pop3": "POP3", "submission": "SMTP"}
    words = {"implicit-tls": "SSL", "starttls": "STARTTLS"}
    return [
        (kinds[server.protocol.value], server.hostname, server.port, words[server.security.value])
        for server in PROVIDERS[cloud].servers
    ]


def cloud_url(cloud: str) -> str:
    """The cloud's own Autodiscover."""
    autodiscover = PROVIDERS[cloud].autodiscover
    assert autodiscover is not None
    return autodiscover.pox_url


# The policy table, for every cloud


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    ("policy", "headers", "expected"),
    [
        (AUTO, OUTLOOK, "redirectUrl"),
        (AUTO, {"x-mapihttpcapability": "1"}, "redirectUrl"),
        (AUTO, {**THUNDERBIRD, "x-mapihttpcapability": "1"}, "redirectUrl"),
        (AUTO, THUNDERBIRD, "settings"),
        (AUTO, {}, "settings"),
        (SETTINGS, OUTLOOK, "settings"),
        (SETTINGS, {"x-mapihttpcapability": "1"}, "settings"),
        (SETTINGS, THUNDERBIRD, "settings"),
        (SETTINGS, {}, "settings"),
        (REDIRECT, OUTLOOK, "redirectUrl"),
        (REDIRECT, {"x-mapihttpcapability": "1"}, "redirectUrl"),
        (REDIRECT, THUNDERBIRD, "redirectUrl"),
        (REDIRECT, {}, "redirectUrl"),
    ],
)
def test_the_policy_and_the_program_decide_between_settings_and_the_clouds_autodiscover(
    cloud: str, policy: AutodiscoverPolicy, headers: Mapping[str, str], expected: str
) -> None:
    reply = Desk(cloud, policy).ask(MINIMAL.encode(), headers=headers)
    assert "text/xml; charset=utf-8" == reply.media_type
    assert expected == action_of(reply)
    if expected == "redirectUrl":
        account = {"AccountType": "email", "Action": "redirectUrl", "RedirectUrl": cloud_url(cloud)}
        assert account == _account_of(reply)
    else:
        settings_of(reply)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_settings_name_the_clouds_servers_and_how_to_reach_them(cloud: str) -> None:
    common = {
        "TTL": "24",
        "LoginName": ADDRESS,
        "DomainRequired": "off",
        "SPA": "off",
        "SSL": "on",
        "AuthRequired": "on",
    }
    expected = {
        kind: {**common, "Server": hostname, "Port": str(port), "Encryption": {"STARTTLS": "TLS"}.get(security, "SSL")}
        for kind, hostname, port, security in facts(cloud)
    }
    expected["SMTP"] |= {"UsePOPAuth": "on", "SMTPLast": "off"}
    assert expected == settings_of(Desk(cloud).ask(MINIMAL.encode()))


@pytest.mark.parametrize("policy", AutodiscoverPolicy)
def test_the_rendered_document_is_what_a_program_that_is_not_outlook_gets(policy: AutodiscoverPolicy) -> None:
    context = contoso_context(FORMAT)
    context = dataclasses.replace(context, domain=dataclasses.replace(context.domain, autodiscover=policy))
    rendered = FORMAT.render(Account(ADDRESS), PROVIDERS["office365"], context)
    assert rendered == Desk(policy=policy).ask(MINIMAL.encode()).body
    assert Audience.CLIENT is FORMAT.audience


# Real User-Agents. Where a line names no source, it is the program's own code or the string in its messages.
@pytest.mark.parametrize(
    "user_agent",
    [
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17726; Pro)",  # 365, 2024-08: mox issue 200
        "Microsoft Office/16.0 (Windows NT 10.0; MAPI 16.0.9001; Pro)",  # 2016, 2018-02: mailcow pull request 1070
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.6326; Pro)",  # 2016: KDE's Exchange resource
        "Microsoft Office/15.0 (Windows NT 6.1; Microsoft Outlook 15.0.4420; Pro)",  # 2013: KDE's Exchange resource
        "Microsoft Office/14.0 (Windows NT 6.1; Microsoft Outlook 14.0.5128; Pro)",  # 2010: KDE's Exchange resource
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Microsoft Outlook 16.0.9029; ms-office; MSOffice 16)",
        "Outlook-iOS/2.0",  # Microsoft: Securing Outlook for iOS and Android in Exchange Online
        "Outlook-Android/2.0",  # the same page
        "MacOutlook/14.2.0.101115 (Intel Mac OS X 10.6.7)",  # 2011 for Mac: KDE's Exchange resource
        "MacOutlook/16.24.0.190414 (Intelx64 Mac OS X Version 10.14.4 (Build 18E226))",  # 2019-04: logstash
        "MICROSOFT OFFICE/16.0 (WINDOWS NT 10.0)",
        "outlook-ios/2.0",
    ],
)
def test_outlook_is_known_by_its_user_agent(user_agent: str) -> None:
    assert "redirectUrl" == action_of(Desk().ask(MINIMAL.encode(), headers={"user-agent": user_agent}))


@pytest.mark.parametrize(
    "user_agent",
    [
        "",  # Delta Chat sends none
        THUNDERBIRD["user-agent"],
        "exchangelib/4.9.0 (python-requests/2.32.5)",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0",  # FairEmail
        "eM_Client/9.2.1577.0",
        "iOS/18.0 (22A3354) dataaccessd/1.0",
        "AppleExchangeWebServices/814.80.3 accountsd/113",
        "Mac OS X/10.6.8 (10K549); ExchangeWebServices/1.3 (61); Mail/4.6 (1085)",
        "ExchangeServicesClient/15.00.0516.014",  # Microsoft: EWS Managed API, which is no Outlook
        "OutlookMobileCloudService-Autodetect/1.0.0",  # Microsoft's AutoDetect service, which asks for others
        "Evolution/3.46.4",
        "My outlook on life",
    ],
)
def test_every_other_program_gets_settings(user_agent: str) -> None:
    settings_of(Desk().ask(MINIMAL.encode(), headers={"user-agent": user_agent}))


@pytest.mark.parametrize("value", ["1", "0", ""])
def test_the_header_that_only_outlook_sends_counts_whatever_it_says(value: str) -> None:
    assert "redirectUrl" == action_of(Desk().ask(MINIMAL.encode(), headers={"x-mapihttpcapability": value}))


# How a request may be written


@pytest.mark.parametrize(
    "path",
    ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.xml"],
)
@pytest.mark.parametrize("plain_http", [False, True])
def test_a_post_is_answered_at_the_path_in_any_case_with_and_without_tls(path: str, *, plain_http: bool) -> None:
    assert Desk().ask(MINIMAL.encode()) == Desk().ask(MINIMAL.encode(), path=path, plain_http=plain_http)


def _prefixed(text: str) -> str:
    return re.sub(r"<(/?)(?=\w)", r"<\1a:", text).replace("xmlns=", "xmlns:a=")


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + MINIMAL.encode(),
        b'<?xml version="1.0" encoding="utf-8"?>\r\n' + MINIMAL.encode() + b"\r\n",
        f'<?xml version="1.0" encoding="utf-16"?>{MINIMAL}'.encode("utf-16"),
        f"\ufeff{MINIMAL}".encode("utf-16-be"),
        b'<?xml version="1.0" encoding="iso-8859-1"?><!-- \xe4 -->' + MINIMAL.encode(),
        _prefixed(MINIMAL).encode(),
        changed(ADDRESS, f"<![CDATA[{ADDRESS}]]>"),
        changed(ADDRESS, ADDRESS.replace("@", "&#64;").replace("a", "&#x61;")),
        changed(ADDRESS, f"anna<!-- {ADDRESS} -->@contoso.example"),
        changed(ADDRESS, f"\r\n\t {ADDRESS} \n"),
        changed(RESPONSE, f"\n  {RESPONSE}\n"),
        changed("<Request>", "<Request><LegacyDN>/o=Contoso/cn=anna</LegacyDN>"),
        changed("<Request>", "<Request><Unheard/>"),
        changed("<Request>", "<Request><EMailAddress xmlns='urn:other'>eve@contoso.example</EMailAddress>"),
        changed(REQUEST, REQUEST.replace("http:", "https:")),
        changed(RESPONSE, RESPONSE.replace("http:", "https:")),
        changed("outlook/requestschema", "mobilesync/requestschema"),
    ],
)
def test_the_same_request_in_another_spelling_gets_the_same_answer(body: bytes) -> None:
    assert Desk().ask(MINIMAL.encode()) == Desk().ask(body)


@pytest.mark.parametrize(
    "content_type", ["text/xml; charset=utf-8", "text/xml", "application/x-www-form-urlencoded", ""]
)
def test_the_content_type_does_not_matter(content_type: str) -> None:
    assert Desk().ask(MINIMAL.encode()) == Desk().ask(MINIMAL.encode(), headers={"content-type": content_type})


@pytest.mark.parametrize(
    "body",
    [
        # Thunderbird 153, ExchangeAutoDiscover.sys.mjs
        f"""<?xml version="1.0" encoding="utf-8"?>
    <Autodiscover xmlns="{REQUEST}">
      <Request>
        <EMailAddress>{ADDRESS}</EMailAddress>
        <AcceptableResponseSchema>{RESPONSE}</AcceptableResponseSchema>
      </Request>
    </Autodiscover>""",
        # exchangelib 4.9, Autodiscover.payload
        f"<?xml version='1.0' encoding='utf-8'?>\n{MINIMAL}",
        # EWS Managed API, WriteLegacyAutodiscoverRequest
        MINIMAL,
        # Microsoft's documentation of 2020 and later, which people copy
        MINIMAL.replace("http:", "https:"),
    ],
)
def test_the_requests_of_real_programs_are_understood(body: str) -> None:
    settings_of(Desk().ask(body.encode()))


@pytest.mark.parametrize(
    ("sent", "login"),
    [
        ("anna@CONTOSO.example", ADDRESS),
        ("anna@contoso.example.", ADDRESS),
        ("ANNA@contoso.example", "ANNA@contoso.example"),
        ("a+b.c=d/e@contoso.example", "a+b.c=d/e@contoso.example"),
        ("o'neil&amp;soehne@contoso.example", "o'neil&soehne@contoso.example"),
        ("!#$%&amp;'*+-/=?^_`{|}~@contoso.example", "!#$%&'*+-/=?^_`{|}~@contoso.example"),
        (f"{'a' * 64}@contoso.example", f"{'a' * 64}@contoso.example"),
    ],
)
def test_the_login_is_the_address_as_sent_with_its_domain_in_the_normal_form(sent: str, login: str) -> None:
    settings = settings_of(Desk().ask(changed(ADDRESS, sent)))
    assert [login] * 3 == [protocol["LoginName"] for protocol in settings.values()]


def test_an_internationalised_domain_is_known_in_both_its_forms() -> None:
    desk = Desk(domain="bücher.example")
    for domain in ("bücher.example", "xn--bcher-kva.example", "BÜCHER.example"):
        settings = settings_of(desk.ask(changed("contoso.example", domain)))
        assert "anna@xn--bcher-kva.example" == settings["IMAP"]["LoginName"]


def test_people_who_exist_and_people_who_do_not_get_the_same_bytes() -> None:
    nobody = Desk().ask(changed("anna@", "nobody.at-all@"))
    assert Desk().ask(MINIMAL.encode()).body == nobody.body.replace(b"nobody.at-all@", b"anna@")


# What is refused, and how


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"Hello",
        b"<html></html>",
        b"{}",
        b"\xff\xfe\x00",
        MINIMAL.encode()[:-5],
        f"<!DOCTYPE Autodiscover>{MINIMAL}".encode(),
        f'<!DOCTYPE Autodiscover SYSTEM "http://contoso.example/a.dtd">{MINIMAL}'.encode(),
        f'<!DOCTYPE a [<!ENTITY a "anna@contoso.example">]>{MINIMAL.replace(ADDRESS, "&a;")}'.encode(),
        f'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]>{MINIMAL.replace(ADDRESS, "&a;")}'.encode(),
        changed("<Request>", "<Request>" + "<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH),
        changed("Autodiscover", "AutoDiscover"),
        changed(f' xmlns="{REQUEST}"', ""),
        changed(REQUEST, RESPONSE),
        changed(REQUEST, REQUEST.upper()),
        changed("Request>", "Query>"),
        changed(f"<EMailAddress>{ADDRESS}</EMailAddress>", ""),
        changed(f"<EMailAddress>{ADDRESS}</EMailAddress>", "<LegacyDN>/o=Contoso/cn=anna</LegacyDN>"),
        changed("<Request>", f"<Request><EMailAddress>{ADDRESS}</EMailAddress>"),
        changed("<Request>", "<Request><EMailAddress>eve@contoso.example</EMailAddress>"),
        changed("</Request>", "</Request><Request/>"),
        changed("EMailAddress", "EmailAddress"),
        changed(ADDRESS, ""),
        changed(ADDRESS, " \n "),
        changed(ADDRESS, f"<b>{ADDRESS}</b>"),
        changed(ADDRESS, f"{ADDRESS}<b/>"),
        changed(ADDRESS, "anna"),
        changed(ADDRESS, "anna@contoso@example"),
        changed(ADDRESS, "@contoso.example"),
        changed(ADDRESS, "anna@[192.0.2.1]"),
        changed(ADDRESS, "anna@192.0.2.1"),
        changed(ADDRESS, "anna@contoso"),
        changed(ADDRESS, f"{'a' * 65}@contoso.example"),
        changed(ADDRESS, f"anna@{'a.' * 130}example"),
        changed(ADDRESS, "ann\u0085a@contoso.example"),
        changed(ADDRESS, "ann\u202ea@contoso.example"),
        changed(ADDRESS, "ann\u00e4@contoso.example"),
        changed(ADDRESS, '"an na"@contoso.example'),
        changed(ADDRESS, "ann&#0;a@contoso.example"),
        changed(ADDRESS, "ann\x01a@contoso.example"),
        changed(f"<AcceptableResponseSchema>{RESPONSE}</AcceptableResponseSchema>", ""),
        changed(RESPONSE, ""),
        changed("</Request>", f"<AcceptableResponseSchema>{RESPONSE}</AcceptableResponseSchema></Request>"),
    ],
)
def test_a_request_that_is_none_is_error_600(body: bytes) -> None:
    reply = Desk().ask(body)
    assert (200, "text/xml; charset=utf-8", "600") == (reply.status, reply.media_type, code_of(reply))


@pytest.mark.parametrize(
    "schema",
    [
        f"{SCHEMAS}/outlook/responseschema/2006",
        f"{SCHEMAS}/outlook/responseschema/2006A",
        f"{SCHEMAS}/responseschema/2006",
        "urn:contoso",
        "a<!-- -->b",
    ],
)
def test_a_response_schema_that_nobody_here_speaks_is_error_601(schema: str) -> None:
    reply = Desk().ask(changed(RESPONSE, schema))
    assert (200, "text/xml; charset=utf-8", "601") == (reply.status, reply.media_type, code_of(reply))


@pytest.mark.parametrize("policy", AutodiscoverPolicy)
@pytest.mark.parametrize("headers", [OUTLOOK, THUNDERBIRD])
def test_a_domain_that_is_not_ours_is_error_500(policy: AutodiscoverPolicy, headers: Mapping[str, str]) -> None:
    desk = Desk(policy=policy)
    reply = desk.ask(changed("contoso", "fabrikam"), headers=headers)
    assert (200, "500") == (reply.status, code_of(reply))
    assert ["fabrikam.example"] == desk.unknown


@pytest.mark.parametrize(
    "domain", ["mail.contoso.example", "notcontoso.example", "contoso.example.evil.example", "contoso.exampl"]
)
def test_a_name_that_resembles_our_domain_is_not_ours(domain: str) -> None:
    assert "500" == code_of(Desk().ask(changed("contoso.example", domain)))


def test_the_domain_of_the_address_decides_not_the_host() -> None:
    assert "500" == code_of(Desk().ask(changed("contoso", "fabrikam")))
    settings_of(Desk().ask(MINIMAL.encode(), headers={"host": "autodiscover.fabrikam.example"}))


def test_a_provider_whose_autodiscover_is_not_known_is_as_a_domain_that_is_not_ours() -> None:
    assert "500" == code_of(Desk("outlook-com").ask(MINIMAL.encode()))
    assert 404 == Desk("outlook-com").ask(method="GET").status


def test_an_error_is_written_as_exchange_writes_it() -> None:
    # Time and Id: [MS-ASCMD] 2.2.3.63. DebugData: Exchange's is empty, ours never is.
    assert (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<Autodiscover xmlns="{SCHEMAS}/responseschema/2006"><Response><Error Time="09:00:00.0000000" Id="1">'
        "<ErrorCode>500</ErrorCode><Message>The email address can't be found.</Message>"
        "<DebugData>The domain of the address is not configured here.</DebugData>"
        "</Error></Response></Autodiscover>"
    ) == Desk().ask(changed("contoso", "fabrikam")).body.decode()


def test_an_error_says_nothing_of_what_was_sent() -> None:
    for body in (changed("anna@contoso", "secret@fabrikam"), changed("anna@", "secret@@"), b"secret"):
        assert b"secret" not in Desk().ask(body).body


# Without a body: GET and HEAD


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("policy", [AUTO, SETTINGS])
def test_reading_the_path_gives_the_settings_of_the_hosts_domain_and_says_that_soap_is_spoken(
    method: str, cloud: str, policy: AutodiscoverPolicy
) -> None:
    reply = Desk(cloud, policy).ask(method=method)
    settings = settings_of(reply)
    asked_by_post = settings_of(Desk(cloud, policy).ask(MINIMAL.encode()))
    assert [] == [kind for kind, protocol in settings.items() if "LoginName" in protocol]
    assert settings == {
        kind: {name: word for name, word in protocol.items() if name != "LoginName"}
        for kind, protocol in asked_by_post.items()
    }
    assert {"X-SOAP-Enabled": "True"} == reply.headers


@pytest.mark.parametrize("plain_http", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_reading_the_path_is_sent_to_the_cloud_under_redirect(cloud: str, method: str, *, plain_http: bool) -> None:
    reply = Desk(cloud, REDIRECT).ask(method=method, plain_http=plain_http)
    assert (302, {"Location": cloud_url(cloud)}, b"") == (reply.status, reply.headers, reply.body)
    assert is_redirect_for_ews_managed_api(reply.headers["Location"])


@pytest.mark.parametrize("headers", [OUTLOOK, {"x-mapihttpcapability": "1"}, THUNDERBIRD])
def test_reading_the_path_does_not_look_at_who_reads(headers: Mapping[str, str]) -> None:
    assert Desk().ask(method="GET") == Desk().ask(method="GET", headers=headers)


@pytest.mark.parametrize("host", ["contoso.example", "autodiscover.contoso.example", "autoconfig.contoso.example"])
@pytest.mark.parametrize("spelling", ["{}", "{}:443", "{}."])
def test_a_host_of_the_domain_is_known_in_any_spelling(host: str, spelling: str) -> None:
    for named in (spelling.format(host), spelling.format(host).upper()):
        settings_of(Desk().ask(method="GET", headers={"host": named}))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("policy", [AUTO, SETTINGS])
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("autodiscover.contoso.example", "autodiscover.contoso.example"),
        ("AutoDiscover.Contoso.Example.:80", "autodiscover.contoso.example"),
        ("contoso.example:8080", "contoso.example"),
        ("autoconfig.contoso.example", "autoconfig.contoso.example"),
    ],
)
def test_reading_without_tls_is_sent_to_the_same_host_with_tls(
    method: str, policy: AutodiscoverPolicy, host: str, expected: str
) -> None:
    reply = Desk(policy=policy).ask(
        method=method, path="/Autodiscover/AutoDiscover.XML", query="a=b", headers={"host": host}, plain_http=True
    )
    assert 302 == reply.status
    assert {"Location": f"https://{expected}/autodiscover/autodiscover.xml"} == reply.headers


@pytest.mark.parametrize("plain_http", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "host",
    [
        "autodiscover.fabrikam.example",
        "evil.example",
        "evil.example/contoso.example",
        "contoso.example@evil.example",
        "autodiscover.contoso.example.evil.example",
        "192.0.2.1",
        "[2001:db8::1]:443",
        "localhost",
        "autodiscover.localhost",
        "",
    ],
)
def test_a_host_that_is_not_ours_is_404_with_error_600_and_no_redirect(
    host: str, method: str, *, plain_http: bool
) -> None:
    for policy in AutodiscoverPolicy:
        reply = Desk(policy=policy).ask(method=method, headers={"host": host}, plain_http=plain_http)
        assert (404, "600", {}) == (reply.status, code_of(reply), reply.headers)


def test_an_unknown_host_is_told_to_whoever_counts_them() -> None:
    desk = Desk()
    desk.ask(method="GET", headers={"host": "autodiscover.fabrikam.example"})
    desk.ask(method="GET", headers={"host": ""})
    assert ["fabrikam.example"] == desk.unknown


# Never a sign-in, never an exception


@given(body=st.binary(max_size=400), method=st.sampled_from(["GET", "HEAD", "POST"]), user_agent=st.text())
def test_any_bytes_are_answered_and_nobody_is_asked_to_sign_in(body: bytes, method: str, user_agent: str) -> None:
    headers = {"user-agent": user_agent, "authorization": "Basic YW5uYTpzZWNyZXQ="}
    reply = Desk().ask(body, method=method, headers=headers)
    assert 200 == reply.status
    assert [] == [name for name in reply.headers if name.lower() == "www-authenticate"]
    assert "600" == code_of(reply) if method == "POST" else "settings" == action_of(reply)


@given(host=st.text(), plain_http=st.booleans())
def test_any_host_is_answered_and_sends_nobody_elsewhere(host: str, plain_http: bool) -> None:
    reply = Desk().ask(method="GET", headers={"host": host}, plain_http=plain_http)
    assert reply.status in (200, 302, 404)
    if reply.status == 302:
        assert re.fullmatch(
            r"https://(auto\w+\.)?contoso\.example/autodiscover/autodiscover\.xml", reply.headers["Location"]
        )


LOCAL_PARTS = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}", fullmatch=True)
ESCAPES = {"&": "&amp;", "<": "&lt;"}


@given(
    local=LOCAL_PARTS,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"]),
    prefixed=st.booleans(),
    schema=st.sampled_from([RESPONSE, f"{SCHEMAS}/mobilesync/responseschema/2006"]),
)
def test_every_address_arrives_in_every_encoding(
    local: str,
    encoding: str,
    prefixed: bool,
    schema: str,
) -> None:
    written = "".join(ESCAPES.get(character, character) for character in local)
    request = MINIMAL.replace(RESPONSE, schema)
    request = (_prefixed(request) if prefixed else request).replace("anna@", f"{written}@")
    declaration = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    question = read_question(f"{declaration}{request}".encode(encoding))
    assert Question(Account(f"{local}@contoso.example"), schema) == question
    login = Desk().ask(MINIMAL.replace("anna@", f"{written}@").encode()).body
    assert f"{local}@contoso.example" == settings_of(Reply(200, login, ""))["SMTP"]["LoginName"]


@given(st.text(max_size=100))
def test_any_text_as_address_is_read_as_it_is_or_refused(text: str) -> None:
    try:
        body = MINIMAL.replace(ADDRESS, f"<![CDATA[{text}]]>").encode()
    except UnicodeEncodeError:
        return
    try:
        question = read_question(body)
    except InvalidInput:
        return
    assert Account(text.strip(" \t\r\n")) == question.account


# How programs read the answers


@pytest.mark.parametrize("cloud", CLOUDS)
def test_thunderbird_ends_with_the_catalogues_servers_and_the_login(cloud: str) -> None:
    content = Desk(cloud).ask(MINIMAL.encode(), headers=THUNDERBIRD).body
    assert ([Connection(*fact) for fact in facts(cloud)], ADDRESS) == thunderbird(content)


def test_thunderbird_takes_the_persons_own_address_where_no_login_is_named() -> None:
    connections, login = thunderbird(Desk().ask(method="GET").body)
    assert [Connection(*fact) for fact in facts("office365")] == connections
    assert login is None


@pytest.mark.parametrize("cloud", CLOUDS)
def test_exchangelib_reads_the_servers_all_encrypted(cloud: str) -> None:
    expected = [Connection(kind, hostname, port, "SSL") for kind, hostname, port, _ in facts(cloud)]
    assert ("settings", expected) == exchangelib(Desk(cloud).ask(MINIMAL.encode()).body)


def test_exchangelib_reads_the_redirection() -> None:
    # 4.9 looks for RedirectURL; the specification's name is RedirectUrl ([MS-OXDSCLI] 2.2.4.1.1.2.9).
    assert ("redirectUrl", []) == exchangelib(Desk(policy=REDIRECT).ask(MINIMAL.encode()).body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (changed("contoso", "fabrikam"), "no mailbox associated"),
        (changed("2006a", "2007"), "Unknown error 601"),
        (b"", "Unknown error 600"),
    ],
)
def test_exchangelib_reads_the_errors(body: bytes, error: str) -> None:
    with pytest.raises(NotAccepted, match=error):
        exchangelib(Desk().ask(body).body)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_delta_chat_reads_imap_and_smtp_and_never_talks_in_the_clear(cloud: str, method: str) -> None:
    expected = [Connection(kind, host, port, "automatic") for kind, host, port, _ in facts(cloud) if kind != "POP3"]
    assert expected == delta_chat(Desk(cloud).ask(MINIMAL.encode(), method=method).body)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_delta_chat_follows_the_redirection(cloud: str) -> None:
    assert cloud_url(cloud) == delta_chat(Desk(cloud, REDIRECT).ask(MINIMAL.encode()).body)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_fairemail_ends_with_the_catalogues_servers(cloud: str) -> None:
    expected = [Connection(*fact) for fact in facts(cloud) if fact[0] != "POP3"]
    assert expected == fairemail(Desk(cloud).ask(MINIMAL.encode()).body)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_microsofts_own_client_follows_the_redirection(cloud: str) -> None:
    assert cloud_url(cloud) == ews_managed_api(Desk(cloud, REDIRECT).ask(MINIMAL.encode()).body)
    assert cloud_url(cloud) == ews_managed_api(Desk(cloud).ask(MINIMAL.encode(), headers=OUTLOOK).body)


def test_microsofts_own_client_throws_on_mail_servers_and_is_told_of_soap_first() -> None:
    with pytest.raises(NotAccepted, match="a second protocol of one type"):
        ews_managed_api(Desk().ask(MINIMAL.encode()).body)
    assert "True" == Desk().ask(method="GET").headers["X-SOAP-Enabled"]


# What other systems get wrong


def test_spa_is_written_and_off_unlike_automx2_and_modoboa_which_leave_it_on() -> None:
    assert {"off"} == {protocol["SPA"] for protocol in settings_of(Desk().ask(MINIMAL.encode())).values()}


def test_spa_is_off_unlike_monogramm_and_jeboehm_which_say_on() -> None:
    assert b"<SPA>on</SPA>" not in Desk().ask(MINIMAL.encode()).body


def test_spa_is_off_without_condition_unlike_automx_which_asks_for_the_sign_in_method_first() -> None:
    for policy in (AUTO, SETTINGS):
        assert 3 == Desk(policy=policy).ask(MINIMAL.encode()).body.count(b"<SPA>off</SPA>")


def test_an_unknown_domain_gets_an_error_document_unlike_automx2_which_answers_204() -> None:
    reply = Desk().ask(changed("contoso", "fabrikam"))
    assert (200, "500") == (reply.status, code_of(reply))


@pytest.mark.parametrize("schema", [REQUEST, "urn:evil", f"{SCHEMAS}/outlook/responseschema/2006"])
def test_the_response_schema_is_ours_unlike_monogramm_mailu_and_go_autoconfig_which_echo_the_clients(
    schema: str,
) -> None:
    reply = Desk().ask(changed(RESPONSE, schema))
    assert "601" == code_of(reply)
    assert schema.encode() + b'"' not in reply.body


def test_pop_is_called_pop3_unlike_monogramms() -> None:
    assert b"<Type>POP</Type>" not in Desk().ask(MINIMAL.encode()).body
    assert b"<Type>POP3</Type>" in Desk().ask(MINIMAL.encode()).body


def test_submission_is_starttls_by_encryption_unlike_go_autoconfig_and_modoboa_which_invent_an_element() -> None:
    settings = settings_of(Desk().ask(MINIMAL.encode()))
    assert ("on", "TLS") == (settings["SMTP"]["SSL"], settings["SMTP"]["Encryption"])
    assert [] == [kind for kind, protocol in settings.items() if "TLS" in protocol]


def test_there_is_one_account_unlike_go_autoconfigs_two() -> None:
    assert 1 == Desk().ask(MINIMAL.encode()).body.count(b"<Account>")


def test_the_login_is_named_and_no_windows_domain_asked_for_unlike_wdes() -> None:
    for protocol in settings_of(Desk().ask(MINIMAL.encode())).values():
        assert (ADDRESS, "off") == (protocol["LoginName"], protocol["DomainRequired"])


def test_submission_says_how_it_is_encrypted_unlike_solarssk_and_mox_which_leave_it_open() -> None:
    assert "TLS" == settings_of(Desk().ask(MINIMAL.encode()))["SMTP"]["Encryption"]


def test_an_error_to_a_get_is_made_of_elements_unlike_solarssks_attributes() -> None:
    reply = Desk().ask(method="GET", headers={"host": "fabrikam.example"})
    assert "600" == code_of(reply)


@pytest.mark.parametrize(("sent", "login"), [("a&amp;b", "a&b"), ("a'b", "a'b"), ("&amp;amp", "&amp")])
def test_an_address_is_escaped_unlike_mailcows_stalwarts_and_go_autoconfigs(sent: str, login: str) -> None:
    reply = Desk().ask(changed("anna", sent))
    assert f"{login}@contoso.example" == settings_of(reply)["IMAP"]["LoginName"]
    assert f"<LoginName>{sent}@contoso.example</LoginName>".encode() in reply.body


@pytest.mark.parametrize(
    "attack",
    [
        "a&lt;/LoginName&gt;&lt;Server&gt;evil.example&lt;/Server&gt;&lt;LoginName&gt;",
        "a<![CDATA[</LoginName><Server>evil.example</Server><LoginName>]]>",
        "a&#60;Server>evil.example",
    ],
)
def test_no_server_can_be_smuggled_into_the_answer_unlike_mailus(attack: str) -> None:
    reply = Desk().ask(changed("anna", attack))
    assert "600" == code_of(reply)
    assert b"evil.example" not in reply.body


def test_ssl_is_on_or_off_unlike_modoboas_true_and_virtualmins_yes() -> None:
    assert {"on"} == {protocol["SSL"] for protocol in settings_of(Desk().ask(MINIMAL.encode())).values()}


def test_the_address_in_the_body_is_what_counts_unlike_modoboas_and_jeboehms() -> None:
    reply = Desk().ask(MINIMAL.encode(), query="emailaddress=eve%40fabrikam.example")
    assert ADDRESS == settings_of(reply)["IMAP"]["LoginName"]


def test_implicit_tls_is_called_ssl_unlike_stalwarts_and_moxs_tls_which_means_starttls() -> None:
    settings = settings_of(Desk().ask(MINIMAL.encode()))
    assert {"SSL"} == {settings["IMAP"]["Encryption"], settings["POP3"]["Encryption"]}


def test_nothing_is_made_up_unlike_stalwarts_deployment_id() -> None:
    assert b"DeploymentId" not in Desk().ask(MINIMAL.encode()).body
    assert b"<User>" not in Desk().ask(MINIMAL.encode()).body


def test_broken_xml_is_a_protocol_error_with_status_200_unlike_moxs_405() -> None:
    reply = Desk().ask(MINIMAL.encode()[:-1])
    assert (200, "600") == (reply.status, code_of(reply))


def test_the_schemas_are_named_with_http_unlike_jeboehms_https() -> None:
    for reply in (Desk().ask(MINIMAL.encode()), Desk().ask(b""), Desk().ask(method="GET")):
        assert b"https://schemas" not in reply.body


def test_no_element_is_empty_unlike_virtualmins_ssl() -> None:
    requests = (MINIMAL.encode(), b"", changed("contoso", "fabrikam"), changed("2006a", "2006b"))
    for reply in [Desk().ask(body) for body in requests] + [Desk().ask(method="GET")]:
        empty = [part.tag for part in fromstring(reply.body).iter() if not len(part) and not (part.text or "").strip()]
        assert [] == empty

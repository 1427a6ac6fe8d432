"""A program that speaks Exchange Web Services asks where a mailbox's services are, in SOAP; [MS-OXWSADISC] is how."""

from pathlib import Path
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.format import AnyoneAt, Reply
from provisioner.formats import find_format
from provisioner.model import MailProvider
from provisioner.organisation import AutodiscoverPolicy
from tests.desks import Desk
from tests.samples import ANNA, PROVIDERS, contoso_context

FORMAT = find_format("autodiscover-soap")
PATH = "/autodiscover/autodiscover.svc"
CAPTURED = Path(__file__).parent / "captured"
CLOUDS = [name for name, provider in PROVIDERS.items() if FORMAT.needs <= provider.services]
SETTINGS = [AutodiscoverPolicy.AUTO, AutodiscoverPolicy.SETTINGS]
ADDRESS = "AutoDiscoverSMTPAddress"
OURS = ["ExternalEwsUrl", "ExternalImap4Connections", "ExternalPop3Connections", "ExternalSmtpConnections"]

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
NAMESPACE = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
NAMES = {"": NAMESPACE, "s": SOAP, "wsa": ADDRESSING}


def question(noun: str, asked: str, *settings: str) -> bytes:
    """A question about ``asked`` (XML) for these settings, with nothing in it that could be left out."""
    wanted = "".join(f"<Setting>{setting}</Setting>" for setting in settings)
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header>'
        f'<RequestedServerVersion xmlns="{NAMESPACE}">Exchange2013</RequestedServerVersion></s:Header><s:Body>'
        f'<Get{noun}SettingsRequestMessage xmlns="{NAMESPACE}"><Request><{noun}s>{asked}</{noun}s>'
        f"<RequestedSettings>{wanted}</RequestedSettings></Request></Get{noun}SettingsRequestMessage>"
        "</s:Body></s:Envelope>"
    ).encode()


def about_users(*mailboxes: str, settings: tuple[str, ...] = tuple(OURS)) -> bytes:
    """GetUserSettings."""
    users = "".join(f"<User><Mailbox>{escape(mailbox)}</Mailbox></User>" for mailbox in mailboxes)
    return question("User", users, *settings)


def about_domains(*domains: str, settings: tuple[str, ...] = ("ExternalEwsUrl",)) -> bytes:
    """GetDomainSettings."""
    return question("Domain", "".join(f"<Domain>{escape(domain)}</Domain>" for domain in domains), *settings)


MINIMAL = about_users("anna@contoso.example")
ABOUT_DOMAIN = about_domains("contoso.example")


def changed(old: str, new: str) -> bytes:
    """The minimal question with one thing changed."""
    assert old.encode() in MINIMAL
    return MINIMAL.replace(old.encode(), new.encode())


def post(body: bytes = MINIMAL, *, desk: Desk | None = None, path: str = PATH) -> Reply:
    """The reply; nobody is ever asked to sign in."""
    reply = (desk or Desk()).ask(body, path=path)
    assert "text/xml; charset=utf-8" == reply.media_type
    assert "www-authenticate" not in {name.lower() for name in reply.headers}
    return reply


def response(body: bytes = MINIMAL, *, desk: Desk | None = None) -> Element:
    """The Response of an answer."""
    reply = post(body, desk=desk)
    assert 200 == reply.status
    (message,) = fromstring(reply.body).iterfind("s:Body/*", NAMES)
    (found,) = message
    return found


def answers(body: bytes = MINIMAL, *, desk: Desk | None = None) -> list[Element]:
    """What is said of each mailbox or domain, in an answer without an error of its own."""
    found = response(body, desk=desk)
    assert "NoError" == found.findtext("ErrorCode", "", NAMES)
    return list(found[-1])


def codes(body: bytes, *, desk: Desk | None = None) -> list[str]:
    """The error code about each mailbox or domain."""
    return [answer.findtext("ErrorCode", "", NAMES) for answer in answers(body, desk=desk)]


def settings_of(answer: Element) -> dict[str, object]:
    """The settings by name: a URL, or host, port and encryption method."""
    found: dict[str, object] = {}
    for setting in [*answer.iterfind("UserSettings/*", NAMES), *answer.iterfind("DomainSettings/*", NAMES)]:
        connection = setting.find("ProtocolConnections/ProtocolConnection", NAMES)
        value = setting.findtext("Value", "", NAMES) if connection is None else tuple(part.text for part in connection)
        found[setting.findtext("Name", "", NAMES)] = value
    return found


def errors_of(answer: Element) -> dict[str, str]:
    """The error code of each setting that there is not."""
    errors = [*answer.iterfind("UserSettingErrors/*", NAMES), *answer.iterfind("DomainSettingErrors/*", NAMES)]
    return {error.findtext("SettingName", "", NAMES): error.findtext("ErrorCode", "", NAMES) for error in errors}


def facts(provider: MailProvider) -> dict[str, object]:
    """What the catalogue knows: 993 and 995 speak TLS from the first byte, 587 only after STARTTLS."""
    assert provider.ews
    assert provider.imap
    assert provider.pop3
    assert provider.submission
    return {
        "ExternalEwsUrl": provider.ews.url,
        "ExternalImap4Connections": (provider.imap.hostname, "993", "SSL"),
        "ExternalPop3Connections": (provider.pop3.hostname, "995", "SSL"),
        "ExternalSmtpConnections": (provider.submission.hostname, "587", "TLS"),
    }


# What each policy answers


@pytest.mark.parametrize("policy", SETTINGS)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_program_is_told_the_clouds_servers(cloud: str, policy: AutodiscoverPolicy) -> None:
    (answer,) = answers(desk=Desk(cloud, policy))
    assert facts(PROVIDERS[cloud]) == settings_of(answer)
    assert {} == errors_of(answer)


@pytest.mark.parametrize("policy", SETTINGS)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_domain_has_the_clouds_ews_url(cloud: str, policy: AutodiscoverPolicy) -> None:
    (answer,) = answers(ABOUT_DOMAIN, desk=Desk(cloud, policy))
    assert {"ExternalEwsUrl": facts(PROVIDERS[cloud])["ExternalEwsUrl"]} == settings_of(answer)


@pytest.mark.parametrize("body", [MINIMAL, ABOUT_DOMAIN], ids=["user", "domain"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_domain_that_redirects_sends_everybody_to_the_clouds_own_autodiscover(cloud: str, body: bytes) -> None:
    (answer,) = answers(body, desk=Desk(cloud, AutodiscoverPolicy.REDIRECT))
    autodiscover = PROVIDERS[cloud].autodiscover
    assert autodiscover
    assert "RedirectUrl" == answer.findtext("ErrorCode", "", NAMES)
    assert autodiscover.soap_url == answer.findtext("RedirectTarget", "", NAMES)
    assert {} == settings_of(answer) == errors_of(answer)


@pytest.mark.parametrize("policy", AutodiscoverPolicy)
@pytest.mark.parametrize(("body", "code"), [(MINIMAL, "InvalidUser"), (ABOUT_DOMAIN, "InvalidDomain")])
def test_a_domain_whose_provider_has_no_exchange_is_not_configured_for_it(
    body: bytes, code: str, policy: AutodiscoverPolicy
) -> None:
    assert [code] == codes(body, desk=Desk("outlook-com", policy))


def test_the_document_of_a_person_is_the_answer_to_who_asks_for_everything() -> None:
    document = FORMAT.render(ANNA, PROVIDERS["office365"], contoso_context(FORMAT))
    body = about_users(ANNA.address, settings=(ADDRESS, *OURS))
    assert document == post(body.replace(b"Exchange2013", b"Exchange2016")).body


def test_the_document_of_anyone_at_a_domain_says_all_but_an_address() -> None:
    document = FORMAT.render(AnyoneAt("contoso.example"), PROVIDERS["office365"], contoso_context(FORMAT))
    assert document == post(changed("Exchange2013", "Exchange2016")).body


def test_the_address_that_was_asked_about_is_told_as_exchangelib_needs_it() -> None:
    (answer,) = answers(about_users("Nobody@CONTOSO.example", settings=(ADDRESS,)))
    assert {ADDRESS: "Nobody@contoso.example"} == settings_of(answer)


# Which settings


def test_only_what_was_asked_for_is_told_and_each_once() -> None:
    (answer,) = answers(about_users("anna@contoso.example", settings=(OURS[3], OURS[0], OURS[3])))
    assert [OURS[3], OURS[0]] == list(settings_of(answer))


# Every name in Microsoft's reference (Setting (SOAP)) but the five that are known here.
EXISTING = """
UserDisplayName UserDN UserDeploymentId InternalMailboxServer InternalRpcClientServer InternalMailboxServerDN
InternalEcpUrl InternalEcpVoicemailUrl InternalEcpEmailSubscriptionsUrl InternalEcpTextMessagingUrl
InternalEcpDeliveryReportUrl InternalEcpRetentionPolicyTagsUrl InternalEcpPublishingUrl InternalEwsUrl InternalOABUrl
InternalUMUrl InternalWebClientUrls MailboxDN PublicFolderServer ActiveDirectoryServer ExternalMailboxServer
ExternalMailboxServerRequiresSSL ExternalMailboxServerAuthenticationMethods EcpVoicemailUrlFragment
EcpEmailSubscriptionsUrlFragment EcpTextMessagingUrlFragment EcpDeliveryReportUrlFragment
EcpRetentionPolicyTagsUrlFragment EcpPublishingUrlFragment ExternalEcpUrl ExternalEcpVoicemailUrl
ExternalEcpEmailSubscriptionsUrl ExternalEcpTextMessagingUrl ExternalEcpDeliveryReportUrl
ExternalEcpRetentionPolicyTagsUrl ExternalEcpPublishingUrl ExternalOABUrl ExternalUMUrl ExternalWebClientUrls
CrossOrganizationSharingEnabled AlternateMailboxes CasVersion EwsSupportedSchemas InternalPop3Connections
InternalImap4Connections InternalSmtpConnections InternalServerExclusiveConnect ExternalServerExclusiveConnect
ExchangeRpcUrl ShowGalAsDefaultView InteropExternalEwsUrl ExternalEwsVersion
InteropExternalEwsVersion MobileMailboxPolicyInterop GroupingInformation UserMSOnline MapiHttpEnabled
"""


def test_a_setting_that_exists_and_is_not_known_here_is_not_available() -> None:
    (answer,) = answers(about_users("anna@contoso.example", settings=(*EXISTING.split(), *OURS)))
    assert dict.fromkeys(EXISTING.split(), "SettingIsNotAvailable") == errors_of(answer)
    assert OURS == list(settings_of(answer))
    (answer,) = answers(about_domains("contoso.example", settings=("ExternalEwsVersion",)))
    assert {"ExternalEwsVersion": "SettingIsNotAvailable"} == errors_of(answer)


@pytest.mark.parametrize("name", ["Password", "ExternalJmapUrl", "externalewsurl", "a" * 64])
def test_a_setting_that_does_not_exist_is_invalid(name: str) -> None:
    (answer,) = answers(about_users("anna@contoso.example", settings=(name,)))
    assert ({name: "InvalidSetting"}, {}) == (errors_of(answer), settings_of(answer))


def test_mail_servers_are_settings_of_users_and_not_of_domains() -> None:
    (answer,) = answers(about_domains("contoso.example", settings=("ExternalImap4Connections",)))
    assert {"ExternalImap4Connections": "InvalidSetting"} == errors_of(answer)


# Whom


def test_each_mailbox_has_its_answer_at_its_own_place() -> None:
    body = about_users("anna@contoso.example", "eve@fabrikam.example", "BERT@CONTOSO.EXAMPLE.", "no address")
    assert ["NoError", "InvalidUser", "NoError", "InvalidUser"] == codes(body)
    first, _, third, _ = answers(body)
    assert settings_of(first) == settings_of(third)


def test_each_domain_has_its_answer_at_its_own_place() -> None:
    body = about_domains("fabrikam.example", "Contoso.Example.", "contoso", "")
    assert ["InvalidDomain", "NoError", "InvalidDomain", "InvalidDomain"] == codes(body)


def test_people_who_exist_and_people_who_do_not_get_the_same_bytes() -> None:
    for mailbox in ("nobody@", "o&apos;neil+tag@", f"{'a' * 64}@", " Anna@"):
        assert post().body == post(changed("anna@", mailbox)).body


def test_an_internationalised_domain_is_known_in_both_its_spellings() -> None:
    desk = Desk(domain="xn--bcher-kva.example")
    assert ["NoError", "NoError"] == codes(about_users("a@bücher.example", "a@xn--bcher-kva.example"), desk=desk)
    assert ["NoError", "NoError"] == codes(about_domains("bücher.example", "xn--bcher-kva.example"), desk=desk)


@pytest.mark.parametrize(
    "mailbox",
    ["", "anna", "a@b@contoso.example", "anna@[192.0.2.1]", f"{'a' * 65}@contoso.example", "\u202ea@contoso.example"],
)
def test_a_mailbox_that_is_no_address_is_an_invalid_user(mailbox: str) -> None:
    assert ["InvalidUser"] == codes(about_users(mailbox))


@pytest.mark.parametrize(
    "user",
    [
        "<User/>",
        "<User><LegacyDN>/o=Contoso/cn=anna</LegacyDN></User>",
        "<User>anna@contoso.example</User>",
        "<User><Mailbox>anna@contoso.example</Mailbox><Mailbox>anna@contoso.example</Mailbox></User>",
    ],
    ids=["empty", "legacy name", "text", "two"],
)
def test_a_user_without_one_mailbox_is_invalid_and_keeps_its_place(user: str) -> None:
    body = changed("</User></Users>", f"</User>{user}</Users>")
    assert ["NoError", "InvalidUser"] == codes(body)


def test_domains_that_are_not_ours_are_told_to_the_administrator_once() -> None:
    desk = Desk()
    codes(about_users("a@fabrikam.example", "b@fabrikam.example", "c@tailspin.example", "broken"), desk=desk)
    assert ["fabrikam.example", "tailspin.example"] == desk.unknown


# How much


def test_a_hundred_mailboxes_are_answered_and_one_more_is_refused() -> None:
    mailboxes = [f"user{number}@contoso.example" for number in range(101)]
    assert ["NoError"] * 100 == codes(about_users(*mailboxes[:100]))
    assert "InvalidRequest" == response(about_users(*mailboxes)).findtext("ErrorCode", "", NAMES)


def test_all_that_exchange_knows_may_be_asked_for_but_not_for_everybody_at_once() -> None:
    everything = (*EXISTING.split(), ADDRESS, *OURS)
    mailboxes = [f"user{number}@contoso.example" for number in range(33)]
    assert ["NoError"] * 32 == codes(about_users(*mailboxes[:32], settings=everything))
    assert "InvalidRequest" == response(about_users(*mailboxes, settings=everything)).findtext("ErrorCode", "", NAMES)


@pytest.mark.parametrize(
    "body",
    [
        about_users(),
        about_domains(),
        about_users("anna@contoso.example", settings=()),
        about_users("anna@contoso.example", settings=("",)),
        about_users("anna@contoso.example", settings=("External Ews Url",)),
        about_users("anna@contoso.example", settings=("ExternalEwsUrl", "a" * 65)),
        about_users("anna@contoso.example", settings=("<![CDATA[<b>]]>",)),
        question("User", "<Domain>contoso.example</Domain>", "ExternalEwsUrl"),
        changed("<Request>", "<Requests>").replace(b"</Request>", b"</Requests>"),
    ],
    ids=["nobody", "no domain", "nothing", "no name", "blanks", "long", "markup", "another noun", "no request"],
)
def test_a_question_that_asks_nothing_or_anything_is_refused_as_a_whole(body: bytes) -> None:
    found = response(body)
    assert "InvalidRequest" == found.findtext("ErrorCode", "", NAMES)
    assert "expected" in found.findtext("ErrorMessage", "", NAMES)
    assert [] == list(found[-1])


# The shape that clients read


def test_the_header_names_the_answer_and_a_version() -> None:
    root = fromstring(post().body)
    (action,) = root.iterfind("s:Header/wsa:Action", NAMES)
    assert f"{NAMESPACE}/Autodiscover/GetUserSettingsResponse" == action.text
    assert "1" == action.get(f"{{{SOAP}}}mustUnderstand")
    (version,) = root.iterfind("s:Header/ServerVersionInfo", NAMES)
    parts = {part.tag.rpartition("}")[2]: part.text for part in version}
    assert {
        "MajorVersion": "15",
        "MinorVersion": "20",
        "MajorBuildNumber": "0",
        "MinorBuildNumber": "0",
        "Version": "Exchange2013",
    } == parts
    (action,) = fromstring(post(ABOUT_DOMAIN).body).iterfind("s:Header/wsa:Action", NAMES)
    assert f"{NAMESPACE}/Autodiscover/GetDomainSettingsResponse" == action.text


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("Exchange2010_SP2", "Exchange2010_SP2"),
        (" Exchange2016 ", "Exchange2016"),
        ("V2015_10_05", "Exchange2016"),
        ("Exchange2013&lt;/&gt;", "Exchange2016"),
        ("", "Exchange2016"),
    ],
)
def test_a_client_stays_with_the_version_it_knows_where_that_is_one(header: str, version: str) -> None:
    root = fromstring(post(changed("Exchange2013", header)).body)
    assert version == root.findtext("s:Header/ServerVersionInfo/Version", "", NAMES)


@pytest.mark.parametrize("old", ["RequestedServerVersion", "s:Header"])
def test_a_question_without_a_version_is_answered_too(old: str) -> None:
    root = fromstring(post(changed(old, "s:Other")).body)
    assert "Exchange2016" == root.findtext("s:Header/ServerVersionInfo/Version", "", NAMES)


def test_the_parts_of_an_answer_are_in_the_order_of_the_schema() -> None:
    (user,) = answers()
    (domain,) = answers(ABOUT_DOMAIN)
    assert ["ErrorCode", "ErrorMessage", "RedirectTarget", "UserSettingErrors", "UserSettings"] == _names(user)
    assert ["ErrorCode", "ErrorMessage", "DomainSettingErrors", "DomainSettings", "RedirectTarget"] == _names(domain)
    (refused,) = answers(about_users("eve@fabrikam.example"))
    assert _names(user) == _names(refused)


def _names(element: Element) -> list[str]:
    return [part.tag.removeprefix(f"{{{NAMESPACE}}}") for part in element]


def test_every_setting_says_of_which_type_it_is() -> None:
    (user,) = answers()
    (domain,) = answers(ABOUT_DOMAIN)
    connections = "ProtocolConnectionCollectionSetting"
    types = [setting.get(TYPE) for setting in user.iterfind("UserSettings/UserSetting", NAMES)]
    assert ["StringSetting", connections, connections, connections] == types
    (setting,) = domain.iterfind("DomainSettings/DomainSetting", NAMES)
    assert "DomainStringSetting" == setting.get(TYPE)
    assert {"Hostname", "Port", "EncryptionMethod"} == {
        name for part in user.iterfind(".//ProtocolConnection", NAMES) for name in _names(part)
    }


def test_a_prefix_is_declared_before_it_is_used_as_ews_javascript_api_needs_it() -> None:
    # Version 0.15.3 reads i:type as "type" only where it has met xmlns:i before (ExtensionMethods.js, xml2JsObject).
    content = post().body
    assert 0 < content.index(b"xmlns:i=") < content.index(b" i:")
    assert b'<UserSetting i:type="StringSetting"><Name>' in content


def test_an_answer_is_utf8_with_a_declaration_as_the_managed_api_reads_it() -> None:
    assert post().body.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope ')


# How it may be asked


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + MINIMAL,
        MINIMAL.decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="iso-8859-1"?>' + MINIMAL,
        changed("<Setting>ExternalEwsUrl", "<Setting> \n External<!-- x -->EwsUrl\t"),
        changed("anna@contoso.example", "<![CDATA[anna@contoso.example]]>"),
        changed("anna@contoso.example", "anna&#64;contoso.example"),
        changed(NAMESPACE, NAMESPACE.replace("http:", "https:")),
        changed(SOAP, SOAP.replace("http:", "https:")),
        changed("<User>", "<User><!-- whom? -->"),
        changed("<Request>", '<Request xmlns:x="urn:x"><x:Users/>'),
        MINIMAL.replace(b"<s:", b"<soap:").replace(b"</s:", b"</soap:").replace(b"xmlns:s=", b"xmlns:soap="),
    ],
)
def test_what_means_the_same_is_answered_the_same(body: bytes) -> None:
    assert post().body == post(body).body


@pytest.mark.parametrize("path", ["/Autodiscover/Autodiscover.svc", "/AUTODISCOVER/AUTODISCOVER.SVC"])
def test_the_path_may_be_in_any_case(path: str) -> None:
    assert post().body == post(path=path).body


def test_plain_http_is_answered_as_https_is() -> None:
    assert post() == Desk().ask(MINIMAL, path=PATH, plain_http=True)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_it_is_sent_to_and_not_read(method: str) -> None:
    reply = Desk().ask(method=method, path=PATH)
    assert (405, "OPTIONS, POST") == (reply.status, reply.headers["Allow"])


@pytest.mark.parametrize("capture", sorted(CAPTURED.glob("*Settings.xml")), ids=lambda capture: capture.stem)
def test_what_real_programs_send_is_answered(capture: Path) -> None:
    found = answers(capture.read_bytes())
    assert found
    for answer in found:
        assert "NoError" == answer.findtext("ErrorCode", "", NAMES)
        assert facts(PROVIDERS["office365"])["ExternalEwsUrl"] == settings_of(answer)["ExternalEwsUrl"]
        assert {"SettingIsNotAvailable"} == set(errors_of(answer).values())


# What is no question


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"hello",
        b"<a/>",
        MINIMAL[:-5],
        MINIMAL + MINIMAL,
        b"<!DOCTYPE s:Envelope>" + MINIMAL,
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + changed("anna@", "&e;@"),
        changed("anna", "&undefined;"),
        b"<a>" * 40 + b"</a>" * 40,
        changed(SOAP, "http://www.w3.org/2003/05/soap-envelope"),
        changed("s:Body", "s:Bodies"),
        changed("GetUserSettingsRequestMessage", "GetFederationInformationRequestMessage"),
        changed("GetUserSettingsRequestMessage", "GetUserSettingsResponseMessage"),
        changed(NAMESPACE, f"{NAMESPACE}/x"),
        changed(f' xmlns="{NAMESPACE}"', ""),
        changed("</s:Body>", "<x/></s:Body>"),
        b'<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"/>',
    ],
)
def test_what_is_no_question_is_a_fault_of_the_client_and_never_of_ours(body: bytes) -> None:
    reply = post(body)
    assert 400 == reply.status
    (fault,) = fromstring(reply.body).iterfind("s:Body/s:Fault", NAMES)
    assert ["faultcode", "faultstring"] == [part.tag for part in fault]
    assert "s:Client" == fault.findtext("faultcode")
    assert "GetUserSettingsRequestMessage" in fault.findtext("faultstring", "")


def test_a_fault_repeats_nothing_of_what_was_sent() -> None:
    assert post(b"").body == post(changed("GetUserSettingsRequestMessage", "Secret")).body


@given(st.binary(max_size=200))
def test_any_bytes_get_a_fault(body: bytes) -> None:
    assert 400 == post(body).status


@given(start=st.integers(0, len(MINIMAL)), inserted=st.binary(min_size=1, max_size=8))
def test_a_question_with_stray_bytes_gets_a_reply(start: int, inserted: bytes) -> None:
    assert post(MINIMAL[:start] + inserted + MINIMAL[start:]).status in (200, 400)


_XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=60)


@given(mailbox=_XML_TEXT, setting=_XML_TEXT, version=_XML_TEXT)
def test_any_text_gets_an_answer_that_is_xml_again(mailbox: str, setting: str, version: str) -> None:
    texts = {"anna@contoso.example": mailbox, "ExternalEwsUrl": setting, "Exchange2013": version}
    body = MINIMAL.decode()
    for old, new in texts.items():
        body = body.replace(old, escape(new))
    reply = post(body.encode())
    assert reply.status in (200, 400)
    fromstring(reply.body)

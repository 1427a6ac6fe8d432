"""Tells programs that speak Exchange Web Services where a mailbox's services are: EWS, and IMAP, POP3 and SMTP.

[MS-OXWSADISC] sections 3.1.4.1 (GetDomainSettings) and 3.1.4.4 (GetUserSettings), in SOAP 1.1. What the protocol has a
word for, a refusal too, is HTTP 200. What is no question of these two is a SOAP fault, with status 400 as WS-I Basic
Profile 1.1 (R1113) has it for malformed requests: SOAP 1.1 section 6.2 would make it 500, but that says that we failed,
and Microsoft's Managed API gives up at it. After 400 it asks at the next place, as exchangelib does.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element

from provisioner.errors import InvalidInput, InvalidXml
from provisioner.format import AnyoneAt, Audience, Context, Discovery, Format, Found, Lookup, Reply, Request, Subject
from provisioner.model import Account, ConnectionSecurity, MailProvider, MailServer, Service
from provisioner.organisation import AutodiscoverPolicy
from provisioner.soap import MEDIA_TYPE, Message, find, is_named, read_message, text_of, write_fault, write_message
from provisioner.xmltree import node

_PATH = "/autodiscover/autodiscover.svc"
_NAMESPACE = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_MAX_ASKED = 100  # mailboxes or domains of one question; Exchange has such a limit too
_MAX_SETTINGS = 2000  # for all of them together: each becomes an element of the answer
_SETTING = re.compile(r"[A-Za-z0-9]{1,64}")
_VERSION = re.compile(r"Exchange20[0-9]{2}(?:_SP[0-9])?")
_DEFAULT_VERSION = "Exchange2016"  # the newest name that Exchange Online takes (OfficeDev/ews-managed-api issue 140)
_BUILD = {"MajorVersion": "15", "MinorVersion": "20", "MajorBuildNumber": "0", "MinorBuildNumber": "0"}

# What Exchange calls them where it lists a server's own: port 993 is SSL and 143 TLS, which is STARTTLS there
# (Set-ImapSettings, -InternalConnectionSettings; hosted Exchange answers 587 with TLS).
_ENCRYPTION_METHOD = {ConnectionSecurity.IMPLICIT_TLS: "SSL", ConnectionSecurity.STARTTLS: "TLS"}

# The settings that exist (Setting (SOAP) in Microsoft's reference); any other name is no setting at all.
_USER_SETTING_NAMES = """
    ActiveDirectoryServer AlternateMailboxes AutoDiscoverSMTPAddress CasVersion CrossOrganizationSharingEnabled
    EcpDeliveryReportUrlFragment EcpEmailSubscriptionsUrlFragment EcpPublishingUrlFragment EwsSupportedSchemas
    EcpRetentionPolicyTagsUrlFragment EcpTextMessagingUrlFragment EcpVoicemailUrlFragment ExchangeRpcUrl
    ExternalEcpDeliveryReportUrl ExternalEcpEmailSubscriptionsUrl ExternalEcpPublishingUrl ExternalEcpUrl
    ExternalEcpRetentionPolicyTagsUrl ExternalEcpTextMessagingUrl ExternalEcpVoicemailUrl ExternalEwsUrl
    ExternalEwsVersion ExternalImap4Connections ExternalMailboxServer ExternalMailboxServerAuthenticationMethods
    ExternalMailboxServerRequiresSSL ExternalOABUrl ExternalPop3Connections ExternalServerExclusiveConnect
    ExternalSmtpConnections ExternalUMUrl ExternalWebClientUrls GroupingInformation InternalEcpDeliveryReportUrl
    InternalEcpEmailSubscriptionsUrl InternalEcpPublishingUrl InternalEcpRetentionPolicyTagsUrl InternalEcpUrl
    InternalEcpTextMessagingUrl InternalEcpVoicemailUrl InternalEwsUrl InternalImap4Connections MailboxDN
    InternalMailboxServer InternalMailboxServerDN InternalOABUrl InternalPop3Connections InternalRpcClientServer
    InternalServerExclusiveConnect InternalSmtpConnections InternalUMUrl InternalWebClientUrls MapiHttpEnabled
    InteropExternalEwsUrl InteropExternalEwsVersion MobileMailboxPolicyInterop PublicFolderServer UserMSOnline
    ShowGalAsDefaultView UserDN UserDeploymentId UserDisplayName
"""
_USER_SETTINGS = frozenset(_USER_SETTING_NAMES.split())
_DOMAIN_SETTINGS = frozenset({"ExternalEwsUrl", "ExternalEwsVersion"})
_Nodes = Sequence[Element]
_EXPECTED = (
    "Well-formed XML without a document type declaration was expected: a SOAP 1.1 envelope whose body holds "
    "GetUserSettingsRequestMessage or GetDomainSettingsRequestMessage."
)


class _Operation(NamedTuple):
    """One of the two questions. The names of most of its elements start with ``noun``."""

    noun: str
    named_in: tuple[str, ...]  # where its mailbox or domain stands, below the element called like the noun
    subject_of: Callable[[str], Subject]  # raises InvalidInput
    text_type: str
    exists: frozenset[str]  # the settings that the protocol knows
    settings: Callable[[MailProvider, Subject], Mapping[str, str | MailServer]]


class _Question(NamedTuple):
    """What a client asked."""

    operation: _Operation
    version: str  # as in RequestedServerVersion
    asked: tuple[str, ...]  # mailboxes or domains; "" for one that is not named
    settings: tuple[str, ...]  # each once

    @property
    def complaint(self) -> str:
        """Why the whole question is refused; "" where it is not."""
        if not 0 < len(self.asked) <= _MAX_ASKED:
            return f"1 to {_MAX_ASKED} {self.operation.noun} elements were expected."
        if not 0 < len(self.asked) * len(self.settings) <= _MAX_SETTINGS:
            return f"1 to {_MAX_SETTINGS} settings were expected, for all {self.operation.noun} elements together."
        if not all(map(_SETTING.fullmatch, self.settings)):
            return "A setting's name of 1 to 64 letters and digits was expected."
        return ""


def _answer(request: Request, lookup: Lookup, now: datetime) -> Reply | None:  # noqa: ARG001  # as every answer
    try:
        message = read_message(request.body)
    except InvalidXml:
        return None
    for operation in (_USER, _DOMAIN):
        if is_named(message.content, _NAMESPACE, f"Get{operation.noun}SettingsRequestMessage"):
            content = _write(_parse(operation, message), lookup)
            return Reply(status=200, body=content, media_type=MEDIA_TYPE)
    return None


def _parse(operation: _Operation, message: Message) -> _Question:
    asked = find(message.content, _NAMESPACE, "Request", f"{operation.noun}s", operation.noun)
    settings = find(message.content, _NAMESPACE, "Request", "RequestedSettings", "Setting")
    return _Question(
        operation,
        version=text_of(find(message.header, _NAMESPACE, "RequestedServerVersion")),
        asked=tuple(text_of(find(element, _NAMESPACE, *operation.named_in)) for element in asked),
        settings=tuple(dict.fromkeys(text_of([setting]) for setting in settings)),
    )


def _render(subject: Subject, provider: MailProvider, context: Context) -> bytes:
    """The answer to a program that asks for all there is for one mailbox: but for its address, everybody's."""
    asked = (subject.address if isinstance(subject, Account) else f"anyone@{context.domain.name}",)
    question = _Question(_USER, _DEFAULT_VERSION, asked, tuple(_user_settings(provider, subject)))
    return _write(question, lambda domain: Found(provider, context))  # noqa: ARG005  # there is only this one


def _write(question: _Question, lookup: Lookup) -> bytes:
    noun, refusal = question.operation.noun, question.complaint
    response = node(
        "Response",
        *_error("InvalidRequest" if refusal else "NoError", refusal),
        node(f"{noun}Responses", *([] if refusal else _answers(question, lookup))),
        **{"xmlns:i": _INSTANCE},
    )
    return write_message(
        node(f"Get{noun}SettingsResponseMessage", response, xmlns=_NAMESPACE),
        action=f"{_NAMESPACE}/Autodiscover/Get{noun}SettingsResponse",
        header=[_server_version(question.version)],
    )


def _server_version(requested: str) -> Element:
    """Exchange Online's version, under the name the client asked for: the answers are the same for all of them."""
    version = requested if _VERSION.fullmatch(requested) else _DEFAULT_VERSION
    parts = (node(f"h:{name}", text) for name, text in {**_BUILD, "Version": version}.items())
    return node("h:ServerVersionInfo", *parts, **{"xmlns:h": _NAMESPACE})


def _error(code: str, message: str) -> _Nodes:
    return node("ErrorCode", code), node("ErrorMessage", message)


def _answers(question: _Question, lookup: Lookup) -> list[Element]:
    """One answer for each mailbox or domain, in their order: clients know by it which answer is whose."""
    subjects = [_subject(question.operation, name) for name in question.asked]
    found = {domain: lookup(domain) for domain in dict.fromkeys(subject.domain for subject in subjects if subject)}
    return [_answer_about(subject, question, found[subject.domain] if subject else None) for subject in subjects]


def _subject(operation: _Operation, name: str) -> Subject | None:
    try:
        return operation.subject_of(name)
    except InvalidInput:
        return None


def _answer_about(subject: Subject | None, question: _Question, found: Found | None) -> Element:
    noun = question.operation.noun
    if subject is None or found is None:
        return _response(noun, _error(f"Invalid{noun}", "No mailbox of this domain is known here."))
    if found.context.domain.autodiscover is AutodiscoverPolicy.REDIRECT:
        assert found.provider.autodiscover is not None  # declared in needs
        target = found.provider.autodiscover.soap_url
        return _response(noun, _error("RedirectUrl", "Ask at the redirect target."), target=target)
    there = question.operation.settings(found.provider, subject)
    return _response(
        noun,
        _error("NoError", "No error."),
        errors=[_setting_error(name, question.operation) for name in question.settings if name not in there],
        settings=[_setting(name, there[name], question.operation) for name in question.settings if name in there],
    )


def _response(noun: str, error: _Nodes, *, target: str = "", errors: _Nodes = (), settings: _Nodes = ()) -> Element:
    parts = {
        "RedirectTarget": node("RedirectTarget", target) if target else node("RedirectTarget", **{"i:nil": "true"}),
        f"{noun}SettingErrors": node(f"{noun}SettingErrors", *errors),
        f"{noun}Settings": node(f"{noun}Settings", *settings),
    }
    return node(f"{noun}Response", *error, *(parts[name] for name in sorted(parts)))  # the schema's order


def _setting_error(name: str, operation: _Operation) -> Element:
    code = "SettingIsNotAvailable" if name in operation.exists else "InvalidSetting"
    error = _error(code, "This setting is not known here.")
    return node(f"{operation.noun}SettingError", *error, node("SettingName", name))


def _setting(name: str, value: str | MailServer, operation: _Operation) -> Element:
    if isinstance(value, str):
        kind, content = operation.text_type, node("Value", value)
    else:
        kind, content = "ProtocolConnectionCollectionSetting", node("ProtocolConnections", _connection(value))
    return node(f"{operation.noun}Setting", node("Name", name), content, **{"i:type": kind})


def _connection(server: MailServer) -> Element:
    hostname, port = node("Hostname", server.hostname), node("Port", str(server.port))
    return node("ProtocolConnection", hostname, port, node("EncryptionMethod", _ENCRYPTION_METHOD[server.security]))


def _user_settings(provider: MailProvider, subject: Subject) -> Mapping[str, str | MailServer]:
    assert provider.imap is not None  # declared in needs
    assert provider.pop3 is not None
    assert provider.submission is not None
    # exchangelib 5.6 fails without the address, which it means to fill in itself (UserResponse, properties.py).
    address = {"AutoDiscoverSMTPAddress": subject.address} if isinstance(subject, Account) else {}
    return {
        **address,
        **_domain_settings(provider, subject),
        "ExternalImap4Connections": provider.imap,
        "ExternalPop3Connections": provider.pop3,
        "ExternalSmtpConnections": provider.submission,
    }


def _domain_settings(provider: MailProvider, subject: Subject) -> Mapping[str, str]:  # noqa: ARG001  # as of users
    assert provider.ews is not None  # declared in needs
    return {"ExternalEwsUrl": provider.ews.url}


def _refuse(request: Request, now: datetime) -> Reply:  # noqa: ARG001  # as every refusal
    return Reply(status=400, body=write_fault(_EXPECTED), media_type=MEDIA_TYPE)


_USER = _Operation("User", ("Mailbox",), Account, "StringSetting", _USER_SETTINGS, _user_settings)
_DOMAIN = _Operation("Domain", (), AnyoneAt, "DomainStringSetting", _DOMAIN_SETTINGS, _domain_settings)

FORMAT = Format(
    id="autodiscover-soap",
    title="Settings for programs that speak Exchange Web Services (Autodiscover, SOAP)",
    media_type=MEDIA_TYPE,
    suffix="xml",
    audience=Audience.CLIENT,
    needs=frozenset({Service.AUTODISCOVER, Service.EWS, Service.IMAP, Service.POP3, Service.SUBMISSION}),
    signed=False,
    render=_render,
    subjects=frozenset({Account, AnyoneAt}),
    discovery=Discovery(paths=(_PATH,), methods=frozenset({"POST"}), answer=_answer, refuse=_refuse),
)

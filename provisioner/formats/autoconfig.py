"""The settings that Thunderbird, K-9, FairEmail, Evolution, KMail, Geary, Delta Chat and others find by themselves.

Mozilla autoconfig, version 1.1 (draft-ietf-mailmaint-autoconfig-06, "Data format"; ``enable`` as on Thunderbird's page
ConfigFileFormat). Each client reads it differently; what all of them accept is narrow: one provider with a host name
as id, one server for each protocol with IMAP first, exact words without a blank around them, no byte-order mark.
"""

import unicodedata
from collections.abc import Iterator
from datetime import datetime
from xml.etree.ElementTree import Element

from provisioner.errors import InvalidAddress
from provisioner.format import (
    AnyoneAt,
    Audience,
    Context,
    Discovery,
    Format,
    Lookup,
    Reply,
    Request,
    Subject,
    text_reply,
)
from provisioner.model import Account, Authentication, ConnectionSecurity, MailProvider, MailServer, Protocol, Service
from provisioner.xmltree import node, write_xml

_ID = "autoconfig"
_MEDIA_TYPE = "text/xml; charset=utf-8"
_PATHS = (
    "/mail/config-v1.1.xml",
    "/.well-known/autoconfig/mail/config-v1.1.xml",
    "/v1.1/mail/config-v1.1.xml",  # Nine asks here, as at Mozilla's own database
)
_TEXTS = {
    "documentation": "How to set up your {organisation} mail",
    "enable": (
        "You sign in on Microsoft's own page. If that works and the mail app is still refused, ask {organisation} IT "
        "to allow IMAP, POP or sending mail (SMTP AUTH) for your mailbox."
    ),
}

_TYPE = {Protocol.IMAP: "imap", Protocol.POP3: "pop3", Protocol.SUBMISSION: "smtp"}
# Exactly so: at any other spelling Evolution and Geary use no encryption at all.
_SOCKET_TYPE = {ConnectionSecurity.IMPLICIT_TLS: "SSL", ConnectionSecurity.STARTTLS: "STARTTLS"}
_AUTHENTICATION = {Authentication.OAUTH2: "OAuth2", Authentication.PASSWORD: "password-cleartext"}
_USERNAME = "%EMAILADDRESS%"  # the client fills in what the person typed, so everybody gets the same document
_MAX_DISPLAY_NAME = 60  # characters: draft-ietf-mailmaint-autoconfig-06, "displayName and displayShortName"
_MAX_SHORT_NAME = 20
_SCOPES = ("imap", "pop", "smtp", "offline_access")
_ZERO_WIDTH_JOINER = "\u200d"


def _answer(request: Request, lookup: Lookup, now: datetime) -> Reply | None:  # noqa: ARG001  # as every answer
    domain = _domain_asked_for(request)
    found = lookup(domain) if domain else None
    if found is None:
        return None
    content = found.write(AnyoneAt(domain), _render)
    return Reply(status=200, body=content, media_type=_MEDIA_TYPE)


def _domain_asked_for(request: Request) -> str:
    """The domain of the address where there is one, otherwise the Host's; "" for none."""
    if "emailaddress" not in request.query:
        return request.host_domain
    try:
        return Account(_with_plus(request.query["emailaddress"])).domain
    except InvalidAddress:
        return ""


def _with_plus(address: str) -> str:
    """The address with the plus signs that FairEmail sends as they are, and that a query says are blanks."""
    local, at, domain = address.strip(" ").rpartition("@")
    return local.replace(" ", "+") + at + domain


def _render(subject: Subject, provider: MailProvider, context: Context) -> bytes:
    assert provider.imap is not None  # declared in needs
    assert provider.pop3 is not None
    assert provider.submission is not None
    name = context.organisation.name
    return write_xml(
        node(
            "clientConfig",
            node(
                "emailProvider",
                node("domain", subject.domain),
                node("displayName", _cut(name, _MAX_DISPLAY_NAME)),
                node("displayShortName", _cut(name, _MAX_SHORT_NAME)),
                # FairEmail reads no IMAP after another incoming server, and Geary wants it first.
                _server("incomingServer", provider.imap, context),
                _server("incomingServer", provider.pop3, context),
                _server("outgoingServer", provider.submission, context),
                *_help(context),
                id=subject.domain,
            ),
            _oauth2(provider),
            version="1.1",
        )
    )


def _server(side: str, server: MailServer, context: Context) -> Element:
    return node(
        side,
        node("hostname", server.hostname),
        node("port", str(server.port)),
        node("socketType", _SOCKET_TYPE[server.security]),
        *(node("authentication", _AUTHENTICATION[method]) for method in _methods(server, context)),
        node("username", _USERNAME),
        type=_TYPE[server.protocol],
    )


def _methods(server: MailServer, context: Context) -> tuple[Authentication, ...]:
    """The ways to sign in, the preferred one first.

    A password only for sending, only while the provider still takes one, and only where the organisation says so.
    """
    if server.protocol is Protocol.SUBMISSION and context.domain.smtp_password:
        return server.authentication + server.transitional_authentication
    return server.authentication


def _help(context: Context) -> Iterator[Element]:
    if context.help_url:
        yield node("documentation", node("descr", context.text("documentation")), url=context.help_url)
        yield node("enable", node("instruction", context.text("enable")), visiturl=context.help_url)


def _oauth2(provider: MailProvider) -> Element:
    """Where people sign in, for information: without a clientID, since Microsoft knows only registered clients."""
    oauth = provider.oauth
    return node(
        "oAuth2",
        node("issuer", oauth.authority.removeprefix("https://")),
        node("scope", " ".join(oauth.scopes[name] for name in _SCOPES)),
        node("authURL", oauth.authorize_url),
        node("tokenURL", oauth.token_url),
    )


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` characters of ``text``, and no letter without its accents (Unicode category M, joiners)."""
    end = limit
    while 0 < end < len(text) and _belongs_together(text[end - 1], text[end]):
        end -= 1
    return text[:end].rstrip() or text[:limit]


def _belongs_together(left: str, right: str) -> bool:
    return unicodedata.category(right).startswith("M") or _ZERO_WIDTH_JOINER in (left, right)


def _refuse(request: Request, now: datetime) -> Reply:  # noqa: ARG001  # as every refusal
    # Geary takes whatever parses for a configuration, whatever the status: so this is no XML.
    return text_reply(404, "No mail settings are known here for this domain.")


FORMAT = Format(
    id=_ID,
    title="Settings for Thunderbird, K-9, FairEmail, Evolution and others (Mozilla autoconfig)",
    media_type=_MEDIA_TYPE,
    suffix="xml",
    audience=Audience.CLIENT,
    needs=frozenset({Service.IMAP, Service.POP3, Service.SUBMISSION, Service.OAUTH}),
    signed=False,
    render=_render,
    subjects=frozenset({Account, AnyoneAt}),
    discovery=Discovery(paths=_PATHS, methods=frozenset({"GET"}), answer=_answer, refuse=_refuse),
    texts=_TEXTS,
)

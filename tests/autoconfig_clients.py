"""How real mail clients read config-v1.1.xml, rule by rule; each reader gives the servers the client would use.

From their sources and measured on the programs themselves in November 2026: Thunderbird 153 (readFromXML.sys.mjs,
Sanitizer.sys.mjs, OAuth2Providers.sys.mjs), Thunderbird for Android (RealAutoconfigParser.kt), Evolution 3.46, Delta
Chat core 2.65 (moz_autoconfigure.rs), FairEmail (EmailProvider.java), Geary 44 (accounts-autoconfig.vala).
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, fromstring

BOM = b"\xef\xbb\xbf"
_HOSTNAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_VARIABLE = "%EMAILADDRESS%"
_TLS = {"SSL": "SSL", "STARTTLS": "STARTTLS"}
# Thunderbird signs in with OAuth2 only where it is registered: host name suffixes of OAuth2Providers.sys.mjs.
_REGISTERED = (".office365.com", ".outlook.com", ".hotmail.com")


class Rejected(Exception):
    """The client does not use the document."""


class Used(NamedTuple):
    """A server as the client would use it."""

    hostname: str
    port: int
    encryption: str  # SSL, STARTTLS, "none", or "tried" where the client tries both
    sign_in: str | None  # None: the client does not look
    username: str | None


class Setup(NamedTuple):
    """What the client would set up."""

    incoming: Used
    outgoing: Used | None  # None: the client guesses


def _refuse_unless(kept: bool) -> None:
    if not kept:
        raise Rejected


def _root(content: bytes, *, takes_bom: bool) -> Element:
    _refuse_unless(takes_bom or not content.startswith(BOM))
    try:
        return fromstring(content)
    except ParseError:
        raise Rejected from None


def _is_hostname(text: str | None) -> bool:
    return _HOSTNAME.fullmatch(text or "") is not None


def _text(server: Element, name: str) -> str:
    _refuse_unless(server.find(name) is not None)
    return server.findtext(name, "")


def _port(text: str) -> int:
    _refuse_unless(text.strip().isdecimal() and 0 < int(text) <= 0xFFFF)
    return int(text)


def thunderbird(content: bytes) -> Setup:
    """The first provider, and of each side the first server without a fault; trims host names only."""
    (provider, *_) = _root(content, takes_bom=True).findall("emailProvider")
    _refuse_unless(_is_hostname(provider.get("id")))
    _refuse_unless(any(_is_hostname(domain.text) for domain in provider.findall("domain")))

    def use(server: Element) -> Used:
        _refuse_unless(server.get("type") in ("imap", "pop3", "exchange", "smtp"))
        hostname = _text(server, "hostname").strip()
        socket_type = _text(server, "socketType")
        _refuse_unless(_is_hostname(hostname) and socket_type in _TLS)
        methods = [method.text for method in server.findall("authentication")]
        known = [m for m in methods if m == "password-cleartext" or (m == "OAuth2" and hostname.endswith(_REGISTERED))]
        _refuse_unless(bool(known))
        username = server.findtext("username", "undefined")
        return Used(hostname, _port(_text(server, "port")), _TLS[socket_type], known[0], username)

    return Setup(_first(provider.findall("incomingServer"), use), _first(provider.findall("outgoingServer"), use))


def _first(servers: list[Element], use: Callable[[Element], Used]) -> Used:
    for server in servers:
        try:
            return use(server)
        except Rejected:
            continue
    raise Rejected


def thunderbird_android(content: bytes) -> Setup:
    """The last provider; other protocols are passed over, any fault in an IMAP or SMTP server refuses everything."""
    (*_, provider) = _root(content, takes_bom=False).findall("emailProvider")
    _refuse_unless(_is_hostname(provider.get("id")))
    _refuse_unless(any(_is_hostname(domain.text) for domain in provider.findall("domain")))

    def use(server: Element) -> Used:
        _refuse_unless(not any(len(value) for value in server))
        socket_type, port = _text(server, "socketType"), _text(server, "port")
        _refuse_unless(socket_type in _TLS and port.isdecimal() and int(port) <= 0xFFFF)
        hostname = _text(server, "hostname")
        _refuse_unless(_is_hostname(hostname))
        methods = [m.text or "" for m in server.findall("authentication") if m.text in ("OAuth2", "password-cleartext")]
        _refuse_unless(bool(methods))
        return Used(hostname, int(port), _TLS[socket_type], "+".join(methods), _text(server, "username"))

    incoming = [use(server) for server in provider.findall("incomingServer") if server.get("type") == "imap"]
    outgoing = [use(server) for server in provider.findall("outgoingServer") if server.get("type") == "smtp"]
    _refuse_unless(bool(incoming) and bool(outgoing))
    return Setup(incoming[0], outgoing[0])


def evolution(content: bytes) -> Setup:
    """The last server of a type; a socket type it does not know is no encryption at all."""
    (*_, provider) = _root(content, takes_bom=False).findall("emailProvider")

    def use(server: Element) -> Used:
        encryption = _TLS.get(_text(server, "socketType"), "none")
        hostname = _text(server, "hostname").strip()
        return Used(hostname, int(_text(server, "port")), encryption, None, server.findtext("username"))

    incoming = [use(server) for server in provider.findall("incomingServer") if server.get("type") == "imap"]
    outgoing = [use(server) for server in provider.findall("outgoingServer") if server.get("type") == "smtp"]
    _refuse_unless(bool(incoming))
    return Setup(incoming[-1], outgoing[-1] if outgoing else None)


def delta_chat(content: bytes) -> Setup:
    """Trims, ignores case, takes every server that has a user name; an unknown socket type means to try both."""
    servers: dict[str, list[Used]] = {"imap": [], "smtp": []}
    for server in _root(content, takes_bom=True).iter():
        kind = server.get("type", "").lower()
        if server.tag.lower() in ("incomingserver", "outgoingserver") and kind in servers:
            values = {value.tag.lower(): (value.text or "").strip() for value in server}
            if "username" in values:
                encryption = _TLS.get(values["sockettype"].upper(), "tried")
                used = Used(values["hostname"], int(values["port"]), encryption, None, values["username"])
                servers[kind].append(used)
    _refuse_unless(bool(servers["imap"]))
    return Setup(servers["imap"][0], servers["smtp"][0] if servers["smtp"] else None)


def fairemail(content: bytes) -> Setup:
    """Reads no IMAP after the first incoming server, of whatever type it is.

    The last user name counts for all, and is understood only where it is the placeholder and nothing else.
    """
    root = _root(content, takes_bom=True)
    incoming = list(root.iter("incomingServer"))[:1]
    imap = [server for server in incoming if server.get("type") == "imap"]
    smtp = [server for server in root.iter("outgoingServer") if server.get("type") == "smtp"]
    (*_, username) = [name.text for name in root.iter("username")]
    _refuse_unless(bool(imap) and bool(smtp) and username == _VARIABLE)

    def use(server: Element) -> Used:
        port = _text(server, "port")
        by_port = "STARTTLS" if port in ("143", "587") else "SSL"
        encryption = _TLS.get(_text(server, "socketType"), by_port)
        return Used(_text(server, "hostname"), int(port), encryption, None, username)

    return Setup(use(imap[0]), use(smtp[-1]))


def geary(content: bytes) -> Setup:
    """The first server of each side, which must be IMAP and SMTP; an unknown socket type is no encryption."""
    provider = _root(content, takes_bom=True).find("emailProvider")
    incoming = provider.find("incomingServer") if provider is not None else None
    outgoing = provider.find("outgoingServer") if provider is not None else None
    if incoming is None or outgoing is None:
        raise Rejected
    _refuse_unless(incoming.get("type") == "imap" and outgoing.get("type") == "smtp")

    def use(server: Element) -> Used:
        encryption = _TLS.get(server.findtext("socketType", ""), "none")
        return Used(server.findtext("hostname", ""), int(server.findtext("port", "")), encryption, None, None)

    return Setup(use(incoming), use(outgoing))


CLIENTS: Mapping[str, Callable[[bytes], Setup]] = {
    "Thunderbird": thunderbird,
    "Thunderbird for Android": thunderbird_android,
    "Evolution": evolution,
    "Delta Chat": delta_chat,
    "FairEmail": fairemail,
    "Geary": geary,
}

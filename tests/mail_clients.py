"""How real mail programs read an Autodiscover answer (POX): only the rules by which they accept or misread it.

Sources: Thunderbird's ExchangeAutoDiscover.sys.mjs and JXON.sys.mjs (153), exchangelib 4.9 autodiscover/properties.py,
Delta Chat's auto_outlook.rs (2.65), FairEmail's EmailProvider.java, Microsoft's EWS Managed API (OutlookAccount.cs,
OutlookProtocol.cs, AutodiscoverService.cs). Each was measured on the real program first; these are their rules again.
"""

import re
from typing import NamedTuple
from xml.etree.ElementTree import Element, fromstring

Jxon = bool | float | str | dict[str, list["Jxon"]]

_OUTER = "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}"
_INNER = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
_STARTTLS_PORTS = (25, 110, 143, 587)


class Connection(NamedTuple):
    """Where a program would connect."""

    kind: str  # IMAP, POP3 or SMTP
    hostname: str
    port: int
    security: str  # SSL, STARTTLS or plain


class NotAccepted(Exception):
    """The program would throw this answer away."""


def thunderbird(content: bytes) -> tuple[list[Connection], str | None]:
    """The servers and the user name; None for the person's own address. STARTTLS is told from the port alone."""
    (account,) = _path(_jxon(fromstring(content)), "Response", "Account")
    connections, login = [], None
    for protocol in _children(account, "Protocol"):
        words = {name: value[0] for name, value in _as_dict(protocol).items()}
        kind = words["Type"]
        if kind not in ("IMAP", "POP3", "SMTP"):
            continue
        ssl, encryption, spa = words.get("SSL", "on"), words.get("Encryption", "auto"), words.get("SPA", "off")
        if not (isinstance(ssl, str) and isinstance(encryption, str) and isinstance(spa, str)):
            continue  # a boolean has no toLowerCase: the protocol is dropped
        if "on" == spa.lower():
            raise NotAccepted("NTLM or GSSAPI would be tried")
        port = words["Port"]
        assert isinstance(port, float)
        plain = "off" == ssl.lower() or "none" == encryption.lower()
        security = "plain" if plain else "STARTTLS" if port in _STARTTLS_PORTS else "SSL"
        connections.append(Connection(str(kind), str(words["Server"]), int(port), security))
        if "LoginName" in words:
            login = str(words["LoginName"])
    if not connections:
        raise NotAccepted("only an incomplete configuration was found")
    return connections, login


def _jxon(element: Element) -> Jxon:
    """JXON.build: an empty element is true; a text may become a boolean or a number."""
    if len(element):
        tree: dict[str, list[Jxon]] = {}
        for child in element:
            tree.setdefault(child.tag.rpartition("}")[2], []).append(_jxon(child))
        return tree
    text = element.text or ""
    if not text:
        return True
    if text.lower() in ("true", "false"):
        return "true" == text.lower()
    return float(text) if re.fullmatch(r"\s*[+-]?\d+(\.\d+)?\s*", text) else text


def _as_dict(value: Jxon) -> dict[str, list[Jxon]]:
    if not isinstance(value, dict):
        raise NotAccepted("an element with children was expected")
    return value


def _children(value: Jxon, name: str) -> list[Jxon]:
    return _as_dict(value).get(name, [])


def _path(value: Jxon, *names: str) -> list[Jxon]:
    for name in names:
        found = _children(value, name)
        if not found:
            raise NotAccepted(f"no {name}")
        value = found[0]
    return [value]


def exchangelib(content: bytes) -> tuple[str, list[Connection]]:
    """The action and the servers, by the exact schema names. Raises NotAccepted with the error it would raise."""
    if not content.startswith(b"<?xml"):
        raise NotAccepted("Response is not XML")
    root = fromstring(content)
    if root.tag != f"{_OUTER}Autodiscover":
        raise NotAccepted("Unknown root element in XML")
    account = root.find(f"{_INNER}Response/{_INNER}Account")
    if account is None:
        code = root.findtext(f"{_OUTER}Response/{_OUTER}Error/{_OUTER}ErrorCode")
        message = root.findtext(f"{_OUTER}Response/{_OUTER}Error/{_OUTER}Message")
        if message in ("The e-mail address cannot be found.", "The email address can't be found."):
            raise NotAccepted("The SMTP address has no mailbox associated with it")
        raise NotAccepted(f"Unknown error {code}: {message}")
    return account.findtext(f"{_INNER}Action", ""), [
        Connection(
            kind=protocol.findtext(f"{_INNER}Type", ""),
            hostname=protocol.findtext(f"{_INNER}Server", ""),
            port=int(protocol.findtext(f"{_INNER}Port", "")),
            security={"on": "SSL", "off": "plain"}[protocol.findtext(f"{_INNER}SSL", "on").lower()],
        )
        for protocol in account.iterfind(f"{_INNER}Protocol")
    ]


def delta_chat(content: bytes) -> list[Connection] | str:
    """The servers, or the URL to ask next. It reads names in any case, minds no schema, and tries both kinds of TLS."""
    connections = []
    for element in fromstring(content).iter():
        name = _lower_name(element)
        if "redirecturl" == name:
            return (element.text or "").strip()
        if "protocol" == name:
            words = {_lower_name(part): (part.text or "").strip() for part in element}
            if {"type", "server", "port"} <= words.keys() and words["type"].lower() in ("imap", "smtp"):
                security = "plain" if "off" == words.get("ssl") else "automatic"
                connections.append(Connection(words["type"], words["server"], int(words["port"]), security))
    return connections


def _lower_name(element: Element) -> str:
    return element.tag.rpartition("}")[2].lower()


def fairemail(content: bytes) -> list[Connection]:
    """The servers that follow AccountType and Action. STARTTLS is told from the port alone."""
    email = settings = False
    connections = []
    for element in fromstring(content).iter():
        name = element.tag.rpartition("}")[2]
        email = email or ("AccountType" == name and "email" == element.text)
        settings = settings or ("Action" == name and "settings" == element.text)
        if "Protocol" == name and email and settings:
            words = {part.tag.rpartition("}")[2]: part.text or "" for part in element}
            if words["Type"] in ("IMAP", "SMTP"):
                port = int(words["Port"])
                security = "STARTTLS" if port in (143, 587) else "SSL"
                connections.append(Connection(words["Type"], words["Server"], port, security))
    return connections


def ews_managed_api(content: bytes) -> str:
    """Where it is sent on to, for an answer it takes. Every type but EXCH, EXPR and WEB is one and the same to it."""
    if not content.startswith(b"<?xml"):
        raise NotAccepted("the first node is no XML declaration")
    account = next((part for part in fromstring(content).iter() if part.tag.endswith("}Account")), None)
    if account is None:
        raise NotAccepted("InternalServerError")
    words = {part.tag.rpartition("}")[2]: part.text or "" for part in account}
    kinds = [part.findtext(f"{_INNER}Type", "") for part in account if part.tag.endswith("}Protocol")]
    known = [kind if kind in ("EXCH", "EXPR", "WEB") else "unknown" for kind in kinds]
    if len(known) != len(set(known)):
        raise NotAccepted("InvalidAutodiscoverServiceResponse: a second protocol of one type")
    if "redirectUrl" != words["Action"]:
        return ""
    if not is_redirect_for_ews_managed_api(words["RedirectUrl"]):
        raise NotAccepted("the redirection is not valid")
    return words["RedirectUrl"]


def is_redirect_for_ews_managed_api(url: str) -> bool:
    """Whether it follows ``url``: https, and a path of Autodiscover."""
    return re.fullmatch(r"https://[^/]+/autodiscover/([^/]+/)*autodiscover\.xml", url, re.IGNORECASE) is not None

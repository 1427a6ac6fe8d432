"""Reads documents back as the phone or program that opens them would: which servers, and how to sign in.

One reader for each media type (for Apple profiles: for each payload type; for XML: for each root element). A media type
without a reader is still searched for the host names it must and must not hold.
"""

import json
import plistlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, fromstring, tostring

import dns.name
import dns.zone
from dns.rdtypes.IN.SRV import SRV

from provisioner import pox
from provisioner.model import Account, Authentication, ConnectionSecurity, MailProvider, MailServer, Service
from provisioner.profile import MEDIA_TYPE as PROFILE


class Claim(NamedTuple):
    """What a document says of one service."""

    service: Service
    hostname: str
    port: int | None  # None: the format cannot name one
    security: ConnectionSecurity | None  # None: the format's word covers both kinds of TLS
    encrypted: bool
    oauth2: bool | None  # None: the format has no word for the way to sign in
    username: str  # empty: the format has no place for it, or the client fills the person's address in


class Reading(NamedTuple):
    """A document read back: what it claims, and whom it is for."""

    claims: tuple[Claim, ...]
    address: str | None  # None: the format has no place for it; so with the name
    display_name: str | None


Reader = Callable[[bytes], Reading]


def payload_of(content: bytes) -> dict[str, Any]:
    """The one payload of an unsigned Apple profile."""
    (payload,) = plistlib.loads(content)["PayloadContent"]
    assert isinstance(payload, dict)
    return payload


def declarations_of(content: bytes) -> list[dict[str, Any]]:
    """The declarations that a profile carries."""
    return [json.loads(raw) for raw in payload_of(content)["Declarations"]]


def _read_profile(content: bytes) -> Reading:
    payload = payload_of(content)
    return _PAYLOADS[payload["PayloadType"]](payload)


def _read_exchange(service: Service) -> Callable[[dict[str, Any]], Reading]:
    def read(payload: dict[str, Any]) -> Reading:
        claim = Claim(
            service=service,
            hostname=payload["Host"],
            port=None,
            security=None,
            encrypted=payload["SSL"],
            oauth2=payload["OAuth"],
            username=payload["UserName"],
        )
        return Reading((claim,), payload["EmailAddress"], None)

    return read


def _read_mail(payload: dict[str, Any]) -> Reading:
    incoming = {"EmailTypeIMAP": Service.IMAP, "EmailTypePOP": Service.POP3}[payload["EmailAccountType"]]
    claims = tuple(
        Claim(
            service=service,
            hostname=payload[f"{side}MailServerHostName"],
            port=payload[f"{side}MailServerPortNumber"],
            security=None,
            encrypted=payload[f"{side}MailServerUseSSL"],
            oauth2=payload[f"{side}MailServerAuthentication"] != "EmailAuthPassword",
            username=payload[f"{side}MailServerUsername"],
        )
        for side, service in (("Incoming", incoming), ("Outgoing", Service.SUBMISSION))
    )
    return Reading(claims, payload["EmailAddress"], payload["EmailAccountName"])


def _read_declarations(payload: dict[str, Any]) -> Reading:
    return _read_account(list(map(json.loads, payload["Declarations"])))


def _read_account(declarations: list[dict[str, Any]]) -> Reading:
    parts = {part["Type"]: part["Payload"] for part in declarations}
    exchange = parts["com.apple.configuration.account.exchange"]
    identity = parts["com.apple.asset.useridentity"]
    services = {"EAS": Service.ACTIVESYNC, "EWS": Service.EWS}
    claims = tuple(
        Claim(services[kind], exchange["HostName"], None, None, True, exchange["OAuth"]["Enabled"], "")
        for kind in exchange["EnabledProtocolTypes"]
    )
    return Reading(claims, identity["EmailAddress"], identity.get("FullName"))


_PAYLOADS: dict[str, Callable[[dict[str, Any]], Reading]] = {
    "com.apple.eas.account": _read_exchange(Service.ACTIVESYNC),
    "com.apple.ews.account": _read_exchange(Service.EWS),
    "com.apple.mail.managed": _read_mail,
    "com.apple.declarations": _read_declarations,
}


def _read_xml(content: bytes) -> Reading:
    root = fromstring(content)
    return _ROOTS[root.tag](root)


def _read_autoconfig(root: Element) -> Reading:
    services = {"imap": Service.IMAP, "pop3": Service.POP3, "smtp": Service.SUBMISSION}
    securities = {"SSL": ConnectionSecurity.IMPLICIT_TLS, "STARTTLS": ConnectionSecurity.STARTTLS}
    return Reading(
        claims=tuple(
            Claim(
                service=services[server.attrib["type"]],
                hostname=server.findtext("hostname", ""),
                port=int(server.findtext("port", "")),
                security=securities[server.findtext("socketType", "")],
                encrypted=True,
                oauth2=["OAuth2"] == [method.text for method in server.iter("authentication")],
                username=server.findtext("username", "").replace("%EMAILADDRESS%", ""),
            )
            for server in root.iterfind("emailProvider/*[hostname]")
        ),
        address=None,
        display_name=None,
    )


def _read_pox(root: Element) -> Reading:
    """An answer of Autodiscover, told apart by the schema of its Response, the root's one child."""
    (response,) = root
    schema, _, _ = response.tag.removeprefix("{").partition("}")
    return _RESPONSES[schema](response, {"": schema})


def _read_outlook(response: Element, schema: dict[str, str]) -> Reading:
    services = {"IMAP": Service.IMAP, "POP3": Service.POP3, "SMTP": Service.SUBMISSION}
    securities = {"SSL": ConnectionSecurity.IMPLICIT_TLS, "TLS": ConnectionSecurity.STARTTLS}
    return Reading(
        claims=tuple(
            Claim(
                service=services[protocol.findtext("Type", "", schema)],
                hostname=protocol.findtext("Server", "", schema),
                port=int(protocol.findtext("Port", "", schema)),
                security=securities[protocol.findtext("Encryption", "", schema)],
                encrypted="on" == protocol.findtext("SSL", "", schema),
                oauth2=None,
                username=protocol.findtext("LoginName", "", schema),
            )
            for protocol in response.iterfind("Account/Protocol", schema)
        ),
        address=None,
        display_name=None,
    )


def _read_mobilesync(response: Element, schema: dict[str, str]) -> Reading:
    (server,) = response.iterfind("Action/Settings/Server", schema)
    claim = _read_url(Service.ACTIVESYNC, server.findtext("Url", "", schema))
    return Reading((claim,), response.findtext("User/EMailAddress", "", schema), None)


def _read_soap(envelope: Element) -> Reading:
    """An answer to GetUserSettings: its one UserResponse."""
    names = {"": "http://schemas.microsoft.com/exchange/2010/Autodiscover"}
    securities = {"SSL": ConnectionSecurity.IMPLICIT_TLS, "TLS": ConnectionSecurity.STARTTLS}
    services = {
        "ExternalImap4Connections": Service.IMAP,
        "ExternalPop3Connections": Service.POP3,
        "ExternalSmtpConnections": Service.SUBMISSION,
    }
    texts = {
        setting.findtext("Name", "", names): value
        for setting in envelope.iterfind(".//UserSetting", names)
        if (value := setting.findtext("Value", "", names))
    }
    address = texts.pop("AutoDiscoverSMTPAddress", None)
    claims = [_read_url({"ExternalEwsUrl": Service.EWS}[name], url) for name, url in texts.items()]
    claims += [
        Claim(
            service=services[setting.findtext("Name", "", names)],
            hostname=connection.findtext("Hostname", "", names),
            port=int(connection.findtext("Port", "", names)),
            security=securities[connection.findtext("EncryptionMethod", "", names)],
            encrypted=True,
            oauth2=None,
            username="",
        )
        for setting in envelope.iterfind(".//UserSetting", names)
        for connection in setting.iterfind("ProtocolConnections/ProtocolConnection", names)
    ]
    return Reading(tuple(claims), address, None)


def _read_url(service: Service, url: str) -> Claim:
    scheme, _, rest = url.partition("://")
    return Claim(service, rest.partition("/")[0], None, None, "https" == scheme, None, "")


def _read_json(content: bytes) -> Reading:
    """JSON, told apart by the names in it: a list by those of its first entry, or by a version there."""
    found = json.loads(content)
    if isinstance(found, list) and found and isinstance(found[0], int):
        return _read_thunderbird(found)
    names = set((found[0] if found else {}) if isinstance(found, list) else found)
    read = next(read for name, read in _JSON_NAMES.items() if name in names) if names else _read_nothing
    return read(found)


def _read_thunderbird(payload: list[Any]) -> Reading:
    """As thunderbird-android's QrCodePayloadAdapter and its validator read it, with nothing more than version 1 has."""
    version, sequence, incoming, groups = payload
    assert (1, [1, 1]) == (version, sequence)
    ((outgoing, (address, display_name)),) = groups
    securities = {2: ConnectionSecurity.STARTTLS, 3: ConnectionSecurity.IMPLICIT_TLS}
    claims = []
    for service, server in ((Service.IMAP, incoming), (Service.SUBMISSION, outgoing)):
        protocol, hostname, port, security, authentication, username = server  # no name, no password
        assert 0 == protocol
        claims.append(Claim(service, hostname, port, securities[security], True, 6 == authentication, username))
    return Reading(tuple(claims), address, display_name)


def _read_nothing(_: object) -> Reading:
    """What the organisation sets of an app, where it sets nothing."""
    return Reading((), None, None)


def _read_app(values: dict[str, str | bool]) -> Reading:
    """What an app is given: Outlook knows its servers, Gmail is told one."""
    account = "com.microsoft.outlook.EmailProfile"
    if f"{account}.AccountType" in values:
        assert "ModernAuth" == values[f"{account}.AccountType"]
        assert [] == [name for name in values if "Server" in name or "Host" in name]
        return Reading((), str(values[f"{account}.EmailAddress"]), None)
    claim = Claim(
        service=Service.ACTIVESYNC,
        hostname=str(values["exchange_host"]),
        port=None,
        security=None,
        encrypted=values["exchange_ssl_required"] is True and values["exchange_trust_all_certificates"] is False,
        oauth2=None,
        username=str(values["exchange_username"]),
    )
    return Reading((claim,), str(values["email_address"]), None)


def values_of_app(content: bytes) -> dict[str, Any]:
    """The keys and values of an app's configuration, whatever form it has."""
    if content.startswith(b"<dict>"):
        found = plistlib.loads(b'<plist version="1.0">' + content + b"</plist>")
        assert isinstance(found, dict)
        return found
    configuration = json.loads(content)
    if isinstance(configuration, list):
        read: dict[str, Callable[[str], Any]] = {
            "stringType": str,
            "integerType": int,
            "booleanType": {"true": True, "false": False}.__getitem__,
        }
        return {row["appConfigKey"]: read[row["appConfigKeyType"]](row["appConfigKeyValue"]) for row in configuration}
    if "managedProperty" not in configuration:
        assert isinstance(configuration, dict)
        return configuration
    types = {"valueString": str, "valueBool": bool, "valueInteger": int}
    values = {}
    for entry in configuration["managedProperty"]:
        (member,) = entry.keys() - {"key"}
        assert type(entry[member]) is types[member]
        values[entry["key"]] = entry[member]
    return values


def _read_app_again(configuration: object) -> Reading:
    return _read_app(values_of_app(json.dumps(configuration).encode()))


def _read_app_dictionary(root: Element) -> Reading:
    return _read_app(values_of_app(tostring(root)))


def _read_autodiscover_json(answers: list[dict[str, str]]) -> Reading:
    """The answers of Autodiscover v2; those about mail are claims."""
    services = {"ActiveSync": Service.ACTIVESYNC, "EWS": Service.EWS}
    claims = (
        _read_url(services[answer["Protocol"]], answer["Url"]) for answer in answers if answer["Protocol"] in services
    )
    return Reading(tuple(claims), None, None)


_RESPONSES: dict[str, Callable[[Element, dict[str, str]], Reading]] = {
    pox.OUTLOOK: _read_outlook,
    pox.MOBILESYNC: _read_mobilesync,
}
_JSON_NAMES: dict[str, Callable[[Any], Reading]] = {
    "Protocol": _read_autodiscover_json,
    "Payload": _read_account,
    "managedProperty": _read_app_again,
    "appConfigKey": _read_app_again,
    "com.microsoft.outlook.EmailProfile.AccountType": _read_app,
    "exchange_host": _read_app,
}
_ROOTS: dict[str, Callable[[Element], Reading]] = {
    "dict": _read_app_dictionary,
    "clientConfig": _read_autoconfig,
    "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}Autodiscover": _read_pox,
    "{http://schemas.xmlsoap.org/soap/envelope/}Envelope": _read_soap,
}


def _read_zone(content: bytes) -> Reading:
    services = {
        "_imaps": (Service.IMAP, ConnectionSecurity.IMPLICIT_TLS),
        "_pop3s": (Service.POP3, ConnectionSecurity.IMPLICIT_TLS),
        "_submission": (Service.SUBMISSION, ConnectionSecurity.STARTTLS),
    }
    zone = dns.zone.from_text(content.decode("ascii"), relativize=False, check_origin=False)
    offered = {
        services[name.labels[0].decode()]: server
        for name, _, server in zone.iterate_rdatas()
        if isinstance(server, SRV) and server.target != dns.name.root and name.labels[0] != b"_autodiscover"
    }
    return Reading(
        claims=tuple(
            Claim(service, server.target.to_text(omit_final_dot=True), server.port, security, True, None, "")
            for (service, security), server in offered.items()
        ),
        address=None,
        display_name=None,
    )


def _read_instructions(content: bytes) -> Reading:
    """The blocks of the plain text that name a server, in English."""
    services = {"Exchange": Service.ACTIVESYNC, "IMAP": Service.IMAP, "POP": Service.POP3, "SMTP": Service.SUBMISSION}
    securities = {"SSL/TLS": ConnectionSecurity.IMPLICIT_TLS, "STARTTLS": ConnectionSecurity.STARTTLS}
    title, *paragraphs = content.decode().removesuffix("\n").split("\n\n")
    claims = []
    for heading, *lines in (paragraph.split("\n") for paragraph in paragraphs):
        if not lines:
            continue
        said = dict(line.split(": ", 1) for line in lines)
        assert ["Server", "Port", "Encryption", "Sign-in method", "User name"] == list(said)
        service = services[heading.split(" ")[0]]
        claims.append(
            Claim(
                service=service,
                hostname=said["Server"],
                port=None if service is Service.ACTIVESYNC else int(said["Port"]),
                security=None if service is Service.ACTIVESYNC else securities[said["Encryption"]],
                encrypted=True,
                oauth2="OAuth2 (Microsoft's sign-in page)" == said["Sign-in method"],
                username=said["User name"],
            )
        )
    return Reading(tuple(claims), title.rpartition(" ")[2], None)


READERS: dict[str, Reader] = {
    PROFILE: _read_profile,
    "text/xml; charset=utf-8": _read_xml,
    "application/json": _read_json,
    "text/dns": _read_zone,
    "text/plain; charset=utf-8": _read_instructions,
}


def expected_claims(provider: MailProvider, account: Account, reading: Reading) -> Iterator[Claim]:
    """What the catalogue says of the services that a document speaks of, in the terms the document has."""
    for claim in reading.claims:
        fact = getattr(provider, claim.service.value)
        yield Claim(
            service=claim.service,
            hostname=fact.hostname,
            port=fact.port if isinstance(fact, MailServer) else None,
            security=fact.security if claim.security is not None else None,
            encrypted=True,
            oauth2=None if claim.oauth2 is None else _takes_oauth2(fact),
            username=account.username if claim.username else "",
        )


def _takes_oauth2(fact: object) -> bool:
    return not isinstance(fact, MailServer) or Authentication.OAUTH2 in fact.authentication

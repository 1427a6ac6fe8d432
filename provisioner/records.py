"""The DNS records that a mail domain publishes so that mail programs find its servers by themselves.

SRV records as in RFC 6186 section 3 (a target of "." says that a service is not offered: section 3.4 and RFC 2782),
written as a master file (RFC 1035 section 5). The Autodiscover CNAME is Microsoft's own and stays as it is. Nothing
here names a service that the cloud does not offer, so submission with implicit TLS (RFC 8314) is declined too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap
from urllib.parse import urlsplit

from provisioner.address import MAX_DOMAIN_OCTETS, normalise_domain
from provisioner.errors import InvalidDomain
from provisioner.model import ConnectionSecurity, MailProvider, MailServer, Protocol

_TTL = 3600  # seconds
_WIDTH = 100  # characters of a comment
_SRV = {
    Protocol.IMAP: {ConnectionSecurity.IMPLICIT_TLS: "_imaps._tcp", ConnectionSecurity.STARTTLS: "_imap._tcp"},
    Protocol.POP3: {ConnectionSecurity.IMPLICIT_TLS: "_pop3s._tcp", ConnectionSecurity.STARTTLS: "_pop3._tcp"},
    Protocol.SUBMISSION: {
        ConnectionSecurity.IMPLICIT_TLS: "_submissions._tcp",
        ConnectionSecurity.STARTTLS: "_submission._tcp",
    },
}
_NAMES = {Protocol.IMAP: "IMAP", Protocol.POP3: "POP3", Protocol.SUBMISSION: "Sending mail"}
_ENCRYPTION = {
    ConnectionSecurity.IMPLICIT_TLS: "TLS from the first byte",
    ConnectionSecurity.STARTTLS: "STARTTLS, mandatory",
}
_PRIORITY = {Protocol.IMAP: 0, Protocol.POP3: 10, Protocol.SUBMISSION: 0}  # IMAP first: RFC 6186 section 3.3
_WEIGHT = 1
_NOT_OFFERED = "0 0 0 ."
_AUTODISCOVER, _AUTOCONFIG = "autodiscover", "autoconfig"
_CLIENTS = "Thunderbird, K-9, FairEmail, Evolution and others"
_HTTPS = 443  # the only port that clients accept in an _autodiscover._tcp record
_LONGEST = f"_{_AUTODISCOVER}._tcp"


@dataclass(frozen=True, slots=True)
class Record:
    """One record. Names are absolute, in A-labels, with their final dot."""

    name: str
    ttl: int  # seconds
    type: str  # CNAME or SRV
    data: str  # as in a master file
    why: str  # for the administrator who publishes it, in English


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that a domain publishes, and what its administrator has to know besides."""

    domain: str  # A-labels
    provider: str  # id
    records: tuple[Record, ...]
    notes: tuple[str, ...]  # in English


def published(domain: str, provider: MailProvider, *, service_host: str) -> Publication:
    """What ``domain`` (A-labels), whose mail is at ``provider``, publishes.

    ``service_host`` is where mail clients reach this service, "" where that is not known; then a note says what to add.
    Raises InvalidDomain where the records' names would be longer than DNS allows (RFC 1035 section 2.3.4).
    """
    assert provider.dns is not None  # declared in needs of the format that writes this
    assert provider.autodiscover is not None
    if len(f"{_LONGEST}.{domain}") > MAX_DOMAIN_OCTETS:
        room = MAX_DOMAIN_OCTETS - len(_LONGEST) - 1
        raise InvalidDomain(f"The domain is longer than {room} octets, so {_LONGEST} below it would be no DNS name.")
    autodiscover = Record(
        f"{_AUTODISCOVER}.{domain}.",
        _TTL,
        "CNAME",
        f"{provider.dns.autodiscover_cname}.",
        "Stays at Microsoft, where Outlook and Exchange devices sign in. Never point it to this service.",
    )
    by_service = Record(
        f"_{_AUTODISCOVER}._tcp.{domain}.",
        _TTL,
        "SRV",
        f"0 0 {_HTTPS} {urlsplit(provider.autodiscover.pox_url).hostname}.",
        "The same for clients that look for a service: Microsoft's host that answers with TLS.",
    )
    servers = tuple(record for server in provider.servers for record in _of_server(domain, server))
    own, note = _autoconfig(domain, service_host)
    return Publication(domain, provider.id, (autodiscover, by_service, *servers, *own), note)


def _of_server(domain: str, server: MailServer) -> Iterator[Record]:
    """The record of a server, and one that declines the other encryption of its protocol."""
    offered = _SRV[server.protocol][server.security]
    data = f"{_PRIORITY[server.protocol]} {_WEIGHT} {server.port} {server.hostname}."
    why = f"{_NAMES[server.protocol]}: {_ENCRYPTION[server.security]}."
    yield Record(f"{offered}.{domain}.", _TTL, "SRV", data, why)
    for security, label in _SRV[server.protocol].items():
        if security is not server.security:
            why = f"Not offered: use {offered}."
            yield Record(f"{label}.{domain}.", _TTL, "SRV", _NOT_OFFERED, why)


def _autoconfig(domain: str, service_host: str) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """The record that leads mail clients here, or the note that says why there is none."""
    name = f"{_AUTOCONFIG}.{domain}"
    if not service_host:
        return (), (
            f"Missing here: {name}. IN CNAME and the host name of this service, which leads {_CLIENTS} to it. It is "
            "written where PROVISIONER_PUBLIC_URL has a host name; an IP address cannot stand in a CNAME.",
        )
    if service_host == f"{_AUTODISCOVER}.{domain}":
        return (), (
            f"This service cannot live at {service_host}: that name has to lead to Microsoft. Give it another host.",
        )
    if service_host == name:
        return (), (f"{name} is this service's own host; its address records stay as they are.",)
    why = f"Leads {_CLIENTS} to this service, whose certificate has to cover this name."
    return (Record(f"{name}.", _TTL, "CNAME", f"{service_host}.", why),), ()


def host_of(url: str) -> str:
    """The host of ``url`` as A-labels; "" where a CNAME cannot point to it: an IP address, localhost, nothing."""
    try:
        return normalise_domain(urlsplit(url).hostname or "")
    except InvalidDomain:
        return ""


def write_zone(publication: Publication) -> bytes:
    """The records as a part of the domain's master file, with their reasons as comments; ASCII."""
    lines = [
        f"; To add to the zone of {publication.domain}, whose mail is at {publication.provider}.",
        "; Its other records (MX, SPF, DKIM, DMARC) stay as they are.",
        f"$ORIGIN {publication.domain}.",
        f"$TTL {_TTL}",
    ]
    for record in publication.records:
        owner = record.name.removesuffix(f".{publication.domain}.")
        lines += ["", f"; {record.why}", f"{owner:<18} IN  {record.type:<5}  {record.data}"]
    for note in publication.notes:
        lines += ["", *(f"; {line}" for line in wrap(note, _WIDTH))]
    return ("\n".join(lines) + "\n").encode("ascii")

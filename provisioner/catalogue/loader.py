"""Turns one cloud's fact file into a MailProvider, or refuses to start.

Each protocol has one port and one encryption that can be written down, from the standards (``standard/ports.toml``):
no plaintext, and no port whose encryption is a guess.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from provisioner.errors import CatalogueError, printable
from provisioner.factfile import EVIDENCE, Table, is_hostname, read_fact_file
from provisioner.model import (
    App,
    Authentication,
    AutodiscoverHosts,
    ConnectionSecurity,
    DnsTargets,
    FurtherProtocols,
    MailProvider,
    MailServer,
    OAuth,
    Protocol,
    RetiringWebService,
    WebService,
)

_T = TypeVar("_T")

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ORIGIN = re.compile(r"https://[^/]+")
_PROTOCOL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_TENANT = re.compile(r"[A-Za-z0-9.-]+")  # a word such as organizations, a tenant's GUID or its domain
_PROTOCOLS = {protocol.value: protocol for protocol in Protocol}
_SECURITIES = {security.value: security for security in ConnectionSecurity}
_AUTHENTICATIONS = {method.value: method for method in Authentication}
_APPS = ("outlook-ios", "outlook-android", "outlook-mac")
_REFRESH = "offline_access"  # OpenID Connect Core 1.0 section 11; the other scopes name the cloud's own resource
_SCOPES = ("imap", "pop", "smtp", _REFRESH)
_FURTHER_SCOPES = ("ews", "smtp_app")  # smtp_app: of a program that sends by itself (client credentials)
_MX_PLACEHOLDERS = ("{domain-with-dots-as-dashes}.", "{tenant}.")


class Offer(NamedTuple):
    """The one port of a protocol that is ever handed out, and its encryption."""

    port: int
    security: ConnectionSecurity


def load_offers(file: Path) -> Mapping[Protocol, Offer]:
    """What each protocol may offer. Raises CatalogueError with file, key and line."""
    standard = read_fact_file(file)
    standard.only(required=_PROTOCOLS)
    return {protocol: _offer(standard.table(name)) for name, protocol in _PROTOCOLS.items()}


def _offer(table: Table) -> Offer:
    table.only(required=("port", "security", *EVIDENCE))
    table.evidence()
    return Offer(port=table.integer("port"), security=table.choice("security", _SECURITIES))


def load_provider(file: Path, offers: Mapping[Protocol, Offer]) -> MailProvider:
    """The provider whose facts are in ``file`` and whose id is the file's name without ``.toml``.

    Raises CatalogueError with file, key and line; also where a server is not as ``offers`` says.
    """
    if not _SLUG.fullmatch(file.stem):
        reason = f"{printable(file.stem)} is no provider id: a-z, 0-9 and single hyphens inside were expected."
        raise CatalogueError(file=str(file), key="id", reason=reason)
    facts = read_fact_file(file)
    facts.only(
        required=("name", "oauth"),
        optional=(*_PROTOCOLS, "activesync", "ews", "autodiscover", "dns", "apps", "consumer"),
    )
    mail_server = partial(_mail_server, offers=offers)
    return MailProvider(
        id=file.stem,
        name=facts.text("name"),
        oauth=_oauth(facts.table("oauth")),
        imap=_if_there(facts, "imap", mail_server),
        pop3=_if_there(facts, "pop3", mail_server),
        submission=_if_there(facts, "submission", mail_server),
        activesync=_if_there(facts, "activesync", _activesync),
        ews=_if_there(facts, "ews", _ews),
        autodiscover=_if_there(facts, "autodiscover", _autodiscover),
        dns=_if_there(facts, "dns", _dns),
        apps=_if_there(facts, "apps", _apps) or MappingProxyType({}),
        consumer_domains=_if_there(facts, "consumer", _consumer_domains) or (),
    )


def _if_there(facts: Table, name: str, read: Callable[[Table], _T]) -> _T | None:
    return read(facts.table(name)) if name in facts.values else None


def _mail_server(table: Table, *, offers: Mapping[Protocol, Offer]) -> MailServer:
    table.only(
        required=("hostname", "port", "security", "authentication", *EVIDENCE),
        optional=("transitional_authentication",),
    )
    protocol = _PROTOCOLS[table.key]
    transitional: tuple[Authentication, ...] = ()
    if "transitional_authentication" in table.values:
        transitional = table.choices("transitional_authentication", _AUTHENTICATIONS)
    return MailServer(
        protocol=protocol,
        hostname=table.hostname("hostname"),
        port=_port(table, offers[protocol]),
        security=_security(table, offers[protocol]),
        authentication=table.choices("authentication", _AUTHENTICATIONS),
        transitional_authentication=transitional,
        evidence=table.evidence(),
    )


def _port(table: Table, offer: Offer) -> int:
    port = table.integer("port")
    if port != offer.port:
        found = f"port {port}" if 0 <= port <= 0xFFFF else "a number that is no port"
        raise table.refusal("port", f"{found} is never offered; {offer.port} ({offer.security.value}) was expected.")
    return port


def _security(table: Table, offer: Offer) -> ConnectionSecurity:
    security = table.choice("security", _SECURITIES)
    if security is not offer.security:
        raise table.refusal("security", f"port {offer.port} speaks {offer.security.value}, not {security.value}.")
    return security


def _activesync(table: Table) -> WebService:
    table.only(required=("url", *EVIDENCE))
    url = table.url("url")
    return WebService(hostname=_hostname_of(url), url=url, evidence=table.evidence())


def _ews(table: Table) -> RetiringWebService:
    table.only(required=("url", "blocked_since", "ends", *EVIDENCE))
    url, blocked_since, ends = table.url("url"), table.day("blocked_since"), table.day("ends")
    if ends <= blocked_since:
        raise table.refusal("ends", f"{ends} is not after blocked_since ({blocked_since}).")
    return RetiringWebService(
        hostname=_hostname_of(url), url=url, blocked_since=blocked_since, ends=ends, evidence=table.evidence()
    )


def _hostname_of(url: str) -> str:
    return url.split("/")[2]


def _autodiscover(table: Table) -> AutodiscoverHosts:
    table.only(required=("pox_url", "soap_url", *EVIDENCE), optional=("protocols",))
    return AutodiscoverHosts(
        pox_url=table.url("pox_url"),
        soap_url=table.url("soap_url"),
        evidence=table.evidence(),
        protocols=_if_there(table, "protocols", _further_protocols),
    )


def _further_protocols(table: Table) -> FurtherProtocols:
    table.only(required=("urls", *EVIDENCE))
    urls = table.table("urls")
    for name in urls.values:
        if not _PROTOCOL_NAME.fullmatch(name):
            raise urls.refusal(name, f"{printable(name)} is no protocol name; letters and digits were expected.")
    found = MappingProxyType({name: urls.url(name) for name in urls.values})
    return FurtherProtocols(urls=found, evidence=table.evidence())


def _oauth(table: Table) -> OAuth:
    table.only(required=("authority", "tenant", "discovered", "scopes", *EVIDENCE))
    authority = table.url("authority")
    if not _ORIGIN.fullmatch(authority):
        raise table.refusal("authority", "has a path; https:// and a DNS name alone were expected.")
    return OAuth(
        authority=authority,
        tenant=_tenant(table),
        scopes=_scopes(table.table("scopes")),
        discovered=table.flag("discovered"),
        evidence=table.evidence(),
    )


def _tenant(table: Table) -> str:
    tenant = table.text("tenant")
    if not _TENANT.fullmatch(tenant):
        raise table.refusal("tenant", f"{printable(tenant)} is no tenant; a word, a GUID or a domain was expected.")
    return tenant


def _scopes(table: Table) -> Mapping[str, str]:
    table.only(required=_SCOPES, optional=_FURTHER_SCOPES)
    scopes = {name: table.url(name) for name in table.values if name != _REFRESH}
    return MappingProxyType({**scopes, _REFRESH: table.choice(_REFRESH, {_REFRESH: _REFRESH})})


def _dns(table: Table) -> DnsTargets:
    table.only(required=("autodiscover_cname", "mx", "spf_include", *EVIDENCE))
    return DnsTargets(
        autodiscover_cname=table.hostname("autodiscover_cname"),
        mx=_mx(table),
        spf_include=table.hostname("spf_include"),
        evidence=table.evidence(),
    )


def _mx(table: Table) -> str:
    pattern = table.text("mx")
    zone = next((pattern.removeprefix(start) for start in _MX_PLACEHOLDERS if pattern.startswith(start)), "")
    if not is_hostname(zone):
        starts = " or ".join(_MX_PLACEHOLDERS)
        raise table.refusal("mx", f"{printable(pattern)} is no MX pattern; {starts} and a DNS name were expected.")
    return pattern


def _apps(table: Table) -> Mapping[str, App]:
    table.only(required=(), optional=_APPS)
    return MappingProxyType({name: _app(table.table(name)) for name in table.values})


def _app(table: Table) -> App:
    table.only(required=("name", "store_id", "store_url", *EVIDENCE))
    return App(
        name=table.text("name"),
        store_id=table.text("store_id"),
        store_url=table.url("store_url"),
        evidence=table.evidence(),
    )


def _consumer_domains(table: Table) -> tuple[str, ...]:
    table.only(required=("domains", *EVIDENCE))
    table.evidence()  # refused like every other fact's, though nobody asks for it
    return table.hostnames("domains")

"""Reads documents back as the phone or program that opens them would: which servers, and how to sign in.

One reader for each media type (for Apple profiles: for each payload type). A media type without a reader is still
searched for the host names it must and must not hold.
"""

import json
import plistlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from provisioner.model import Account, Authentication, ConnectionSecurity, MailProvider, MailServer, Service
from provisioner.profile import MEDIA_TYPE as PROFILE


class Claim(NamedTuple):
    """What a document says of one service."""

    service: Service
    hostname: str
    port: int | None  # None: the format cannot name one
    security: ConnectionSecurity | None  # None: the format's word covers both kinds of TLS
    encrypted: bool
    oauth2: bool
    username: str


class Reading(NamedTuple):
    """A document read back: what it claims, and whom it is for."""

    claims: tuple[Claim, ...]
    address: str
    display_name: str | None  # None: the format has no place for it


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
    parts = {part["Type"]: part["Payload"] for part in map(json.loads, payload["Declarations"])}
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
READERS: dict[str, Reader] = {PROFILE: _read_profile}


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
            oauth2=not isinstance(fact, MailServer) or Authentication.OAUTH2 in fact.authentication,
            username=account.username if claim.username else "",
        )

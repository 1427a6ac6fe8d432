"""Tells Outlook, iPhones and Macs where one service of a person's cloud is: a protocol's name in, a URL out.

Autodiscover version 2, which Microsoft has not published as a standard: requests and answers are those of its page
"Using hybrid Modern Authentication with Outlook for iOS and Android", the error codes those of Exchange Server
(Exchange Online says ProtocolNotSupported for its InvalidProtocol). Names are compared without case, as Outlook sends
``Autodiscoverv1``, and answered in one spelling.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime

from provisioner.address import normalise_address, strip_blanks
from provisioner.errors import InvalidAddress, printable
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
)
from provisioner.model import Account, MailProvider, Service

_ID = "autodiscover-json"
_MEDIA_TYPE = "application/json"
_WORD = re.compile(r"[A-Za-z0-9]{1,40}")
_PATH = "/autodiscover/autodiscover.json"
_PATH_WITH_ADDRESS = f"{_PATH}/v1.0/"


def _answer(request: Request, lookup: Lookup, now: datetime) -> Reply | None:  # noqa: ARG001  # as every answer
    protocol = strip_blanks(request.query.get("protocol", ""))
    if not protocol:
        return _refusal(400, "MandatoryParameterMissing", "The parameter Protocol is missing; ActiveSync would be one.")
    try:
        domain = _domain_asked_for(request)
    except InvalidAddress as refusal:
        return _refusal(400, "InvalidUserId", str(refusal))
    found = lookup(domain) if domain else None
    if found is None:
        return None
    return _answer_for(protocol, _urls(found.provider))


def _domain_asked_for(request: Request) -> str:
    """The domain of the address where there is one, otherwise the Host's; "" for none. Raises InvalidAddress."""
    if request.path.lower().startswith(_PATH_WITH_ADDRESS):
        address = strip_blanks(request.path[len(_PATH_WITH_ADDRESS) :])
    else:
        # A plus that a client did not escape is a blank by now (AADInternals' Get-EASAutoDiscover sends it so).
        address = strip_blanks(request.query.get("email", "")).replace(" ", "+")
    return normalise_address(address).rpartition("@")[2] if address else request.host_domain


def _answer_for(protocol: str, urls: Mapping[str, str]) -> Reply:
    for name, url in urls.items():
        if name.lower() == protocol.lower():
            return Reply(status=200, body=_write(_found(name, url)), media_type=_MEDIA_TYPE)
    return _refusal(
        400,
        "InvalidProtocol",
        f"The given protocol value {_shown(protocol)}is invalid. Supported values are '{','.join(urls)}'",
    )


def _shown(protocol: str) -> str:
    """A word is repeated, to help who mistyped it; anything else might be a secret that landed in the wrong place."""
    return f"{printable(protocol)} " if _WORD.fullmatch(protocol) else ""


def _urls(provider: MailProvider) -> Mapping[str, str]:
    """Where each protocol is, in the order of the names."""
    assert provider.autodiscover is not None  # declared in needs
    assert provider.activesync is not None
    assert provider.ews is not None
    further = provider.autodiscover.protocols
    return dict(
        sorted(
            {
                **(further.urls if further else {}),
                "ActiveSync": provider.activesync.url,
                "AutodiscoverV1": provider.autodiscover.pox_url,
                "EWS": provider.ews.url,
            }.items()
        )
    )


def _found(name: str, url: str) -> dict[str, str]:
    return {"Protocol": name, "Url": url}


def _write(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _render(subject: Subject, provider: MailProvider, context: Context) -> bytes:  # noqa: ARG001  # as every format
    """Every answer there is for this person, in one list: a client gets the one it asks for."""
    return _write([_found(name, url) for name, url in _urls(provider).items()])


def _refuse(request: Request, now: datetime) -> Reply:  # noqa: ARG001  # as every refusal
    return _refusal(404, "UserNotFound", "No mailbox of this domain is known here.")


def _refusal(status: int, code: str, message: str) -> Reply:
    body = _write({"ErrorCode": code, "ErrorMessage": message})
    return Reply(status=status, body=body, media_type=_MEDIA_TYPE)


FORMAT = Format(
    id=_ID,
    title="Where Outlook and phones find each service (Autodiscover v2, JSON)",
    media_type=_MEDIA_TYPE,
    suffix="json",
    audience=Audience.CLIENT,
    needs=frozenset({Service.AUTODISCOVER, Service.ACTIVESYNC, Service.EWS}),
    signed=False,
    render=_render,
    subjects=frozenset({Account, AnyoneAt}),
    discovery=Discovery(paths=(_PATH, _PATH_WITH_ADDRESS), methods=frozenset({"GET"}), answer=_answer, refuse=_refuse),
)

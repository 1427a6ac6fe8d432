"""Apple's declarations of an Exchange account: the account, whom it is for, and what switches it on.

Apple device-management schema, declarative/declarations: com.apple.configuration.account.exchange, the
com.apple.asset.useridentity that it names, and com.apple.activation.simple. A device skips the protocols it does not
have: ActiveSync on a Mac, EWS on an iPhone.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from provisioner.format import Context, Variables
from provisioner.model import Account, MailProvider

Declaration = dict[str, object]


def exchange_declarations(
    subject: Account | Variables,
    provider: MailProvider,
    context: Context,
    *,
    identifiers: dict[str, UUID],
    protocols: Sequence[str] = ("EAS", "EWS"),
) -> tuple[Declaration, Declaration, Declaration]:
    """Identity, account and activation, in this order, each naming the one before it.

    A device that has none of the ``protocols`` gets no account. ``identifiers`` has ``identity``, ``exchange`` and
    ``activation``; ``context`` supplies the text ``account``.
    """
    identity = _declaration("com.apple.asset.useridentity", identifiers["identity"], _person(subject))
    exchange = _declaration(
        "com.apple.configuration.account.exchange",
        identifiers["exchange"],
        _exchange(provider, context, protocols) | {"UserIdentityAssetReference": identity["Identifier"]},
    )
    activation = _declaration(
        "com.apple.activation.simple",
        identifiers["activation"],
        {"StandardConfigurations": [exchange["Identifier"]]},
    )
    return identity, exchange, activation


def _person(subject: Account | Variables) -> dict[str, object]:
    name = {"FullName": subject.display_name} if subject.display_name else {}
    return {"EmailAddress": subject.address, **name}


def _exchange(provider: MailProvider, context: Context, protocols: Sequence[str]) -> dict[str, object]:
    assert provider.activesync is not None  # declared in needs
    oauth: dict[str, object] = {"Enabled": True}
    if context.names_sign_in_page(provider):
        # No TokenRequestURL: macOS does not know it, and declarations refuse unknown keys.
        oauth["SignInURL"] = provider.oauth.authorize_url
    return {
        "VisibleName": context.text("account"),
        "EnabledProtocolTypes": list(protocols),
        "HostName": provider.activesync.hostname,
        "OAuth": oauth,
    }


def _declaration(kind: str, identifier: UUID, payload: dict[str, object]) -> Declaration:
    """A declaration whose ServerToken is the digest of all of it: another content is an update, the same is none."""
    name = str(identifier).upper()
    digest = sha256(json.dumps([kind, name, payload], sort_keys=True).encode()).hexdigest()
    return {"Type": kind, "Identifier": name, "ServerToken": digest, "Payload": payload}

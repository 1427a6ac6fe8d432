"""The profile that carries a declarative Exchange account: one file for iPhone, iPad and Mac, without any MDM.

Declarations payload (Apple device-management schema, mdm/profiles/com.apple.declarations.yaml: iOS 17, macOS 14, by
hand only) with an account.exchange configuration, the identity it names and the activation that switches it on.
"""

import json

from provisioner.declarations import Declaration, exchange_declarations
from provisioner.format import Audience, Context, Format, Platform
from provisioner.model import Account, MailProvider, Service
from provisioner.organisation import Kind
from provisioner.profile import MEDIA_TYPE, SUFFIX, Value, ews_ending, part_uuid, render_profile

_ID = "apple-declarations"
_TEXTS = {
    "title": "{organisation} mail (declarations)",
    "account": "{organisation} mail, calendar and contacts",
    "description": (
        "Adds your {organisation} mail, calendar and contacts to an iPhone or iPad from version 17 or a Mac from "
        "version 14. You sign in on Microsoft's own page; this profile holds no password. Use it instead of the "
        "Exchange profile, not beside it. Removing the profile removes the account."
    ),
    "username": "Sign in as {username}.",  # declarations have no place for a user name
    "ews_ending": (
        "On a Mac it needs Exchange Web Services, which Microsoft blocks since {blocked_since} unless IT has allowed "
        "Apple's mail app, and ends on {ends}."
    ),
}


def _render(account: Account, provider: MailProvider, context: Context) -> bytes:
    assert provider.ews is not None  # declared in needs
    identifiers = {part: part_uuid(_ID, account, part) for part in ("identity", "exchange", "activation")}
    parts = exchange_declarations(account, provider, context, identifiers=identifiers)
    declarations: list[Value] = [_encode(part) for part in parts]
    return render_profile(
        format_id=_ID,
        account=account,
        context=context,
        payload_type="com.apple.declarations",
        settings={"Declarations": declarations},
        description=" ".join(
            [context.text("description"), *_sign_in_name(account, context), ews_ending(provider.ews, context)]
        ),
        target=None,
    )


def _sign_in_name(account: Account, context: Context) -> list[str]:
    if account.username == account.address:
        return []
    return [context.text("username", username=account.username)]


def _encode(declaration: Declaration) -> bytes:
    return json.dumps(declaration, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


FORMAT = Format(
    id=_ID,
    title="A newer kind of Exchange profile (declarations), for iPhone and iPad from iOS 17 and Mac from macOS 14",
    media_type=MEDIA_TYPE,
    suffix=SUFFIX,
    audience=Audience.PERSON,
    kind=Kind.EXCHANGE,
    platforms=frozenset({Platform.IPHONE, Platform.IPAD, Platform.MAC}),
    needs=frozenset({Service.ACTIVESYNC, Service.EWS, Service.OAUTH}),
    signed=True,
    render=_render,
    texts=_TEXTS,
)

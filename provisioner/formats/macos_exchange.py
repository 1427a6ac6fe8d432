"""The profile that sets Exchange mail up on a Mac, for organisations that still allow Exchange Web Services.

Exchange Web Services payload (Apple device-management schema, mdm/profiles/com.apple.ews.account.yaml) with OAuth on;
the payload is macOS only. Exchange Online blocks EWS unless the organisation has allow-listed the application, and
ends it: both days are facts of the provider and stand in the description.
"""

from provisioner.format import Audience, Context, Format, Platform, Variables
from provisioner.model import Account, MailProvider, Service
from provisioner.organisation import Domain, EwsAccess, Kind
from provisioner.profile import MEDIA_TYPE, SUFFIX, TargetDevice, Value, ews_ending, render_profile

_ID = "macos-exchange"
_TEXTS = {
    "title": "{organisation} mail",
    "account": "{organisation} mail, calendar and contacts",
    "description": (
        "Adds your {organisation} mail, calendar and contacts to this Mac. You sign in on Microsoft's own page; this "
        "profile holds no password. Removing the profile removes the account."
    ),
    "ews_ending": (
        "Since {blocked_since} Microsoft admits Apple's mail app only where IT has allowed it, and from {ends} "
        "not at all. Outlook goes on working."
    ),
}


def _render(account: Account | Variables, provider: MailProvider, context: Context) -> bytes:
    assert provider.ews is not None  # declared in needs
    settings: dict[str, Value] = {
        "Host": provider.ews.hostname,
        "SSL": True,
        "OAuth": True,
        "EmailAddress": account.address,
        "UserName": account.username,
    }
    if context.names_sign_in_page(provider):
        settings["OAuthSignInURL"] = provider.oauth.authorize_url  # this payload has no token URL
    return render_profile(
        format_id=_ID,
        account=account,
        context=context,
        payload_type="com.apple.ews.account",
        settings=settings,
        description=f"{context.text('description')} {ews_ending(provider.ews, context)}",
        target=TargetDevice.MAC,
    )


def _is_offered(domain: Domain) -> bool:
    return domain.ews is EwsAccess.ALLOWED


FORMAT = Format(
    id=_ID,
    title="Exchange mail on a Mac, through Exchange Web Services (configuration profile)",
    media_type=MEDIA_TYPE,
    suffix=SUFFIX,
    audience=Audience.PERSON,
    kind=Kind.EXCHANGE,
    platforms=frozenset({Platform.MAC}),
    needs=frozenset({Service.EWS, Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=True,
    render=_render,
    texts=_TEXTS,
    offered=_is_offered,
)

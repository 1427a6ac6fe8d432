"""The profile that sets Exchange mail up on an iPhone or iPad: server and address are there, the person signs in.

Exchange ActiveSync payload (Apple device-management schema, mdm/profiles/com.apple.eas.account.yaml) with OAuth on.
Exchange Online takes no password on ActiveSync, and the payload is iOS, iPadOS and visionOS only.
"""

from provisioner.format import Audience, Context, Format, Platform, Variables
from provisioner.model import Account, MailProvider, Service
from provisioner.organisation import Kind
from provisioner.profile import MEDIA_TYPE, SUFFIX, TargetDevice, Value, render_profile

_ID = "ios-exchange"
_TEXTS = {
    "title": "{organisation} mail",
    "account": "{organisation} mail, calendar and contacts",
    "description": (
        "Adds your {organisation} mail, calendar and contacts to this device. You sign in on Microsoft's own page; "
        "this profile holds no password. Removing the profile removes the account."
    ),
}


def _render(account: Account | Variables, provider: MailProvider, context: Context) -> bytes:
    assert provider.activesync is not None  # declared in needs
    settings: dict[str, Value] = {
        # While the device discovers the server itself it ignores Host; without discovery it needs it: always there.
        "Host": provider.activesync.hostname,
        "SSL": True,  # the schema's default is false
        "OAuth": True,
        "EmailAddress": account.address,
        "UserName": account.username,
    }
    if context.names_sign_in_page(provider):
        settings["OAuthSignInURL"] = provider.oauth.authorize_url
        settings["OAuthTokenRequestURL"] = provider.oauth.token_url
    return render_profile(
        format_id=_ID,
        account=account,
        context=context,
        payload_type="com.apple.eas.account",
        settings=settings,
        description=context.text("description"),
        target=TargetDevice.IPHONE_AND_IPAD,
    )


FORMAT = Format(
    id=_ID,
    title="Exchange mail on iPhone and iPad (configuration profile)",
    media_type=MEDIA_TYPE,
    suffix=SUFFIX,
    audience=Audience.PERSON,
    kind=Kind.EXCHANGE,
    platforms=frozenset({Platform.IPHONE, Platform.IPAD}),
    needs=frozenset({Service.ACTIVESYNC, Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=True,
    render=_render,
    texts=_TEXTS,
)

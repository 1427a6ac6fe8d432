"""The profile that sets a POP account up in Apple's mail app, with the exact servers and ports.

Mail payload (Apple device-management schema, mdm/profiles/com.apple.mail.managed.yaml), for iPhone, iPad and Mac.
"""

from provisioner.format import Audience, Context, Format, Platform, Variables
from provisioner.model import Account, MailProvider, Service
from provisioner.organisation import Kind
from provisioner.profile import MAIL_PAYLOAD, MEDIA_TYPE, SUFFIX, mail_settings, render_profile

_ID = "apple-pop"
_TEXTS = {
    "title": "{organisation} mail (POP)",
    "account": "{organisation} mail (POP)",
    "description": (
        "Adds your {organisation} mail over POP to this device; POP can take mail off the server. Exchange Online "
        "takes no password over POP, and this kind of profile cannot sign in with Microsoft: set mail up another way, "
        "such as Outlook, unless IT told you to use this one. It holds no password. Removing the profile removes the "
        "account."
    ),
}


def _render(account: Account | Variables, provider: MailProvider, context: Context) -> bytes:
    assert provider.pop3 is not None  # declared in needs
    assert provider.submission is not None
    return render_profile(
        format_id=_ID,
        account=account,
        context=context,
        payload_type=MAIL_PAYLOAD,
        settings=mail_settings(account, context, incoming=provider.pop3, submission=provider.submission),
        description=context.text("description"),
        target=None,
    )


FORMAT = Format(
    id=_ID,
    title="POP mail on iPhone, iPad and Mac (configuration profile)",
    media_type=MEDIA_TYPE,
    suffix=SUFFIX,
    audience=Audience.PERSON,
    kind=Kind.POP,
    platforms=frozenset({Platform.IPHONE, Platform.IPAD, Platform.MAC}),
    needs=frozenset({Service.POP3, Service.SUBMISSION}),
    subjects=frozenset({Account, Variables}),
    signed=True,
    render=_render,
    texts=_TEXTS,
)

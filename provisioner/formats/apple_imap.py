"""The profile that sets an IMAP account up in Apple's mail app, with the exact servers and ports.

Mail payload (Apple device-management schema, mdm/profiles/com.apple.mail.managed.yaml), for iPhone, iPad and Mac.
"""

from provisioner.format import Audience, Context, Format, Platform, Variables
from provisioner.model import Account, MailProvider, Service
from provisioner.organisation import Kind
from provisioner.profile import MAIL_PAYLOAD, MEDIA_TYPE, SUFFIX, mail_settings, render_profile

_ID = "apple-imap"
_TEXTS = {
    "title": "{organisation} mail (IMAP)",
    "account": "{organisation} mail (IMAP)",
    "description": (
        "Adds your {organisation} mail over IMAP to this device. Exchange Online takes no password over IMAP, and "
        "this kind of profile cannot sign in with Microsoft: set mail up another way, such as Outlook, unless IT told "
        "you to use this one. It holds no password. Removing the profile removes the account."
    ),
}


def _render(account: Account | Variables, provider: MailProvider, context: Context) -> bytes:
    assert provider.imap is not None  # declared in needs
    assert provider.submission is not None
    return render_profile(
        format_id=_ID,
        account=account,
        context=context,
        payload_type=MAIL_PAYLOAD,
        settings=mail_settings(account, context, incoming=provider.imap, submission=provider.submission),
        description=context.text("description"),
        target=None,
    )


FORMAT = Format(
    id=_ID,
    title="IMAP mail on iPhone, iPad and Mac (configuration profile)",
    media_type=MEDIA_TYPE,
    suffix=SUFFIX,
    audience=Audience.PERSON,
    kind=Kind.IMAP,
    platforms=frozenset({Platform.IPHONE, Platform.IPAD, Platform.MAC}),
    needs=frozenset({Service.IMAP, Service.SUBMISSION}),
    subjects=frozenset({Account, Variables}),
    signed=True,
    render=_render,
    texts=_TEXTS,
)

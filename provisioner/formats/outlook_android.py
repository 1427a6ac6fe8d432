"""Outlook on Android, for an MDM built on Google's Android Management API: the account, and what the organisation sets.

The flat object of ``policies.applications.managedConfiguration`` (Android Management API), which Fleet takes too. The
person opens Outlook, finds the account there and signs in with Microsoft.
"""

from provisioner.format import Audience, Context, Format, Variables
from provisioner.managed import JSON, AppPlatform, flat_object, write_json
from provisioner.model import Account, MailProvider, Service
from provisioner.outlook import APP, device_settings


def _render(subject: Account | Variables, _: MailProvider, context: Context) -> bytes:
    return write_json(flat_object(device_settings(subject, context, AppPlatform.ANDROID)))


FORMAT = Format(
    id="outlook-android",
    title="Outlook on Android, managed configuration (Android Management API)",
    media_type=JSON,
    suffix="json",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=False,
    app=APP,
    render=_render,
)

"""Gmail on Android, for an MDM built on Google's Android Management API: the person's Exchange account.

The flat object of ``policies.applications.managedConfiguration`` (Android Management API). The person signs in with
Microsoft in the app.
"""

from provisioner.format import Audience, Context, Format, Variables
from provisioner.gmail import APP, account_settings
from provisioner.managed import JSON, flat_object, write_json
from provisioner.model import Account, MailProvider, Service


def _render(subject: Account | Variables, provider: MailProvider, _: Context) -> bytes:
    return write_json(flat_object(account_settings(subject, provider)))


FORMAT = Format(
    id="gmail-android",
    title="Gmail on Android, managed configuration (Android Management API)",
    media_type=JSON,
    suffix="json",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.ACTIVESYNC, Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=False,
    app=APP,
    render=_render,
)

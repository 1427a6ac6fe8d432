"""Outlook on phones that no MDM manages, for Intune: what the organisation sets of the app, for everybody alike.

``customSettings`` of Graph's targetedManagedAppConfiguration, which Intune delivers as they are. The account's keys are
for managed devices alone (Microsoft's table), so nothing here depends on a person.
"""

from provisioner.format import AnyoneAt, Audience, Context, Format, Variables
from provisioner.managed import JSON, custom_settings, write_json
from provisioner.model import Account, MailProvider, Service
from provisioner.outlook import APP, app_settings


def _render(_: Account | AnyoneAt | Variables, __: MailProvider, context: Context) -> bytes:
    return write_json(custom_settings(app_settings(context)))


FORMAT = Format(
    id="outlook-apps",
    title="Outlook on phones without an MDM, app configuration (Intune, managed apps)",
    media_type=JSON,
    suffix="json",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.OAUTH}),
    subjects=frozenset({Account, AnyoneAt, Variables}),
    signed=False,
    app=APP,
    render=_render,
)

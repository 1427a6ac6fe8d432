"""Outlook on iPhone and iPad, for an MDM whose console has a table of keys: Intune's designer, Cisco Meraki.

Graph's ``iosMobileAppConfiguration.settings``: appConfigKey, appConfigKeyType and appConfigKeyValue of each key.
"""

from provisioner.format import Audience, Context, Format, Variables
from provisioner.managed import JSON, AppPlatform, ios_key_table, write_json
from provisioner.model import Account, MailProvider, Service
from provisioner.outlook import APP, device_settings


def _render(subject: Account | Variables, _: MailProvider, context: Context) -> bytes:
    return write_json(ios_key_table(device_settings(subject, context, AppPlatform.IOS)))


FORMAT = Format(
    id="outlook-ios-keys",
    title="Outlook on iPhone and iPad, managed app configuration (table of keys)",
    media_type=JSON,
    suffix="json",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=False,
    app=APP,
    render=_render,
)

"""Outlook on iPhone and iPad, for an MDM that takes an app's configuration as a dictionary: Intune, Jamf Pro, Zentral.

Managed app configuration (``com.apple.configuration.managed``): a bare ``<dict>`` without XML declaration and plist.
"""

from provisioner.format import Audience, Context, Format, Variables
from provisioner.managed import AppPlatform, ios_dict
from provisioner.model import Account, MailProvider, Service
from provisioner.outlook import APP, device_settings


def _render(subject: Account | Variables, _: MailProvider, context: Context) -> bytes:
    return ios_dict(device_settings(subject, context, AppPlatform.IOS))


FORMAT = Format(
    id="outlook-ios",
    title="Outlook on iPhone and iPad, managed app configuration (dictionary)",
    media_type="text/xml; charset=utf-8",
    suffix="xml",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=False,
    app=APP,
    render=_render,
)

"""Outlook on Android, for Intune: the same settings in the form that Intune imports.

``androidenterprise#managedConfiguration`` (Google Play EMM API), as Intune's app configuration policy for managed
devices takes it in its JSON editor, and in base64 as Graph's ``payloadJson``.
"""

from provisioner.format import Audience, Context, Format, Variables
from provisioner.managed import JSON, AppPlatform, intune_configuration, write_json
from provisioner.model import Account, MailProvider, Service
from provisioner.outlook import APP, device_settings


def _render(subject: Account | Variables, _: MailProvider, context: Context) -> bytes:
    settings = device_settings(subject, context, AppPlatform.ANDROID)
    return write_json(intune_configuration(context.app.package, settings))


FORMAT = Format(
    id="outlook-android-intune",
    title="Outlook on Android, managed configuration (Intune)",
    media_type=JSON,
    suffix="json",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=False,
    app=APP,
    render=_render,
)

"""Gmail on Android, for Intune: the same settings in the form that Intune imports.

``androidenterprise#managedConfiguration`` (Google Play EMM API).
"""

from provisioner.format import Audience, Context, Format, Variables
from provisioner.gmail import APP, account_settings
from provisioner.managed import JSON, intune_configuration, write_json
from provisioner.model import Account, MailProvider, Service


def _render(subject: Account | Variables, provider: MailProvider, context: Context) -> bytes:
    return write_json(intune_configuration(context.app.package, account_settings(subject, provider)))


FORMAT = Format(
    id="gmail-android-intune",
    title="Gmail on Android, managed configuration (Intune)",
    media_type=JSON,
    suffix="json",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.ACTIVESYNC, Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=False,
    app=APP,
    render=_render,
)

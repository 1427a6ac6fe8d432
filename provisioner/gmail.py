"""Gmail on Android as an MDM configures it: the person's Exchange account, over ActiveSync and always with TLS.

The keys are those of the app's own managed configuration (``catalogue/standard/gmail.toml``). Signing in with a token
is what Gmail does where no key says otherwise, and no password is among the keys.
"""

from provisioner.format import Variables
from provisioner.managed import AppSetting
from provisioner.model import Account, MailProvider

APP = "gmail"


def account_settings(subject: Account | Variables, provider: MailProvider) -> tuple[AppSetting, ...]:
    """The account, at the provider's ActiveSync host."""
    assert provider.activesync is not None  # declared in needs
    return (
        AppSetting("email_address", subject.address),
        AppSetting("exchange_host", provider.activesync.hostname),
        AppSetting("exchange_ssl_required", value=True),
        AppSetting("exchange_trust_all_certificates", value=False),
        AppSetting("exchange_username", subject.username),
    )

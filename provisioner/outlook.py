"""Outlook on a phone as an MDM configures it: the person's account, and what the organisation wants of the app.

Microsoft, "Deploying Outlook for iOS and Android app configuration settings". With the account's keys the app finds the
account by itself and the person only signs in; they name no server, which Outlook knows, and no password.
"""

from collections.abc import Iterator

from provisioner.format import Context, Variables
from provisioner.managed import AppPlatform, AppSetting, Channel
from provisioner.model import Account

APP = "outlook"

_PREFIX = "com.microsoft.outlook.EmailProfile."
# Only accounts that the organisation allows may be added. Microsoft names the switch for iOS alone; the one setting of
# the organisation restricts both, Android by the list of the accounts that are allowed.
_ONLY_ALLOWED = "IntuneMAMAllowedAccountsOnly"
_ALLOWED = {
    AppPlatform.IOS: "IntuneMAMUPN",
    AppPlatform.ANDROID: "com.microsoft.intune.mam.AllowedAccountUPNs",
}


def device_settings(subject: Account | Variables, context: Context, platform: AppPlatform) -> tuple[AppSetting, ...]:
    """What an MDM hands to Outlook on a device that it manages. Defaults are not written: Outlook has them."""
    return (*_account(subject, context, platform), *context.app.settings_for(platform, Channel.MANAGED_DEVICES))


def app_settings(context: Context) -> tuple[AppSetting, ...]:
    """What Intune hands to Outlook on a device that nobody manages: no account, and what either platform reads."""
    return tuple(each for each in context.app.settings if Channel.MANAGED_APPS in each.channels)


def _account(subject: Account | Variables, context: Context, platform: AppPlatform) -> Iterator[AppSetting]:
    yield AppSetting(f"{_PREFIX}AccountType", "ModernAuth")
    yield AppSetting(f"{_PREFIX}EmailAddress", subject.address)
    yield AppSetting(f"{_PREFIX}EmailUPN", subject.username)
    if any((each.key, each.value) == (_ONLY_ALLOWED, "Enabled") for each in context.app.settings):
        yield AppSetting(_ALLOWED[platform], subject.username)

"""Every documented key of Outlook's app configuration: its type, its default, and what an organisation may set."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from provisioner.catalogue import app_facts, check_app_settings, configured_app
from provisioner.catalogue.apps import AppKey, load_app
from provisioner.errors import CatalogueError, InvalidSetting
from provisioner.managed import AppPlatform, AppSetting, Channel, ManagedApp, Value
from provisioner.organisation import Organisation
from tests.capabilities import collected_facts
from tests.samples import PROVIDERS

OUTLOOK = app_facts("outlook")
MAIL = "com.microsoft.outlook.Mail"
ACCOUNT = "com.microsoft.outlook.EmailProfile"

# Microsoft's table (key, type, default, required, app, channel; - where it says nothing), and below it the keys of the
# page for Exchange Server.
TABLE = """
com.microsoft.outlook.EmailProfile.EmailAddress String - Yes both devices
com.microsoft.outlook.EmailProfile.EmailUPN String - Yes both devices
com.microsoft.outlook.EmailProfile.AccountType String - Yes both -
IntuneMAMAllowedAccountsOnly String - Yes iOS devices
IntuneMAMUPN String - Yes iOS devices
com.microsoft.intune.mam.AllowedAccountUPNs - - Yes Android devices
com.microsoft.outlook.Mail.FocusedInbox Boolean true No both both
com.microsoft.outlook.Auth.Biometric Boolean false No iOS both
com.microsoft.outlook.Auth.Biometric.UserChangeAllowed Boolean true No iOS both
com.microsoft.outlook.Contacts.LocalSyncEnabled Boolean false No both both
com.microsoft.outlook.Contacts.LocalSyncEnabled.UserChangeAllowed Boolean true No both both
com.microsoft.outlook.Mail.ExternalRecipientsToolTipEnabled Boolean true No both both
com.microsoft.outlook.Mail.BlockExternalImagesEnabled Boolean false No both both
com.microsoft.outlook.Mail.BlockExternalImagesEnabled.UserChangeAllowed Boolean true No both both
com.microsoft.outlook.Mail.DefaultSignatureEnabled Boolean true No both both
com.microsoft.outlook.Mail.SuggestedRepliesEnabled Boolean true No both both
com.microsoft.outlook.Mail.SuggestedRepliesEnabled.UserChangeAllowed Boolean true No both both
com.microsoft.outlook.Mail.OfficeFeedEnabled Boolean true No both both
com.microsoft.outlook.Mail.OrganizeByThreadEnabled Boolean true No both both
com.microsoft.outlook.Mail.PlayMyEmailsEnabled Boolean true No both both
com.microsoft.outlook.Calendar.NativeSyncEnabled Boolean false No Android both
com.microsoft.outlook.Calendar.NativeSyncEnabled.UserChangeAllowed Boolean true No Android both
com.microsoft.outlook.Mail.TextPredictionsEnabled Boolean true No both both
com.microsoft.outlook.Mail.TextPredictionsEnabled.UserChangeAllowed Boolean true No both both
com.microsoft.outlook.Settings.ThemesEnabled Boolean true No both -
com.microsoft.outlook.Mail.SMIMEEnabled Boolean false No both both
com.microsoft.outlook.Mail.SMIMEEnabled.UserChangeAllowed Boolean true No both both
com.microsoft.outlook.Mail.SMIMEEnabled.EncryptAllMail Boolean false No both both
com.microsoft.outlook.Mail.SMIMEEnabled.EncryptAllMail.UserChangeAllowed Boolean true No both both
com.microsoft.outlook.Mail.SMIMEEnabled.SignAllMail Boolean false No both both
com.microsoft.outlook.Mail.SMIMEEnabled.SignAllMail.UserChangeAllowed Boolean true No both both
com.microsoft.outlook.Mail.SMIMEEnabled.LDAPHostName String - No both -
com.microsoft.outlook.Calendar.NativeSyncAvailable.IntuneMAMOnly - - - Android apps
com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly - - - both apps
com.microsoft.intune.mam.areWearablesAllowed - true - both apps
com.microsoft.outlook.ContactSync.AddressAllowed - true - both apps
com.microsoft.outlook.ContactSync.BirthdayAllowed - true - both apps
com.microsoft.outlook.ContactSync.CompanyAllowed - true - both apps
com.microsoft.outlook.ContactSync.DepartmentAllowed - true - both apps
com.microsoft.outlook.ContactSync.EmailAllowed - true - both apps
com.microsoft.outlook.ContactSync.InstantMessageAllowed - true - both apps
com.microsoft.outlook.ContactSync.JobTitleAllowed - true - both apps
com.microsoft.outlook.ContactSync.NicknameAllowed - true - both apps
com.microsoft.outlook.ContactSync.NotesAllowed - true - both apps
com.microsoft.outlook.ContactSync.PhoneHomeAllowed - true - both apps
com.microsoft.outlook.ContactSync.PhoneHomeFaxAllowed - true - both apps
com.microsoft.outlook.ContactSync.PhoneMobileAllowed - true - both apps
com.microsoft.outlook.ContactSync.PhoneOtherAllowed - true - both apps
com.microsoft.outlook.ContactSync.PhonePagerAllowed - true - both apps
com.microsoft.outlook.ContactSync.PhoneWorkAllowed - true - both apps
com.microsoft.outlook.ContactSync.PhoneWorkFaxAllowed - true - both apps
com.microsoft.outlook.ContactSync.PrefixAllowed - true - both apps
com.microsoft.outlook.ContactSync.SuffixAllowed - true - both -
com.microsoft.outlook.EmailProfile.EmailAccountName String - Yes both devices
com.microsoft.outlook.EmailProfile.ServerAuthentication String Username_and_Password No both devices
com.microsoft.outlook.EmailProfile.ServerHostName String - Yes both devices
com.microsoft.outlook.EmailProfile.AccountDomain String - No both devices
"""
ON_PREMISES = 4
ROWS = [line.split() for line in TABLE.strip().splitlines()]
TYPES = {"String": str, "Boolean": bool, "-": None}
PLATFORMS = {"both": set(AppPlatform), "iOS": {AppPlatform.IOS}, "Android": {AppPlatform.ANDROID}}
CHANNELS = {
    "both": set(Channel),
    "devices": {Channel.MANAGED_DEVICES},
    "apps": {Channel.MANAGED_APPS},
    "-": set(Channel),  # not stated: written for both
}
FREE = [key for key in OUTLOOK.keys.values() if not key.refusal]


def _organisation(outlook: Mapping[str, Value]) -> Organisation:
    return Organisation(id="contoso", name="Contoso", outlook=outlook)


def _refusal(name: str, value: object) -> str:
    with pytest.raises(InvalidSetting) as refused:
        OUTLOOK.setting(name, value)
    return str(refused.value)


def test_all_documented_keys_are_there_and_no_other() -> None:
    assert 53 + ON_PREMISES == len(ROWS)
    assert [name for name, *_ in ROWS] == list(OUTLOOK.keys)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_key_has_the_documented_type_default_app_and_channel(row: list[str]) -> None:
    name, stated, default, required, platform, channel = row
    key = OUTLOOK.keys[name]
    assert TYPES[stated] is key.stated_type
    defaults: dict[str, Value | None] = {"-": None, "true": True, "false": False}
    assert defaults.get(default, default.replace("_", " ")) == key.default
    assert {"Yes": True, "No": False, "-": None}[required] is key.required
    assert PLATFORMS[platform] == key.platforms
    assert CHANNELS[channel] == key.channels
    assert key.evidence.sources


@pytest.mark.parametrize("key", FREE, ids=lambda key: key.name)
def test_an_organisation_can_set_every_key_that_is_not_the_accounts_or_for_the_premises(key: AppKey) -> None:
    value: Value = key.accepted[-1] if key.accepted else "ldaps://ldap.contoso.example:636"
    expected = AppSetting(key.name, value, key.platforms, key.channels)
    assert ManagedApp("com.microsoft.office.outlook", (expected,)) == configured_app(
        "outlook", _organisation({key.name: value})
    )


@pytest.mark.parametrize("key", FREE, ids=lambda key: key.name)
@pytest.mark.parametrize("wrong", ["true ", 7, 0.5, "", "{{mail}}"], ids=repr)
def test_a_value_of_another_type_or_beyond_the_documented_ones_is_refused(key: AppKey, wrong: object) -> None:
    assert _refusal(key.name, wrong).startswith(f"The app setting {key.name} takes ")


def test_a_boolean_is_no_number_and_a_number_no_boolean() -> None:
    assert "takes true or false; found 1" in _refusal(f"{MAIL}.FocusedInbox", 1)
    assert "takes a whole number; found False" in _refusal(
        "com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly", value=False
    )


def test_the_keys_of_the_account_are_ours_to_write() -> None:
    ours = {f"{ACCOUNT}.{part}" for part in ("EmailAddress", "EmailUPN", "AccountType")}
    ours |= {"IntuneMAMUPN", "com.microsoft.intune.mam.AllowedAccountUPNs"}
    for name in ours:
        assert "It is written from each person's address and user name. Leave it out." in _refusal(name, "x")
    assert ours == {key.name for key in OUTLOOK.keys.values() if "address and user name" in key.refusal}


@pytest.mark.parametrize("part", ["EmailAccountName", "ServerAuthentication", "ServerHostName", "AccountDomain"])
def test_a_key_for_exchange_server_is_recognised_and_refused_by_name(part: str) -> None:
    refusal = _refusal(f"{ACCOUNT}.{part}", "x")
    assert f"{ACCOUNT}.{part} cannot be set by an organisation. It is only for Exchange Server" in refusal
    assert "Exchange Online takes no password" in refusal


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        (f"{MAIL}.FocussedInbox", f"{MAIL}.FocusedInbox"),
        (f"{MAIL}.focusedinbox", f"{MAIL}.FocusedInbox"),  # names are case sensitive
        ("FocusedInbox", f"{MAIL}.FocusedInbox"),
        ("Auth.Biometric", "com.microsoft.outlook.Auth.Biometric"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(name: str, nearest: str) -> None:
    assert f"Microsoft Outlook has no documented setting '{name}'. Did you mean '{nearest}'?" == _refusal(name, True)


def test_every_mistake_is_told_at_once_each_on_its_line() -> None:
    with pytest.raises(InvalidSetting) as refused:
        check_app_settings(_organisation({"FocusedInbox": True, f"{MAIL}.PlayMyEmailsEnabled": "no"}))
    assert 2 == len(str(refused.value).splitlines())


def test_an_organisation_that_sets_nothing_sets_nothing() -> None:
    assert ManagedApp("com.microsoft.office.outlook") == configured_app("outlook", _organisation({}))


def test_outlook_is_the_app_that_every_clouds_catalogue_names() -> None:
    assert {OUTLOOK.package} == {
        provider.apps["outlook-android"].store_id
        for provider in PROVIDERS.values()
        if "outlook-android" in provider.apps
    }


def test_gmail_has_the_keys_that_were_seen_and_not_the_one_that_was_not() -> None:
    gmail = app_facts("gmail")
    assert "com.google.android.gm" == gmail.package
    assert {
        "email_address": None,
        "exchange_host": None,
        "exchange_username": None,
        "exchange_ssl_required": True,
        "exchange_trust_all_certificates": False,
        "allow_unmanaged_accounts": True,
    } == {name: key.default for name, key in gmail.keys.items()}


EVIDENCE = """
source = ["https://contoso.example/"]
checked = 2026-11-23
confidence = "primary"
"""
MINIMAL = f"""name = "App"
[android]
package = "com.example.app"{EVIDENCE}
[keys."a.b"]
type = "boolean"
accepted = [true, false]
platforms = ["ios"]{EVIDENCE}"""


@pytest.mark.parametrize(
    ("ours", "theirs", "line", "reason"),
    [
        ('type = "boolean"', 'type = "bool"', 9, "cannot be 'bool'. Did you mean 'boolean'?"),
        ("accepted = [true, false]", "", 8, "and form exclude each other, and one of them is needed."),
        ("accepted = [true, false]", "accepted = []", 10, "is an empty array; at least one value was expected."),
        ("accepted = [true, false]", "accepted = [1]", 10, "and default hold 1, which is not true or false."),
        (
            "accepted = [true, false]",
            "accepted = [0.5]",
            10,
            "is a float; a string, a boolean or an integer was expected.",
        ),
        ("accepted = [true, false]", "form = 'x'\npattern = '('", 11, "is no regular expression"),
        ('platforms = ["ios"]', 'platforms = ["ios"]\ndefault = "yes"', 10, "which is not true or false."),
        ('platforms = ["ios"]', 'platforms = ["windows"]', 11, "cannot be 'windows'."),
        ('platforms = ["ios"]', 'platforms = ["ios"]\nset_by = "me"', 12, "cannot be 'me'. Known: account."),
        ('platforms = ["ios"]', 'platforms = ["ios"]\nunknown = 1', 12, "is unknown."),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_key_and_line(
    tmp_path: Path, ours: str, theirs: str, line: int, reason: str
) -> None:
    file = tmp_path / "app.toml"
    assert 1 == MINIMAL.count(ours)
    file.write_text(MINIMAL.replace(ours, theirs))
    with pytest.raises(CatalogueError) as refused:
        load_app(file)
    assert reason in refused.value.reason
    assert line == refused.value.line
    assert refused.value.key.startswith("keys.a.b")


def test_the_table_is_that_of_the_collected_facts() -> None:
    facts = json.loads(collected_facts("outlook_appconfig.json").read_text())
    values: dict[str | None, Value | None] = {
        "true": True,
        "false": False,
        "Username and Password": "Username and Password",
    }
    expected = {
        entry["key"]: ((entry["type"] or "-"), values.get(entry["default"]), entry["required"] == "Yes")
        for entry in facts["keys"] + facts["onprem_keys"]
        if "=" not in entry["key"]
    }
    names: dict[type | None, str] = {str: "String", bool: "Boolean", None: "-"}
    assert expected == {
        key.name: (names[key.stated_type], key.default, key.required is True) for key in OUTLOOK.keys.values()
    }
    assert facts["android_package"] == OUTLOOK.package

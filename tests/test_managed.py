"""Managed configuration: each form says the same, only what was set is written, and never a server or a password."""

import json
import plistlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.catalogue import app_facts
from provisioner.errors import InvalidInput, InvalidSetting
from provisioner.format import AnyoneAt, Audience, Variables
from provisioner.formats import find_format
from provisioner.managed import AppPlatform, AppSetting, Value, ios_dict, ios_key_table
from provisioner.model import Account
from provisioner.organisation import EwsAccess, Organisation
from provisioner.provisioning import Provisioner
from tests.directories import outlook_settings
from tests.documents import values_of_app
from tests.samples import ANNA, CONTOSO, NOW, PROVIDERS, contoso_context, contoso_snapshot

OFFICE365 = PROVIDERS["office365"]
ACCOUNT = "com.microsoft.outlook.EmailProfile"
ONLY_ALLOWED = "IntuneMAMAllowedAccountsOnly"
INTUNE = Variables("contoso.example", address="{{mail}}", username="{{userprincipalname}}")
ALL = ["outlook-android", "outlook-android-intune", "outlook-ios", "outlook-ios-keys", "outlook-apps"]
ALL += ["gmail-android", "gmail-android-intune", "account-exchange"]


def _write(format_id: str, subject: Account | Variables | AnyoneAt, outlook: Mapping[str, Value]) -> bytes:
    fmt = find_format(format_id)
    context = contoso_context(fmt, organisation=replace(CONTOSO, outlook=outlook))
    return fmt.render(subject, OFFICE365, context)


def _values(format_id: str, subject: Account | Variables, outlook: Mapping[str, Value]) -> dict[str, Any]:
    return values_of_app(_write(format_id, subject, outlook))


LOCAL_PARTS = st.from_regex(r"\A[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}\Z")
ACCOUNTS = st.builds(
    lambda local, upn, name: Account(f"{local}@contoso.example", username=f"{upn}@contoso.example", display_name=name),
    LOCAL_PARTS,
    LOCAL_PARTS,
    st.sampled_from(["", "R&D <x>", "Anna \u00d6"]),
)


@given(account=ACCOUNTS, outlook=outlook_settings)
def test_every_form_says_the_same_of_the_account_and_of_what_the_organisation_set(
    account: Account, outlook: dict[str, Value]
) -> None:
    keys = app_facts("outlook").keys
    for platform, forms in {
        AppPlatform.ANDROID: ["outlook-android", "outlook-android-intune"],
        AppPlatform.IOS: ["outlook-ios", "outlook-ios-keys"],
    }.items():
        device = {"managed-devices"}
        expected: dict[str, Value] = {
            name: value
            for name, value in outlook.items()
            if platform in keys[name].platforms and device & {channel.value for channel in keys[name].channels}
        }
        expected |= {
            f"{ACCOUNT}.AccountType": "ModernAuth",
            f"{ACCOUNT}.EmailAddress": account.address,
            f"{ACCOUNT}.EmailUPN": account.username,
        }
        if outlook.get(ONLY_ALLOWED) == "Enabled":
            allowed = {
                AppPlatform.IOS: "IntuneMAMUPN",
                AppPlatform.ANDROID: "com.microsoft.intune.mam.AllowedAccountUPNs",
            }
            expected[allowed[platform]] = account.username
        for form in forms:
            found = _values(form, account, outlook)
            assert expected == found
            assert [type(expected[name]) for name in sorted(expected)] == [type(found[name]) for name in sorted(found)]


@given(account=ACCOUNTS)
def test_both_forms_of_gmail_say_the_same(account: Account) -> None:
    flat = _values("gmail-android", account, {})
    assert flat == _values("gmail-android-intune", account, {})
    assert (account.address, account.username) == (flat["email_address"], flat["exchange_username"])


def test_an_mdms_variables_stand_where_the_person_would() -> None:
    expected = {
        f"{ACCOUNT}.AccountType": "ModernAuth",
        f"{ACCOUNT}.EmailAddress": "{{mail}}",
        f"{ACCOUNT}.EmailUPN": "{{userprincipalname}}",
    }
    for form in ["outlook-android", "outlook-android-intune", "outlook-ios", "outlook-ios-keys"]:
        assert expected == _values(form, INTUNE, {})


def test_intune_gets_the_app_by_its_product_id_and_each_value_by_its_type() -> None:
    document = json.loads(_write("outlook-android-intune", ANNA, {"com.microsoft.outlook.Mail.FocusedInbox": False}))
    assert ["kind", "productId", "managedProperty"] == list(document)
    assert "androidenterprise#managedConfiguration" == document["kind"]
    assert "app:com.microsoft.office.outlook" == document["productId"]
    assert {"key": "com.microsoft.outlook.Mail.FocusedInbox", "valueBool": False} in document["managedProperty"]


def test_a_dictionary_for_iphones_is_bare_and_well_formed() -> None:
    content = _write("outlook-ios", ANNA, {"com.microsoft.outlook.Mail.FocusedInbox": True})
    assert content.startswith(b"<dict>\n")
    assert content.endswith(b"</dict>\n")
    assert b"<true />" in content
    assert b"plist" not in content


def test_every_type_of_value_is_written_as_itself() -> None:
    settings = [
        AppSetting("c", "R&D <\"x'>"),
        AppSetting("a", value=True),
        AppSetting("b", 7),
        AppSetting("d", value=False),
    ]
    expected = {"a": True, "b": 7, "c": "R&D <\"x'>", "d": False}
    assert expected == plistlib.loads(b"<plist>" + ios_dict(settings) + b"</plist>")
    assert [
        {"appConfigKey": "a", "appConfigKeyType": "booleanType", "appConfigKeyValue": "true"},
        {"appConfigKey": "b", "appConfigKeyType": "integerType", "appConfigKeyValue": "7"},
        {"appConfigKey": "c", "appConfigKeyType": "stringType", "appConfigKeyValue": "R&D <\"x'>"},
        {"appConfigKey": "d", "appConfigKeyType": "booleanType", "appConfigKeyValue": "false"},
    ] == ios_key_table(settings)


def test_phones_without_an_mdm_get_what_is_for_apps_and_nobodys_account() -> None:
    outlook: dict[str, Value] = {
        "com.microsoft.outlook.ContactSync.NotesAllowed": False,
        "com.microsoft.outlook.Mail.FocusedInbox": False,
        "com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly": 0,
        ONLY_ALLOWED: "Enabled",
    }
    expected = [
        {"name": "com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly", "value": "0"},
        {"name": "com.microsoft.outlook.ContactSync.NotesAllowed", "value": "false"},
        {"name": "com.microsoft.outlook.Mail.FocusedInbox", "value": "false"},
    ]
    for subject in (ANNA, INTUNE, AnyoneAt("contoso.example")):
        assert expected == json.loads(_write("outlook-apps", subject, outlook))


def test_a_setting_for_apps_alone_is_not_handed_out_by_an_mdm() -> None:
    outlook: dict[str, Value] = {"com.microsoft.outlook.ContactSync.NotesAllowed": False}
    assert _values("outlook-android", ANNA, {}) == _values("outlook-android", ANNA, outlook)


def test_the_declarations_are_linked_and_the_person_stands_in_the_asset_alone() -> None:
    fmt = find_format("account-exchange")
    identity, exchange, activation = json.loads(fmt.render(INTUNE, OFFICE365, contoso_context(fmt)))
    assert {"EmailAddress": "{{mail}}"} == identity["Payload"]
    assert identity["Identifier"] == exchange["Payload"]["UserIdentityAssetReference"]
    assert {"StandardConfigurations": [exchange["Identifier"]]} == activation["Payload"]
    assert "{{" not in json.dumps([exchange, activation])
    for declaration in (identity, exchange, activation):
        assert 64 >= len(declaration["Identifier"])
        assert 64 >= len(declaration["ServerToken"])


@pytest.mark.parametrize(("ews", "protocols"), [(EwsAccess.ALLOWED, ["EAS", "EWS"]), (EwsAccess.BLOCKED, ["EAS"])])
def test_a_mac_gets_an_account_only_where_the_organisation_allows_ews(ews: EwsAccess, protocols: list[str]) -> None:
    """An MDM hands declarations to Macs too, and there Microsoft refuses the account; nobody would read a warning."""
    fmt = find_format("account-exchange")
    context = contoso_context(fmt)
    context = replace(context, domain=replace(context.domain, ews=ews))
    _, exchange, _ = json.loads(fmt.render(ANNA, OFFICE365, context))
    assert protocols == exchange["Payload"]["EnabledProtocolTypes"]


@pytest.mark.parametrize("name", ["Identifier", "ServerToken"])
def test_declarations_of_two_people_and_two_domains_never_collide(name: str) -> None:
    """Zentral refuses a ServerToken that another declaration has, though both say the same."""
    fmt = find_format("account-exchange")
    people = [ANNA, Account("bert@contoso.example"), INTUNE, replace(INTUNE, domain="fabrikam.example")]
    found = [part[name] for who in people for part in json.loads(fmt.render(who, OFFICE365, contoso_context(fmt)))]
    assert len(found) == len(set(found))


def _provisioner(organisation: Organisation) -> Provisioner:
    def unsigned() -> Any:
        raise AssertionError

    return Provisioner(
        providers=PROVIDERS,
        snapshot=lambda: contoso_snapshot(organisation=organisation),
        identity=unsigned,
        audit=lambda _: None,
        clock=lambda: NOW,
    )


@pytest.mark.parametrize("format_id", ALL)
def test_documents_for_administrators_are_never_signed_and_never_handed_out_by_a_link(format_id: str) -> None:
    fmt = find_format(format_id)
    assert Audience.ADMINISTRATOR is fmt.audience
    document = _provisioner(CONTOSO).issue(ANNA, fmt)
    assert not document.signed
    assert fmt.render(ANNA, OFFICE365, contoso_context(fmt)) == document.content
    assert not fmt.is_offered(contoso_snapshot().domain("contoso.example"))


def test_what_the_organisation_sets_reaches_the_document() -> None:
    organisation = replace(CONTOSO, outlook={"com.microsoft.outlook.Mail.FocusedInbox": False})
    fmt = find_format("outlook-android")
    content = json.loads(_provisioner(organisation).draft(INTUNE, fmt).content)
    assert content["com.microsoft.outlook.Mail.FocusedInbox"] is False


def test_a_wrong_app_setting_stops_that_apps_documents_and_no_other() -> None:
    provisioner = _provisioner(replace(CONTOSO, outlook={"FocusedInbox": False}))
    with pytest.raises(InvalidSetting, match=r"Did you mean 'com\.microsoft\.outlook\.Mail\.FocusedInbox'"):
        provisioner.draft(ANNA, find_format("outlook-android"))
    assert provisioner.draft(ANNA, find_format("gmail-android")).content
    assert provisioner.draft(ANNA, find_format("ios-exchange")).content


@pytest.mark.parametrize("format_id", [each for each in ALL if each != "outlook-apps"])
def test_an_account_needs_a_person_or_an_mdms_variables(format_id: str) -> None:
    with pytest.raises(InvalidInput):
        _provisioner(CONTOSO).draft(AnyoneAt("contoso.example"), find_format(format_id))

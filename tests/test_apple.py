"""Apple's profiles: what the device shows, replaces, asks and never holds."""

import dataclasses
import plistlib
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import InvalidInput
from provisioner.format import Format, Installation, Platform, Variables
from provisioner.formats import FORMATS, find_format
from provisioner.model import Account
from provisioner.organisation import SignInUrls
from provisioner.profile import MEDIA_TYPE
from tests.documents import READERS, declarations_of, payload_of
from tests.samples import ANNA, CONTOSO, PROVIDERS, contoso_context

_PROFILES = [fmt for fmt in FORMATS.values() if fmt.media_type == MEDIA_TYPE]
PROFILES = [pytest.param(fmt, id=fmt.id) for fmt in _PROFILES]
OFFICE365 = PROVIDERS["office365"]


def _profile(fmt: Format, account: Account = ANNA, **organisation: Any) -> dict[str, Any]:
    context = contoso_context(fmt, organisation=dataclasses.replace(CONTOSO, **organisation))
    profile = plistlib.loads(fmt.render(account, OFFICE365, context))
    assert isinstance(profile, dict)
    return profile


def _identity(profile: dict[str, Any]) -> tuple[str, ...]:
    payload = profile["PayloadContent"][0]
    return tuple(part[key] for part in (profile, payload) for key in ("PayloadIdentifier", "PayloadUUID"))


@pytest.mark.parametrize("fmt", PROFILES)
def test_a_profile_installed_again_replaces_itself_whatever_else_changed(fmt: Format) -> None:
    respelled = Account(ANNA.address.upper(), username="someone.else@contoso.example", display_name="Married Name")
    assert _identity(_profile(fmt)) == _identity(_profile(fmt, respelled, name="Fabrikam", id="fabrikam"))


def test_two_mailboxes_and_two_formats_never_collide() -> None:
    people = [ANNA, Account("bert@contoso.example"), Account("anna@fabrikam.example")]
    identities = [_identity(_profile(fmt, person)) for fmt in _PROFILES for person in people]
    everything = [part for identity in identities for part in identity]
    assert len(set(everything)) == len(everything)


def test_an_mdm_can_hold_the_profiles_of_all_domains_people_and_devices_side_by_side() -> None:
    # Fleet refuses a second profile of the same name or of the same identifier.
    domains = ("contoso.example", "fabrikam.example")
    everybody = [Variables(domain, address="{{mail}}", username="{{upn}}") for domain in domains]
    people = [Account(f"{name}@{domain}") for name in ("anna", "bert") for domain in domains]
    profiles = []
    for fmt in [each for each in _PROFILES if Variables in each.subjects]:
        for platform in fmt.platforms & {Platform.IPHONE, Platform.MAC}:
            context = dataclasses.replace(contoso_context(fmt), for_mdm=Installation(platform, "System"))
            profiles += [plistlib.loads(fmt.render(whom, OFFICE365, context)) for whom in (*everybody, *people)]
    names = [profile["PayloadDisplayName"] for profile in profiles]
    identities = [part for profile in profiles for part in _identity(profile)]
    assert (len(profiles), 4 * len(profiles)) == (len(set(names)), len(set(identities)))
    for whom in ("contoso.example", "anna@contoso.example"):
        assert f"Contoso & Töchter mail ({whom}, iPhone and iPad)" in names


@pytest.mark.parametrize("fmt", PROFILES)
def test_identifiers_are_derived_uuids_in_reverse_dns_style(fmt: Format) -> None:
    identifier, uuid, payload_identifier, payload_uuid = _identity(_profile(fmt))
    assert (5, 5) == (UUID(uuid).version, UUID(payload_uuid).version)
    assert f"provisioner.{fmt.id}.{uuid.lower()}" == identifier
    assert f"{identifier}.account" == payload_identifier


def test_the_derived_identifiers_never_change_between_releases() -> None:
    # A different value would give every person who re-installs a second account.
    assert "D6B415D8-9193-56A0-82EA-D6ED1EDA98ED" == _identity(_profile(find_format("ios-exchange")))[1]


@pytest.mark.parametrize(
    ("format_id", "expected"),
    [
        ("ios-exchange", 1),
        ("macos-exchange", 5),
        ("apple-imap", None),
        ("apple-pop", None),
        ("apple-declarations", None),
    ],
)
def test_a_profile_for_one_kind_of_device_says_so(format_id: str, expected: int | None) -> None:
    assert expected == _profile(find_format(format_id)).get("TargetDeviceType")


@pytest.mark.parametrize("fmt", PROFILES)
def test_what_the_install_screen_shows_comes_from_the_organisation(fmt: Format) -> None:
    profile = _profile(fmt)
    assert CONTOSO.name == profile["PayloadOrganization"] == profile["PayloadContent"][0]["PayloadOrganization"]
    assert CONTOSO.name in profile["PayloadDisplayName"]
    assert "holds no password" in profile["PayloadDescription"] or "holds no password" in str(profile)
    assert "User" == profile["PayloadScope"]
    assert not {"RemovalDate", "DurationUntilRemoval", "PayloadExpirationDate", "PayloadRemovalDisallowed"} & set(
        profile
    )


@pytest.mark.parametrize("fmt", PROFILES)
def test_consent_is_asked_only_where_the_organisation_set_a_text(fmt: Format) -> None:
    assert "ConsentText" not in _profile(fmt)
    assert {"default": "We can & will help."} == _profile(fmt, consent_text="We can & will help.")["ConsentText"]


@pytest.mark.parametrize("fmt", PROFILES)
def test_a_profile_is_an_xml_property_list_with_sorted_keys(fmt: Format) -> None:
    content = fmt.render(ANNA, OFFICE365, contoso_context(fmt))
    assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST')
    assert plistlib.dumps(plistlib.loads(content), sort_keys=True) == content


def test_exchange_on_a_phone_signs_in_with_microsoft_and_discovers_the_page_itself() -> None:
    payload = payload_of(
        find_format("ios-exchange").render(ANNA, OFFICE365, contoso_context(find_format("ios-exchange")))
    )
    settings = {key: value for key, value in payload.items() if not key.startswith("Payload")}
    assert {
        "Host": "outlook.office365.com",
        "SSL": True,
        "OAuth": True,
        "EmailAddress": ANNA.address,
        "UserName": ANNA.username,
    } == settings


@pytest.mark.parametrize(
    ("format_id", "expected"),
    [
        ("ios-exchange", {"OAuthSignInURL": "authorize", "OAuthTokenRequestURL": "token"}),
        ("macos-exchange", {"OAuthSignInURL": "authorize"}),
    ],
)
def test_the_sign_in_page_is_named_for_a_domain_whose_autodiscover_is_broken(
    format_id: str, expected: dict[str, str]
) -> None:
    fmt = find_format(format_id)
    context = contoso_context(fmt)
    context = dataclasses.replace(context, domain=dataclasses.replace(context.domain, sign_in_urls=SignInUrls.ALWAYS))
    payload = payload_of(fmt.render(ANNA, OFFICE365, context))
    urls = {key: value for key, value in payload.items() if key.startswith("OAuth") and key != "OAuth"}
    base = f"{OFFICE365.oauth.authority}/{OFFICE365.oauth.tenant}/oauth2/v2.0"
    assert {key: f"{base}/{word}" for key, word in expected.items()} == urls


def test_the_mac_profile_says_when_exchange_web_services_end() -> None:
    description = _profile(find_format("macos-exchange"))["PayloadDescription"]
    assert "2026-10-01" in description
    assert "2027-04-01" in description


@pytest.mark.parametrize("format_id", ["apple-imap", "apple-pop"])
def test_an_imap_or_pop_profile_says_that_it_cannot_sign_in_with_microsoft(format_id: str) -> None:
    description = _profile(find_format(format_id))["PayloadDescription"]
    assert "Exchange Online takes no password" in description
    assert "cannot sign in with Microsoft" in description


def test_declarations_hang_together_and_change_their_token_only_with_their_content() -> None:
    fmt = find_format("apple-declarations")
    first = declarations_of(fmt.render(ANNA, OFFICE365, contoso_context(fmt)))
    identity, exchange, activation = first
    assert identity["Identifier"] == exchange["Payload"]["UserIdentityAssetReference"]
    assert [exchange["Identifier"]] == activation["Payload"]["StandardConfigurations"]
    assert all(64 >= len(part[key]) for part in first for key in ("Identifier", "ServerToken"))
    renamed = declarations_of(
        fmt.render(dataclasses.replace(ANNA, display_name="Anna"), OFFICE365, contoso_context(fmt))
    )
    assert [True, False, False] == [a["ServerToken"] != b["ServerToken"] for a, b in zip(first, renamed, strict=True)]
    assert [part["Identifier"] for part in first] == [part["Identifier"] for part in renamed]


def test_declarations_say_whom_to_sign_in_as_where_that_is_not_the_address() -> None:
    fmt = find_format("apple-declarations")
    assert f"Sign in as {ANNA.username}." in _profile(fmt)["PayloadDescription"]
    assert "Sign in as" not in _profile(fmt, Account(ANNA.address))["PayloadDescription"]


def test_a_declaration_names_the_sign_in_page_of_a_sovereign_cloud() -> None:
    fmt = find_format("apple-declarations")
    provider = PROVIDERS["office365-china"]
    exchange = declarations_of(fmt.render(ANNA, provider, contoso_context(fmt, provider.id)))[1]["Payload"]
    assert {"Enabled": True, "SignInURL": provider.oauth.authorize_url} == exchange["OAuth"]


_LOCAL = st.text(alphabet="abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=64)
_ADDRESSES = st.one_of(_LOCAL.map(lambda local: f"{local}@contoso.example"), st.text(max_size=80), st.emails())


@given(address=_ADDRESSES, username=st.one_of(st.just(""), _ADDRESSES), name=st.text(max_size=300))
def test_every_document_parses_back_to_the_input_or_the_input_is_refused(
    address: str, username: str, name: str
) -> None:
    try:
        account = Account(address, username=username, display_name=name)
    except InvalidInput:
        return
    for fmt in _PROFILES:
        reading = READERS[fmt.media_type](fmt.render(account, OFFICE365, contoso_context(fmt)))
        assert account.address == reading.address
        assert reading.display_name in (None, account.shown_name)
        assert {claim.username for claim in reading.claims} <= {account.username, ""}


@given(name=st.text(max_size=120), consent=st.text(max_size=200))
def test_an_organisations_name_and_consent_arrive_as_they_are_or_are_refused(name: str, consent: str) -> None:
    try:
        organisation = dataclasses.replace(CONTOSO, name=name, consent_text=consent)
    except InvalidInput:
        return
    for fmt in _PROFILES:
        content = fmt.render(ANNA, OFFICE365, contoso_context(fmt, organisation=organisation))
        profile = plistlib.loads(content)
        assert organisation.name == profile["PayloadOrganization"]
        assert organisation.consent_text == profile.get("ConsentText", {}).get("default", "")

"""Settings that documents are made with are valid as soon as they exist; a format is offered only where it is meant."""

import dataclasses
from typing import Any

import pytest

from provisioner.errors import InvalidDomain, InvalidSetting, MissingService, UnknownFormat
from provisioner.format import Audience
from provisioner.formats import FORMATS, find_format
from provisioner.organisation import Domain, EwsAccess, Kind, Organisation, SignInUrls
from tests.samples import CONTOSO, PROVIDERS, contoso_context, contoso_domain

OF_NO_KIND = {"thunderbird-qr", "instructions"}


def test_a_domain_offers_exchange_alone_unless_told_otherwise() -> None:
    domain = Domain(name="Contoso.Example.", organisation_id="contoso", provider_id="office365")
    assert "contoso.example" == domain.name
    assert (Kind.EXCHANGE,) == domain.account_kinds
    offered = {fmt.id for fmt in FORMATS.values() if fmt.is_offered(domain)}
    assert {"ios-exchange", "apple-declarations", *OF_NO_KIND} == offered


def test_a_mac_profile_is_offered_only_where_ews_is_allowed() -> None:
    mac = find_format("macos-exchange")
    assert mac.is_offered(contoso_domain())
    assert not mac.is_offered(dataclasses.replace(contoso_domain(), ews=EwsAccess.BLOCKED))


def test_imap_and_pop_are_offered_only_where_the_domain_names_them() -> None:
    domain = dataclasses.replace(contoso_domain(), account_kinds=(Kind.POP, Kind.IMAP))
    assert (Kind.IMAP, Kind.POP) == domain.account_kinds
    assert {"apple-imap", "apple-pop", *OF_NO_KIND} == {fmt.id for fmt in FORMATS.values() if fmt.is_offered(domain)}


@pytest.mark.parametrize("kind", Kind)
def test_what_sets_up_no_account_by_itself_is_offered_to_everybody_and_counts_no_device(kind: Kind) -> None:
    domain = dataclasses.replace(contoso_domain(), account_kinds=(kind,))
    assert OF_NO_KIND <= {fmt.id for fmt in FORMATS.values() if fmt.is_offered(domain)}
    assert OF_NO_KIND == {fmt.id for fmt in FORMATS.values() if not fmt.counts_device}


def test_what_is_not_for_people_is_never_handed_out_by_a_link() -> None:
    for audience in (Audience.CLIENT, Audience.ADMINISTRATOR):
        fmt = dataclasses.replace(find_format("ios-exchange"), audience=audience)
        assert not fmt.is_offered(contoso_domain())


def test_a_domain_without_any_kind_of_account_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="account_kinds"):
        dataclasses.replace(contoso_domain(), account_kinds=())


def test_a_domain_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidDomain):
        Domain(name="contoso", organisation_id="contoso", provider_id="office365")


@pytest.mark.parametrize("identifier", ["", "Contoso", "con toso", "-contoso", "contoso-", "ä", "a" * 65, "a\n"])
def test_an_organisation_id_is_a_short_plain_word(identifier: str) -> None:
    with pytest.raises(InvalidSetting, match="organisation id"):
        Organisation(id=identifier, name="Contoso")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "  "}, "organisation name is empty"),
        ({"name": "a" * 101}, "longer than 100"),
        ({"name": "Con\x00toso"}, "organisation name holds a control character"),
        ({"support_contact": "a\nb"}, "support contact holds a line break"),
        ({"consent_text": "a" * 2001}, "consent text is longer than 2000"),
    ],
)
def test_an_organisations_texts_are_checked(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        dataclasses.replace(CONTOSO, **change)


def test_a_format_names_what_the_provider_lacks() -> None:
    with pytest.raises(MissingService, match="'ios-exchange' needs activesync, and the provider 'outlook-com'"):
        find_format("ios-exchange").require(PROVIDERS["outlook-com"])
    find_format("apple-imap").require(PROVIDERS["outlook-com"])


def test_an_unknown_format_suggests_the_nearest() -> None:
    with pytest.raises(UnknownFormat, match="Did you mean 'ios-exchange'"):
        find_format("ios-exchang")


@pytest.mark.parametrize(
    ("provider_id", "choice", "expected"),
    [
        ("office365", SignInUrls.AUTO, False),
        ("office365-gcc-high", SignInUrls.AUTO, True),
        ("office365", SignInUrls.ALWAYS, True),
        ("office365-gcc-high", SignInUrls.NEVER, False),
    ],
)
def test_the_sign_in_page_is_named_where_a_device_cannot_discover_it(
    provider_id: str, choice: SignInUrls, *, expected: bool
) -> None:
    context = contoso_context(find_format("ios-exchange"), provider_id)
    context = dataclasses.replace(context, domain=dataclasses.replace(context.domain, sign_in_urls=choice))
    assert expected == context.names_sign_in_page(PROVIDERS[provider_id])

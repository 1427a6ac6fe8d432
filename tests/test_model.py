"""An account is valid as soon as it exists; a provider has what is confirmed and nothing else."""

import pytest

from provisioner.errors import InvalidAddress, InvalidDisplayName, InvalidSetting, InvalidUsername
from provisioner.model import Account, ConnectionSecurity, Service, is_visible
from provisioner.organisation import Organisation
from tests.samples import PROVIDERS


def test_the_username_defaults_to_the_address() -> None:
    assert "Anna@contoso.example" == Account("Anna@CONTOSO.example").username
    assert "Anna@contoso.example" == Account("Anna@contoso.example", username="  ").username


def test_the_username_is_a_user_principal_name_of_its_own() -> None:
    assert "a.neil@contoso.local" == Account("anna@contoso.example", username=" a.neil@CONTOSO.local ").username


def test_a_windows_logon_name_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(InvalidUsername, match="full user principal name"):
        Account("anna@contoso.example", username="CONTOSO\\anna")


def test_a_username_without_a_domain_is_refused() -> None:
    with pytest.raises(InvalidUsername, match="no @"):
        Account("anna@contoso.example", username="anna")


def test_a_bad_address_is_refused_at_once() -> None:
    with pytest.raises(InvalidAddress):
        Account("anna")


def test_the_display_name_is_kept_but_for_outer_blanks() -> None:
    assert "Anna O'Neil" == Account("anna@contoso.example", display_name=" Anna O'Neil ").display_name
    assert 256 == len(Account("anna@contoso.example", display_name="ä" * 256).display_name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("Anna\x00", "U\\+0000"), ("Anna\nNeil", "line break"), ("Anna\u202e", "reading direction"), ("a" * 257, "256")],
)
def test_a_display_name_that_no_document_can_hold_is_refused(name: str, reason: str) -> None:
    with pytest.raises(InvalidDisplayName, match=reason):
        Account("anna@contoso.example", display_name=name)


@pytest.mark.parametrize("character", "\u200b\u2063\u3164\u115f\u1160\uffa0\u2800\u00a0\u0301")
def test_a_name_that_nobody_sees_is_refused(character: str) -> None:
    for name in (character, f"a{character}", character * 3):
        assert is_visible(name) == ("a" in name)
    with pytest.raises(InvalidDisplayName, match="no visible character"):
        Account("anna@contoso.example", display_name=f"\u2063{character}\u2063")
    with pytest.raises(InvalidSetting, match="The organisation name holds no visible character"):
        Organisation("contoso", name=f"\u2063{character}\u2063")
    assert f"Anna{character}Neil" == Organisation("contoso", name=f"Anna{character}Neil").name


def test_a_person_without_a_name_is_shown_by_address() -> None:
    assert "anna@contoso.example" == Account("anna@contoso.example").shown_name
    assert "Anna" == Account("anna@contoso.example", display_name="Anna").shown_name


def test_two_spellings_of_one_mailbox_are_one_person() -> None:
    assert Account("ANNA@contoso.example").key == Account("anna@CONTOSO.example").key
    assert "contoso.example" == Account("anna@CONTOSO.example").domain


def test_no_security_is_plaintext() -> None:
    assert {"implicit-tls", "starttls"} == {security.value for security in ConnectionSecurity}


def test_a_consumer_provider_has_no_service_that_is_not_confirmed() -> None:
    consumer = PROVIDERS["outlook-com"]
    assert {Service.IMAP, Service.POP3, Service.SUBMISSION, Service.OAUTH} == consumer.services


def test_the_sign_in_urls_are_made_of_authority_and_tenant() -> None:
    oauth = PROVIDERS["office365"].oauth
    assert f"{oauth.authority}/{oauth.tenant}/oauth2/v2.0/authorize" == oauth.authorize_url
    assert f"{oauth.authority}/{oauth.tenant}/oauth2/v2.0/token" == oauth.token_url

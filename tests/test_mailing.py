"""From the settings of sending to the mail server: what fits together works, what does not says what to set."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.config import Settings, load_configuration
from provisioner.errors import ConfigurationError
from provisioner.mailing import choose_relay, choose_sender
from provisioner.model import ConnectionSecurity
from provisioner.sending import Fate, Password, Relay, RelayLine, Sender, Token
from tests import pki
from tests.mailservers import mail_server
from tests.samples import PROVIDERS
from tests.tlsservers import HOST, authority_file
from tests.tokenservers import token_server

FROM = "it-help@contoso.example"
APPLICATION = {"smtp_tenant": "contoso.example", "smtp_client_id": "1111-2222"}
WITH_SECRET = APPLICATION | {"smtp_client_secret": "s3cr3t"}


def settings(**given: str) -> Settings:
    values = {"smtp_from": FROM, "public_url": "https://setup.contoso.example"} | given
    environ = {f"PROVISIONER_{name.upper()}": value for name, value in values.items()}
    return load_configuration(file=None, environ=environ, overrides={}).settings


def relay(**given: str) -> Relay:
    return choose_relay(settings(**given), PROVIDERS)


def refusal(**given: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        relay(**given)
    return str(caught.value)


@pytest.mark.parametrize("provider_id", [name for name, each in PROVIDERS.items() if each.submission])
def test_the_clouds_own_mail_server_is_the_usual_one(provider_id: str) -> None:
    submission = PROVIDERS[provider_id].submission
    assert submission is not None
    chosen = relay(smtp_provider=provider_id, smtp_password="x")
    assert (submission.hostname, submission.port, ConnectionSecurity.STARTTLS) == (
        chosen.host, chosen.port, chosen.security,
    )  # fmt: skip


def test_a_password_signs_in_as_the_sender_or_as_another_mailbox() -> None:
    assert Password(FROM, "x") == relay(smtp_password="x").sign_in
    assert Password("robot", "x") == relay(smtp_password="x", smtp_username="robot").sign_in


def test_a_mail_server_of_ones_own_may_know_this_machine() -> None:
    assert relay(smtp_host="mail.contoso.example").sign_in is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "Nothing is set to sign in to the mail server with. For OAuth2, set PROVISIONER_SMTP_TENANT"),
        ({"smtp_host": "h.example", "smtp_username": "u"}, "Nothing is set to sign in to the mail server with."),
        (WITH_SECRET | {"smtp_password": "x"}, "smtp_password and smtp_tenant are both set"),
        ({"smtp_client_id": "1"}, "smtp_tenant is needed too. Set PROVISIONER_SMTP_TENANT."),
        ({"smtp_tenant": "t.example"}, "smtp_client_id is needed too. Set PROVISIONER_SMTP_CLIENT_ID."),
        (APPLICATION, "either its secret or its certificate is needed"),
        (WITH_SECRET | {"smtp_client_certificate": "/nowhere.pem"}, "and not both"),
        (APPLICATION | {"smtp_client_certificate": "/nowhere.pem"}, "The client certificate /nowhere.pem cannot be"),
        (WITH_SECRET | {"smtp_provider": "office365-dod"}, "set PROVISIONER_SMTP_SCOPE"),
        ({"smtp_password": "x", "smtp_security": "tls"}, "is spoken to by tls. Set PROVISIONER_SMTP_HOST"),
        ({"smtp_password": "pässword"}, "may hold ASCII characters only"),
        ({"smtp_password": "x", "smtp_ca_file": "/nowhere.pem"}, "smtp_ca_file cannot be used"),
    ],
)
def test_settings_that_do_not_fit_together_say_what_to_set(given: Mapping[str, str], expected: str) -> None:
    said = refusal(**given)
    assert expected in said
    for secret in ("s3cr3t", "pässword"):
        assert secret not in said


def test_a_file_that_is_no_authority_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    assert "cannot be used: it holds no certificate as PEM." in refusal(
        smtp_password="x", smtp_ca_file=str(tmp_path / "ca.pem")
    )


def test_without_a_sender_nothing_is_sent() -> None:
    with pytest.raises(ConfigurationError, match="Set PROVISIONER_SMTP_FROM"):
        choose_sender(settings(smtp_from=""))
    assert Sender(FROM, "IT help") == choose_sender(settings(smtp_from_name="IT help"))


@pytest.mark.parametrize(
    ("public_url", "name"),
    [
        ("https://setup.contoso.example:8443", "setup.contoso.example"),
        ("http://127.0.0.1:8080", "[127.0.0.1]"),
        ("http://[::1]:8080", "[IPv6:::1]"),
        ("", "localhost"),
    ],
)
def test_this_machine_is_named_by_the_public_url(public_url: str, name: str) -> None:
    assert name == relay(public_url=public_url, smtp_password="x").own_name


@pytest.mark.parametrize("with_certificate", [False, True], ids=["secret", "certificate"])
def test_an_application_signs_in_and_sends_as_at_exchange_online(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, with_certificate: bool
) -> None:
    """From the settings to the mail: the token server and the mail server check all that the real ones check."""
    authority = authority_file(tmp_path)
    monkeypatch.setenv("NO_PROXY", HOST)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    certified = pki.make_root("Application", key=pki.rsa_key(number=7))
    pki.replace_file(tmp_path / "app.pem", pki.key_pem(certified.key) + pki.certificates_pem(certified.certificate))
    office365 = PROVIDERS["office365"]
    how: dict[str, Any] = {"certificate": certified.certificate} if with_certificate else {}
    with (
        token_server(scope=office365.oauth.scopes["smtp_app"], **how) as tokens,
        mail_server(tokens={"token 1": FROM}, mechanisms=frozenset({"LOGIN", "XOAUTH2"})) as mails,
    ):
        here = replace(office365, oauth=replace(office365.oauth, authority=tokens.authority))
        chosen = choose_relay(
            settings(
                smtp_tenant=tokens.tenant,
                smtp_client_id=tokens.client_id,
                smtp_host=mails.host,
                smtp_port=str(mails.port),
                smtp_ca_file=str(authority),
                **(
                    {"smtp_client_certificate": str(tmp_path / "app.pem")}
                    if with_certificate
                    else {"smtp_client_secret": tokens.secret}
                ),
            ),
            {"office365": here},
        )
        assert isinstance(chosen.sign_in, Token)
        line = RelayLine(chosen)
        outcome = line.deliver(b"Subject: x\r\n\r\nx\r\n", sender=FROM, recipient="anna@contoso.example")
        line.close()
    assert Fate.SENT is outcome.fate
    assert [FROM] == [each.username for each in mails.received]

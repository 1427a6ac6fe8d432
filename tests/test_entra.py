"""Signing in as an application: against a token server that checks everything that the real one checks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.entra import AppToken, ClientCertificate, ClientCredential, load_client_certificate
from provisioner.errors import ConfigurationError, SignInError, SignInRefused, SignInUnavailable
from tests import pki
from tests.demonstration import free_port
from tests.tlsservers import HOST, authority_file
from tests.tokenservers import TokenServer, token_server


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _known_to_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL's HTTP library trusts the token server, and asks no proxy for it."""
    monkeypatch.setenv("NO_PROXY", HOST)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority_file(tmp_path)))


def application(server: TokenServer, *, credential: ClientCredential | None = None, **changes: str) -> AppToken:
    """The application that ``server`` knows, unless ``changes`` make it another."""
    right = {
        "authority": server.authority, "tenant": server.tenant, "client_id": server.client_id, "scope": server.scope,
    }  # fmt: skip
    return AppToken(**right | changes, credential=credential or server.secret)


def test_a_secret_gives_a_token(server: TokenServer) -> None:
    assert "token 1" == application(server).current()
    (asked,) = server.asked
    assert ("client_credentials", server.client_id, server.scope, server.secret) == tuple(
        asked[name] for name in ("grant_type", "client_id", "scope", "client_secret")
    )
    assert [f"/{server.tenant}/v2.0/.well-known/openid-configuration"] == server.discovered


def test_a_token_that_is_good_for_long_is_asked_for_once(server: TokenServer) -> None:
    token = application(server)
    assert ["token 1"] * 3 == [token.current() for _ in range(3)]
    assert 1 == len(server.asked)


def test_a_token_is_renewed_before_its_end(server: TokenServer) -> None:
    server.lifetime = 299  # less than five minutes
    token = application(server)
    assert ["token 1", "token 2"] == [token.current(), token.current()]


@pytest.fixture
def certificate_file(tmp_path: Path) -> Path:
    return write_certificate(tmp_path / "application.pem", pki.make_root("Application", key=pki.rsa_key(number=7)))


def write_certificate(file: Path, certified: pki.Certified, *, passphrase: str | None = None) -> Path:
    key = pki.key_pem(certified.key, passphrase=passphrase)
    pki.replace_file(file, key + pki.certificates_pem(certified.certificate))
    return file


def test_a_certificate_gives_a_token_and_its_key_never_leaves(tmp_path: Path) -> None:
    certified = pki.make_root("Application", key=pki.rsa_key(number=7))
    credential = load_client_certificate(write_certificate(tmp_path / "application.pem", certified))
    with token_server(certificate=certified.certificate) as server:
        assert "token 1" == application(server, credential=credential).current()
        (asked,) = server.asked
    assert "PRIVATE" not in str(asked)
    assert "private_key" not in repr(credential)


def test_another_certificate_is_refused(certificate_file: Path) -> None:
    registered = pki.make_root("Application", key=pki.rsa_key(number=8))
    with token_server(certificate=registered.certificate) as server:
        token = application(server, credential=load_client_certificate(certificate_file))
        with pytest.raises(SignInRefused, match=r"AADSTS700027: .* not registered"):
            token.current()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"credential": "another~secret"}, "AADSTS7000215"),
        ({"client_id": "99999999-2222-3333-4444-555555555555"}, "AADSTS700016"),
        ({"scope": "https://graph.example/.default"}, "AADSTS70011"),
    ],
)
def test_a_refusal_says_entras_first_line_and_never_the_secret(
    server: TokenServer, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(SignInRefused) as refusal:
        application(server, **changes).current()
    text = str(refusal.value)
    assert f": '{code}: " in text
    assert "Trace ID" not in text
    for secret in (server.secret, "another~secret"):
        assert secret not in text


def test_a_tenant_that_does_not_exist_is_told(server: TokenServer) -> None:
    with pytest.raises(SignInRefused, match=r"/nowhere is not known at Microsoft\. Set the tenant"):
        application(server, tenant="nowhere").current()


@pytest.mark.parametrize(
    "answer",
    [
        (503, "{}"),
        (200, "<html>Sign in to this hotel's network</html>"),
        (400, '{"error": "temporarily_unavailable", "error_description": "AADSTS90033: later"}'),
    ],
)
def test_trouble_at_the_other_end_may_pass(server: TokenServer, answer: tuple[int, str]) -> None:
    server.answers.append(answer)
    token = application(server)
    with pytest.raises(SignInUnavailable):
        token.current()
    assert "token 2" == application(server).current()


@pytest.mark.parametrize(
    "answer",
    [
        (200, "[]"),
        (200, "null"),
        (200, '"token"'),
        (401, "[1]"),
        (200, '{"access_token": "t", "expires_in": null}'),
        (200, '{"access_token": "t", "expires_in": 3600, "scope": 5}'),
    ],
)
def test_json_of_another_shape_is_no_answer_of_microsofts(server: TokenServer, answer: tuple[int, str]) -> None:
    server.answers.append(answer)
    with pytest.raises(SignInUnavailable, match="is not Microsoft's sign-in"):
        application(server).current()


@pytest.mark.parametrize("description", [{}, [], None, {"authorization_endpoint": "x", "token_endpoint": 5}])
def test_neither_is_a_tenant_that_is_described_in_another_shape(server: TokenServer, description: object) -> None:
    server.descriptions.append(description)
    with pytest.raises(SignInUnavailable, match="is not Microsoft's sign-in"):
        application(server).current()


@pytest.mark.parametrize("token", ['""', "5", '"t\\u00f6k"', '"to\\nken"'])
def test_what_no_token_can_be_is_none(server: TokenServer, token: str) -> None:
    server.answers.append((200, f'{{"access_token": {token}, "expires_in": 3600}}'))
    with pytest.raises(SignInRefused):
        application(server).current()


def test_a_server_that_is_not_there_may_be_there_later() -> None:
    nobody = TokenServer(authority=f"https://{HOST}:{free_port()}")
    with pytest.raises(SignInUnavailable, match="does not answer"):
        application(nobody).current()


def test_a_server_of_an_unknown_authority_is_told_nothing(server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(SignInError, match="SSLError"):
        application(server).current()
    assert ([], []) == (server.asked, server.discovered)


def test_a_certificate_file_is_certificate_and_key(certificate_file: Path) -> None:
    loaded = load_client_certificate(certificate_file)
    assert isinstance(loaded, ClientCertificate)
    assert loaded.certificate.startswith("-----BEGIN CERTIFICATE-----")


def _open_to_all(file: Path) -> None:
    file.chmod(0o644)


def _without_key(file: Path) -> None:
    file.write_bytes(pki.certificates_pem(pki.make_root("x").certificate))


def _of_another_key(file: Path) -> None:
    certificate = pki.make_root("x", key=pki.rsa_key(number=8)).certificate
    file.write_bytes(pki.key_pem(pki.rsa_key(number=7)) + pki.certificates_pem(certificate))


def _of_an_elliptic_curve(file: Path) -> None:
    write_certificate(file, pki.make_root("x"))


def _with_a_passphrase(file: Path) -> None:
    write_certificate(file, pki.make_root("x", key=pki.rsa_key(number=7)), passphrase="x")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "cannot be read: No such file or directory"),
        (_open_to_all, r"is open to other users of this machine \(mode 0644\)\. Close it with: chmod 600"),
        (_without_key, "must hold one certificate and its private key without a passphrase"),
        (_with_a_passphrase, "must hold one certificate and its private key without a passphrase"),
        (_of_another_key, "must be the RSA key of the certificate beside it"),
        (_of_an_elliptic_curve, "must be the RSA key of the certificate beside it"),
    ],
)
def test_a_certificate_file_that_cannot_be_used_is_refused_with_the_reason(
    certificate_file: Path, spoil: object, reason: str
) -> None:
    assert callable(spoil)
    spoil(certificate_file)
    with pytest.raises(ConfigurationError, match=reason):
        load_client_certificate(certificate_file)

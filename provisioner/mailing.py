"""Puts the pieces of sending together: from the settings to the mail server and who the mails come from.

The settings of sending are checked against each other here, before the first mail: a contradiction or a gap is told
with what to set.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from ssl import SSLContext, SSLError, create_default_context
from urllib.parse import urlsplit

from provisioner.catalogue import find_provider
from provisioner.config import Settings
from provisioner.entra import AppToken, ClientCredential, load_client_certificate
from provisioner.errors import ConfigurationError
from provisioner.model import ConnectionSecurity, MailProvider
from provisioner.sending import Password, Relay, Sender, Token

_SECURITIES = {"starttls": ConnectionSecurity.STARTTLS, "tls": ConnectionSecurity.IMPLICIT_TLS}
_APPLICATION = ("smtp_tenant", "smtp_client_id", "smtp_client_secret", "smtp_client_certificate")


def choose_sender(settings: Settings) -> Sender:
    """Who the mails come from. Raises ConfigurationError where that is not set."""
    if not settings.smtp_from:
        raise ConfigurationError(
            "There is no address for the mails to come from. Set PROVISIONER_SMTP_FROM (or smtp_from in the "
            "configuration file), such as it-help@contoso.com."
        )
    return Sender(settings.smtp_from, settings.smtp_from_name)


def choose_relay(settings: Settings, providers: Mapping[str, MailProvider]) -> Relay:
    """The mail server and how this service signs in there; contacts nothing yet.

    Raises ConfigurationError where settings are missing or contradict each other, and UnknownProvider.
    """
    provider = find_provider(providers, settings.smtp_provider)
    submission = provider.submission
    host = settings.smtp_host or (submission.hostname if submission else "")
    security = _SECURITIES[settings.smtp_security]
    port = settings.smtp_port or (submission.port if submission and submission.security is security else None)
    if not host or port is None:
        raise ConfigurationError(
            f"The catalogue has no mail server of {provider.name} that is spoken to by {settings.smtp_security}. Set "
            "PROVISIONER_SMTP_HOST and PROVISIONER_SMTP_PORT, or another PROVISIONER_SMTP_SECURITY."
        )
    return Relay(
        host=host,
        port=port,
        security=security,
        tls=_tls(settings),
        sign_in=_sign_in(settings, provider),
        own_name=_own_name(settings.public_url),
    )


def _sign_in(settings: Settings, provider: MailProvider) -> Password | Token | None:
    username = settings.smtp_username or settings.smtp_from
    application = [name for name in _APPLICATION if getattr(settings, name)]
    if settings.smtp_password and application:
        raise ConfigurationError(
            f"smtp_password and {application[0]} are both set: the mail server is signed in to with a password or as "
            "an application. Remove one of the two."
        )
    if settings.smtp_password:
        return _password(username, settings.smtp_password.get_secret_value())
    if application:
        return Token(username, _access(settings, provider))
    if settings.smtp_username or not settings.smtp_host:
        raise ConfigurationError(
            "Nothing is set to sign in to the mail server with. For OAuth2, set PROVISIONER_SMTP_TENANT, "
            "PROVISIONER_SMTP_CLIENT_ID and PROVISIONER_SMTP_CLIENT_SECRET (or PROVISIONER_SMTP_CLIENT_CERTIFICATE); "
            "else PROVISIONER_SMTP_PASSWORD, or PROVISIONER_SMTP_HOST alone for a mail server that knows this machine."
        )
    return None


def _password(username: str, password: str) -> Password:
    if not (username.isascii() and password.isascii()):
        raise ConfigurationError("User name and password of the mail server may hold ASCII characters only.")
    return Password(username, password)


def _access(settings: Settings, provider: MailProvider) -> Callable[[], str]:
    """Asks for the application's access token."""
    for name in ("smtp_tenant", "smtp_client_id"):
        if not getattr(settings, name):
            raise ConfigurationError(
                f"To sign in to the mail server as an application, {name} is needed too. Set "
                f"PROVISIONER_{name.upper()}."
            )
    scope = settings.smtp_scope or provider.oauth.scopes.get("smtp_app", "")
    if not scope:
        raise ConfigurationError(
            f"No source confirms the scope that an application needs to send mail at {provider.name}. If you know it, "
            "set PROVISIONER_SMTP_SCOPE."
        )
    return AppToken(
        authority=provider.oauth.authority,
        tenant=settings.smtp_tenant,
        client_id=settings.smtp_client_id,
        credential=_credential(settings),
        scope=scope,
    ).current


def _credential(settings: Settings) -> ClientCredential:
    secret, certificate = settings.smtp_client_secret, settings.smtp_client_certificate
    if bool(secret) == bool(certificate):
        raise ConfigurationError(
            "To sign in to the mail server as an application, either its secret or its certificate is needed. Set "
            "PROVISIONER_SMTP_CLIENT_SECRET_FILE or PROVISIONER_SMTP_CLIENT_CERTIFICATE, and not both."
        )
    if certificate:
        return load_client_certificate(certificate)
    assert secret is not None
    return secret.get_secret_value()


def _tls(settings: Settings) -> SSLContext:
    file = settings.smtp_ca_file
    try:
        return create_default_context(cafile=file)
    except OSError as failure:
        reason = "it holds no certificate as PEM" if isinstance(failure, SSLError) else failure.strerror
        raise ConfigurationError(f"The file {file} of smtp_ca_file cannot be used: {reason}.") from None


def _own_name(public_url: str) -> str:
    """The name of the public URL as EHLO says it; an address in brackets (RFC 5321 section 4.1.3)."""
    name = urlsplit(public_url).hostname or "localhost"
    try:
        address = ip_address(name)
    except ValueError:
        return name
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"

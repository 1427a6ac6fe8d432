"""What a person types into any mail app: for each service its server, port, encryption, sign-in method and user name.

The facts are the catalogue's, for people to read: on the setup page and in the plain text of ``instructions``.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from provisioner.model import Account, Authentication, ConnectionSecurity, MailProvider, MailServer, Service, WebService

_HTTPS = 443  # RFC 9110 section 4.2.2, where a URL names no port


@dataclass(frozen=True, slots=True)
class ManualServer:
    """One row of the table of manual settings."""

    service: Service  # Exchange ActiveSync, IMAP, POP3 or submission
    hostname: str
    port: int
    security: ConnectionSecurity
    authentication: Authentication
    username: str


def manual_servers(account: Account, provider: MailProvider) -> tuple[ManualServer, ...]:
    """The rows for ``account``: Exchange, IMAP, POP and SMTP, in this order, each where ``provider`` has it."""
    mail = tuple(_mail_row(account, server) for server in provider.servers)
    return mail if provider.activesync is None else (_exchange_row(account, provider.activesync), *mail)


def _exchange_row(account: Account, service: WebService) -> ManualServer:
    return ManualServer(
        service=Service.ACTIVESYNC,
        hostname=service.hostname,
        port=urlsplit(service.url).port or _HTTPS,
        security=ConnectionSecurity.IMPLICIT_TLS,  # https
        authentication=Authentication.OAUTH2,  # the clouds take no password on ActiveSync
        username=account.username,
    )


def _mail_row(account: Account, server: MailServer) -> ManualServer:
    return ManualServer(
        service=Service(server.protocol.value),
        hostname=server.hostname,
        port=server.port,
        security=server.security,
        authentication=server.authentication[0],
        username=account.username,
    )

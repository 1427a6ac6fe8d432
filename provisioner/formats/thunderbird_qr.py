"""The QR code that sets a whole account up in Thunderbird for Android: the person scans it and signs in with Microsoft.

The payload of Thunderbird's "Export for Mobile" QR code, format version 1 (thunderbird-android,
feature/migration/qrcode/qr-code-format.md, specification version 1 of 2025-02-06): nested JSON arrays without names.
It holds no password, and no account name, which is the address where it is left out.
"""

import json

from provisioner.format import Audience, Context, Format
from provisioner.model import Account, Authentication, ConnectionSecurity, MailProvider, MailServer, Protocol, Service

_FORMAT_VERSION = 1
_ONE_OF_ONE = [1, 1]  # SequenceNumber and SequenceEnd
_PROTOCOL = {Protocol.IMAP: 0, Protocol.SUBMISSION: 0}  # IncomingProtocol and OutgoingProtocol
_CONNECTION_SECURITY = {ConnectionSecurity.STARTTLS: 2, ConnectionSecurity.IMPLICIT_TLS: 3}
_AUTHENTICATION_TYPE = {Authentication.PASSWORD: 1, Authentication.OAUTH2: 6}
_MAX_OCTETS = 271  # a QR code of version 10 and level L (ISO/IEC 18004 table 7); larger ones are hard to scan


def _render(account: Account, provider: MailProvider, context: Context) -> bytes:  # noqa: ARG001  # as every format
    """With the display name where the code stays small enough to scan, otherwise with an empty one."""
    whole = _write(account, provider, display_name=account.display_name)
    return whole if len(whole) <= _MAX_OCTETS else _write(account, provider, display_name="")


def _write(account: Account, provider: MailProvider, *, display_name: str) -> bytes:
    assert provider.imap is not None  # declared in needs
    assert provider.submission is not None
    identity = [account.address, display_name]
    outgoing = [_server(provider.submission, account), identity]
    payload = [_FORMAT_VERSION, _ONE_OF_ONE, _server(provider.imap, account), [outgoing]]
    # In ASCII alone (RFC 8259 section 7): a QR code does not say its encoding, and scanners guess.
    return json.dumps(payload, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _server(server: MailServer, account: Account) -> list[int | str]:
    return [
        _PROTOCOL[server.protocol],
        server.hostname,
        server.port,
        _CONNECTION_SECURITY[server.security],
        _AUTHENTICATION_TYPE[server.authentication[0]],
        account.username,
    ]


FORMAT = Format(
    id="thunderbird-qr",
    title="Thunderbird for Android, as a QR code's content",
    media_type="application/json",
    suffix="json",
    audience=Audience.PERSON,
    needs=frozenset({Service.IMAP, Service.SUBMISSION, Service.OAUTH}),
    signed=False,
    render=_render,
    counts_device=False,
)

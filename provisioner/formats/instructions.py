"""Manual settings for any mail app, as plain text to read, print or paste into a message.

One block for each service, one line for each thing an app asks for; in the person's language, except what an app wants
to the letter. Plain text in UTF-8 (RFC 2046 section 4.1, format "fixed" of RFC 3676: readers wrap it).
"""

from collections.abc import Iterator

from provisioner.format import TEXT, Audience, Context, Format
from provisioner.manual import ManualServer, manual_servers
from provisioner.model import Account, Authentication, ConnectionSecurity, MailProvider, Service

_TEXTS = {
    "title": "{organisation}: mail settings for {address}",
    "choose": (
        "Choose an app that opens Microsoft's own sign-in page. An app that only asks for your password cannot work: "
        "these servers let you in by that page. Type everything else exactly as it stands here."
    ),
    "exchange": "Exchange (mail, calendar and contacts)",
    "imap": "IMAP (receiving mail)",
    "pop3": "POP (receiving mail)",
    "submission": "SMTP (sending mail)",
    "server": "Server",
    "port": "Port",
    "encryption": "Encryption",
    "sign_in": "Sign-in method",
    "username": "User name",
    "oauth2": "OAuth2 (Microsoft's sign-in page)",
    "password": "Password",
    "use_exchange": "If the app offers an Exchange account, use that alone. Otherwise use IMAP and SMTP together.",
    "explanation": (
        "What they do: IMAP shows the mail that lies on the server, so every device shows the same. POP fetches the "
        "mail to one device, and many apps then delete it on the server: the mailbox there can end up empty, and "
        'other devices show nothing any more. If you must use POP, first switch on "leave messages on server". '
        "SMTP only sends mail; it is needed with IMAP and with POP."
    ),
}

_NAMES = {
    Service.ACTIVESYNC: "exchange",
    Service.IMAP: "imap",
    Service.POP3: "pop3",
    Service.SUBMISSION: "submission",
}
_SECURITY = {ConnectionSecurity.IMPLICIT_TLS: "SSL/TLS", ConnectionSecurity.STARTTLS: "STARTTLS"}  # as apps write it
_SIGN_IN = {Authentication.OAUTH2: "oauth2", Authentication.PASSWORD: "password"}


def _render(account: Account, provider: MailProvider, context: Context) -> bytes:
    return ("\n\n".join(_paragraphs(account, provider, context)) + "\n").encode()


def _paragraphs(account: Account, provider: MailProvider, context: Context) -> Iterator[str]:
    servers = manual_servers(account, provider)
    yield context.text("title", address=account.address)
    yield context.text("choose")
    if servers[0].service is Service.ACTIVESYNC:
        yield context.text("use_exchange")
    for server in servers:
        yield "\n".join(_lines(server, context))
    yield context.text("explanation")


def _lines(server: ManualServer, context: Context) -> Iterator[str]:
    yield context.text(_NAMES[server.service])
    for label, value in (
        ("server", server.hostname),
        ("port", str(server.port)),
        ("encryption", _SECURITY[server.security]),
        ("sign_in", context.text(_SIGN_IN[server.authentication])),
        ("username", server.username),
    ):
        yield f"{context.text(label)}: {value}"


FORMAT = Format(
    id="instructions",
    title="Manual settings for any mail app, as plain text",
    media_type=TEXT,
    suffix="txt",
    audience=Audience.PERSON,
    needs=frozenset({Service.IMAP, Service.POP3, Service.SUBMISSION, Service.OAUTH}),
    signed=False,
    render=_render,
    texts=_TEXTS,
    counts_device=False,
)

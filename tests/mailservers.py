"""A mail server on this machine, aiosmtpd, as strict as the real one: TLS first, then sign-in, then mails.

What it says to a recipient, to a mail or to a sender is a test's choice. Its XOAUTH2 is Exchange Online's: a refusal is
a challenge with an error in JSON, and 535 after the client's empty answer.
"""

# ruff: noqa: ARG002  # aiosmtpd calls its hooks with more than they need

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.demonstration import free_port
from tests.tlsservers import HOST, server_tls

HANG_UP = "hang up"  # after the mail has come, without a word
HOLD = "hold"  # say nothing, and keep the line
TAKEN = "250 2.0.0 OK"

# It runs in the tests' own process, where what the command line logs is read.
logging.getLogger("mail.log").disabled = True

_REFUSED_TOKEN = b'{"status":"400","schemes":"Bearer","scope":"https://example.test/"}'


@dataclass(frozen=True, slots=True)
class Received:
    """One mail, as it came."""

    sender: str
    recipient: str
    content: bytes
    username: str  # who had signed in

    @property
    def mail(self) -> EmailMessage:
        """The mail, decoded."""
        mail = message_from_bytes(self.content, policy=SMTP_POLICY)
        assert isinstance(mail, EmailMessage)
        return mail


@dataclass
class MailServer:
    """What the server knows, says and has received. ``host`` and ``port`` are where it is."""

    passwords: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # token -> whose mailbox it opens
    mechanisms: frozenset[str] = frozenset({"LOGIN", "PLAIN", "XOAUTH2"})
    to_sign_in: str = ""  # what it says to a wrong password instead of the usual
    to_sender: str = TAKEN  # what it says to MAIL FROM
    to_recipient: dict[str, str] = field(default_factory=dict)
    to_data: str = ""  # what it says to DATA instead of asking for the mail
    to_mail: dict[str, str] = field(default_factory=dict)  # by recipient
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    mails_per_connection: int = 1_000_000
    hangs_up_at_reset: bool = False
    holding: threading.Event = field(default_factory=threading.Event)  # a mail is here and unanswered
    host: str = HOST
    port: int = 0

    @property
    def recipients(self) -> list[str]:
        """Who has mail."""
        return [each.recipient for each in self.received]

    # aiosmtpd's hooks.

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mails_per_connection <= getattr(server, "mails_taken", 0):
            _hang_up(server)
            await asyncio.Event().wait()  # until the connection's end cancels it
        if self.to_sender == TAKEN:
            envelope.mail_from = address
        return self.to_sender

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.to_recipient.get(address, TAKEN)
        if said == HANG_UP:
            _hang_up(server)
            await asyncio.Event().wait()
        if said == TAKEN:
            envelope.rcpt_tos.append(address)
        return said

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hangs_up_at_reset:
            _hang_up(server)
            await asyncio.Event().wait()
        return TAKEN

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        said = self.to_mail.get(recipient, TAKEN)
        if said in (TAKEN, HANG_UP):
            assert isinstance(envelope.content, bytes)
            who = str(session.auth_data or "")  # type: ignore[redundant-expr]  # declared as None
            self.received.append(Received(str(envelope.mail_from), recipient, envelope.content, who))
            server.mails_taken = getattr(server, "mails_taken", 0) + 1  # type: ignore[attr-defined]
        if said == HANG_UP:
            _hang_up(server)
        if said in (HOLD, HANG_UP):
            self.holding.set()
            await asyncio.Event().wait()
        return said

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        if len(args) != 1:
            await server.push("501 5.5.4 no initial response was expected, a token is too long for it")
            return AuthResult(success=False, handled=True)
        said = await server.challenge_auth("")
        assert isinstance(said, bytes)
        user, bearer, *ends = said.decode().split("\x01")
        assert ["", ""] == ends
        username, token = user.removeprefix("user="), bearer.removeprefix("auth=Bearer ")
        if self.tokens.get(token) == username:
            return AuthResult(success=True, auth_data=username)
        assert b"" == await server.challenge_auth(_REFUSED_TOKEN)
        await server.push("535 5.7.3 Authentication unsuccessful [FR0P281CA0001.DEUP281.PROD.OUTLOOK.COM]")
        return AuthResult(success=False, handled=True)

    def sign_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, said: LoginPassword
    ) -> AuthResult:
        """Judge a password."""
        username = said.login.decode()
        if self.passwords.get(username) == said.password.decode():
            return AuthResult(success=True, auth_data=username)
        return AuthResult(success=False, handled=False, message=self.to_sign_in or None)


class _Smtp(SMTP):
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """RFC 5321 section 4.1.1.4, unless the test wants otherwise."""
        if self.event_handler.to_data:
            await self.push(self.event_handler.to_data)
        else:
            await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> SMTP:
        """One for each connection."""
        self.handler.connections += 1
        return _Smtp(self.handler, **self.SMTP_kwargs)


def _hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


@contextmanager
def mail_server(
    *, starttls: bool = True, implicit_tls: bool = False, name: str = "", **how: Any
) -> Iterator[MailServer]:
    """A running mail server. ``name`` is the one that its certificate is for, if not the right one."""
    server = MailServer(port=free_port(), **how)
    controller = _Controller(
        server,
        hostname=server.host,
        port=server.port,
        server_hostname="mail.contoso.example",
        ssl_context=server_tls(name=name) if implicit_tls else None,
        tls_context=server_tls(name=name) if starttls and not implicit_tls else None,
        require_starttls=starttls and not implicit_tls,
        auth_required=starttls and not implicit_tls and bool(server.mechanisms),
        auth_require_tls=not implicit_tls,
        auth_exclude_mechanism={"LOGIN", "PLAIN", "XOAUTH2"} - server.mechanisms,
        authenticator=server.sign_in,
    )
    controller.start()
    server.connections = 0  # the controller tries its own server at its start
    try:
        yield server
    finally:
        controller.stop()

"""Hands one mail to the mail server, and tells what became of it.

SMTP (RFC 5321) on a connection with TLS, checked always: STARTTLS (RFC 3207) before anything is said, or implicit TLS.
A server without it gets nothing. Sign-in: PLAIN or LOGIN with a password (RFC 4954), or Microsoft's XOAUTH2 with a
token, without an initial response, since a token is longer than a command line may be (RFC 4954 section 4).
"""

import re
from binascii import Error as Base64Error
from contextlib import suppress
from smtplib import (
    SMTP,
    SMTP_SSL,
    SMTPDataError,
    SMTPException,
    SMTPNotSupportedError,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from ssl import SSLCertVerificationError, SSLError

from provisioner.errors import RelayUnavailable, RelayUnusable, SenderRefused
from provisioner.model import ConnectionSecurity
from provisioner.sending.relay import Fate, NotHandedOver, Outcome, Password, Relay, Token

_SECONDS = 60.0
_LONGEST_REASON = 300  # characters of what a server says
_XOAUTH2 = "XOAUTH2"
_NOT_SHOWN = "********"
# Enhanced status codes (RFC 3463) that speak of the sender or of a policy, and so of every mail: X.7.n security, 5.1.8
# a sender blocked for spam, 5.2.2 the sender's own mailbox, which keeps a copy, is full (Exchange Online's texts).
_ABOUT_THE_SENDER = re.compile(r"\b5\.(7\.\d+|1\.8|2\.2)\b")


class RelayLine:
    """A connection to the mail server, kept for many mails and opened again where it was lost."""

    def __init__(self, relay: Relay, *, seconds: float = _SECONDS) -> None:
        """``seconds`` is how long the server may be silent."""
        self._relay = relay
        self._seconds = seconds
        self._smtp: SMTP | None = None

    def deliver(self, mail: bytes, *, sender: str, recipient: str) -> Outcome:
        """Hand over one mail, whole, with CRLF line ends.

        Raises RelayUnusable and RelayUnavailable where the server takes no mail of ours at all, SignInError, and
        NotHandedOver: then this mail was not handed over.
        """
        try:
            smtp = self._begin(sender)
            code, said = self._address(smtp, recipient)
        except KeyboardInterrupt:
            self._drop()
            raise NotHandedOver from None
        if code not in (250, 251):
            return self._not_taken(code, said, recipient)
        try:
            code, said = smtp.data(mail)
        except SMTPDataError as refusal:  # the server did not want to see it, whatever else its answer means
            return self._not_wanted(refusal.smtp_code, _octets(refusal.smtp_error), recipient)
        except (SMTPServerDisconnected, OSError):
            self._drop()
            return Outcome(Fate.UNSURE, "The connection broke while the mail was handed over.")
        if 200 <= code < 300:
            return Outcome(Fate.SENT)
        if 400 <= code < 600:
            return self._not_wanted(code, said, recipient)
        self._drop()
        return Outcome(Fate.UNSURE, "The mail server's answer to the mail neither takes nor refuses it.")

    def close(self) -> None:
        """Say goodbye."""
        if self._smtp is not None:
            with suppress(SMTPException, OSError):
                self._smtp.quit()
            self._drop()

    def _begin(self, sender: str) -> SMTP:
        """The connection, at which the server has agreed to take a mail from ``sender``."""
        if self._smtp is not None:
            with suppress(RelayUnavailable):  # servers close a connection that was idle or used for many mails
                return self._announce(self._smtp, sender)
        self._smtp = self._connected()
        return self._announce(self._smtp, sender)

    def _announce(self, smtp: SMTP, sender: str) -> SMTP:
        try:
            code, said = smtp.mail(sender)
        except (SMTPServerDisconnected, OSError) as failure:
            self._drop()
            raise self._unavailable(failure) from None
        if code == 250:
            return smtp
        self._drop()
        if code < 500:
            raise RelayUnavailable(f"The mail server takes no mail at the moment: {self._answer(code, said)}")
        raise RelayUnusable(f"The mail server takes no mail from this sender: {self._answer(code, said)}")

    def _address(self, smtp: SMTP, recipient: str) -> tuple[int, bytes]:
        try:
            return smtp.rcpt(recipient)
        except (SMTPServerDisconnected, OSError) as failure:
            self._drop()
            raise self._unavailable(failure) from None

    def _not_wanted(self, code: int, said: bytes, recipient: str) -> Outcome:
        """The fate of a mail that the server does not want. Raises SenderRefused where it wants none of ours."""
        if code >= 500 and _ABOUT_THE_SENDER.search(self._text(said, recipient)):
            self._drop()
            raise SenderRefused(f"The mail server takes no mail from this sender: {self._answer(code, said)}")
        return self._not_taken(code, said, recipient)

    def _not_taken(self, code: int, said: bytes, recipient: str) -> Outcome:
        self._forget_mail(code)
        reason = f"{code} {self._text(said, recipient)}".strip()
        return Outcome(Fate.REFUSED if code >= 500 else Fate.DEFERRED, reason)

    def _forget_mail(self, code: int) -> None:
        """Let the server forget the mail it did not take; after 421 it hangs up (RFC 5321 section 3.8)."""
        if code == 421 or self._smtp is None:
            self._drop()
            return
        try:
            self._smtp.rset()
        except (SMTPException, OSError):
            self._drop()

    def _connected(self) -> SMTP:
        smtp: SMTP | None = None
        try:
            smtp = self._opened()
            self._sign_in(smtp)
        except SSLError as failure:
            _hang_up(smtp)
            raise self._no_tls(failure) from None
        except (SMTPServerDisconnected, OSError) as failure:
            _hang_up(smtp)
            if isinstance(failure, SMTPResponseException):
                raise self._not_opened(failure) from None
            if isinstance(failure, SMTPException) and not isinstance(failure, SMTPServerDisconnected):
                raise self._no_way_in(failure) from None
            raise self._unavailable(failure) from None
        except Base64Error:  # RFC 4954 section 4
            _hang_up(smtp)
            raise self._no_way_in("its challenge is not written in base64") from None
        except BaseException:
            _hang_up(smtp)
            raise
        return smtp

    def _opened(self) -> SMTP:
        relay = self._relay
        if relay.security is ConnectionSecurity.IMPLICIT_TLS:
            return SMTP_SSL(
                relay.host, relay.port, local_hostname=relay.own_name, timeout=self._seconds, context=relay.tls
            )
        smtp = SMTP(relay.host, relay.port, local_hostname=relay.own_name, timeout=self._seconds)
        try:
            smtp.starttls(context=relay.tls)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _sign_in(self, smtp: SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        match self._relay.sign_in:
            case Password(username, password):
                smtp.login(username, password)
            case Token(username, current):
                if _XOAUTH2 not in smtp.esmtp_features.get("auth", "").split():
                    raise SMTPNotSupportedError("it offers no XOAUTH2")
                words = iter([f"user={username}\x01auth=Bearer {current()}\x01\x01"])
                # A refusal comes as a challenge, which is answered with nothing.
                smtp.auth(_XOAUTH2, lambda _=None: next(words, ""), initial_response_ok=False)

    def _drop(self) -> None:
        _hang_up(self._smtp)
        self._smtp = None

    def _unavailable(self, failure: Exception) -> RelayUnavailable:
        return RelayUnavailable(
            f"The mail server {self._place()} does not answer ({_kind(failure)}). See that it is the right one and "
            "that this machine may connect to it."
        )

    def _no_tls(self, failure: SSLError) -> RelayUnusable:
        if isinstance(failure, SSLCertVerificationError):
            return RelayUnusable(
                f"The certificate of the mail server {self._place()} is not trusted: {failure.verify_message}. Nothing "
                "was sent. Correct the host; or name the authority of a server of your own in PROVISIONER_SMTP_CA_FILE."
            )
        return RelayUnusable(
            f"No TLS came about with the mail server {self._place()} ({failure.reason}). Nothing was sent. See that "
            "port and PROVISIONER_SMTP_SECURITY belong together."
        )

    def _not_opened(self, refusal: SMTPResponseException) -> RelayUnusable | RelayUnavailable:
        answer = self._answer(refusal.smtp_code, _octets(refusal.smtp_error))
        if 400 <= refusal.smtp_code < 500:
            return RelayUnavailable(f"The mail server {self._place()} takes no mail at the moment: {answer}")
        return RelayUnusable(f"The mail server {self._place()} refuses this service: {answer}")

    def _no_way_in(self, failure: SMTPException | str) -> RelayUnusable:
        return RelayUnusable(
            f"The mail server {self._place()} cannot be used as it is set here: {failure}. Nothing was sent, and "
            "nothing is ever sent without TLS."
        )

    def _place(self) -> str:
        return f"{self._relay.host}:{self._relay.port}"

    def _answer(self, code: int, said: bytes) -> str:
        return f"{code} {self._text(said)}".strip()

    def _text(self, said: bytes, recipient: str = "") -> str:
        """What the server said, on one line that can be shown; without our password and whole addresses."""
        line = " ".join(said.decode(errors="replace").split())
        line = "".join(each if each.isprintable() else "�" for each in line)
        if isinstance(self._relay.sign_in, Password):
            line = line.replace(self._relay.sign_in.password, _NOT_SHOWN)
        if recipient:
            line = re.sub(re.escape(recipient), "…", line, flags=re.IGNORECASE)
        return line[:_LONGEST_REASON]


def _kind(failure: Exception) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return "it hung up" if isinstance(failure, SMTPServerDisconnected) else type(failure).__name__


def _octets(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode()


def _hang_up(smtp: SMTP | None) -> None:
    if smtp is not None:
        smtp.close()

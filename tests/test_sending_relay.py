"""The dialogue with the mail server: nothing without TLS, one connection for many mails, every answer understood."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from provisioner.errors import RelayUnavailable, RelayUnusable, SenderRefused, SignInRefused
from provisioner.model import ConnectionSecurity
from provisioner.sending import Fate, Outcome, Password, Relay, RelayLine, Token
from provisioner.sending.relay import status_of
from tests.demonstration import free_port
from tests.mailservers import HANG_UP, HOLD, MailServer, mail_server
from tests.tlsservers import HOST, client_tls

SENDER, ANNA, BOB = "it-help@contoso.example", "anna@contoso.example", "bob@contoso.example"
PASSWORD = "correct horse"
MAIL = b"Subject: x\r\n\r\nHello\r\n"


def line_to(server: MailServer, *, seconds: float = 20, **changes: Any) -> RelayLine:
    """A line to ``server`` that is right unless ``changes`` make it wrong."""
    how: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "security": ConnectionSecurity.STARTTLS,
        "tls": client_tls(),
        "sign_in": Password(SENDER, PASSWORD),
        "own_name": "setup.contoso.example",
    }
    return RelayLine(Relay(**how | changes), seconds=seconds)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server(passwords={SENDER: PASSWORD}, tokens={"good token": SENDER}) as running:
        yield running


@contextmanager
def closing(line: RelayLine) -> Iterator[RelayLine]:
    try:
        yield line
    finally:
        line.close()


def deliver(line: RelayLine, recipient: str = ANNA) -> Outcome:
    return line.deliver(MAIL, sender=SENDER, recipient=recipient)


def test_many_mails_go_over_one_connection(server: MailServer) -> None:
    with closing(line_to(server)) as line:
        assert [Outcome(Fate.SENT)] * 3 == [deliver(line, recipient) for recipient in (ANNA, BOB, ANNA)]
    assert [ANNA, BOB, ANNA] == server.recipients
    assert {(SENDER, SENDER, MAIL)} == {(each.sender, each.username, each.content) for each in server.received}
    assert 1 == server.connections


def test_a_server_that_hangs_up_between_two_mails_is_called_again(server: MailServer) -> None:
    server.mails_per_connection = 1
    with closing(line_to(server)) as line:
        assert [Fate.SENT, Fate.SENT] == [deliver(line).fate, deliver(line, BOB).fate]
    assert ([ANNA, BOB], 2) == (server.recipients, server.connections)


def test_a_mailbox_is_signed_in_to_with_a_token_as_exchange_online_takes_it(server: MailServer) -> None:
    with closing(line_to(server, sign_in=Token(SENDER, lambda: "good token"))) as line:
        assert Outcome(Fate.SENT) == deliver(line)
    assert SENDER == server.received[0].username


def test_a_token_is_asked_for_at_each_connection(server: MailServer) -> None:
    asked: list[str] = []

    def current() -> str:
        asked.append("")
        return "good token"

    server.mails_per_connection = 1
    with closing(line_to(server, sign_in=Token(SENDER, current))) as line:
        deliver(line)
        deliver(line)
    assert 2 == len(asked)


def test_a_token_that_is_not_to_be_had_ends_it_before_any_mail(server: MailServer) -> None:
    def none() -> str:
        raise SignInRefused("no")

    with closing(line_to(server, sign_in=Token(SENDER, none))) as line, pytest.raises(SignInRefused):
        deliver(line)
    assert [] == server.received


@pytest.mark.parametrize(
    ("sign_in", "said"),
    [
        (Password(SENDER, "wrong"), "535 5.7.8 Authentication credentials invalid"),
        (Token(SENDER, lambda: "wrong"), "535 5.7.3 Authentication unsuccessful"),
        (Token(BOB, lambda: "good token"), "535 5.7.3 Authentication unsuccessful"),
    ],
    ids=["password", "token", "another mailbox"],
)
def test_a_refused_sign_in_says_what_the_server_said(server: MailServer, sign_in: Password | Token, said: str) -> None:
    with closing(line_to(server, sign_in=sign_in)) as line, pytest.raises(RelayUnusable) as refusal:
        deliver(line)
    assert f"refuses this service: {said}" in str(refusal.value)
    assert "wrong" not in str(refusal.value)


def test_a_challenge_that_is_no_base64_is_no_sign_in(server: MailServer) -> None:
    server.to_sign_in = "334 abc"
    with (
        closing(line_to(server, sign_in=Password(SENDER, "wrong"))) as line,
        pytest.raises(RelayUnusable, match="cannot be used as it is set here: its challenge is not written in base64"),
    ):
        deliver(line)


def test_a_server_without_oauth2_is_not_asked_for_it() -> None:
    with (
        mail_server(mechanisms=frozenset({"PLAIN"})) as server,
        closing(line_to(server, sign_in=Token(SENDER, lambda: "good token"))) as line,
        pytest.raises(RelayUnusable, match="it offers no XOAUTH2"),
    ):
        deliver(line)


def test_a_server_of_ones_own_that_knows_this_machine_needs_no_sign_in() -> None:
    with mail_server(mechanisms=frozenset()) as server, closing(line_to(server, sign_in=None)) as line:
        assert Outcome(Fate.SENT) == deliver(line)
        assert "" == server.received[0].username


def test_implicit_tls_is_spoken_where_it_is_set() -> None:
    with (
        mail_server(implicit_tls=True, passwords={SENDER: PASSWORD}) as server,
        closing(line_to(server, security=ConnectionSecurity.IMPLICIT_TLS)) as line,
    ):
        # aiosmtpd offers AUTH on such a connection only where it knows that it is secure, which it is.
        assert Outcome(Fate.SENT) == deliver(line)
        assert SENDER == server.received[0].username


@contextmanager
def eavesdropper() -> Iterator[tuple[int, list[bytes]]]:
    """A server without TLS that offers every sign-in and writes down all that it hears."""
    heard: list[bytes] = []
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        caller, _ = listener.accept()
        with caller, caller.makefile("rb") as lines:
            caller.sendall(b"220 mail.contoso.example\r\n")
            for said in lines:
                heard.append(said)
                caller.sendall(b"250-mail.contoso.example\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        thread.join()
        listener.close()


@pytest.mark.parametrize("sign_in", [Password(SENDER, PASSWORD), Token(SENDER, lambda: "good token"), None])
def test_a_server_without_starttls_hears_nothing_but_a_greeting(sign_in: Password | Token | None) -> None:
    with eavesdropper() as (port, heard):
        line = line_to(MailServer(port=port), sign_in=sign_in)
        with pytest.raises(RelayUnusable, match=r"STARTTLS extension not supported.*nothing is ever sent without TLS"):
            deliver(line)
    assert [b"ehlo setup.contoso.example\r\n"] == heard


def test_a_certificate_for_another_host_is_refused() -> None:
    with (
        mail_server(name="mail.fabrikam.example", passwords={SENDER: PASSWORD}) as server,
        pytest.raises(RelayUnusable, match=r"is not trusted: .*127\.0\.0\.1.*Nothing was sent"),
    ):
        deliver(line_to(server))
    assert [] == server.received


def test_a_certificate_of_an_unknown_authority_is_refused(server: MailServer) -> None:
    with pytest.raises(RelayUnusable, match=r"is not trusted: .*PROVISIONER_SMTP_CA_FILE"):
        deliver(line_to(server, tls=ssl.create_default_context(cafile=None, cadata=None)))
    assert [] == server.received


def test_tls_at_a_port_that_begins_in_the_clear_is_explained(server: MailServer) -> None:
    with pytest.raises(RelayUnusable, match=r"No TLS came about .*PROVISIONER_SMTP_SECURITY belong together"):
        deliver(line_to(server, security=ConnectionSecurity.IMPLICIT_TLS))


def test_a_server_that_is_not_there_may_be_there_later() -> None:
    with pytest.raises(RelayUnavailable, match="does not answer \\(Connection refused\\)"):
        deliver(line_to(MailServer(port=free_port())))


def test_a_refused_recipient_is_refused_for_good_and_the_next_one_gets_mail(server: MailServer) -> None:
    server.to_recipient[ANNA] = f"550 5.1.10 Recipient {ANNA} not found by SMTP address lookup"
    with closing(line_to(server)) as line:
        assert Outcome(Fate.REFUSED, "550 5.1.10 Recipient … not found by SMTP address lookup") == deliver(line)
        assert Outcome(Fate.SENT) == deliver(line, BOB)
    assert ([BOB], 1) == (server.recipients, server.connections)


@pytest.mark.parametrize("said", ["450 4.2.1 mailbox busy", "451 4.3.0 later", "421 4.3.2 closing"])
def test_what_is_not_taken_for_now_is_deferred(server: MailServer, said: str) -> None:
    server.to_recipient[ANNA] = said
    with closing(line_to(server)) as line:
        assert Outcome(Fate.DEFERRED, said) == deliver(line)
        assert Outcome(Fate.SENT) == deliver(line, BOB)


@pytest.mark.parametrize(
    ("said", "fate"),
    [
        ("554 5.6.0 content", Fate.REFUSED),
        ("552 5.2.3 too large", Fate.REFUSED),
        ("432 4.3.2 STOREDRV; Concurrent connections limit exceeded", Fate.DEFERRED),
    ],
)
def test_an_answer_to_the_mail_itself_is_the_mails_fate(server: MailServer, said: str, fate: Fate) -> None:
    server.to_mail[ANNA] = said
    with closing(line_to(server)) as line:
        assert Outcome(fate, said) == deliver(line)


@pytest.mark.parametrize(
    "said",
    [
        "554 5.2.2 mailbox full",
        "550 5.1.8 Access denied, bad outbound sender",
        "550 5.7.60 Client does not have permissions to send as this sender",
    ],
)
def test_what_is_about_the_sender_stops_everything_and_blames_no_person(server: MailServer, said: str) -> None:
    server.to_mail[ANNA] = said
    with closing(line_to(server)) as line, pytest.raises(SenderRefused, match="takes no mail from this sender"):
        deliver(line)


@pytest.mark.parametrize(
    ("said", "error"),
    [("550 5.7.1 not you", RelayUnusable), ("451 4.7.500 Server busy", RelayUnavailable)],
)
def test_a_sender_that_is_not_taken_is_nobodys_refusal(server: MailServer, said: str, error: type[Exception]) -> None:
    server.to_sender = said
    with closing(line_to(server)) as line, pytest.raises(error, match=said):
        deliver(line)


def test_a_connection_that_breaks_before_the_mail_is_handed_over_has_lost_none(server: MailServer) -> None:
    server.to_recipient[ANNA] = HANG_UP
    with closing(line_to(server)) as line:
        with pytest.raises(RelayUnavailable, match="does not answer"):
            deliver(line)
        assert Outcome(Fate.SENT) == deliver(line, BOB)


def test_a_server_that_does_not_want_to_see_the_mail_has_refused_it(server: MailServer) -> None:
    server.to_recipient[ANNA] = "250 taken, but then forgotten"
    with closing(line_to(server)) as line:
        assert Outcome(Fate.REFUSED, "503 Error: need RCPT command") == deliver(line)
        assert Outcome(Fate.SENT) == deliver(line, BOB)


@pytest.mark.parametrize("said", ["200 fine", "251 will forward", "299 whatever"])
def test_every_good_answer_to_the_mail_means_that_the_server_has_it(server: MailServer, said: str) -> None:
    server.to_mail[ANNA] = said
    with closing(line_to(server)) as line:
        assert Outcome(Fate.SENT) == deliver(line)


@pytest.mark.parametrize("said", ["354 and now?", "Hello", "150 wait", "999 what"])
def test_an_answer_to_the_mail_that_says_neither_yes_nor_no_leaves_it_unsure(server: MailServer, said: str) -> None:
    server.to_mail[ANNA] = said
    with closing(line_to(server)) as line:
        assert Fate.UNSURE is deliver(line).fate
        assert Outcome(Fate.SENT) == deliver(line, BOB)
    assert 2 == server.connections, "nobody knows where in the dialogue such a server is"


def test_a_mail_that_was_not_asked_for_is_not_sent_whatever_the_server_says(server: MailServer) -> None:
    server.to_data = "250 fine"
    with closing(line_to(server)) as line:
        assert Outcome(Fate.DEFERRED, "250 fine") == deliver(line)
        server.to_data = ""
        assert Outcome(Fate.SENT) == deliver(line)
    assert [ANNA] == server.recipients


def test_a_server_that_hangs_up_after_a_refusal_is_called_again(server: MailServer) -> None:
    server.to_recipient[ANNA] = "550 5.1.1 no"
    server.hangs_up_at_reset = True
    with closing(line_to(server)) as line:
        assert Outcome(Fate.REFUSED, "550 5.1.1 no") == deliver(line)
        assert Outcome(Fate.SENT) == deliver(line, BOB)
    assert 2 == server.connections


def test_a_sign_in_that_is_not_possible_now_may_be_later(server: MailServer) -> None:
    server.to_sign_in = "454 4.7.0 Temporary authentication failure"
    with (
        closing(line_to(server, sign_in=Password(SENDER, "x"))) as line,
        pytest.raises(RelayUnavailable, match=r"takes no mail at the moment: 454 4\.7\.0"),
    ):
        deliver(line)


def test_a_connection_that_breaks_while_the_mail_is_handed_over_leaves_it_unsure(server: MailServer) -> None:
    server.to_mail[ANNA] = HANG_UP
    with closing(line_to(server)) as line:
        assert Fate.UNSURE is deliver(line).fate
        assert [ANNA] == server.recipients, "the server has it, and nobody here can know"
        assert Outcome(Fate.SENT) == deliver(line, BOB)


def test_a_server_that_falls_silent_after_the_mail_leaves_it_unsure(server: MailServer) -> None:
    server.to_mail[ANNA] = HOLD
    with closing(line_to(server, seconds=0.2)) as line:
        assert Fate.UNSURE is deliver(line).fate


def test_what_a_server_says_is_shown_on_one_short_line_without_the_password(server: MailServer) -> None:
    server.to_mail[ANNA] = f"554 5.6.0 {PASSWORD} \x1b[31m " + "x" * 400
    with closing(line_to(server)) as line:
        reason = deliver(line).reason
    assert reason.startswith("554 5.6.0 ******** �[31m xxx")
    assert 304 == len(reason)


def test_nothing_that_holds_a_secret_shows_it() -> None:
    shown = repr(Relay(HOST, 1, ConnectionSecurity.STARTTLS, client_tls(), Password(SENDER, PASSWORD), "h"))
    assert PASSWORD not in shown


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("550 5.1.10 Recipient not found", "550 5.1.10"),
        ("550 no such user anna", "550"),
        ("The connection broke while the mail was handed over.", ""),
        ("", ""),
    ],
)
def test_only_numbers_of_an_answer_are_logged(reason: str, status: str) -> None:
    assert status == status_of(reason)

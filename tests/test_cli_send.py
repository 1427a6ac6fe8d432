"""``provisioner send``: from the command line to a real mail server, and whatever kills it in between."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from tests.commands import PUBLIC_URL, Shell, shell_with_contoso
from tests.demonstration import free_port
from tests.mailservers import HANG_UP, HOLD, MailServer, mail_server
from tests.processes import PATIENCE, PROVISIONER, running, until
from tests.tlsservers import authority_file

FROM, PASSWORD = "it-help@contoso.example", "correct horse"
ANNA, BOB = "anna@contoso.example", "bob@contoso.example"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server(passwords={FROM: PASSWORD}) as started:
        yield started


@pytest.fixture
def shell(tmp_path: Path, server: MailServer) -> Shell:
    """A service that sends through ``server``, fast."""
    return shell_with_contoso(
        tmp_path / "data",
        PROVISIONER_SMTP_HOST=server.host,
        PROVISIONER_SMTP_PORT=str(server.port),
        PROVISIONER_SMTP_CA_FILE=str(authority_file(tmp_path)),
        PROVISIONER_SMTP_FROM=FROM,
        PROVISIONER_SMTP_PASSWORD=PASSWORD,
        PROVISIONER_MAIL_PER_MINUTE="100000",
    )


def invite(shell: Shell, *addresses: str) -> list[str]:
    """The links of new invitations."""
    return [shell.json("link", "create", address)["link"] for address in addresses]


def states(shell: Shell) -> dict[str, str]:
    return {each["address"]: each["state"] for each in shell.json("send", "--list")}


def test_whoever_is_invited_gets_a_mail_whose_code_opens_their_link(shell: Shell, server: MailServer) -> None:
    (link,) = invite(shell, ANNA)
    said = shell.run("send").stdout.splitlines()
    assert f"1 mail to send from {FROM} through {server.host}:{server.port}, at most 100000 a minute" in said[0]
    assert said[1].startswith("The last one goes at ")
    assert ["Sent 1 mail."] == said[2:]
    (received,) = server.received
    assert (FROM, ANNA, FROM) == (received.sender, received.recipient, received.username)
    (picture,) = [part for part in received.mail.walk() if part.get_content_type() == "image/png"]
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture.get_content())))
    assert link == code.text
    assert link.startswith(f"{PUBLIC_URL}/s/")


def test_a_second_call_sends_nothing_more(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA, BOB)
    assert 2 == shell.json("send")["sent"]
    assert "Sent 0 mails.\n" == shell.run("send").stdout
    assert [ANNA, BOB] == sorted(server.recipients)


def test_a_list_of_people_is_written_to_in_their_languages(shell: Shell, server: MailServer, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(f"address,name,language\n{ANNA},Anna,de\n{BOB},Bob,ar\n", encoding="utf-8")
    shell.run("invite", people)
    shell.run("send")
    assert {ANNA: "de", BOB: "ar"} == {each.recipient: each.mail["Content-Language"] for each in server.received}


def test_a_dry_run_says_when_the_last_would_go_and_sends_and_changes_nothing(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA, BOB)
    before = datetime.now().astimezone()
    plan = shell.json("send", "--dry-run", PROVISIONER_MAIL_PER_MINUTE="1", PROVISIONER_MAIL_PER_DAY="1")
    assert (2, FROM, f"{server.host}:{server.port}") == (plan["mails"], plan["from"], plan["mail_server"])
    finish = datetime.fromisoformat(plan["finish"])
    assert before + timedelta(days=1) <= finish <= datetime.now().astimezone() + timedelta(days=1)
    assert "2 mails to send" in shell.run("send", "--dry-run").stdout
    assert "Warning" not in shell.run("send", "--dry-run").stderr
    shell.run("link", "create", "cara@contoso.example", "--days", "1")
    plan = shell.json("send", "--dry-run", PROVISIONER_MAIL_PER_DAY="1")
    assert (3, 1) == (plan["mails"], plan["expired_by_then"])
    said = shell.run("send", "--dry-run", PROVISIONER_MAIL_PER_DAY="1").stderr
    assert "Warning: 1 of their links will have expired by then" in said
    assert 1 == shell.json("send", "--dry-run", "--limit", "1")["mails"]
    assert ([], {}) == (server.received, states(shell))


def test_one_domain_and_a_limit_narrow_it_down(shell: Shell, server: MailServer) -> None:
    shell.run("domain", "add", "fabrikam.example", "--organisation", "contoso")
    invite(shell, ANNA, BOB, "cara@fabrikam.example")
    assert 1 == shell.json("send", "--domain", "Fabrikam.example")["sent"]
    assert ["cara@fabrikam.example"] == server.recipients
    assert 1 == len(shell.json("send", "--list", "--domain", "fabrikam.example"))
    assert [] == shell.json("send", "--list", "--domain", "contoso.example")
    assert "Some mails still wait. Call 'provisioner send' again." in shell.run("send", "--limit", "1").stdout
    assert 1 == shell.json("send")["sent"]
    assert "nowhere.example" in shell.refusal("send", "--domain", "nowhere.example")


def test_a_refusal_is_told_with_what_the_mail_server_said(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA, BOB)
    server.to_recipient[ANNA] = f"550 5.1.10 RESOLVER.ADR.RecipientNotFound; {ANNA} not found"
    told = shell.run("send", exit_code=1)
    assert "Sent 1 mail.\n1 mail refused by the mail server: 'provisioner send --list' says why.\n" in told.stdout
    assert ANNA not in told.output
    assert "550 5.1.10 RESOLVER.ADR.RecipientNotFound; … not found" in shell.run("send", "--list").stdout
    assert {ANNA: "refused", BOB: "sent"} == states(shell)
    server.to_recipient.clear()
    assert 1 == shell.json("send", "--retry-refused")["sent"]


def test_what_is_not_taken_now_is_told_with_when_to_call_again(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA)
    server.to_mail[ANNA] = "432 4.3.2 Concurrent connections limit exceeded"
    told = shell.run("send").stdout
    assert "1 mail not taken for now, and tried again later." in told
    assert "Some mails still wait. Call 'provisioner send' again after 20" in told
    assert {ANNA: "queued"} == states(shell)


def test_a_broken_connection_leaves_a_mail_unsure_until_somebody_decides(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA)
    server.to_mail[ANNA] = HANG_UP
    told = shell.run("send", exit_code=1).stdout
    assert "1 mail may have been sent, or not; --retry-unsure sends it again." in told
    server.to_mail.clear()
    assert 0 == shell.json("send")["sent"]
    assert 1 == shell.json("send", "--dry-run", "--retry-unsure")["mails"]
    assert 1 == shell.json("send", "--retry-unsure")["sent"]


def environment(shell: Shell, **more: str) -> dict[str, str]:
    return {name: value for name, value in shell.variables(**more).items() if value is not None}


def test_killed_while_a_mail_is_handed_over_it_is_unsure_and_the_rest_goes_on(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA, BOB)
    server.to_mail = {ANNA: HOLD, BOB: HOLD}
    with running("send", **environment(shell)) as command:
        until(server.holding.is_set, of=command)
        assert -signal.SIGKILL == command.end(signal.SIGKILL)
    assert ["queued", "sending"] == sorted(states(shell).values())
    server.to_mail.clear()
    told = shell.json("send", exit_code=1)
    assert (1, 1) == (told["sent"], told["unsure"]), "whoever calls next is told what the other has left"
    assert 0 == shell.json("send")["unsure"], "once"
    assert ["sent", "unsure"] == sorted(states(shell).values())
    assert "The program ended while the mail was handed over." in shell.run("send", "--list").stdout
    assert 1 == shell.json("send", "--retry-unsure")["sent"]
    assert [ANNA, BOB] == sorted(server.recipients)


def test_what_a_killed_sender_left_is_not_unsure_where_it_is_sent_again(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA)
    server.to_mail = {ANNA: HOLD}
    with running("send", **environment(shell)) as command:
        until(server.holding.is_set, of=command)
        command.end(signal.SIGKILL)
    server.to_mail.clear()
    told = shell.json("send", "--retry-unsure")
    assert (1, 0) == (told["sent"], told["unsure"])


def test_while_one_sender_is_at_work_another_takes_the_other_mails(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA, BOB)
    server.to_mail = {ANNA: HOLD, BOB: HOLD}
    with running("send", **environment(shell)) as command:
        until(server.holding.is_set, of=command)
        server.to_mail.clear()
        assert 1 == shell.json("send")["sent"]
        assert 0 == shell.json("send", "--retry-unsure")["sent"], "its mail is not taken for an abandoned one"
        assert ["sending", "sent"] == sorted(states(shell).values())


def test_two_senders_at_once_send_every_mail_once(
    tmp_path: Path, shell: Shell, server: MailServer, database_url: str
) -> None:
    both = replace(shell, environ={**shell.environ, "PROVISIONER_DATABASE_URL": database_url})
    both.run("organisation", "add", "contoso", "--name", "Contoso")
    both.run("domain", "add", "contoso.example", "--organisation", "contoso")
    addresses = sorted(f"p{number}@contoso.example" for number in range(20))
    people = tmp_path / "people.csv"
    people.write_text("\n".join(["address", *addresses]))
    both.run("invite", people)
    with running("send", **environment(both)) as one, running("send", **environment(both)) as other:
        assert [0, 0] == [each.process.wait(PATIENCE) for each in (one, other)]
        told = [int(count) for each in (one, other) for count in re.findall(r"Sent (\d+) mail", each.stdout)]
    assert addresses == sorted(server.recipients)
    assert (2, 20) == (len(told), sum(told))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_ends_after_the_mail_in_hand_and_says_what_was_done(
    shell: Shell, server: MailServer, number: signal.Signals
) -> None:
    invite(shell, ANNA, BOB)
    with running("send", **environment(shell, PROVISIONER_MAIL_PER_MINUTE="1")) as command:
        until(lambda: server.received, of=command)
        until(lambda: "sent" in states(shell).values(), of=command)
        assert 130 == command.end(number)
        assert "Sent 1 mail.\nSome mails still wait." in command.stdout
        assert "Stopping after the mail in hand; asked once more, at once." in command.stderr
    assert ["queued", "sent"] == sorted(states(shell).values())
    assert 1 == len(server.received)


def test_asked_twice_while_the_server_is_silent_it_ends_at_once_and_the_mail_goes_later(
    shell: Shell, server: MailServer
) -> None:
    invite(shell, ANNA)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        with running("send", **environment(shell, PROVISIONER_SMTP_PORT=port)) as command:
            silent.settimeout(PATIENCE)
            with silent.accept()[0]:
                command.process.send_signal(signal.SIGINT)
                until(lambda: "Stopping after the mail in hand" in command.stderr, of=command)
                assert 130 == command.end(signal.SIGINT)
    assert {ANNA: "queued"} == states(shell)
    assert "Sent 1 mail.\n" in shell.run("send").stdout
    assert [ANNA] == server.recipients


def on_a_terminal(shell: Shell, *arguments: str) -> tuple[int, str]:
    """The exit code, and what a person sees."""
    ours, theirs = os.openpty()
    command = subprocess.Popen(
        [PROVISIONER, *arguments], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment(shell)
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # EIO: the other side of the terminal is closed
        pass
    finally:
        os.close(ours)
    return command.wait(PATIENCE), seen.decode()


def test_a_person_at_a_terminal_sees_how_far_it_is(shell: Shell) -> None:
    invite(shell, ANNA, BOB)
    code, seen = on_a_terminal(shell, "send")
    assert 0 == code
    assert re.search(r"Sending +\[[#-]+\] +2/2", seen)
    assert seen.endswith("Sent 2 mails.\r\n")


def test_live_links_are_not_poured_over_a_terminal(shell: Shell) -> None:
    (link,) = invite(shell, ANNA)
    code, seen = on_a_terminal(shell, "sheet")
    assert 2 == code
    assert "write it into a file with -o FILE.html" in seen
    assert link not in seen


def test_a_mail_server_that_is_not_there_is_told_and_nothing_is_lost(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA)
    told = shell.run("send", exit_code=1, PROVISIONER_SMTP_PORT=str(free_port()))
    assert "Error: The mail server 127.0.0.1:" in told.stderr
    assert "Sent 0 mails.\nSome mails still wait." in told.stdout
    assert 1 == shell.json("send")["sent"]


def test_nothing_is_sent_where_the_certificate_or_starttls_is_missing(shell: Shell) -> None:
    invite(shell, ANNA)
    for how in ({"name": "mail.fabrikam.example"}, {"starttls": False}):
        with mail_server(passwords={FROM: PASSWORD}, **how) as other:
            told = shell.run("send", exit_code=1, PROVISIONER_SMTP_PORT=str(other.port))
            assert "Nothing was sent" in told.stderr
            assert [] == other.received
    assert {ANNA: "queued"} == states(shell)


def test_a_wrong_password_is_told_once_without_it(shell: Shell) -> None:
    invite(shell, ANNA, BOB)
    told = shell.run("send", exit_code=1, PROVISIONER_SMTP_PASSWORD="tr0ub4dor")
    assert "535 5.7.8 Authentication credentials invalid" in told.stderr
    assert "tr0ub4dor" not in told.output
    assert ["queued", "queued"] == list(states(shell).values())


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ("PROVISIONER_PUBLIC_URL", "There is no public URL"),
        ("PROVISIONER_SMTP_FROM", "There is no address for the mails to come from."),
    ],
)
def test_what_is_missing_is_told_before_anything_is_sent(shell: Shell, without: str, expected: str) -> None:
    invite(shell, ANNA)
    empty: dict[str, Any] = {without: ""}
    assert shell.refusal("send", **empty).startswith(expected)
    assert {} == states(shell)


def test_a_password_file_is_read(shell: Shell, tmp_path: Path, server: MailServer) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    invite(shell, ANNA)
    secret: dict[str, Any] = {
        "PROVISIONER_SMTP_PASSWORD": "",
        "PROVISIONER_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
    }
    assert 1 == shell.json("send", **secret)["sent"]
    shown = shell.run("config", "show", **secret).stdout
    assert PASSWORD not in shown
    assert [ANNA] == server.recipients


def test_without_any_mail_the_list_says_so(shell: Shell) -> None:
    assert [] == shell.json("send", "--list")
    assert "no mail" in shell.run("send", "--list").output


def test_a_mail_whose_link_was_lost_with_its_key_waits_and_says_why(shell: Shell, server: MailServer) -> None:
    invite(shell, ANNA)
    (shell.data_dir / "link.key").write_bytes(os.urandom(32))
    told = shell.run("send", exit_code=2)
    assert "The link key is not the one" in told.stderr
    assert ({ANNA: "queued"}, []) == (states(shell), server.received)

"""The outbox, on both databases: one mail for each issue of a link, at its pace, and none twice whatever happens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from provisioner.directory import Directory
from provisioner.errors import ProvisionerError, RelayUnavailable, RelayUnusable, SenderRefused, SignInUnavailable
from provisioner.links import Links, SetupLink
from provisioner.model import Account
from provisioner.organisation import Domain, Organisation
from provisioner.sending import Fate, Forecast, Outbox, Outcome, Pace, Round, Sender, Stationery, Tally
from provisioner.store import Store, tables
from provisioner.store.invitations import Person
from provisioner.store.maillist import ListedMail, all_mails
from provisioner.store.outbox import TakenMail
from tests.samples import NOW, PROVIDERS, contoso_domain
from tests.stores import Clock
from tests.websites import PUBLIC_URL, TEMPLATES

ANNA, BOB, CARA = "anna@contoso.example", "bob@contoso.example", "cara@fabrikam.example"
CONTOSO = Organisation(id="contoso", name="Contoso")
PACE = Pace(per_minute=30, per_day=1000)
REFUSED = Outcome(Fate.REFUSED, "550 5.1.10 Recipient not found")
DEFERRED = Outcome(Fate.DEFERRED, "450 4.2.1 mailbox busy")
UNSURE = Outcome(Fate.UNSURE, "The connection broke while the mail was handed over.")


@dataclass
class FakeLine:
    """A mail server that answers as a test says: by recipient an outcome, or an error of the server's own."""

    answers: dict[str, list[Outcome | ProvisionerError]] = field(default_factory=dict)
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def deliver(self, mail: bytes, *, sender: str, recipient: str) -> Outcome:  # noqa: ARG002
        answers = self.answers.get(recipient, [])
        answer = answers.pop(0) if answers else Outcome(Fate.SENT)
        if isinstance(answer, ProvisionerError):
            raise answer
        if answer.fate in (Fate.SENT, Fate.UNSURE):
            self.sent.append((recipient, mail))
        return answer

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.sent]


@dataclass
class Office:
    """One store with people, and senders that work at it."""

    store: Store
    clock: Clock
    links: Links
    line: FakeLine = field(default_factory=FakeLine)
    waits: list[float] = field(default_factory=list)
    stop_after: int | None = None

    def invite(self, address: str, **how: timedelta | int) -> SetupLink:
        lifetime, devices = how.get("lifetime", timedelta(days=7)), how.get("devices", 3)
        assert isinstance(lifetime, timedelta)
        assert isinstance(devices, int)
        return self.links.create(Account(address), lifetime=lifetime, devices=devices, actor="admin")

    def outbox(self, pace: Pace = PACE) -> Outbox:
        return Outbox(self.store, pace=pace, host="contoso.example", clock=self.clock, actor="admin")

    def wait(self, seconds: float) -> bool:
        """Sleep, which turns the clock; whether to stop."""
        if seconds:
            self.waits.append(seconds)
            self.clock.turn(seconds=seconds)
        return self.stop_after is not None and len(self.line.sent) >= self.stop_after

    def round(self, outbox: Outbox) -> Round:
        return Round(
            outbox=outbox,
            links=self.links,
            organisation_of=lambda _: CONTOSO,
            stationery=Stationery(TEMPLATES),
            line=self.line,
            sender=Sender("it-help@contoso.example"),
            public_url=PUBLIC_URL,
            qr_capitals=False,
            clock=self.clock,
            wait=self.wait,
        )

    def send(self, *, domain: str | None = None, limit: int | None = None, pace: Pace = PACE, **again: bool) -> Tally:
        """One call of ``provisioner send``."""
        outbox = self.outbox(pace)
        with outbox.opened(domain=domain, **again):
            return self.round(outbox).run(domain=domain, limit=limit)

    def mails(self) -> list[ListedMail]:
        with self.store.read() as connection:
            return all_mails(connection, domain=None).whole()

    def states(self) -> dict[str, str]:
        return {each.address: each.state for each in self.mails()}


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def office(store: Store, clock: Clock) -> Office:
    directory = Directory(store, PROVIDERS, clock=clock)
    directory.add_organisation(CONTOSO, actor="admin")
    directory.add_domain(contoso_domain(), actor="admin")
    directory.add_domain(
        Domain(name="fabrikam.example", organisation_id="contoso", provider_id="office365"), actor="admin"
    )
    return Office(store, clock, Links(store, key=bytes(range(32)), clock=clock))


def test_everybody_who_is_invited_gets_one_mail_however_often_it_is_called(office: Office) -> None:
    office.invite(ANNA)
    office.invite(BOB)
    assert Tally(sent=2) == office.send()
    assert Tally() == office.send()
    assert [ANNA, BOB] == sorted(office.line.recipients)
    assert {ANNA: "sent", BOB: "sent"} == office.states()


def test_the_mail_holds_the_link_and_a_message_id_of_its_issue(office: Office) -> None:
    link = office.invite(ANNA)
    office.send()
    ((_, mail),) = office.line.sent
    assert f"Message-ID: <{link.id}.1@contoso.example>\r\n".encode() in mail
    assert link.token.encode() in mail.replace(b"=\r\n", b"")


def test_a_link_that_is_issued_anew_is_a_new_mail(office: Office) -> None:
    link = office.invite(ANNA)
    office.send()
    again = office.links.reissue(link.id, lifetime=timedelta(days=7), devices=None, actor="admin")
    assert Tally(sent=1) == office.send()
    (_, mail) = office.line.sent[-1]
    assert again.token.encode() in mail.replace(b"=\r\n", b"")
    assert f"<{link.id}.2@contoso.example>".encode() in mail


def test_of_several_open_links_the_newest_is_sent(office: Office) -> None:
    office.invite(ANNA)
    office.clock.turn(hours=1)
    newest = office.invite(ANNA)
    assert Tally(sent=1) == office.send()
    assert newest.token.encode() in office.line.sent[0][1].replace(b"=\r\n", b"")


def test_an_older_link_is_not_sent_because_the_newer_one_was_used_up(office: Office) -> None:
    office.invite(ANNA)
    office.clock.turn(hours=1)
    newest = office.invite(ANNA, devices=1)
    office.send()
    office.links.count_device(newest, "ios-exchange")
    assert Tally() == office.send()


def _revoke(office: Office, link: SetupLink) -> None:
    office.links.revoke(link.id, actor="admin")


def _expire(office: Office, link: SetupLink) -> None:
    office.clock.now = link.expires_at


def _use_up(office: Office, link: SetupLink) -> None:
    office.links.count_device(link, "ios-exchange")


CLOSINGS: list[Callable[[Office, SetupLink], None]] = [_revoke, _expire, _use_up]


@pytest.mark.parametrize("close", CLOSINGS)
def test_a_link_that_does_not_open_is_not_sent(office: Office, close: Callable[[Office, SetupLink], None]) -> None:
    close(office, office.invite(ANNA, devices=1))
    assert Forecast(0, office.clock.now) == office.outbox().forecast(domain=None)
    assert Tally() == office.send()
    assert {} == office.states()


@pytest.mark.parametrize("close", CLOSINGS)
def test_a_link_that_has_closed_in_the_queue_is_not_sent(
    office: Office, close: Callable[[Office, SetupLink], None]
) -> None:
    link = office.invite(ANNA, devices=1)
    outbox = office.outbox()
    with outbox.opened(domain=None):
        close(office, link)
        assert Tally() == office.round(outbox).run()
    assert [] == office.line.sent
    assert {} == office.states()


def test_a_mail_that_waits_is_forgotten_when_its_link_is_issued_anew(office: Office) -> None:
    link = office.invite(ANNA)
    office.line.answers[ANNA] = [DEFERRED]
    office.send()
    office.links.reissue(link.id, lifetime=timedelta(days=7), devices=None, actor="admin")
    assert Tally(sent=1) == office.send()
    assert ["sent"] == [each.state for each in office.mails()]


def test_one_domains_people_alone_can_be_written_to(office: Office) -> None:
    office.invite(ANNA)
    office.invite(CARA)
    assert 1 == office.outbox().forecast(domain="fabrikam.example").count
    assert Tally(sent=1) == office.send(domain="fabrikam.example")
    assert [CARA] == office.line.recipients
    assert {CARA: "sent"} == office.states()


def test_a_whole_company_is_queued_a_part_at_a_time(office: Office) -> None:
    people = [Person(Account(f"p{number}@contoso.example")) for number in range(2001)]
    office.links.invite(people, lifetime=timedelta(days=7), devices=3, actor="admin")
    outbox = office.outbox()
    with outbox.opened(domain=None):
        assert 2001 == len(office.mails())
    with outbox.opened(domain=None):
        assert 2001 == len(office.mails())


def test_a_long_list_can_be_sent_before_the_database_has_looked_how_long_it_is(office: Office) -> None:
    """Where every link was compared with every other one, PostgreSQL would have to be stopped after five seconds."""
    for first in range(0, 20_000, 2000):
        people = [Person(Account(f"p{number}@contoso.example")) for number in range(first, first + 2000)]
        office.links.invite(people, lifetime=timedelta(days=7), devices=3, actor="admin")
    for domain in (None, "contoso.example"):
        assert 20_000 == office.outbox().forecast(domain=domain).count


def test_a_limit_leaves_the_rest_waiting(office: Office) -> None:
    for number in range(5):
        office.invite(f"p{number}@contoso.example")
    assert Tally(sent=2) == office.send(limit=2)
    assert 3 == office.outbox().forecast(domain=None).count
    assert Tally(sent=3) == office.send()


def test_a_refusal_is_written_down_for_the_person_and_the_others_get_mail(office: Office) -> None:
    office.invite(ANNA)
    office.invite(BOB)
    office.line.answers[ANNA] = [REFUSED]
    assert Tally(sent=1, refused=1) == office.send()
    assert {ANNA: ("refused", REFUSED.reason), BOB: ("sent", "")} == {
        each.address: (each.state, each.problem) for each in office.mails()
    }
    assert Tally() == office.send(), "what was refused is not tried again by itself"
    assert Tally(sent=1) == office.send(retry_refused=True)


def test_what_may_have_arrived_is_sent_again_only_where_that_is_asked_for(office: Office) -> None:
    office.invite(ANNA)
    office.line.answers[ANNA] = [UNSURE]
    assert Tally(unsure=1) == office.send()
    assert Tally() == office.send()
    assert Tally() == office.send(retry_refused=True)
    assert 1 == office.outbox().forecast(domain=None, more=("unsure",)).count
    assert Tally(sent=1) == office.send(retry_unsure=True)
    first, second = (mail for _, mail in office.line.sent)
    name = b"Message-ID: "
    assert first.split(name)[1].splitlines()[0] == second.split(name)[1].splitlines()[0], "a copy is known as one"


def test_what_was_refused_is_tried_again_only_where_the_link_still_opens_and_stays_told(office: Office) -> None:
    """Of Bob the refusal is kept: it is all that is known of why he has no mail."""
    office.invite(ANNA)
    closed = office.invite(BOB)
    office.line.answers = {ANNA: [REFUSED], BOB: [REFUSED]}
    assert Tally(refused=2) == office.send()
    office.links.revoke(closed.id, actor="admin")
    assert 1 == office.outbox().forecast(domain=None, more=("refused",)).count
    assert Tally(sent=1) == office.send(retry_refused=True)
    assert {ANNA: "sent", BOB: "refused"} == office.states()


def test_what_the_server_does_not_take_now_is_tried_again_later_and_later(office: Office) -> None:
    office.invite(ANNA)
    office.line.answers[ANNA] = [DEFERRED] * 9
    pauses = []
    for _ in range(9):
        assert Tally(deferred=1) == office.send()
        due_at = office.outbox().next_due(domain=None)
        assert due_at is not None
        pauses.append((due_at - office.clock.now) / timedelta(minutes=1))
        assert Tally() == office.send(), "not before it is due"
        office.clock.now = due_at
    assert [5, 10, 20, 40, 80, 160, 240, 240, 240] == pauses
    assert Tally(sent=1) == office.send()
    assert [(10, "sent")] == [(each.attempts, each.state) for each in office.mails()]


def test_a_sender_that_is_gone_leaves_its_mail_unsure(office: Office) -> None:
    office.invite(ANNA)
    outbox = office.outbox()
    with outbox.opened(domain=None):
        taken = outbox.take(domain=None)  # and then the machine loses power
    assert isinstance(taken, TakenMail)
    assert {ANNA: "sending"} == office.states()
    assert Tally() == office.send()
    assert [("unsure", "The program ended while the mail was handed over.")] == [
        (each.state, each.problem) for each in office.mails()
    ]
    assert Tally(sent=1) == office.send(retry_unsure=True)


def test_a_sender_that_is_at_work_is_not_taken_for_one_that_is_gone(office: Office) -> None:
    office.invite(ANNA)
    office.invite(BOB)
    first = office.outbox()
    with first.opened(domain=None):
        taken = first.take(domain=None)
        assert isinstance(taken, TakenMail)
        assert Tally(sent=1) == office.send(), "the other mail"
        assert ["sending", "sent"] == sorted(office.states().values())
        first.settle(taken, Outcome(Fate.SENT), domain="contoso.example")
    assert ["sent", "sent"] == sorted(office.states().values())


def test_two_senders_that_take_turns_never_take_the_same_mail(office: Office) -> None:
    for number in range(6):
        office.invite(f"p{number}@contoso.example")
    one, other = office.outbox(), office.outbox()
    taken = []
    with one.opened(domain=None), other.opened(domain=None):
        for outbox in (one, other) * 3:
            office.clock.turn(seconds=2)
            taken.append(outbox.take(domain=None))
        assert one.take(domain=None) is None
    ids = {each.id for each in taken if isinstance(each, TakenMail)}
    assert 6 == len(ids) == len(taken)


def test_mails_go_at_the_pace_of_all_senders_together(office: Office) -> None:
    for number in range(3):
        office.invite(f"p{number}@contoso.example")
    one, other = office.outbox(), office.outbox()
    with one.opened(domain=None), other.opened(domain=None):
        assert isinstance(one.take(domain=None), TakenMail)
        assert NOW + timedelta(seconds=2) == other.take(domain=None)


def test_the_round_waits_between_mails_and_over_the_day(office: Office) -> None:
    for number in range(5):
        office.invite(f"p{number}@contoso.example", lifetime=timedelta(days=30))
    pace = Pace(per_minute=30, per_day=2)
    forecast = office.outbox(pace).forecast(domain=None)
    assert Forecast(5, NOW + timedelta(days=2)) == forecast
    assert Tally(sent=5) == office.send(pace=pace)
    assert forecast.finish == office.clock.now
    assert [2, 86398, 2, 86398] == office.waits


def test_mails_of_a_clock_that_was_wrong_hold_nobody_up(office: Office) -> None:
    office.clock.turn(days=365)
    office.invite(ANNA)
    office.send()
    office.clock.turn(days=-365)
    office.invite(BOB)
    pace = Pace(per_minute=30, per_day=1)
    assert Forecast(1, NOW) == office.outbox(pace).forecast(domain=None)
    assert Tally(sent=1) == office.send(pace=pace)
    assert [] == office.waits


def test_links_that_expire_before_their_mail_can_go_are_foretold(office: Office) -> None:
    for number in range(3):
        office.invite(f"p{number}@contoso.example", lifetime=timedelta(days=1 if number else 30))
    pace = Pace(per_minute=30, per_day=1)
    assert Forecast(3, NOW + timedelta(days=2), expired_by_then=2) == office.outbox(pace).forecast(domain=None)
    with office.outbox(pace).opened(domain=None):
        assert 2 == office.outbox(pace).forecast(domain=None).expired_by_then
    assert Forecast(1, NOW) == office.outbox(pace).forecast(domain=None, limit=1)


def test_a_restart_forgets_no_mail_of_the_last_day(office: Office) -> None:
    for number in range(4):
        office.invite(f"p{number}@contoso.example", lifetime=timedelta(days=30))
    office.send(limit=3)
    office.clock.turn(hours=1)
    outbox = office.outbox(Pace(per_minute=30, per_day=3))
    assert NOW + timedelta(days=1) == outbox.forecast(domain=None).finish
    assert NOW + timedelta(days=1) == outbox.take(domain=None)


def test_somebody_who_asks_to_stop_is_heard_between_two_mails(office: Office) -> None:
    for number in range(5):
        office.invite(f"p{number}@contoso.example")
    office.stop_after = 2
    assert Tally(sent=2) == office.send()
    office.stop_after = None
    assert Tally(sent=3) == office.send()
    assert 5 == len(set(office.line.recipients))


def test_a_server_that_is_away_for_a_while_is_waited_for(office: Office) -> None:
    office.invite(ANNA)
    office.invite(BOB)
    second = sorted([ANNA, BOB], key=lambda address: office.links.list(address=address)[0].id)[1]
    office.line.answers[second] = [RelayUnavailable("away"), SignInUnavailable("away"), Outcome(Fate.SENT)]
    assert Tally(sent=2) == office.send()
    assert [30.0, 60.0] == [wait for wait in office.waits if wait >= 10]
    assert 1 == max(each.attempts for each in office.mails()), "what was not handed over was no attempt"


def test_a_server_that_never_comes_back_ends_the_round_and_the_mails_wait(office: Office) -> None:
    office.invite(ANNA)
    office.invite(BOB)
    second = sorted([ANNA, BOB], key=lambda address: office.links.list(address=address)[0].id)[1]
    office.line.answers[second] = [RelayUnavailable("away")] * 6
    with pytest.raises(RelayUnavailable, match="away"):
        office.send()
    assert ["queued", "sent"] == sorted(office.states().values())
    assert Tally(sent=1) == office.send()


def test_a_server_that_was_never_there_is_not_waited_for(office: Office) -> None:
    office.invite(ANNA)
    office.line.answers[ANNA] = [RelayUnavailable("not there")]
    with pytest.raises(RelayUnavailable, match="not there"):
        office.send()
    assert ({ANNA: "queued"}, []) == (office.states(), office.waits)


def test_a_server_that_cannot_be_used_ends_the_round_and_blames_nobody(office: Office) -> None:
    office.invite(ANNA)
    office.line.answers[ANNA] = [RelayUnusable("535 5.7.139 SmtpClientAuthentication is disabled")]
    with pytest.raises(RelayUnusable, match=r"5\.7\.139"):
        office.send()
    (mail,) = office.mails()
    assert ("queued", "535 5.7.139 SmtpClientAuthentication is disabled", 0) == (
        mail.state, mail.problem, mail.attempts,
    )  # fmt: skip


def test_once_it_is_mended_the_mail_goes_at_once(office: Office) -> None:
    office.invite(ANNA)
    office.line.answers[ANNA] = [RelayUnusable("535 5.7.139")]
    with pytest.raises(RelayUnusable):
        office.send()
    assert Tally(sent=1) == office.send()


def test_a_mail_that_shows_that_the_sender_is_refused_does_not_block_the_others(office: Office) -> None:
    office.invite(ANNA)
    office.invite(BOB)
    first, second = sorted([ANNA, BOB], key=lambda address: office.links.list(address=address)[0].id)
    office.line.answers[first] = [SenderRefused("554 5.2.2")]
    with pytest.raises(SenderRefused):
        office.send()
    assert Tally(sent=1) == office.send()
    assert [second] == office.line.recipients
    office.clock.turn(minutes=5)
    assert Tally(sent=1) == office.send()


def test_ten_refusals_in_a_row_are_no_longer_about_the_people(office: Office) -> None:
    addresses = [f"p{number}@contoso.example" for number in range(12)]
    for address in addresses:
        office.invite(address)
        office.line.answers[address] = [REFUSED]
    with pytest.raises(RelayUnusable, match="none of the last 10 mails, so the others wait") as refusal:
        office.send()
    assert REFUSED.reason in str(refusal.value)
    assert 10 == list(office.states().values()).count("refused")


def test_every_mail_stands_in_the_audit_trail_without_its_address(office: Office) -> None:
    link = office.invite(ANNA)
    office.line.answers[ANNA] = [REFUSED]
    office.send()
    with office.store.read() as connection:
        (row,) = connection.execute(select(tables.audit).where(tables.audit.c.action == "mail.send")).mappings()
    assert (link.id, "admin") == (row["subject"], row["actor"])
    assert "contoso.example" in str(row["details"])
    assert "anna" not in str(dict(row))


def test_a_forecast_changes_nothing(office: Office) -> None:
    office.invite(ANNA)
    assert Forecast(1, NOW) == office.outbox().forecast(domain=None)
    assert [] == office.mails()


def test_moments_are_kept_as_they_are(office: Office) -> None:
    office.invite(ANNA)
    office.send()
    (mail,) = office.mails()
    assert (NOW, NOW) == (mail.queued_at, mail.changed_at)
    assert isinstance(mail.due_at, datetime)

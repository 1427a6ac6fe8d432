"""One round of sending: mail after mail at the pace that is allowed, until none is left or somebody stops it.

A person's refusal is written down and the round goes on. Trouble of the mail server itself is nobody's refusal: the
mail is put back, and the round waits, or ends where waiting does not help.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from provisioner.errors import (
    ProvisionerError,
    RelayError,
    RelayUnavailable,
    RelayUnusable,
    SenderRefused,
    SignInUnavailable,
)
from provisioner.links import Links, LinkState, SetupLink
from provisioner.organisation import Organisation
from provisioner.sending.letter import Letter, Sender, compose
from provisioner.sending.outbox import Outbox
from provisioner.sending.relay import Fate, NotHandedOver, Outcome, status_of
from provisioner.sending.stationery import Stationery
from provisioner.store.outbox import TakenMail
from provisioner.texts import language_of

_log = structlog.get_logger(__name__)

_PAUSES = (30.0, 60.0, 120.0, 240.0, 480.0)  # seconds, while a server that has taken mails takes none
_MOST_IN_A_ROW = 10  # mails not taken, one after the other: then it is no longer about the people
_TEMPORARY = (RelayUnavailable, SignInUnavailable)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many mails of a round came to which fate."""

    sent: int = 0
    refused: int = 0
    deferred: int = 0
    unsure: int = 0

    def plus(self, fate: Fate) -> "Tally":
        """One more."""
        return replace(self, **{fate.value: getattr(self, fate.value) + 1})

    @property
    def total(self) -> int:
        """All of them."""
        return self.sent + self.refused + self.deferred + self.unsure


class Line(Protocol):
    """What mails are handed over to: a RelayLine."""

    def deliver(self, mail: bytes, *, sender: str, recipient: str) -> Outcome:
        """As ``RelayLine.deliver``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round is made of. ``wait`` sleeps for seconds and says whether somebody has asked to stop."""

    outbox: Outbox
    links: Links
    organisation_of: Callable[[str], Organisation]  # by domain
    stationery: Stationery
    line: Line
    sender: Sender
    public_url: str
    qr_capitals: bool
    clock: Callable[[], datetime]
    wait: Callable[[float], bool]

    def run(
        self, *, domain: str | None = None, limit: int | None = None, tell: Callable[[Outcome], None] = lambda _: None
    ) -> Tally:
        """Send what is due, ``limit`` mails at most, and say what became of them; ``tell`` hears of each.

        Raises RelayError and SignInError where the mail server takes no mail at all; what was sent before is written
        down, and everything else waits.
        """
        tally, missed, pauses = Tally(), 0, list(_PAUSES)
        while (limit is None or tally.total < limit) and not self.wait(0):
            taken = self.outbox.take(domain=domain)
            if taken is None:
                break
            if isinstance(taken, datetime):
                self.wait((taken - self.clock()).total_seconds())
                continue
            try:
                outcome = self._send(taken)
            except _TEMPORARY:
                if not tally.sent or not pauses:
                    raise
                self.wait(pauses.pop(0))
                continue
            if outcome is None:
                continue
            tally, missed, pauses = tally.plus(outcome.fate), _missed(missed, outcome), list(_PAUSES)
            tell(outcome)
            if missed == _MOST_IN_A_ROW:
                raise _nobody(outcome)
        return tally

    def _send(self, taken: TakenMail) -> Outcome | None:
        """Hand over one mail and write down its fate; None where its link has closed."""
        link = self.links.get(taken.link_id)
        try:
            if link.state(self.clock()) is not LinkState.OPEN or link.issue != taken.issue:
                self.outbox.drop(taken)
                return None
            outcome = self.line.deliver(
                self._written(taken, link), sender=self.sender.address, recipient=link.account.address
            )
        except RelayUnusable as trouble:
            self.outbox.give_back(taken, problem=str(trouble), later=isinstance(trouble, SenderRefused))
            raise
        except (ProvisionerError, NotHandedOver):
            self.outbox.give_back(taken)
            raise
        self.outbox.settle(taken, outcome, domain=link.account.domain)
        if outcome.fate is not Fate.SENT:
            _log.warning(
                "mail_not_sent",
                domain=link.account.domain,
                outcome=outcome.fate.value,
                status=status_of(outcome.reason),
                link=link.id,
            )
        return outcome

    def _written(self, taken: TakenMail, link: SetupLink) -> bytes:
        organisation = self.organisation_of(link.account.domain)
        letter = Letter(
            link=link,
            url=self.public_url + link.path,
            organisation=organisation,
            language=language_of(link.language, organisation),
            qr_capitals=self.qr_capitals,
        )
        mail = compose(
            letter,
            self.stationery,
            sender=self.sender,
            message_id=taken.message_id,
            written_at=self.clock(),
        )
        return mail.as_bytes()


def _missed(before: int, outcome: Outcome) -> int:
    return 0 if outcome.fate is Fate.SENT else before + 1


def _nobody(last: Outcome) -> RelayError:
    text = (
        f"The mail server took none of the last {_MOST_IN_A_ROW} mails, so the others wait. Its last answer: "
        f"{last.reason} 'provisioner send --list' shows them all; 'provisioner send' goes on."
    )
    return RelayUnavailable(text) if last.fate is Fate.DEFERRED else RelayUnusable(text)

"""``provisioner send``: the invitations as mails, at the pace that the mail server allows.

A mail that may have been sent is never sent again by itself, whatever interrupts the program.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.context import INTERRUPTED, actor, open_services, settings_from
from provisioner.cli.output import print_json, print_table, say_none_yet

if TYPE_CHECKING:
    from provisioner.app import Services
    from provisioner.organisation import Organisation
    from provisioner.sending import Forecast, Outbox, Outcome, Relay, RelayLine, Round, Sender, Tally

_STANDARD_ERROR = 2  # its descriptor
_LONGEST_NAP = 0.2  # seconds until a request to stop is seen


@click.command()
@click.option("--domain", metavar="DOMAIN", help="Only to this domain's people.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Send N mails at most.")
@click.option("--dry-run", is_flag=True, help="Say how many mails would go and when the last; send and change nothing.")
@click.option("--list", "as_list", is_flag=True, help="List the mails and what became of them; send nothing.")
@click.option("--retry-unsure", is_flag=True, help="Send again what may have been sent, and may arrive twice.")
@click.option("--retry-refused", is_flag=True, help="Send again what the mail server has refused.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def send(ctx: click.Context, /, *, domain: str | None, as_list: bool, as_json: bool, **asked: Any) -> None:
    """Send each invited person the mail with their setup link.

    The QR code is inside. Whoever has had the mail for their newest open link gets none. What was interrupted goes on
    with the next call.
    """
    from provisioner.app import require_public_url

    settings = settings_from(ctx)
    if not as_list:
        require_public_url(settings)
    with open_services(settings) as services:
        if domain is not None:
            domain = services.directory.read().domain(domain).name
        if as_list:
            _print_mails(services, domain, as_json=as_json)
        else:
            _send(ctx, services, domain=domain, as_json=as_json, **asked)


def _print_mails(services: "Services", domain: str | None, *, as_json: bool) -> None:
    from provisioner.store.maillist import all_mails

    with services.store.read() as connection:
        mails = all_mails(connection, domain=domain).whole()
    if as_json:
        print_json(mails)
    elif mails:
        rows = [[each.address, each.state, f"{each.changed_at:%Y-%m-%d %H:%M}", each.problem] for each in mails]
        print_table(["ADDRESS", "STATE", "SINCE (UTC)", "WHAT THE MAIL SERVER SAID"], rows)
    else:
        say_none_yet("mail", services.settings.data_dir)


def _send(
    ctx: click.Context, services: "Services", *, dry_run: bool, retry_unsure: bool, retry_refused: bool, **asked: Any
) -> None:
    errand = _errand(services, **asked)
    if dry_run:
        more = [state for state, wanted in (("unsure", retry_unsure), ("refused", retry_refused)) if wanted]
        _say_plan(errand, errand.outbox.forecast(domain=errand.domain, limit=errand.limit, more=tuple(more)))
        return
    again = {"retry_unsure": retry_unsure, "retry_refused": retry_refused}
    with errand.outbox.opened(domain=errand.domain, **again) as abandoned, _stoppable() as stop:
        tally = _run(errand, stop, abandoned)
    ctx.exit(INTERRUPTED if stop.asked else 1 if tally.refused or tally.unsure else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """What one call sends, through what, and how it is told."""

    services: "Services"
    outbox: "Outbox"
    relay: "Relay"
    sender: "Sender"
    domain: str | None
    limit: int | None
    as_json: bool


def _errand(services: "Services", *, domain: str | None, limit: int | None, as_json: bool) -> _Errand:
    from provisioner.mailing import choose_relay, choose_sender
    from provisioner.sending import Outbox, Pace

    settings = services.settings
    sender = choose_sender(settings)
    relay = choose_relay(settings, services.providers)
    outbox = Outbox(
        services.store,
        pace=Pace(per_minute=settings.mail_per_minute, per_day=settings.mail_per_day),
        host=sender.address.rpartition("@")[2],
        clock=services.clock,
        actor=actor(),
    )
    return _Errand(
        services=services, outbox=outbox, relay=relay, sender=sender, domain=domain, limit=limit, as_json=as_json
    )


def _say_plan(errand: _Errand, forecast: "Forecast") -> None:
    relay, settings = errand.relay, errand.services.settings
    if errand.as_json:
        plan = {"mails": forecast.count, "finish": forecast.finish if forecast.count else None}
        plan["expired_by_then"] = forecast.expired_by_then
        print_json({**plan, "mail_server": f"{relay.host}:{relay.port}", "from": errand.sender.address})
        return
    click.echo(
        f"{_counted(forecast.count)} to send from {errand.sender.address} through {relay.host}:{relay.port}, at most "
        f"{settings.mail_per_minute} a minute and {settings.mail_per_day} a day."
    )
    if forecast.count:
        click.echo(f"The last one goes at {forecast.finish:%Y-%m-%d %H:%M:%S} UTC.")
    if forecast.expired_by_then:
        click.echo(
            f"Warning: {forecast.expired_by_then} of their links will have expired by then, and a mail with a dead "
            "link is not sent. Invite fewer people at a time, or with more --days.",
            err=True,
        )


def _run(errand: _Errand, stop: "_Stop", abandoned: int) -> "Tally":
    """Send, and tell what became of it, also where it ends in an error, and of what a sender that is gone left."""
    from provisioner.sending import Tally

    forecast, tally = errand.outbox.forecast(domain=errand.domain, limit=errand.limit), Tally(unsure=abandoned)
    if forecast.count and not errand.as_json:
        _say_plan(errand, forecast)
    line = _line(errand)
    try:
        with _progress(errand, forecast) as advance:

            def tell(outcome: "Outcome") -> None:
                nonlocal tally
                tally = tally.plus(outcome.fate)
                advance(1)

            _round(errand, line, stop).run(domain=errand.domain, limit=errand.limit, tell=tell)
    finally:
        line.close()
        _say_result(errand, tally)
    return tally


def _line(errand: _Errand) -> "RelayLine":
    from provisioner.sending import RelayLine

    return RelayLine(errand.relay)


def _round(errand: _Errand, line: "RelayLine", stop: "_Stop") -> "Round":
    from provisioner.app import templates
    from provisioner.sending import Round, Stationery

    services = errand.services

    def organisation_of(name: str) -> "Organisation":
        snapshot = services.directory.read()  # for each mail: a round takes days, and people change their texts
        return snapshot.organisation(snapshot.domain(name).organisation_id)

    return Round(
        outbox=errand.outbox,
        links=services.links,
        organisation_of=organisation_of,
        stationery=Stationery(templates()),
        line=line,
        sender=errand.sender,
        public_url=services.settings.public_url,
        qr_capitals=services.settings.qr_capitals,
        clock=services.clock,
        wait=stop.wait,
    )


@contextmanager
def _progress(errand: _Errand, forecast: "Forecast") -> Iterator[Callable[[int], None]]:
    """A bar on standard error, where a person looks at it."""
    if errand.as_json or not forecast.count or not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(
        length=forecast.count, label="Sending", show_pos=True, show_eta=False, file=sys.stderr
    ) as bar:
        yield bar.update


def _say_result(errand: _Errand, tally: "Tally") -> None:
    due_at = errand.outbox.next_due(domain=errand.domain)
    if errand.as_json:
        print_json({"sent": tally.sent, "refused": tally.refused, "deferred": tally.deferred, "unsure": tally.unsure,
                    "next_due": due_at})  # fmt: skip
        return
    click.echo(f"Sent {_counted(tally.sent)}.")
    for count, said in (
        (tally.refused, "refused by the mail server: 'provisioner send --list' says why."),
        (tally.deferred, "not taken for now, and tried again later."),
        (tally.unsure, "may have been sent, or not; --retry-unsure sends it again."),
    ):
        if count:
            click.echo(f"{_counted(count)} {said}")
    if due_at is not None:
        later = f" after {due_at:%Y-%m-%d %H:%M} UTC" if due_at > errand.services.clock() else ""
        click.echo(f"Some mails still wait. Call 'provisioner send' again{later}.")


def _counted(count: int) -> str:
    return "1 mail" if count == 1 else f"{count} mails"


class _Stop:
    """Whether somebody wants the program to end: after the mail that is being handed over."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  # signal.signal's handler
        """Stop between two mails; asked twice, at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        with suppress(OSError):  # not print, which the signal may have interrupted
            os.write(_STANDARD_ERROR, b"\nStopping after the mail in hand; asked once more, at once.\n")

    def wait(self, seconds: float) -> bool:
        """Sleep, not beyond the request to stop; says whether there is one."""
        deadline = time.monotonic() + seconds
        while not self.asked and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _LONGEST_NAP))
        return self.asked


@contextmanager
def _stoppable() -> Iterator[_Stop]:
    """Ctrl-C and a request to terminate end what runs in the block between two mails."""
    stop = _Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

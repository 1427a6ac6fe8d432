"""``provisioner invite``: everybody on a CSV list gets an invitation, and a setup link where there is none that opens.

The list is written in batches that are each done or not done at all: whatever ends the command, running it again
finishes the work, with nothing done twice.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO

import click

from provisioner.address import normalise_domain
from provisioner.cli.context import INTERRUPTED, PathOf, Refusal, actor, open_services, settings_from
from provisioner.cli.invitesaid import print_row, print_sums, print_sums_as_json, warn_of_columns
from provisioner.cli.spreadsheetfile import spreadsheet_at
from provisioner.errors import InvalidTable, ProvisionerError, UnknownDomain

if TYPE_CHECKING:
    from provisioner.app import Services
    from provisioner.config import Settings
    from provisioner.invitations import Outcome, Selection, Tally

_REPORT = ("line", "address", "result", "column", "reason")

Heard = Callable[[], bool]


@click.command("invite")
@click.argument("file", type=PathOf(exists=True, dir_okay=False, path_type=Path), metavar="FILE.csv")
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN", help="Only this domain's people; repeatable.")
@click.option("--days", type=click.IntRange(1, 3650), metavar="N", help="Days that a link opens. [default: link_days]")
@click.option(
    "--devices", type=click.IntRange(1, 1000), metavar="N", help="Devices a link is good for. [default: link_devices]"
)
@click.option("--include-guests", is_flag=True, help="Also guests of other organisations.")
@click.option("--include-blocked", is_flag=True, help="Also those who may not sign in.")
@click.option("--include-deleted", is_flag=True, help="Also deleted accounts.")
@click.option("--include-unlicensed", is_flag=True, help="Also accounts without a licence.")
@click.option("--dry-run", is_flag=True, help="Invite nobody; say of each row what would become of it.")
@click.option(
    "--report", type=PathOf(dir_okay=False, path_type=Path), metavar="REPORT.csv", help="Write what became of each row."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def invite(
    ctx: click.Context,
    /,
    *,
    file: Path,
    domains: tuple[str, ...],
    days: int | None,
    devices: int | None,
    dry_run: bool,
    report: Path | None,
    as_json: bool,
    **included: bool,
) -> None:
    """Invite everybody on the list FILE.csv.

    Its first line names the columns: address, username, name, language; or those of the user export of the Microsoft
    365 admin centre. Whoever has no open link gets one; whoever has one keeps it.
    """
    if report and report.exists() and report.samefile(file):
        raise click.UsageError(f"The report would replace the list {file}. Give the report a name of its own.")
    settings = settings_from(ctx, link_days=days, link_devices=devices)
    with open_services(settings) as services:
        selection = _selection(services, domains, included)
        with _until_interrupted() as interrupted:
            tally = _invite(services, settings, file, selection, report, interrupted, dry_run=dry_run, quiet=as_json)
            stopped = interrupted()
    if as_json:
        print_sums_as_json(tally, dry_run=dry_run, finished=not stopped)
    else:
        print_sums(tally, dry_run=dry_run, report=report)
    if stopped:
        raise Refusal(f"Interrupted {_how_far(tally, dry_run=dry_run)}", exit_code=INTERRUPTED)
    ctx.exit(1 if tally.has_findings else 0)


def _selection(services: "Services", domains: tuple[str, ...], included: dict[str, bool]) -> "Selection":
    from provisioner.invitations import Selection

    known = services.directory.read().domains
    asked = frozenset(normalise_domain(domain) for domain in domains)
    for domain in sorted(asked - known.keys()):
        raise UnknownDomain(domain)
    return Selection(domains=asked, **{name.removeprefix("include_"): value for name, value in included.items()})


def _invite(
    services: "Services",
    settings: "Settings",
    file: Path,
    selection: "Selection",
    report: Path | None,
    interrupted: Heard,
    *,
    dry_run: bool,
    quiet: bool,
) -> "Tally":
    """Go through the list, and sum up what became of it."""
    from provisioner.invitations import Outcome, Tally, invite_in_batches, people, read_table

    lifetime, devices = timedelta(days=settings.link_days), settings.link_devices
    invite = partial(services.links.invite, lifetime=lifetime, devices=devices, actor=actor())
    deed = services.links.foresee if dry_run else invite
    tally = Tally()
    with _stops_told(tally, dry_run=dry_run), ExitStack() as stack:
        source = stack.enter_context(_opened(file))
        try:
            table = read_table(source)
        except InvalidTable as refusal:
            raise InvalidTable(f"{file}: {refusal}") from None
        warn_of_columns(table)
        tell: list[Callable[[Outcome], None]] = [print_row] if dry_run and not quiet else []
        if report:
            tell.append(_reporting(stack.enter_context(spreadsheet_at(report, _REPORT))))
        advance = stack.enter_context(_progress(source, file.stat().st_size, quiet=dry_run and not quiet))
        for outcomes in invite_in_batches(people(table, selection), deed, pause=time.sleep):
            for outcome in outcomes:
                tally.add(outcome)
            for say in tell:
                for outcome in outcomes:
                    say(outcome)
            advance()
            if interrupted():
                break
    return tally


def _opened(file: Path) -> BinaryIO:
    try:
        source = file.open("rb")
    except OSError as failure:
        raise InvalidTable(f"The file {file} cannot be read: {failure.strerror}.") from None
    if not source.seekable():
        source.close()
        raise InvalidTable(f"{file} cannot be read twice, as a pipe cannot. Save the list as a file.")
    return source


def _reporting(write: Callable[[Iterable[object]], None]) -> Callable[["Outcome"], None]:
    return lambda outcome: write(getattr(outcome, name) for name in _REPORT)


@contextmanager
def _stops_told(tally: "Tally", *, dry_run: bool) -> Iterator[None]:
    """Adds to what ends the work in the middle of the list how far it has come."""
    try:
        yield
    except ProvisionerError as failure:
        if not tally.rows:
            raise
        raise Refusal(f"{failure}\nStopped {_how_far(tally, dry_run=dry_run)}", exit_code=1) from failure


def _how_far(tally: "Tally", *, dry_run: bool) -> str:
    again = "Nobody was invited." if dry_run else "What was done is kept; run the same command again to finish it."
    return f"after line {tally.last_line}. {again}"


@contextmanager
def _progress(source: BinaryIO, size: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A bar on standard error, where that is a terminal and nothing else is written there."""
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=max(size, 1), label="Inviting", file=sys.stderr) as bar:
        yield lambda: bar.update(source.tell() - bar.pos)


@contextmanager
def _until_interrupted() -> Iterator[Heard]:
    """While the block runs, Ctrl-C and SIGTERM only let it know: a batch that was begun is finished."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # as the signal module calls it
        if heard:  # the second time at once; nothing of a batch that was begun is kept
            raise KeyboardInterrupt
        heard.append(number)

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(heard)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

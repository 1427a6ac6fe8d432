"""What ``provisioner invite`` says: a line for each row or for those to look at, and the sums."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.output import print_json

if TYPE_CHECKING:
    from provisioner.invitations import Outcome, Table, Tally

_SHOWN = 20  # rows, where nobody asked for each
_KEEPING = ("person has an open link already and keeps it", "people have an open link already and keep it")
_WOULD = {"invited": "would be invited", "kept": "would get no new link", "left out": "left out"}


def warn_of_columns(table: "Table") -> None:
    """Tell on standard error which columns are not read although somebody may believe so."""
    for doubt in table.doubts:
        click.echo(f"Warning: {doubt}", err=True)


def print_row(outcome: "Outcome") -> None:
    """Write what would become of one row."""
    where = f"line {outcome.line}"
    said = ": ".join(part for part in (_WOULD[outcome.result], outcome.column, outcome.reason) if part)
    click.echo(f"{where:<12}{outcome.address or '-'}  {said}")


def print_sums(tally: "Tally", *, dry_run: bool, report: Path | None) -> None:
    """Write how many people are invited, how many rows are left out and why."""
    if not tally.rows:
        click.echo("The list has no row under the names of its columns.")
        return
    new, kept = tally.results["invited"], tally.people - tally.results["invited"]
    if not dry_run:
        _print_notes(tally, report)
    click.echo(f"{'Would invite' if dry_run else 'Invited'} {_counted(new, 'person', 'people')} with a new link.")
    if kept:
        click.echo(f"{_counted(kept, *_KEEPING)}.")
    if tally.repeated:
        click.echo(f"{_counted(tally.repeated, 'row names', 'rows name')} a person again; the last row counts.")
    for why, count in sorted(tally.left_out.items(), key=lambda item: item[0].value):
        click.echo(f"Left out {_counted(count, 'row', 'rows')}: {why.value}.")
    for domain, count in tally.unknown_domains.most_common(_SHOWN):
        click.echo(f"  {domain}: {_counted(count, 'row', 'rows')}. 'provisioner domain add {domain}' would add it.")


def _print_notes(tally: "Tally", report: Path | None) -> None:
    for note in tally.notes[:_SHOWN]:
        click.echo(": ".join(part for part in (f"line {note.line}", note.column, note.reason) if part))
    more = sum(tally.left_out.values()) + tally.repeated - _SHOWN
    if more > 0:
        click.echo(f"and {more} more; {report or '--report FILE.csv'} has them all.")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def print_sums_as_json(tally: "Tally", *, dry_run: bool, finished: bool) -> None:
    """Write the sums, and the first thousand rows that are left out or say something."""
    notes = [
        {name: getattr(note, name) for name in ("line", "address", "result", "column", "reason", "why")}
        for note in tally.notes
    ]
    print_json(
        {
            "dry_run": dry_run,
            "finished": finished,
            "rows": tally.rows,
            "people": tally.people,
            "invited": tally.results["invited"],
            "kept": tally.people - tally.results["invited"],
            "repeated": tally.repeated,
            "left_out": {why.value: count for why, count in tally.left_out.items()},
            "unknown_domains": dict(tally.unknown_domains),
            "notes": notes,
        }
    )

"""``provisioner export``: a ZIP with everything that an MDM imports, and a README with the steps of its console.

Organisation and domains come from the store, or from a file (``--context``); then no database is needed, and like
``render`` the command says who signed, instead of writing an audit trail.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.context import PathOf
from provisioner.cli.desk import open_desk
from provisioner.cli.output import NotWritten

if TYPE_CHECKING:
    from provisioner.export import Desk, Outcome
    from provisioner.mdm import Mdm
    from provisioner.provisioning import Signature


@click.command()
@click.option("--mdm", "mdm_id", required=True, metavar="ID", help="The MDM; see 'provisioner mdms'.")
@click.option("--domain", metavar="DOMAIN", help="One set for everybody of this domain, with the MDM's variables.")
@click.option(
    "--csv",
    "people",
    type=PathOf(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Files for each person of a CSV list, such as 'provisioner invite' takes.",
)
@click.option("--address-variable", metavar="TEXT", help="How your MDM spells the address (--mdm generic).")
@click.option("--username-variable", metavar="TEXT", help="How your MDM spells the user name (--mdm generic).")
@click.option(
    "--context", type=PathOf(dir_okay=False, path_type=Path), metavar="FILE", help="Organisation and domains, TOML."
)
@click.option("--identity", type=PathOf(file_okay=False, path_type=Path), metavar="DIR", help="The signing identity.")
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    metavar="N",
    default=lambda: len(os.sched_getaffinity(0)),
    help="Processes that write and sign. [default: one for each processor]",
)
@click.option(
    "-o", "--output", type=PathOf(dir_okay=False, path_type=Path), required=True, metavar="FILE.zip", help="The set."
)
@click.pass_context
def export(
    ctx: click.Context,
    *,
    mdm_id: str,
    domain: str | None,
    people: Path | None,
    address_variable: str | None,
    username_variable: str | None,
    context: Path | None,
    identity: Path | None,
    processes: int,
    output: Path,
) -> None:
    """Write a ZIP that an MDM imports.

    For a domain with variables, or for each person of a list.
    """
    mdm = _mdm(mdm_id, address_variable, username_variable)
    if (domain is None) == (people is None):
        raise click.UsageError("One of --domain and --csv was expected: a set for a domain, or for each person.", ctx)
    with open_desk(ctx, mdm, context=context, identity=identity) as (desk, record):
        try:
            outcome = _export(desk, record, domain=domain, people=people, processes=processes, output=output)
        except OSError as failure:
            raise NotWritten(f"The file {output} could not be written: {failure.strerror}.") from None
    _tell(output, outcome)


def _mdm(mdm_id: str, address_variable: str | None, username_variable: str | None) -> "Mdm":
    from provisioner.mdm import find_mdm, load_mdms, with_variables

    mdm = find_mdm(load_mdms(), mdm_id)
    if address_variable is None and username_variable is None:
        return mdm
    return with_variables(mdm, address=address_variable or "", username=username_variable or "")


def _export(
    desk: "Desk",
    record: "Callable[[Sequence[Signature]], None]",
    *,
    domain: str | None,
    people: Path | None,
    processes: int,
    output: Path,
) -> "Outcome":
    from provisioner.export import export_domain, export_people

    if people is None:
        assert domain is not None  # one of the two is given
        return export_domain(desk, domain, output)
    with _bar() as progress:
        return export_people(desk, people, output, record=record, processes=processes, progress=progress)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error."""
    with click.progressbar(length=1, label="Writing", file=sys.stderr) as bar:

        def show(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield show


def _tell(output: Path, outcome: "Outcome") -> None:
    whom = f" for {outcome.whom}" if outcome.whom else ""
    signed = f", {outcome.signatures:,} signed" if outcome.signatures else ", unsigned"
    files = "1 file" if outcome.files == 1 else f"{outcome.files:,} files"
    click.echo(f"{output}: {files}{whom}{signed}. Begin with README.txt in it.", err=True)
    for why, count in sorted(outcome.left_out.items(), key=lambda item: item[0].value):
        click.echo(f"Left out {count:,} {'row' if count == 1 else 'rows'}: {why.value}.", err=True)

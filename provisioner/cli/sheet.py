"""``provisioner sheet``: setup links on paper, as cards for people or as a poster for a domain.

The file holds live links, so nobody but its owner may read it.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.context import PathOf, Refusal, open_services, settings_from
from provisioner.cli.output import write_file, write_standard_output

if TYPE_CHECKING:
    from provisioner.app import Services

_STANDARD_OUTPUT = Path("-")


@click.command()
@click.option("--domain", metavar="DOMAIN", help="Only the people of this domain.")
@click.option("--poster", metavar="DOMAIN", help="A poster for a domain whose people may all get a link, instead.")
@click.option(
    "-o",
    "--output",
    type=PathOf(dir_okay=False, allow_dash=True, path_type=Path),
    default=_STANDARD_OUTPUT,
    metavar="FILE.html",
    help="The file to write, for its owner alone. [default: standard output]",
)
@click.pass_context
def sheet(ctx: click.Context, *, domain: str | None, poster: str | None, output: Path) -> None:
    """Write printable cards for the people whose link is open.

    Each has the person's name, the QR code, the link to type, the steps and whom to ask. Print it from any browser.
    """
    from provisioner.app import require_public_url

    if domain and poster:
        raise click.UsageError("A poster is for a whole domain and has no cards: give --domain or --poster.", ctx)
    settings = settings_from(ctx)
    require_public_url(settings)
    with open_services(settings) as services:
        text, said = (_poster(services, poster), "One poster.") if poster else _cards(services, domain)
    if output == _STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise click.UsageError("The sheet is HTML with live links; write it into a file with -o FILE.html.", ctx)
        write_standard_output(text.encode())
    else:
        write_file(output, text.encode(), secret=True)
    click.echo(said, err=True)


def _cards(services: "Services", domain: str | None) -> tuple[str, str]:
    """The sheet, and what is said of it."""
    from provisioner.app import templates
    from provisioner.sending import Stationery, card_sheet, open_letters
    from provisioner.texts import language_of

    settings, snapshot = services.settings, services.directory.read()
    if domain is not None:
        domain = snapshot.domain(domain).name
    letters = open_letters(
        services.store,
        services.links,
        domain=domain,
        organisation_of=lambda name: snapshot.organisation(snapshot.domain(name).organisation_id),
        public_url=settings.public_url,
        qr_capitals=settings.qr_capitals,
        now=services.clock(),
    )
    if not letters:
        whose = f" of {domain}" if domain else ""
        raise Refusal(f"Nobody{whose} has an open setup link, so there is no card to print.", exit_code=1)
    said = f"{len(letters)} {'card' if len(letters) == 1 else 'cards'}."
    return card_sheet(letters, Stationery(templates()), language=language_of("", letters[0].organisation)), said


def _poster(services: "Services", name: str) -> str:
    from provisioner.app import templates
    from provisioner.organisation import SelfService
    from provisioner.sending import Stationery, poster
    from provisioner.texts import language_of

    settings, snapshot = services.settings, services.directory.read()
    domain = snapshot.domain(name)
    if domain.self_service is not SelfService.OPEN:
        message = (
            f"The people of {domain.name} get their links by invitation (self_service is invite), so a poster would "
            f"lead them nowhere. Print cards with 'provisioner sheet --domain {domain.name}', or set self_service to "
            "open."
        )
        raise Refusal(message, exit_code=1)
    organisation = snapshot.organisation(domain.organisation_id)
    return poster(
        organisation,
        public_url=settings.public_url,
        domain=domain.name,
        language=language_of("", organisation),
        stationery=Stationery(templates()),
        qr_capitals=settings.qr_capitals,
    )

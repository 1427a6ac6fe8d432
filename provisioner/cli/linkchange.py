"""``provisioner link extend``, ``reissue`` and ``revoke``: what is done to a setup link that is there already."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from provisioner.address import normalise_domain
from provisioner.cli.context import actor, open_services, settings_from
from provisioner.cli.linksaid import known, print_link, refuse_unknown
from provisioner.cli.output import print_json

if TYPE_CHECKING:
    from provisioner.links import Links

_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.command("extend")
@click.argument("link_id", metavar="ID")
@click.option("--days", type=click.IntRange(1, 3650), metavar="N", required=True, help="Days that it opens longer.")
@_JSON
@click.pass_context
def extend(ctx: click.Context, *, link_id: str, days: int, as_json: bool) -> None:
    """Keep the setup link ID open for longer.

    From its end, or from now if it has expired. The link stays the same.
    """
    from provisioner.app import require_public_url

    settings = settings_from(ctx)
    require_public_url(settings)
    with open_services(settings) as services, known(link_id):
        print_link(services.links.extend(link_id, by=timedelta(days=days), actor=actor()), services, as_json=as_json)


@click.command("reissue")
@click.argument("link_id", metavar="ID")
@click.option("--days", type=click.IntRange(1, 3650), metavar="N", help="Days that it opens. [default: link_days]")
@click.option(
    "--devices",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="How many more devices it is good for. [default: as many as are left]",
)
@_JSON
@click.pass_context
def reissue(ctx: click.Context, *, link_id: str, days: int | None, devices: int | None, as_json: bool) -> None:
    """Replace the setup link ID by a new one.

    For one that was lost or seen by others: the old one is dead at once. The devices that it was used on stay
    counted.
    """
    from provisioner.app import require_public_url

    settings = settings_from(ctx, link_days=days)
    require_public_url(settings)
    lifetime = timedelta(days=settings.link_days)
    with open_services(settings) as services, known(link_id):
        issued = services.links.reissue(link_id, lifetime=lifetime, devices=devices, actor=actor())
        print_link(issued, services, as_json=as_json)


@click.command("revoke")
@click.argument("link_id", metavar="[ID]", default="")
@click.option("--domain", metavar="DOMAIN", default="", help="Close every open link of this domain's people instead.")
@click.option("--address", metavar="ADDRESS", default="", help="Close every open link of this mailbox instead.")
@_JSON
@click.pass_context
def revoke(ctx: click.Context, *, link_id: str, domain: str, address: str, as_json: bool) -> None:
    """Close the setup link ID for good.

    Or all those of a mailbox or a domain.
    """
    if [bool(link_id), bool(domain), bool(address)].count(True) != 1:
        raise click.UsageError(
            "Name either the ID of one link, or --domain and a domain to close all its links, or --address and a "
            "mailbox to close all of its."
        )
    with open_services(settings_from(ctx)) as services:
        count, said = _revoke(services.links, link_id=link_id, domain=domain, address=address)
        if not count:
            refuse_unknown(services, domain=domain, address=address)
    if as_json:
        print_json({"revoked": count})
    else:
        click.echo(f"{said} What {'it' if link_id else 'they'} set up on devices stays there.")


def _revoke(links: "Links", *, link_id: str, domain: str, address: str) -> tuple[int, str]:
    if domain:
        count = links.revoke_all(domain=domain, actor=actor())
        return count, f"Revoked {_counted(count)} of {normalise_domain(domain)}."
    if address:
        count = links.revoke_all_of(address=address, actor=actor())
        return count, f"Revoked {_counted(count)} of this mailbox."
    with known(link_id):
        links.revoke(link_id, actor=actor())
    return 1, f"Revoked the setup link {link_id}."


def _counted(count: int) -> str:
    return "1 open setup link" if count == 1 else f"{count} open setup links"

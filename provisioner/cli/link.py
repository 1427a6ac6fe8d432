"""``provisioner link``: the setup links behind the QR codes, by hand: made, found and shown.

Links are built from the configured public URL alone.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.context import PathOf, Refusal, actor, open_services, settings_from
from provisioner.cli.linkchange import extend, reissue, revoke
from provisioner.cli.linksaid import described, known, print_history, print_link, print_links, refuse_unknown
from provisioner.cli.output import plain, print_json, say_none_yet
from provisioner.cli.spreadsheetfile import spreadsheet_at

if TYPE_CHECKING:
    from datetime import datetime

    from provisioner.app import Services
    from provisioner.links import SetupLink

_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
_STATES = click.Choice(["open", "used-up", "expired", "revoked"])


@click.group()
def link() -> None:
    """Setup links: what stands behind the QR codes."""


@link.command("create")
@click.argument("address")
@click.option("--name", default="", help="The person's display name.")
@click.option("--username", default="", metavar="UPN", help="The user principal name, where it is not the address.")
@click.option("--days", type=click.IntRange(1, 3650), metavar="N", help="Days that it stays open. [default: link_days]")
@click.option(
    "--devices", type=click.IntRange(1, 1000), metavar="N", help="Devices it is good for. [default: link_devices]"
)
@_JSON
@click.pass_context
def create(
    ctx: click.Context,
    *,
    address: str,
    name: str,
    username: str,
    days: int | None,
    devices: int | None,
    as_json: bool,
) -> None:
    """Make a setup link for the person with the mailbox ADDRESS.

    Somebody who is known already keeps the name and the UPN that are not given.
    """
    from provisioner.app import require_public_url
    from provisioner.model import Account

    account = Account(address, username=username, display_name=name)
    settings = settings_from(ctx, link_days=days, link_devices=devices)
    require_public_url(settings)
    with open_services(settings) as services:
        made = services.links.create(
            account,
            lifetime=timedelta(days=settings.link_days),
            devices=settings.link_devices,
            actor=actor(),
            username_known=bool(username),
        )
    print_link(made, services, as_json=as_json)


@link.command("list")
@click.option("--domain", metavar="DOMAIN", help="Only the links of this domain's people.")
@click.option("--address", metavar="ADDRESS", help="Only the links of this mailbox.")
@click.option("--self-service", is_flag=True, help="Instead, those that people took at the start page.")
@click.option("--state", type=_STATES, help="Only the links in this state.")
@click.option(
    "--csv",
    "csv_file",
    type=PathOf(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a CSV file, which 'provisioner invite' reads back.",
)
@_JSON
@click.pass_context
def list_all(
    ctx: click.Context,
    *,
    domain: str | None,
    address: str | None,
    self_service: bool,
    state: str | None,
    csv_file: Path | None,
    as_json: bool,
) -> None:
    """List the setup links, the oldest first."""
    with open_services(settings_from(ctx)) as services:
        found, now = services.links.list(domain=domain, address=address, handed_out=self_service), services.clock()
        if not found:
            refuse_unknown(services, domain=domain, address=address)
    found = [each for each in found if state in (None, each.state(now).value)]
    if csv_file:
        _write_csv(csv_file, found, now)
    if as_json:
        print_json([described(each, now) for each in found])
    elif csv_file:
        click.echo(f"Wrote {len(found)} setup {'link' if len(found) == 1 else 'links'} to {csv_file}.")
    elif found:
        print_links(found, now)
    else:
        say_none_yet(
            "such setup link" if domain or address or self_service or state else "setup link",
            services.settings.data_dir,
        )


@link.command("show")
@click.argument("which", metavar="ADDRESS-or-ID")
@_JSON
@click.pass_context
def show(ctx: click.Context, *, which: str, as_json: bool) -> None:
    """Print a setup link again.

    The one with this ID, or the newest of a mailbox, an open one if there is one.
    """
    from provisioner.app import require_public_url

    settings = settings_from(ctx)
    require_public_url(settings)
    with open_services(settings) as services, known(which):
        found = _newest(services, which) if "@" in which else services.links.get(which)
        print_link(found, services, as_json=as_json)


@link.command("history")
@click.argument("link_id", metavar="ID")
@_JSON
@click.pass_context
def history(ctx: click.Context, *, link_id: str, as_json: bool) -> None:
    """Tell what happened to the setup link ID.

    Who made and changed it, and the devices that were counted.
    """
    with open_services(settings_from(ctx)) as services, known(link_id):
        events = services.links.history(link_id)
    if as_json:
        print_json(events)
    else:
        print_history(events)


for _change in (extend, reissue, revoke):
    link.add_command(_change)


def _newest(services: "Services", address: str) -> "SetupLink":
    from provisioner.links import LinkState

    now = services.clock()
    found = services.links.list(address=address)
    if not found:
        refuse_unknown(services, domain=None, address=address)
        raise Refusal(
            "This mailbox has no setup link. Make one with 'provisioner link create' or 'provisioner invite'.",
            exit_code=2,
        )
    return max(found, key=lambda each: (each.state(now) is LinkState.OPEN, each.created_at))


def _write_csv(path: Path, found: Sequence["SetupLink"], now: "datetime") -> None:
    columns = [
        "address",
        "username",
        "name",
        "language",
        "state",
        "created_at",
        "expires_at",
        "devices_allowed",
        "devices_used",
        "id",
    ]
    with spreadsheet_at(path, columns) as write:
        for each in found:
            told = plain(described(each, now))
            write(told[name] for name in columns)

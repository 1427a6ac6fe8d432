"""``provisioner link``: the setup links behind the QR codes, by hand.

Links are built from the configured public URL alone.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from provisioner.address import normalise_domain
from provisioner.cli.context import Refusal, actor, open_services, settings_from
from provisioner.cli.output import print_fields, print_json, print_table, say_none_yet
from provisioner.errors import UnknownLink, printable

if TYPE_CHECKING:
    from provisioner.app import Services
    from provisioner.links import SetupLink

_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


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
    """Make a setup link for the person with the mailbox ADDRESS."""
    from provisioner.app import require_public_url
    from provisioner.model import Account

    account = Account(address, username=username, display_name=name)
    settings = settings_from(ctx, link_days=days, link_devices=devices)
    require_public_url(settings)
    with open_services(settings) as services:
        made = services.links.create(
            account, lifetime=timedelta(days=settings.link_days), devices=settings.link_devices, actor=actor()
        )
    _print_link(made, services, as_json=as_json)


@link.command("list")
@click.option("--domain", metavar="DOMAIN", help="Only the links of this domain's people.")
@click.option("--self-service", is_flag=True, help="Instead, those that people took at the start page.")
@_JSON
@click.pass_context
def list_all(ctx: click.Context, *, domain: str | None, self_service: bool, as_json: bool) -> None:
    """List the setup links, the oldest first."""
    with open_services(settings_from(ctx)) as services:
        known = services.links.list(domain=domain, handed_out=self_service)
    if as_json:
        print_json([_described(each, services) for each in known])
    elif known:
        now = services.clock()
        rows = [
            [
                each.id,
                each.account.address,
                each.state(now).value,
                f"{each.devices_used} of {each.devices_allowed}",
                f"{each.expires_at:%Y-%m-%d %H:%M}",
            ]
            for each in known
        ]
        print_table(["ID", "ADDRESS", "STATE", "DEVICES", "EXPIRES (UTC)"], rows)
    else:
        say_none_yet("setup link", services.settings.data_dir)


@link.command("show")
@click.argument("link_id", metavar="ID")
@_JSON
@click.pass_context
def show(ctx: click.Context, *, link_id: str, as_json: bool) -> None:
    """Show the setup link ID, and print it again."""
    from provisioner.app import require_public_url

    settings = settings_from(ctx)
    require_public_url(settings)
    with open_services(settings) as services, _known(link_id):
        _print_link(services.links.get(link_id), services, as_json=as_json)


@link.command("revoke")
@click.argument("link_id", metavar="[ID]", default="")
@click.option("--domain", metavar="DOMAIN", default="", help="Close every open link of this domain's people instead.")
@_JSON
@click.pass_context
def revoke(ctx: click.Context, *, link_id: str, domain: str, as_json: bool) -> None:
    """Close the setup link ID for good, or all those of a domain."""
    if bool(link_id) == bool(domain):
        raise click.UsageError("Name either the ID of one link, or --domain and a domain to close all its links.")
    with open_services(settings_from(ctx)) as services:
        if domain:
            count = services.links.revoke_all(domain=domain, actor=actor())
            said = f"Revoked {_counted(count)} of {normalise_domain(domain)}. What they set up on devices stays there."
        else:
            with _known(link_id):
                services.links.revoke(link_id, actor=actor())
            count, said = 1, f"Revoked the setup link {link_id}. What it set up on devices stays there."
    if as_json:
        print_json({"revoked": count})
    else:
        click.echo(said)


def _counted(count: int) -> str:
    return "1 open setup link" if count == 1 else f"{count} open setup links"


@contextmanager
def _known(link_id: str) -> Iterator[None]:
    """Says to an administrator what UnknownLink does not say to a stranger."""
    try:
        yield
    except UnknownLink:
        message = f"No setup link has the id {printable(link_id)}. Find it with 'provisioner link list'."
        raise Refusal(message, exit_code=2) from None


def _url(shown: "SetupLink", services: "Services") -> str | None:
    """The link, or None where it is closed and the link key was another. Raises ConfigurationError where it is open."""
    from provisioner.links import LinkState

    if not shown.token and shown.state(services.clock()) in (LinkState.EXPIRED, LinkState.REVOKED):
        return None
    return services.settings.public_url + shown.path


def _described(shown: "SetupLink", services: "Services") -> dict[str, Any]:
    return {
        "id": shown.id,
        "address": shown.account.address,
        "username": shown.account.username,
        "name": shown.account.display_name,
        "state": shown.state(services.clock()),
        "created_at": shown.created_at,
        "expires_at": shown.expires_at,
        "revoked_at": shown.revoked_at,
        "devices_allowed": shown.devices_allowed,
        "devices_used": shown.devices_used,
    }


def _print_link(shown: "SetupLink", services: "Services", *, as_json: bool) -> None:
    from provisioner.links import LinkState

    url, state = _url(shown, services), shown.state(services.clock())
    if as_json:
        print_json({"link": url, **_described(shown, services)})
        return
    print_fields(
        {
            "link": url or "made with another link key",
            "id": shown.id,
            "address": shown.account.address,
            "state": state.value,
            "expires": f"{shown.expires_at:%Y-%m-%d %H:%M} UTC",
            "devices": f"{shown.devices_used} of {shown.devices_allowed} used",
        }
    )
    if url and sys.stdout.isatty() and state is LinkState.OPEN:
        print_qr(url, in_capitals=services.settings.qr_capitals)


def print_qr(url: str, *, in_capitals: bool) -> None:
    """Write the link's QR code to the terminal, as a camera reads it on any background."""
    from provisioner.qr import capitals, qr_terminal

    click.echo(f"\n{qr_terminal(capitals(url) if in_capitals else url, colour=sys.stdout.isatty())}")

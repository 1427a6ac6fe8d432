"""How the commands for setup links show a link: fields and its QR code for people, JSON for programs."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.context import Refusal
from provisioner.cli.output import print_fields, print_json, print_table
from provisioner.errors import LinkRevoked, UnknownLink, printable

if TYPE_CHECKING:
    from datetime import datetime

    from provisioner.app import Services
    from provisioner.links import LinkEvent, SetupLink


@contextmanager
def known(link_id: str) -> Iterator[None]:
    """Says to an administrator what UnknownLink and LinkRevoked do not say to a stranger."""
    try:
        yield
    except UnknownLink:
        if "@" in link_id:
            shows = "'provisioner link show' with it prints the link's ID"
            message = f"An ID was expected, found the address {printable(link_id)}; {shows}."
        else:
            message = f"No setup link has the id {printable(link_id)}. Find it with 'provisioner link list'."
        raise Refusal(message, exit_code=2) from None
    except LinkRevoked:
        message = (
            f"The setup link {link_id} was revoked and stays closed. Make a new one with 'provisioner link create'."
        )
        raise Refusal(message, exit_code=1) from None


def refuse_unknown(services: "Services", *, domain: str | None, address: str | None) -> None:
    """For whoever found no link: raise UnknownDomain where nothing is known of the domain, so that it is misspelled."""
    from provisioner.model import Account

    for name in (domain, Account(address).domain if address else None):
        if name:
            services.directory.read().domain(name)


def print_link(shown: "SetupLink", services: "Services", *, as_json: bool) -> None:
    """Write the link and what is known of it, with its QR code on a terminal."""
    from provisioner.links import LinkState

    url, state = _url(shown, services), shown.state(services.clock())
    if as_json:
        print_json({"link": url, **described(shown, services.clock())})
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


def print_links(shown: Sequence["SetupLink"], now: "datetime") -> None:
    """Write one line for each link."""
    rows = [
        [
            each.id,
            each.account.address,
            each.state(now).value,
            f"{each.devices_used} of {each.devices_allowed}",
            f"{each.expires_at:%Y-%m-%d %H:%M}",
        ]
        for each in shown
    ]
    print_table(["ID", "ADDRESS", "STATE", "DEVICES", "EXPIRES (UTC)"], rows)


def print_history(events: Sequence["LinkEvent"]) -> None:
    """Write one line for each thing that happened."""
    rows = [[f"{event.at:%Y-%m-%d %H:%M:%S}", event.what.value, _told(event), event.actor] for event in events]
    print_table(["TIME (UTC)", "WHAT", "DETAILS", "BY"], rows)


def _told(event: "LinkEvent") -> str:
    end = f"opens until {event.expires_at[:16].replace('T', ' ')}" if event.expires_at else ""
    devices = f"{event.devices_allowed} devices" if event.devices_allowed is not None else ""
    return ", ".join(part for part in (event.format_id, end, devices) if part)


def described(shown: "SetupLink", now: "datetime") -> dict[str, Any]:
    """What is known of a link, without its token."""
    return {
        "id": shown.id,
        "address": shown.account.address,
        "username": shown.account.username,
        "name": shown.account.display_name,
        "language": shown.language,
        "state": shown.state(now),
        "created_at": shown.created_at,
        "expires_at": shown.expires_at,
        "revoked_at": shown.revoked_at,
        "devices_allowed": shown.devices_allowed,
        "devices_used": shown.devices_used,
    }


def print_qr(url: str, *, in_capitals: bool) -> None:
    """Write the link's QR code to the terminal, as a camera reads it on any background."""
    from provisioner.qr import capitals, qr_terminal

    click.echo(f"\n{qr_terminal(capitals(url) if in_capitals else url, colour=sys.stdout.isatty())}")


def _url(shown: "SetupLink", services: "Services") -> str | None:
    """The link, or None where it is closed and the link key was another. Raises ConfigurationError where it is open."""
    from provisioner.links import LinkState

    if not shown.token and shown.state(services.clock()) in (LinkState.EXPIRED, LinkState.REVOKED):
        return None
    return services.settings.public_url + shown.path

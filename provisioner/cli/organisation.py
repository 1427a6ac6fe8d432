"""``provisioner organisation``: whose people are provisioned, by hand."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.context import Refusal, actor, open_services, settings_from
from provisioner.cli.output import print_fields, print_json, print_table, say_none_yet

if TYPE_CHECKING:
    from provisioner.organisation import Organisation

_CONTACT = click.option("--support-contact", help="Whom people ask for help: a name, an address, a telephone number.")
_CONSENT = click.option("--consent-text", help="Text that a person agrees to before installing; it adds a tap.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group()
def organisation() -> None:
    """Organisations: whose people are provisioned."""


@organisation.command("add")
@click.argument("organisation_id", metavar="ID")
@click.option("--name", required=True, help="The name people know it by; it stands in every profile.")
@_CONTACT
@_CONSENT
@click.pass_context
def add(
    ctx: click.Context, *, organisation_id: str, name: str, support_contact: str | None, consent_text: str | None
) -> None:
    """Add the organisation ID."""
    from provisioner.organisation import Organisation

    added = Organisation(organisation_id, name, support_contact or "", consent_text or "")
    with open_services(settings_from(ctx)) as services:
        services.directory.add_organisation(added, actor=actor())
    click.echo(f"Added the organisation {added.id}. Next: provisioner domain add DOMAIN --organisation {added.id}")


@organisation.command("list")
@_JSON
@click.pass_context
def list_all(ctx: click.Context, *, as_json: bool) -> None:
    """List the organisations."""
    with open_services(settings_from(ctx)) as services:
        known = list(services.directory.read().organisations.values())
    if as_json:
        print_json(known)
    elif known:
        print_table(["ID", "NAME", "SUPPORT CONTACT"], [[each.id, each.name, each.support_contact] for each in known])
    else:
        say_none_yet("organisation", services.settings.data_dir)


@organisation.command("show")
@click.argument("organisation_id", metavar="ID")
@_JSON
@click.pass_context
def show(ctx: click.Context, *, organisation_id: str, as_json: bool) -> None:
    """Show the organisation ID."""
    with open_services(settings_from(ctx)) as services:
        _print(services.directory.read().organisation(organisation_id), as_json=as_json)


@organisation.command("set")
@click.argument("organisation_id", metavar="ID")
@click.option("--name", help="The name people know it by.")
@_CONTACT
@_CONSENT
@click.pass_context
def change(ctx: click.Context, /, *, organisation_id: str, **given: str | None) -> None:
    """Change what is given of the organisation ID; an empty text takes a text away."""
    with open_services(settings_from(ctx)) as services:
        before = services.directory.read().organisation(organisation_id)
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if not changes:
            raise Refusal(f"Nothing to change: name a setting of {before.id} and its new value.", exit_code=2)
        after = replace(before, **changes)
        services.directory.change_organisation(after, actor=actor())
    _print(after, as_json=False)


@organisation.command("remove")
@click.argument("organisation_id", metavar="ID")
@click.pass_context
def remove(ctx: click.Context, *, organisation_id: str) -> None:
    """Remove the organisation ID, which has no domains any more."""
    with open_services(settings_from(ctx)) as services:
        services.directory.remove_organisation(organisation_id, actor=actor())
    click.echo(f"Removed the organisation {organisation_id}.")


def _print(shown: "Organisation", *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    print_fields(
        {
            "id": shown.id,
            "name": shown.name,
            "support contact": shown.support_contact or "none",
            "consent text": shown.consent_text or "none",
        }
    )

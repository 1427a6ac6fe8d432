"""``provisioner dns``: the DNS records that a domain publishes, as a zone file, a table or JSON.

The cloud is the one that the domain is configured with. A domain that is not configured yet, or a machine without a
database, is no obstacle: then ``--provider`` names it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.context import open_services, settings_from
from provisioner.cli.output import print_json, print_table, write_standard_output
from provisioner.errors import InvalidSetting

if TYPE_CHECKING:
    from provisioner.config import Settings
    from provisioner.records import Publication

_FORMAT = "dns-records"


@click.command()
@click.argument("domain")
@click.option("--format", "writing", type=click.Choice(["zone", "table", "json"]), help="How. [default: zone]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--provider", metavar="ID", help="The mail service of a domain that is not configured here.")
@click.pass_context
def dns(ctx: click.Context, *, domain: str, writing: str | None, as_json: bool, provider: str | None) -> None:
    """Show the DNS records that DOMAIN publishes.

    By them mail programs find its servers.
    """
    if as_json and writing not in (None, "json"):
        raise click.UsageError(f"--json and --format {writing} contradict each other; leave one out.", ctx)
    publication = _publication(settings_from(ctx), domain, provider)
    if as_json or writing == "json":
        print_json(publication)
    elif writing == "table":
        _print_table(publication)
    else:
        from provisioner.records import write_zone

        write_standard_output(write_zone(publication))


def _publication(settings: "Settings", domain: str, provider: str | None) -> "Publication":
    from provisioner.catalogue import find_provider, load_catalogue
    from provisioner.format import AnyoneAt
    from provisioner.formats import find_format
    from provisioner.records import host_of, published

    name, providers = AnyoneAt(domain).domain, load_catalogue()
    given = find_provider(providers, provider).id if provider is not None else None
    chosen = find_provider(providers, _provider_id(settings, name, given))
    find_format(_FORMAT).require(chosen)
    return published(name, chosen, service_host=host_of(settings.public_url))


def _provider_id(settings: "Settings", domain: str, given: str | None) -> str:
    from provisioner.cli.directoryfile import DEFAULT_PROVIDER

    configured = _configured_provider(settings, domain)
    if configured is None:
        if given is None:
            said = f"The domain {domain} is not configured here: these are the records for {DEFAULT_PROVIDER}."
            click.echo(said, err=True)
        return given or DEFAULT_PROVIDER
    if given not in (None, configured):
        raise InvalidSetting(
            f"The domain {domain} is configured with {configured}. Leave out --provider, or change it with "
            f"'provisioner domain set {domain} --provider {given}'."
        )
    return configured


def _configured_provider(settings: "Settings", domain: str) -> str | None:
    """The provider that the store has for ``domain``; None also where there is no store yet, and none is made."""
    from provisioner.app import database_url

    scheme, _, path = database_url(settings).partition(":///")
    if scheme.startswith("sqlite") and not Path(path).exists():
        return None
    with open_services(settings) as services:
        configured = services.directory.snapshot().domains.get(domain)
    return configured.provider_id if configured else None


def _print_table(publication: "Publication") -> None:
    rows = [[record.name, str(record.ttl), record.type, record.data, record.why] for record in publication.records]
    print_table(["NAME", "TTL", "TYPE", "DATA", "WHY"], rows)
    for note in publication.notes:
        click.echo(f"\n{note}")

"""``provisioner providers``: the mail services we know, their servers, and where each fact comes from."""

from typing import TYPE_CHECKING

import click

from provisioner.cli.output import print_json, print_table

if TYPE_CHECKING:
    from provisioner.model import MailProvider


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON, with the source of every fact.")
def providers(*, as_json: bool) -> None:
    """List the mail services and their servers."""
    from provisioner.catalogue import load_catalogue

    known = load_catalogue()
    if as_json:
        print_json(list(known.values()))
        return
    for number, provider in enumerate(known.values()):
        click.echo(("\n" if number else "") + f"{provider.id}: {provider.name}")
        print_table(["  SERVICE", "HOST OR URL", "PORT", "ENCRYPTION", "SIGN-IN", "CHECKED"], _rows(provider))


def _rows(provider: "MailProvider") -> list[list[str]]:
    rows = [
        [
            f"  {server.protocol.value}",
            server.hostname,
            str(server.port),
            server.security.value,
            ", ".join(method.value for method in server.authentication),
            server.evidence.checked.isoformat(),
        ]
        for server in provider.servers
    ]
    for name, service in (("activesync", provider.activesync), ("ews", provider.ews)):
        if service is not None:
            checked = service.evidence.checked.isoformat()
            rows.append([f"  {name}", service.url, "", "https", "oauth2", checked])
    return rows

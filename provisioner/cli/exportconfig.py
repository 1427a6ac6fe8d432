"""``provisioner export-config``: the organisations and domains as one file that ``apply`` reads."""

from pathlib import Path

import click

from provisioner.cli.context import PathOf, open_services, settings_from
from provisioner.cli.output import write_file, write_standard_output

_STANDARD_OUTPUT = Path("-")


@click.command("export-config")
@click.option(
    "-o",
    "--output",
    type=PathOf(dir_okay=False, allow_dash=True, path_type=Path),
    default=_STANDARD_OUTPUT,
    help="The file to write. [default: standard output]",
)
@click.pass_context
def export_config(ctx: click.Context, *, output: Path) -> None:
    """Write all organisations and domains as TOML.

    It is the form that 'provisioner apply' reads. The file needs no other: logos stand in it. It holds no invitation,
    no link and no setting of the service.
    """
    from provisioner.cli.directorywriting import write_directory

    with open_services(settings_from(ctx)) as services:
        content = write_directory(services.directory.read()).encode()
    if output == _STANDARD_OUTPUT:
        write_standard_output(content)
    else:
        write_file(output, content)

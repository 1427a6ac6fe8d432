"""The command line: one file per command group, each small and quick to load.

What is heavy (database, web server, cryptography) is imported inside the commands that need it, so that help and
listings answer at once.
"""

from pathlib import Path

import click

from provisioner import __version__
from provisioner.cli.apply import apply
from provisioner.cli.config import config
from provisioner.cli.context import CommandLine, PathOf, tell_bugs_briefly
from provisioner.cli.demo import demo
from provisioner.cli.dns import dns
from provisioner.cli.domain import domain
from provisioner.cli.export import export
from provisioner.cli.exportconfig import export_config
from provisioner.cli.formats import formats
from provisioner.cli.identity import identity
from provisioner.cli.invite import invite
from provisioner.cli.link import link
from provisioner.cli.mdms import mdms
from provisioner.cli.organisation import organisation
from provisioner.cli.providers import providers
from provisioner.cli.push import push
from provisioner.cli.render import render
from provisioner.cli.send import send
from provisioner.cli.serve import serve
from provisioner.cli.sheet import sheet


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_path",
    type=PathOf(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Settings as TOML. [default: the file that PROVISIONER_CONFIG names]",
)
@click.version_option(__version__, prog_name="provisioner")
def main(config_path: Path | None) -> None:  # noqa: ARG001  # context.config_file reads it
    """Office 365 mail on a phone from one QR code: signed profiles with the exact servers."""
    tell_bugs_briefly()


for _command in (
    apply,
    config,
    demo,
    dns,
    domain,
    export,
    export_config,
    formats,
    identity,
    invite,
    link,
    mdms,
    organisation,
    providers,
    push,
    render,
    send,
    serve,
    sheet,
):
    main.add_command(_command)

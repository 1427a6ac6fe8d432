"""``provisioner push``: hands a set for an MDM to the MDM itself, over its API.

The set is a ZIP that ``export`` wrote, or is made on the way for a domain. The token comes from a file or the
environment and never from the command line, where every user of the machine could read it.
"""

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from provisioner.cli.context import PathOf, settings_from
from provisioner.cli.desk import open_desk
from provisioner.cli.output import write_standard_output
from provisioner.errors import InvalidInput, ProvisionerError

if TYPE_CHECKING:
    from provisioner.mdm import Mdm, PushApi
    from provisioner.push import ExportedFile, HttpsConnection, Item, Language, Options


@click.command()
@click.argument(
    "export", required=False, type=PathOf(exists=True, dir_okay=False, path_type=Path), metavar="[EXPORT.zip]"
)
@click.option("--mdm", "mdm_id", required=True, metavar="ID", help="The MDM; see 'provisioner mdms'.")
@click.option("--domain", metavar="DOMAIN", help="Push a set that is made now, for everybody of this domain.")
@click.option(
    "--context", type=PathOf(dir_okay=False, path_type=Path), metavar="FILE", help="Organisation and domains, TOML."
)
@click.option("--only", multiple=True, metavar="PATTERN", help="Of the set's files these alone, such as 'mac/*'.")
@click.option("--server", metavar="URL", help="Where the MDM is, such as https://mdm.contoso.com.")
@click.option(
    "--push-token-file",
    type=PathOf(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Holds the token or API key. [default: PROVISIONER_PUSH_TOKEN_FILE or PROVISIONER_PUSH_TOKEN]",
)
@click.option(
    "--ca-file",
    type=PathOf(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Authorities to trust, PEM. [default: the machine's]",
)
@click.option("--team", type=click.IntRange(min=0), metavar="ID", help="Fleet's team (fleet) that gets it.")
@click.option("--device", "devices", multiple=True, metavar="ID", help="A device of the person (NanoMDM, MicroMDM).")
@click.option("--fill", multiple=True, metavar="NAME=VALUE", help="What a file of the set waits for (Intune).")
@click.option("--dry-run", is_flag=True, help="Write the requests, without the token, and send nothing.")
@click.pass_context
def push(
    ctx: click.Context,
    *,
    export: Path | None,
    mdm_id: str,
    domain: str | None,
    context: Path | None,
    only: tuple[str, ...],
    server: str | None,
    push_token_file: Path | None,
    ca_file: Path | None,
    team: int | None,
    devices: tuple[str, ...],
    fill: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Hand a set of files to an MDM by its API.

    What is there already is updated.
    """
    from provisioner.mdm import find_mdm, load_mdms
    from provisioner.push import Options, push_api

    mdms = load_mdms()
    mdm = find_mdm(mdms, mdm_id)
    api, language = push_api(mdms, mdm)
    options = Options(
        new_uuid=uuid.uuid4, devices=devices, team="" if team is None else str(team), fill=dict(map(_pair, fill))
    )
    if (export is None) == (domain is None):
        raise click.UsageError("One of EXPORT.zip and --domain was expected: a set, or whom to make one for.", ctx)
    files = _files(ctx, mdm, language, export=export, domain=domain, context=context, only=only)
    items = _items(mdm, api, language, files, options)
    where = _server(mdm, api, server)
    if dry_run:
        _rehearse(items, where, api)
    else:
        _deliver(items, _connection(ctx, where, api, push_token_file, ca_file))
    for note in api.notes:
        click.echo(f"Note: {note}", err=True)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise InvalidInput("--fill was expected to be NAME=VALUE, with the name that the set's README lists.")
    return name, value


def _files(
    ctx: click.Context,
    mdm: "Mdm",
    language: "Language",
    *,
    export: Path | None,
    domain: str | None,
    context: Path | None,
    only: tuple[str, ...],
) -> "Sequence[ExportedFile]":
    from provisioner.export import export_domain
    from provisioner.push import read_export

    for_people = language.for_devices
    if export is not None:
        return read_export(export, mdm, wants=language.wants, for_people=for_people, only=only)
    assert domain is not None  # one of the two is given
    with TemporaryDirectory() as directory, open_desk(ctx, mdm, context=context) as (desk, _):
        place = Path(directory, "set.zip")
        export_domain(desk, domain, place)
        return read_export(place, mdm, wants=language.wants, for_people=for_people, only=only)


def _items(
    mdm: "Mdm", api: "PushApi", language: "Language", files: "Sequence[ExportedFile]", options: "Options"
) -> "list[Item]":
    from provisioner.push import items_of

    return items_of(mdm, api, language, files, options)


def _server(mdm: "Mdm", api: "PushApi", given: str | None) -> str:
    if not given and not api.server:
        raise InvalidInput(f"Where is {mdm.name}? Give --server URL.")
    return given or api.server


def _connection(
    ctx: click.Context, server: str, api: "PushApi", token_file: Path | None, ca_file: Path | None
) -> "HttpsConnection":
    from provisioner.push import HttpsConnection

    token = settings_from(ctx, push_token_file=token_file).push_token
    if token is None:
        raise InvalidInput("The MDM's token is missing. Give --push-token-file FILE, or set PROVISIONER_PUSH_TOKEN.")
    return HttpsConnection(server, api, token=token.get_secret_value(), ca_file=ca_file, sleep=_wait)


def _wait(seconds: float) -> None:
    span = "1 second" if seconds == 1 else f"{seconds:.0f} seconds"
    click.echo(f"The MDM is busy or cannot be reached; trying again in {span}.", err=True)
    time.sleep(seconds)


def _rehearse(items: "Sequence[Item]", server: str, api: "PushApi") -> None:
    from provisioner.push import rehearse

    for part in rehearse(items, server, api):
        write_standard_output(part)


def _deliver(items: "Sequence[Item]", connection: "HttpsConnection") -> None:
    for item in items:
        try:
            outcome = item.deliver(connection)
        except ProvisionerError:
            click.echo(f"failed     {item.name}", err=True)
            raise
        click.echo(f"{outcome.value:<9}  {item.name}")

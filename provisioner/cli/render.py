"""``provisioner render``: one document for one mailbox, from the facts alone; no database is needed.

The organisation and the domain come from a file (``--context``); without one the organisation is called as the
address's domain and everything else has its default.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.context import PathOf, settings_from
from provisioner.cli.output import write_file, write_standard_output
from provisioner.errors import InvalidSetting, NoIdentity, printable

if TYPE_CHECKING:
    from provisioner.directory import Snapshot
    from provisioner.format import Format
    from provisioner.model import Account, Document
    from provisioner.provisioning import Provisioner, Signature

_STANDARD_OUTPUT = Path("-")
_ENGLISH = "en"


@click.command()
@click.argument("format_id", metavar="FORMAT")
@click.argument("address")
@click.option("--name", default="", help="The person's display name.")
@click.option("--username", default="", metavar="UPN", help="The user principal name, where it is not the address.")
@click.option("--provider", metavar="ID", help="The mail service; see 'provisioner providers'.")
@click.option(
    "--context", type=PathOf(dir_okay=False, path_type=Path), metavar="FILE", help="Organisation and domains, TOML."
)
@click.option("--language", default=_ENGLISH, metavar="TAG", help="Of its texts, such as de.", show_default=True)
@click.option("--signed/--unsigned", default=None, help="Insist on a signature, or leave it out.")
@click.option("--identity", type=PathOf(file_okay=False, path_type=Path), metavar="DIR", help="The signing identity.")
@click.option(
    "-o",
    "--output",
    type=PathOf(dir_okay=False, allow_dash=True, path_type=Path),
    default=_STANDARD_OUTPUT,
    help="The file to write. [default: standard output]",
)
@click.pass_context
def render(
    ctx: click.Context,
    *,
    format_id: str,
    address: str,
    name: str,
    username: str,
    provider: str | None,
    context: Path | None,
    language: str,
    signed: bool | None,
    identity: Path | None,
    output: Path,
) -> None:
    """Write the document FORMAT for the mailbox ADDRESS.

    It is signed where the format is; 'provisioner formats' lists the formats. Of organisations and domains it knows
    what stands in --context FILE and nothing else.
    """
    from provisioner.formats import find_format
    from provisioner.model import Account
    from provisioner.provisioning import Provisioner

    fmt = find_format(format_id)
    account = Account(address, username=username, display_name=name)
    snapshot = _snapshot(account, context, provider)
    signs = fmt.signed if signed is None else signed
    _refuse_contradictions(ctx, fmt, signs=signs, identity=identity, output=output)
    signatures: list[Signature] = []
    provisioner = _provisioner(ctx, snapshot, identity, signatures)
    write = _signed if signs else Provisioner.draft
    document = write(provisioner, account, fmt, language=_offered(language))
    for signature in signatures:
        click.echo(f"Signed by {signature.signer} at {signature.at:%Y-%m-%d %H:%M:%S} UTC.", err=True)
    if output == _STANDARD_OUTPUT:
        write_standard_output(document.content)
    else:
        write_file(output, document.content)
    if context is None:
        _say_what_was_taken(snapshot, account)


def _offered(language: str) -> str:
    """The language that is asked for, as its tag is written. Raises InvalidSetting where it is not among ours."""
    from provisioner.texts import LANGUAGES, choose_language

    found = choose_language(chosen=language, accept="", offered=LANGUAGES, default="")
    if not found:
        known = ", ".join(LANGUAGES)
        raise InvalidSetting(f"There are no texts in the language {printable(language)}, only in: {known}.")
    return found


def _snapshot(account: "Account", context: Path | None, provider: str | None) -> "Snapshot":
    from provisioner.cli.directoryfile import DEFAULT_PROVIDER, read_directory
    from provisioner.directory import Snapshot
    from provisioner.organisation import Domain, Organisation

    if context is None:
        name = account.domain
        organisation = Organisation(id=name[:64].rstrip(".-"), name=name[:100])
        domain = Domain(name=name, organisation_id=organisation.id, provider_id=provider or DEFAULT_PROVIDER)
        return Snapshot(organisations={organisation.id: organisation}, domains={domain.name: domain})
    declared = read_directory(context)
    if account.domain not in declared.domains:
        known = f", only {', '.join(declared.domains)}" if declared.domains else ""
        raise InvalidSetting(f"{context} has no [[domain]] called {account.domain}{known}. Add it there.")
    if provider is None:
        return declared
    domains = {name: replace(domain, provider_id=provider) for name, domain in declared.domains.items()}
    return Snapshot(organisations=declared.organisations, domains=domains)


def _say_what_was_taken(snapshot: "Snapshot", account: "Account") -> None:
    domain = snapshot.domain(account.domain)
    organisation = snapshot.organisation(domain.organisation_id)
    click.echo(
        f"Written for {domain.provider_id} and an organisation called {organisation.name}; --context FILE declares "
        "yours, as 'provisioner export-config' writes it.",
        err=True,
    )


def _refuse_contradictions(
    ctx: click.Context, fmt: "Format", *, signs: bool, identity: Path | None, output: Path
) -> None:
    if signs and not fmt.signed:
        raise click.UsageError(f"The format {fmt.id} is never signed; leave out --signed.", ctx)
    if identity is not None and not signs:
        raise click.UsageError("--identity names what to sign with, but nothing is signed here; leave it out.", ctx)
    if signs and output == _STANDARD_OUTPUT and sys.stdout.isatty():
        raise click.UsageError(
            "A signed document is binary and would garble the terminal; write it with -o FILE, or read it with "
            "--unsigned.",
            ctx,
        )


def _provisioner(
    ctx: click.Context, snapshot: "Snapshot", identity: Path | None, signatures: "list[Signature]"
) -> "Provisioner":
    """Knows ``snapshot`` alone, and reads the settings and the signing identity only when something is signed."""
    from provisioner.app import clock, signing_identity
    from provisioner.catalogue import load_catalogue
    from provisioner.provisioning import Provisioner

    return Provisioner(
        providers=load_catalogue(),
        snapshot=lambda: snapshot,
        identity=lambda: signing_identity(settings_from(ctx, identity_dir=identity)),
        audit=signatures.append,
        clock=clock,
    )


def _signed(provisioner: "Provisioner", account: "Account", fmt: "Format", *, language: str) -> "Document":
    try:
        return provisioner.issue(account, fmt, language=language)
    except NoIdentity as missing:
        raise NoIdentity(f"{missing} Or leave the signature out with --unsigned.") from None

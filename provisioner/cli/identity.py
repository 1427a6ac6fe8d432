"""``provisioner identity``: what profiles are signed with, whether it can be used, and what phones make of it."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.context import PathOf, settings_from
from provisioner.cli.output import NotWritten, print_fields, print_json, print_table
from provisioner.errors import IdentityError

if TYPE_CHECKING:
    from provisioner.signing import Identity

WARN_BEFORE_END = timedelta(days=21)

_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
_IDENTITY = click.option(
    "--identity",
    "identity_dir",
    type=PathOf(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The signing identity. [default: as configured]",
)
_TRUSTED_ROOTS = click.option(
    "--trusted-roots",
    type=PathOf(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Roots (PEM) that your devices already trust. [default: as configured]",
)


@click.group()
def identity() -> None:
    """The signing identity: what profiles are signed with."""


@identity.command()
@_IDENTITY
@_TRUSTED_ROOTS
@_JSON
@click.pass_context
def show(ctx: click.Context, *, identity_dir: Path | None, trusted_roots: Path | None, as_json: bool) -> None:
    """Show who signs, who vouches for that, and until when."""
    from provisioner.app import signing_identity

    found = signing_identity(settings_from(ctx, identity_dir=identity_dir, trusted_roots=trusted_roots))
    if as_json:
        print_json(_facts(found))
        return
    print_fields(
        {
            "signer": found.subject_name,
            "key": found.key_type,
            "from": f"{found.not_before:%Y-%m-%d %H:%M} UTC",
            "until": f"{found.not_after:%Y-%m-%d %H:%M} UTC, {_time_left(found).days} days left",
            "trust": found.trust.value,
        }
    )
    click.echo()
    print_table(
        ["CHAIN", "FROM", "UNTIL"],
        [[each.name, f"{each.not_before:%Y-%m-%d}", f"{each.not_after:%Y-%m-%d}"] for each in found.certificates],
    )


@identity.command()
@_IDENTITY
@_TRUSTED_ROOTS
@_JSON
@click.pass_context
def check(ctx: click.Context, *, identity_dir: Path | None, trusted_roots: Path | None, as_json: bool) -> None:
    """Tell whether profiles can be signed, and what phones show."""
    from provisioner.app import signing_identity

    settings = settings_from(ctx, identity_dir=identity_dir, trusted_roots=trusted_roots)
    try:
        found = signing_identity(settings)
    except IdentityError as finding:
        if as_json:
            print_json({"usable": False, "finding": str(finding), "kind": type(finding).__name__})
        else:
            click.echo(f"Nothing can be signed. {finding}")
        ctx.exit(1)
    warnings = _warnings(found, settings.identity_dir)
    if as_json:
        print_json({"usable": True, **_facts(found), "phone_shows": trust_sentence(found), "warnings": warnings})
        return
    click.echo(f"Profiles can be signed by {found.subject_name} until {found.not_after:%Y-%m-%d %H:%M} UTC.")
    click.echo(f"A phone shows: {trust_sentence(found)}")
    for warning in warnings:
        click.echo(f"Warning: {warning}")


@identity.command("create-demo")
@_IDENTITY
@click.option(
    "--organisation", default="contoso.example", show_default=True, metavar="NAME", help="Who signs, as phones show it."
)
@_JSON
@click.pass_context
def create_demo(ctx: click.Context, *, identity_dir: Path | None, organisation: str, as_json: bool) -> None:
    """Make a throw-away identity, to try everything out.

    Its authority is made with it, and is known to no phone.
    """
    from provisioner.app import clock
    from provisioner.organisation import Organisation
    from provisioner.signing import create_demo_identity

    directory = settings_from(ctx, identity_dir=identity_dir).identity_dir
    name = Organisation(id="demo", name=organisation).name
    try:
        authority = create_demo_identity(directory, now=clock(), organisation=name)
    except OSError as failure:
        raise NotWritten(f"A demo identity could not be written into {directory}: {failure.strerror}.") from None
    if as_json:
        print_json({"directory": directory, "ca_certificate": authority})
        return
    click.echo(f"There is a demo identity in {directory} now. Its authority's certificate is {authority}.")
    click.echo("No phone knows that authority: profiles show Not Verified until its certificate is trusted there.")


def trust_sentence(found: "Identity") -> str:
    """What a phone shows of a profile that ``found`` has signed, and why."""
    from provisioner.signing import Trust

    root = repr(found.certificates[-1].name)
    if found.trust is Trust.PUBLIC:
        return f"Verified. The chain ends in {root}, one of the public roots in Debian's ca-certificates."
    if found.trust is Trust.ORGANISATION:
        return (
            f"Verified where {root} is installed and trusted, as PROVISIONER_TRUSTED_ROOTS says it is on your "
            "devices; Not Verified everywhere else."
        )
    return (
        f"Not Verified. The chain ends in {root}, which is neither a public root nor named in "
        "PROVISIONER_TRUSTED_ROOTS. Sign with a certificate from a public authority; or install that root on your "
        "devices and name its PEM file there."
    )


def _facts(found: "Identity") -> dict[str, object]:
    return {
        "subject_name": found.subject_name,
        "key": found.key_type,
        "not_before": found.not_before,
        "not_after": found.not_after,
        "days_left": _time_left(found).days,
        "trust": found.trust,
        "chain": found.certificates,
    }


def _time_left(found: "Identity") -> timedelta:
    from provisioner.app import clock

    return found.not_after - clock()


def _warnings(found: "Identity", directory: Path) -> list[str]:
    from provisioner.signing import exposed_secrets

    warnings = [
        f"Every user of this machine can read {name}; restrict it with 'chmod 600 {directory / name}'."
        for name in exposed_secrets(directory)
    ]
    if _time_left(found) < WARN_BEFORE_END:
        first = min(found.certificates, key=lambda each: each.not_after)
        warnings.append(
            f"{first.name!r} expires in {_time_left(found).days} days, on {first.not_after:%Y-%m-%d}, and then nothing "
            "is signed. Put a renewed certificate into the directory; the service takes it without a restart."
        )
    return warnings

"""What ``export`` and ``push`` make files of: organisation and domains from the store, or from ``--context``."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.context import actor, open_services, settings_from

if TYPE_CHECKING:
    from provisioner.config import Settings
    from provisioner.directory import Snapshot
    from provisioner.export import Desk
    from provisioner.mdm import Mdm
    from provisioner.provisioning import Signature


@contextmanager
def open_desk(
    ctx: click.Context, mdm: "Mdm", *, context: Path | None, identity: Path | None = None
) -> "Iterator[tuple[Desk, Callable[[Sequence[Signature]], None]]]":
    """Everything that files are made of, and what records the signatures.

    Organisation and domains come from the file ``context``, or else from the store. Raises ConfigurationError,
    CatalogueError, StoreUnavailable, and InvalidInput for the file.
    """
    settings = settings_from(ctx, identity_dir=identity)
    if context is not None:
        from provisioner.cli.directoryfile import read_directory

        yield _made(mdm, read_directory(context), settings), _say_who_signs()
        return
    from provisioner.app import audit_in_batches

    with open_services(settings) as services:
        snapshot = services.directory.snapshot()
        yield _made(mdm, snapshot, settings), audit_in_batches(services.store, actor=actor())


def _say_who_signs() -> "Callable[[Sequence[Signature]], None]":
    """Says once who signs, as ``render`` does."""
    told: set[str] = set()

    def say(signatures: "Sequence[Signature]") -> None:
        for signature in signatures:
            if signature.signer not in told:
                told.add(signature.signer)
                click.echo(f"Signed by {signature.signer} at {signature.at:%Y-%m-%d %H:%M:%S} UTC.", err=True)

    return say


def _made(mdm: "Mdm", snapshot: "Snapshot", settings: "Settings") -> "Desk":
    from provisioner.app import clock, signing_identity
    from provisioner.catalogue import load_catalogue
    from provisioner.export import Desk

    return Desk(
        mdm=mdm,
        snapshot=snapshot,
        providers=load_catalogue(),
        identity=partial(signing_identity, settings),
        now=clock(),
        help_url=f"{settings.public_url}/help" if settings.public_url else "",
    )

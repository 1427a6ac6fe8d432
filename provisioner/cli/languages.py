"""Tells of languages that an organisation names and this version has no words in: it is no mistake, they grow."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from provisioner.organisation import Organisation


def warn_of_languages(organisation: "Organisation") -> None:
    """Say on standard error which of the organisation's languages are not offered, and which are."""
    from provisioner.texts import LANGUAGES

    named = (*organisation.languages, *organisation.help_texts, *organisation.consent_texts)
    missing = [tag for tag in dict.fromkeys(named) if tag not in LANGUAGES]
    if missing:
        click.echo(
            f"Warning: the organisation {organisation.id} names {', '.join(missing)}, which this version has no texts "
            f"in. It has {', '.join(LANGUAGES)}.",
            err=True,
        )

"""Rendering one person's document in every format, beside writing the same values with the library alone."""

import plistlib
from datetime import UTC, datetime
from functools import partial

from benchmarks.timing import Case, Row, compare
from provisioner.catalogue import find_provider, load_catalogue
from provisioner.format import Context, Format
from provisioner.formats import FORMATS
from provisioner.model import Account, MailProvider
from provisioner.organisation import Domain, EwsAccess, Kind, Organisation

_PROVIDER = "office365"
_ACCOUNT = Account("anna@contoso.example", display_name="Anna Example")
_ORGANISATION = Organisation(id="contoso", name="Contoso", support_contact="help@contoso.example")
_DOMAIN = Domain(
    name="contoso.example",
    organisation_id=_ORGANISATION.id,
    provider_id=_PROVIDER,
    account_kinds=tuple(Kind),
    ews=EwsAccess.ALLOWED,
)


def measure(seconds: float) -> list[Row]:
    """One row per format; formats that need a service the provider lacks are left out."""
    provider = find_provider(load_catalogue(), _PROVIDER)
    writable = [fmt for fmt in FORMATS.values() if fmt.needs <= provider.services]
    return [_measure(fmt, provider, seconds) for fmt in writable]


def _measure(fmt: Format, provider: MailProvider, seconds: float) -> Row:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    context = Context(organisation=_ORGANISATION, domain=_DOMAIN, texts=fmt.texts, now=now)
    render = partial(fmt.render, _ACCOUNT, provider, context)
    _, row = compare(_library(render()), Case(f"render {fmt.id}", render), seconds=seconds)
    return row


def _library(content: bytes) -> Case:
    """The least the standard library needs for ``content``: writing the same object, or for others the same text."""
    try:
        return Case("plistlib.dumps, same object", partial(plistlib.dumps, plistlib.loads(content)))
    except plistlib.InvalidFileException:
        return Case("plistlib.dumps, same text", partial(plistlib.dumps, content.decode()))

"""Sample values that many tests share: one person, one organisation, one moment."""

from collections.abc import Mapping
from datetime import UTC, datetime

from provisioner.catalogue import configured_app, load_catalogue
from provisioner.directory import Snapshot
from provisioner.format import Context, Format
from provisioner.managed import NO_APP
from provisioner.model import Account, MailProvider
from provisioner.organisation import Domain, EwsAccess, Kind, Organisation

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PROVIDERS: Mapping[str, MailProvider] = load_catalogue()

# A name and an address that every careless escaper gets wrong.
ANNA = Account(
    "Anna.O'Neil+phone@contoso.example",
    username="anna.oneil@contoso.example",
    display_name='Anna O\'Neil & Söhne <"IT">',
)
CONTOSO = Organisation(id="contoso", name="Contoso & Töchter", support_contact="help@contoso.example")


def contoso_domain(provider_id: str = "office365") -> Domain:
    """contoso.example with every kind of account offered."""
    return Domain(
        name="contoso.example",
        organisation_id=CONTOSO.id,
        provider_id=provider_id,
        account_kinds=tuple(Kind),
        ews=EwsAccess.ALLOWED,
    )


def contoso_context(fmt: Format, provider_id: str = "office365", organisation: Organisation = CONTOSO) -> Context:
    """The context a format is rendered in, in English."""
    return Context(
        organisation=organisation,
        domain=contoso_domain(provider_id),
        texts=fmt.texts,
        now=NOW,
        app=configured_app(fmt.app, organisation) if fmt.app else NO_APP,
    )


def contoso_snapshot(provider_id: str = "office365", organisation: Organisation = CONTOSO) -> Snapshot:
    """A directory with one organisation and one domain."""
    domain = contoso_domain(provider_id)
    return Snapshot(organisations={organisation.id: organisation}, domains={domain.name: domain})

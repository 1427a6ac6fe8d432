"""The directory as one TOML file, in the form that ``apply`` reads; the same directory gives the same file.

Texts that are empty and lists that name nothing are left out; every setting of a domain is written, so that the file
means the same to a version with other defaults.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import tomlkit
from tomlkit.items import AoT, Array, Table

from provisioner.cli.directorykeys import url_of
from provisioner.directory import Snapshot
from provisioner.organisation import Domain, Organisation


def write_directory(snapshot: Snapshot) -> str:
    """The organisations and domains of ``snapshot``, in the order of their names."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Whose people are provisioned; 'provisioner apply FILE' makes it so."))
    document.add(tomlkit.nl())
    organisations = [_organisation(snapshot.organisations[key]) for key in sorted(snapshot.organisations)]
    domains = [_domain(snapshot.domains[name]) for name in sorted(snapshot.domains)]
    for name, tables in (("organisation", organisations), ("domain", domains)):
        if tables:
            document.add(name, AoT(tables))
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _organisation(organisation: Organisation) -> Table:
    return _table(
        {
            "id": organisation.id,
            "name": organisation.name,
            "support_contact": organisation.support_contact,
            "help_text": organisation.help_text,
            "consent_text": organisation.consent_text,
            "languages": _list(organisation.languages),
            "logo": url_of(organisation.logo) if organisation.logo else "",
            "accent_colour": organisation.accent_colour,
            "help_texts": _sorted_table(organisation.help_texts),
            "consent_texts": _sorted_table(organisation.consent_texts),
            "outlook": _sorted_table(organisation.outlook),
        }
    )


def _domain(domain: Domain) -> Table:
    return _table(
        {
            "name": domain.name,
            "organisation": domain.organisation_id,
            "provider": domain.provider_id,
            "autodiscover": domain.autodiscover.value,
            "account_kinds": _list(kind.value for kind in domain.account_kinds),
            "smtp_password": domain.smtp_password,
            "ews": domain.ews.value,
            "sign_in_urls": domain.sign_in_urls.value,
            "prefer": domain.prefer.value,
            "self_service": domain.self_service.value,
        }
    )


def _table(settings: Mapping[str, Any]) -> Table:
    """The settings in their order; tables stand last, and what is empty is left out."""
    table = tomlkit.table()
    for name, value in settings.items():
        if value is False or value:
            table.add(name, value)
    return table


def _sorted_table(settings: Mapping[str, str | bool | int]) -> Table:
    table = tomlkit.table()
    for name in sorted(settings):
        table.add(name, settings[name])
    return table


def _list(items: Iterable[str]) -> Array:
    array = tomlkit.array()
    array.extend(items)
    return array

"""Which domains an organisation can have at all, by the facts in the catalogue."""

from collections.abc import Iterable, Mapping

from provisioner.errors import InvalidInput, InvalidSetting, NotFound, UnknownProvider
from provisioner.model import MailProvider
from provisioner.organisation import Domain


def refuse_unowned(domain: Domain, providers: Mapping[str, MailProvider]) -> None:
    """Raise InvalidSetting for private customers' domains, UnknownProvider for a provider there is not."""
    for provider in providers.values():
        if any(domain.name == each or domain.name.endswith(f".{each}") for each in provider.consumer_domains):
            raise InvalidSetting(
                f"{domain.name} belongs to the private customers of {provider.name}; no organisation owns it. Use "
                "a domain of the organisation's own."
            )
    chosen = providers.get(domain.provider_id)
    if chosen is None:
        raise UnknownProvider(domain.provider_id, providers)
    if chosen.consumer_domains:
        raise InvalidSetting(
            f"{chosen.name} serves private customers; no organisation owns a domain there. Use 'provisioner "
            f"render' for a single document, or another provider for {domain.name}."
        )


def refuse_each_unowned(declared: Iterable[Domain], providers: Mapping[str, MailProvider]) -> None:
    """Raise InvalidSetting with a line for each domain that ``refuse_unowned`` refuses."""
    faults = []
    for domain in declared:
        try:
            refuse_unowned(domain, providers)
        except (InvalidInput, NotFound) as refusal:
            faults.append(f"[[domain]] {domain.name}: {refusal}")
    if faults:
        raise InvalidSetting("\n".join(faults))

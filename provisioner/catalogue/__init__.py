"""What each cloud is: its servers, its sign-in and its names, one TOML file per cloud with a source for every fact.

A new cloud is a new file here; its name without ``.toml`` is the provider's id, and nothing else has to name it. The
keys and the rules are described in docs/providers.md.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from provisioner.catalogue.apps import app_facts, check_app_settings, configured_app
from provisioner.catalogue.loader import load_offers, load_provider
from provisioner.errors import CatalogueError, UnknownProvider
from provisioner.model import MailProvider

__all__ = [
    "app_facts",
    "check_app_settings",
    "configured_app",
    "consumer_domains",
    "find_provider",
    "load_catalogue",
]

_OURS = Path(__file__).parent
_PORTS = _OURS / "standard" / "ports.toml"


def load_catalogue(directory: Path | None = None) -> Mapping[str, MailProvider]:
    """Every provider by id, in the order of the ids, from the fact files in ``directory`` (default: our own).

    Raises CatalogueError with file, key and line for the first fact that cannot be trusted, and where there is no file.
    """
    directory = _OURS if directory is None else directory
    files = sorted(directory.glob("*.toml"), key=lambda file: file.stem)
    if not files:
        raise CatalogueError(
            file=str(directory), reason="there is no fact file (*.toml) here; one per cloud was expected."
        )
    offers = load_offers(_PORTS)
    return MappingProxyType({file.stem: load_provider(file, offers) for file in files})


def find_provider(providers: Mapping[str, MailProvider], provider_id: str) -> MailProvider:
    """The provider with this id. Raises UnknownProvider, naming the nearest one."""
    try:
        return providers[provider_id]
    except KeyError:
        raise UnknownProvider(provider_id, providers) from None


def consumer_domains(providers: Mapping[str, MailProvider]) -> frozenset[str]:
    """The domains of all providers' private customers, which no organisation owns."""
    return frozenset(domain for provider in providers.values() for domain in provider.consumer_domains)

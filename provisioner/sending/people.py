"""The letters that can be printed: one for each invitation's newest open link."""

from collections.abc import Callable
from datetime import datetime

from provisioner.links import Links
from provisioner.organisation import Organisation
from provisioner.sending.letter import Letter
from provisioner.store import Store
from provisioner.store.outbox import newest_open_links
from provisioner.texts import language_of


def open_letters(
    store: Store,
    links: Links,
    *,
    domain: str | None,
    organisation_of: Callable[[str], Organisation],
    public_url: str,
    qr_capitals: bool,
    now: datetime,
) -> list[Letter]:
    """A letter for each invited person of the domain, or of all, who has an open link; by domain and name.

    Raises StoreUnavailable, and ConfigurationError where a link was made with another link key.
    """
    with store.read() as connection:
        newest = newest_open_links(connection, domain=domain, now=now)
    letters = []
    for link in links.list(domain=domain):
        if link.id in newest:
            organisation = organisation_of(link.account.domain)
            letter = Letter(
                link=link,
                url=public_url + link.path,
                organisation=organisation,
                language=language_of(link.language, organisation),
                qr_capitals=qr_capitals,
            )
            letters.append(letter)
    return sorted(letters, key=lambda each: (each.link.account.domain, each.link.account.shown_name.casefold()))

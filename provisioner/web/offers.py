"""Finds whose setup link was opened and which documents that person is handed, the best one first.

A link whose domain has been removed is like a link that never was: nobody is left who could stand behind its page.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import g

from provisioner.errors import LinkUsedUp, UnknownFormat
from provisioner.format import Format, Platform
from provisioner.links import SetupLink
from provisioner.model import MailProvider, Service
from provisioner.organisation import Domain, EwsAccess, Kind, Organisation
from provisioner.web.site import site

_KINDS = (*Kind, None)  # what is of no kind stands last


@dataclass(frozen=True, slots=True)
class Visit:
    """A setup link that exists, and whose it is."""

    link: SetupLink
    organisation: Organisation
    domain: Domain
    provider: MailProvider
    formats: tuple[Format, ...]  # what this person is handed, in the order of the page

    def format_of(self, filename: str) -> Format:
        """The offered format with this id and suffix. Raises UnknownFormat, also for one offered to others."""
        for fmt in self.formats:
            if filename == file_name(fmt):
                return fmt
        raise UnknownFormat(filename)

    def formats_for(self, platform: Platform | None) -> tuple[Format, ...]:
        """The offered formats that do something on ``platform``: on a Mac, Exchange is EWS or nothing."""
        without_ews = platform is Platform.MAC and self.domain.ews is EwsAccess.BLOCKED
        here = (fmt for fmt in self.formats if platform in fmt.platforms)
        return tuple(fmt for fmt in here if not (without_ews and Service.EWS in fmt.needs))

    def opens(self, fmt: Format) -> bool:
        """Whether the document would be handed out now: also on a used up link while its last device may repeat.

        Raises LinkExpired and LinkRevoked.
        """
        try:
            site().links.require_open(self.link, fmt.id)
        except LinkUsedUp:
            return False
        return True


def visit(token: str) -> Visit:
    """The visit that ``token`` opens. Raises UnknownLink, UnknownDomain and StoreUnavailable."""
    link = site().links.find(token)
    snapshot = site().directory.snapshot()
    domain = snapshot.domain(link.account.domain)
    organisation = snapshot.organisation(domain.organisation_id)
    provider = site().provisioner.provider_of(link.account)
    g.organisation = organisation  # whom to ask, should the rest of the request fail
    g.logo = f"{link.path}/logo" if organisation.logo else ""
    g.taken_here = link.self_service  # where another one is to be had, likewise
    return Visit(link, organisation, domain, provider, offered_formats(site().formats.values(), domain, provider))


def offered_formats(formats: Iterable[Format], domain: Domain, provider: MailProvider) -> tuple[Format, ...]:
    """The formats a person of ``domain`` is handed: by kind, and made for one kind of device before made for all."""
    offered = [fmt for fmt in formats if fmt.is_offered(domain) and fmt.needs <= provider.services]
    return tuple(sorted(offered, key=lambda fmt: (_KINDS.index(fmt.kind), len(fmt.platforms), fmt.id)))


def file_name(fmt: Format) -> str:
    """The last part of a download's path."""
    return f"{fmt.id}.{fmt.suffix}"

"""Which documents an MDM gets for a domain's people, and how they are made: by the same door as a person's own.

A profile is written once for each kind of device, since each wants its own scope; what configures an app or travels as
a declaration is written once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from provisioner.errors import MdmRefusal
from provisioner.export.form import Form, Piece, is_profile
from provisioner.export.forms import FORMS
from provisioner.format import Audience, Format, Installation, Platform, Variables
from provisioner.formats import FORMATS
from provisioner.mdm import Mdm
from provisioner.model import Account, MailProvider
from provisioner.organisation import Domain
from provisioner.provisioning import Provisioner


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that an MDM gets; ``installation`` is None for what is no profile."""

    fmt: Format
    installation: Installation | None = None

    @property
    def platform(self) -> Platform | None:
        """The kind of device, of a profile."""
        return self.installation.platform if self.installation else None


def forms_of(mdm: Mdm, *, for_domain: bool) -> tuple[Form, ...]:
    """The forms that ``mdm`` takes, for everybody of a domain or for one person."""
    forms = [FORMS[form] for form in mdm.forms]
    return tuple(form for form in forms if (form.for_domain if for_domain else form.for_person))


def wanted(mdm: Mdm, domain: Domain, provider: MailProvider, *, for_domain: bool) -> tuple[Wanted, ...]:
    """What ``mdm`` gets of a domain that ``provider`` serves. Raises MdmRefusal where that is nothing."""
    forms = forms_of(mdm, for_domain=for_domain)
    kind = Variables if for_domain else Account
    found = tuple(
        each
        for fmt in FORMATS.values()
        if kind in fmt.subjects and fmt.needs <= provider.services and _is_meant(fmt, domain)
        if any(form.wraps(fmt) for form in forms)
        for each in _installations(mdm, fmt)
    )
    if not found:
        raise MdmRefusal(
            mdm.name,
            f"of the kinds of account that {domain.name} offers there is none that it can be given. "
            "'provisioner mdms' lists what it takes, 'provisioner formats' what there is.",
        )
    return found


def _is_meant(fmt: Format, domain: Domain) -> bool:
    return fmt.is_offered(domain) if fmt.audience is Audience.PERSON else fmt.offered(domain)


def _installations(mdm: Mdm, fmt: Format) -> Iterable[Wanted]:
    if not is_profile(fmt):
        return [Wanted(fmt)]
    scopes = mdm.profiles.scopes if mdm.profiles else {}
    return [
        Wanted(fmt, Installation(platform, scope)) for platform, scope in scopes.items() if platform in fmt.platforms
    ]


def drafts(
    provisioner: Provisioner, subject: Account | Variables, wants: Iterable[Wanted], *, language: str
) -> Iterator[Piece]:
    """The documents without a signature. Raises what ``Provisioner.draft`` raises."""
    for want in wants:
        document = provisioner.draft(subject, want.fmt, language=language, for_mdm=want.installation)
        yield Piece(want.fmt, document, document.content, want.platform)

"""What a format is: one way to write an account's settings down, and the context it is written in.

A format is one file in ``formats/`` that ends with ``FORMAT = Format(...)``. Its ``render`` is pure: the same account,
provider and context give the same bytes. It opens no file, reads no clock and knows no web framework.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from provisioner.address import normalise_domain, refuse_unwritable, strip_blanks
from provisioner.errors import InvalidSetting, InvalidText, MissingService, printable
from provisioner.model import Account, MailProvider, Service

_ORGANISATION_ID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?")
_MAX_NAME = 100  # characters; PayloadOrganization is one line on a phone's screen
_MAX_TEXT = 2000  # characters; ConsentText is one screen


class Audience(Enum):
    """Who a document is for. Only a person's documents are handed out by a setup link."""

    PERSON = "person"
    CLIENT = "client"
    ADMINISTRATOR = "administrator"


class Kind(Enum):
    """What kind of account a document sets up; a domain names the kinds its people are offered."""

    EXCHANGE = "exchange"
    IMAP = "imap"
    POP = "pop"


class Platform(Enum):
    """What a document can be opened on."""

    IPHONE = "iphone"
    IPAD = "ipad"
    MAC = "mac"


class AutodiscoverPolicy(Enum):
    """How Autodiscover answers for a domain."""

    AUTO = "auto"
    SETTINGS = "settings"
    REDIRECT = "redirect"


class EwsAccess(Enum):
    """Whether the organisation has allow-listed EWS applications in Exchange Online."""

    BLOCKED = "blocked"
    ALLOWED = "allowed"


class SignInUrls(Enum):
    """Whether an Exchange profile names the sign-in page itself instead of letting the device discover it."""

    AUTO = "auto"  # as the provider's facts say
    ALWAYS = "always"  # for a domain whose Autodiscover is broken or hybrid
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whose people are provisioned. Raises InvalidSetting naming the field."""

    id: str
    name: str
    support_contact: str = ""  # one line shown to people who need help: a name, an address, a telephone number
    consent_text: str = ""  # shown before a profile is installed, and must be agreed to: it adds a tap

    def __post_init__(self) -> None:
        if not _ORGANISATION_ID.fullmatch(self.id):
            raise InvalidSetting(
                f"The organisation id {printable(self.id)} may hold a-z, 0-9, dots and hyphens, starts and ends with "
                "a letter or digit, and has at most 64 characters."
            )
        object.__setattr__(self, "name", _line("organisation name", self.name, _MAX_NAME, required=True))
        object.__setattr__(self, "support_contact", _line("support contact", self.support_contact, _MAX_NAME))
        object.__setattr__(self, "consent_text", _line("consent text", self.consent_text, _MAX_TEXT))


def _line(what: str, text: str, limit: int, *, required: bool = False) -> str:
    text = strip_blanks(text)
    try:
        refuse_unwritable(text)
    except InvalidText as refusal:
        raise InvalidSetting(f"The {what} {refusal}") from None
    if required and not text:
        raise InvalidSetting(f"The {what} is empty; people read it, so it is needed.")
    if len(text) > limit:
        raise InvalidSetting(f"The {what} is longer than {limit} characters.")
    return text


@dataclass(frozen=True, slots=True)
class Domain:
    """A mail domain of an organisation and what its people are offered. Raises InvalidDomain or InvalidSetting."""

    name: str
    organisation_id: str
    provider_id: str
    autodiscover: AutodiscoverPolicy = AutodiscoverPolicy.AUTO
    account_kinds: tuple[Kind, ...] = (Kind.EXCHANGE,)
    smtp_password: bool = False
    ews: EwsAccess = EwsAccess.BLOCKED
    sign_in_urls: SignInUrls = SignInUrls.AUTO

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", normalise_domain(self.name))
        kinds = tuple(kind for kind in Kind if kind in self.account_kinds)
        if not kinds:
            raise InvalidSetting("account_kinds is empty; name at least one of exchange, imap, pop.")
        object.__setattr__(self, "account_kinds", kinds)


@dataclass(frozen=True, slots=True)
class Context:
    """What a document says besides the account and the servers: one frozen value, so that rendering stays pure."""

    organisation: Organisation
    domain: Domain
    texts: Mapping[str, str]  # the format's own texts by name, translated
    now: datetime

    def text(self, name: str, **values: str) -> str:
        """The translated text ``name`` with ``values`` filled in."""
        return self.texts[name].format(organisation=self.organisation.name, **values)

    def names_sign_in_page(self, provider: MailProvider) -> bool:
        """Whether an Exchange document names the sign-in page instead of leaving it to the device to discover."""
        if self.domain.sign_in_urls is SignInUrls.AUTO:
            return not provider.oauth.discovered
        return self.domain.sign_in_urls is SignInUrls.ALWAYS


Render = Callable[[Account, MailProvider, Context], bytes]


def _always(domain: Domain) -> bool:  # noqa: ARG001  # the default of Format.offered takes what every condition takes
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write settings down, as declared at the end of its file."""

    id: str  # named by its standard or product; stands in URLs, on the command line and in derived identifiers
    title: str  # one line for listings
    media_type: str
    suffix: str  # of the file name, without the dot
    audience: Audience
    kind: Kind
    platforms: frozenset[Platform]
    needs: frozenset[Service]
    signed: bool
    render: Render
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # name -> English message
    offered: Callable[[Domain], bool] = _always  # a condition beyond account_kinds

    def is_offered(self, domain: Domain) -> bool:
        """Whether a person of ``domain`` is handed this document by a setup link."""
        return self.audience is Audience.PERSON and self.kind in domain.account_kinds and self.offered(domain)

    def require(self, provider: MailProvider) -> None:
        """Raise MissingService where ``provider`` lacks a service this format writes down."""
        missing = self.needs - provider.services
        if missing:
            names = [service.value for service in missing]
            raise MissingService(provider=provider.id, format_id=self.id, services=names)

"""What a format is: one way to write an account's settings down, and how a mail client may ask for it without a link.

A format is one file in ``formats/`` that ends with ``FORMAT = Format(...)``. Its ``render`` is pure: the same account,
provider and context give the same bytes. It opens no file, reads no clock and knows no web framework.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape

from provisioner.address import normalise_domain
from provisioner.errors import InvalidInput, MissingService
from provisioner.managed import NO_APP, ManagedApp
from provisioner.model import Account, MailProvider, Service
from provisioner.organisation import Domain, Kind, Organisation, SignInUrls

TEXT = "text/plain; charset=utf-8"
_STAND_IN = "whoever-asks.6f1d3a0c94e84b5d"  # nobody is called so, and no organisation


class Audience(Enum):
    """Who a document is for. Only a person's documents are handed out by a setup link."""

    PERSON = "person"
    CLIENT = "client"
    ADMINISTRATOR = "administrator"


class Platform(Enum):
    """What a document can be opened on."""

    IPHONE = "iphone"
    IPAD = "ipad"
    MAC = "mac"


@dataclass(frozen=True, slots=True)
class AnyoneAt:
    """Somebody of a domain whose local part is not known. Raises InvalidDomain."""

    domain: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "domain", normalise_domain(self.domain))


@dataclass(frozen=True, slots=True)
class Variables:
    """Everybody of a domain, as an MDM spells "this user's address": it fills the values in on each device.

    Made by ``mdm`` alone, and never signed: a signature and variables exclude each other. Raises InvalidDomain.
    """

    domain: str
    address: str
    username: str
    display_name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "domain", normalise_domain(self.domain))

    @property
    def key(self) -> str:
        """What identifiers are derived from: the domain's people. No mailbox has this key."""
        return f"*@{self.domain}"

    @property
    def shown_name(self) -> str:
        """The variable of the display name, or that of the address."""
        return self.display_name or self.address


Subject = Account | AnyoneAt | Variables


@dataclass(frozen=True, slots=True)
class Installation:
    """How an MDM installs a profile: on one kind of device (an iPhone stands for iPads too), and for whom there."""

    platform: Platform
    scope: str  # TopLevel.PayloadScope: System or User


@dataclass(frozen=True, slots=True)
class Context:
    """What a document says besides the account and the servers: one frozen value, so that rendering stays pure."""

    organisation: Organisation
    domain: Domain
    texts: Mapping[str, str]  # the format's own texts by name, translated
    now: datetime
    language: str = "en"  # of the texts, a BCP 47 tag
    for_mdm: Installation | None = None  # an MDM installs the document, and not the person who has it
    app: ManagedApp = NO_APP  # of a format that configures one: what the organisation wants of it
    help_url: str = ""  # a page of ours for people whose mail client shows a link; empty where there is no website

    def text(self, name: str, **values: str) -> str:
        """The translated text ``name`` with ``values`` filled in."""
        return self.texts[name].format(organisation=self.organisation.name, **values)

    def names_sign_in_page(self, provider: MailProvider) -> bool:
        """Whether an Exchange document names the sign-in page instead of leaving it to the device to discover."""
        if self.domain.sign_in_urls is SignInUrls.AUTO:
            return not provider.oauth.discovered
        return self.domain.sign_in_urls is SignInUrls.ALWAYS


@dataclass(frozen=True, slots=True)
class Request:
    """What a mail client asked. A credential that it sent is not in here."""

    method: str  # GET, HEAD or POST
    path: str  # percent-decoded, in the client's own case
    query: Mapping[str, str]  # names in lower case, each given once
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    host_domain: str  # the Host without port, final dot and a first label autoconfig. or autodiscover.; "" for none
    plain_http: bool  # a trusted proxy says that the client came without TLS


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client gets."""

    status: int
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def text_reply(status: int, text: str, **headers: str) -> Reply:
    """A short plain text that no client can take for a configuration."""
    return Reply(
        status=status,
        body=f"{text}\n".encode(),
        media_type=TEXT,
        headers={name.replace("_", "-").title(): value for name, value in headers.items()},
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A configured domain's provider and the context of its documents; it remembers what it has written."""

    provider: MailProvider
    context: Context
    _written: dict[object, tuple[bytes, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def write(self, subject: Subject, render: "Render") -> bytes:
        """What ``render`` writes for ``subject``: in whole the first time, afterwards only the address is filled in.

        For XML that holds a person's address as the text of elements and depends on the person in no other way.
        """
        is_person = isinstance(subject, Account)
        parts = self._written.get((render, is_person))
        if parts is None:
            stand_in = Account(f"{_STAND_IN}@{subject.domain}") if is_person else subject
            document = render(stand_in, self.provider, self.context)
            parts = tuple(document.split(stand_in.address.encode())) if isinstance(stand_in, Account) else (document,)
            self._written[render, is_person] = parts
        return escape(subject.address).encode().join(parts) if isinstance(subject, Account) else parts[0]


Lookup = Callable[[str], Found | None]
"""From a domain to what is configured for it; None for every other domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """How a mail client asks for a format without a link.

    Several formats may share a path: the first whose ``answer`` is not None has understood the request, and where none
    has, ``refuse`` of the first one says so in the protocol's own words. Both are pure.
    """

    paths: tuple[str, ...]  # in lower case; one that ends with a slash takes every path below it
    methods: frozenset[str]
    answer: Callable[[Request, Lookup, datetime], Reply | None]
    refuse: Callable[[Request, datetime], Reply]


Render = Callable[[Any, MailProvider, Context], bytes]  # of one of the format's subjects


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
    needs: frozenset[Service]
    signed: bool
    render: Render
    kind: Kind | None = None  # of the account that it sets up; None: it sets up none by itself
    platforms: frozenset[Platform] = frozenset()
    subjects: frozenset[type[Account] | type[AnyoneAt] | type[Variables]] = frozenset({Account})
    discovery: Discovery | None = None
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # name -> English message
    app: str = ""  # the app that it configures: the id of its facts in the catalogue
    offered: Callable[[Domain], bool] = _always  # a condition beyond account_kinds
    counts_device: bool = True  # False: read on a screen, so fetching it sets up no device by itself

    def is_offered(self, domain: Domain) -> bool:
        """Whether a person of ``domain`` is handed this document by a setup link.

        The domain's kinds govern the documents that set up an account of a kind; one of no kind is for everybody.
        """
        is_named = self.kind is None or self.kind in domain.account_kinds
        return self.audience is Audience.PERSON and is_named and self.offered(domain)

    def accept(self, subject: Subject) -> None:
        """Raise InvalidInput where ``subject`` is of a kind that this format cannot write down."""
        if type(subject) not in self.subjects:
            if isinstance(subject, Variables):
                raise InvalidInput(f"The format {self.id!r} is written for people and not for an MDM's variables.")
            raise InvalidInput(f"The format {self.id!r} is written for one person; a whole address was expected.")

    def require(self, provider: MailProvider) -> None:
        """Raise MissingService where ``provider`` lacks a service this format writes down."""
        missing = self.needs - provider.services
        if missing:
            names = [service.value for service in missing]
            raise MissingService(provider=provider.id, format_id=self.id, services=names)

"""The values everything is made of: a person's account, a provider's servers, and the document made of both.

Words: hostname, port and connection security as in Thunderbird's feature/autodiscovery; submission as in RFC 6409.
Constructing a value validates it; nothing inside validates twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from unicodedata import category

from provisioner.address import address_key, normalise_address, refuse_unwritable, strip_blanks
from provisioner.errors import InvalidAddress, InvalidDisplayName, InvalidText, InvalidUsername

MAX_DISPLAY_NAME = 256  # characters; Entra ID's limit for displayName

# What nobody sees by itself: format and control characters, blanks and marks, and letters and symbols that are blank.
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Mn", "Zs"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # Hangul fillers and the empty Braille pattern


class ConnectionSecurity(Enum):
    """How a connection is protected. There is no plaintext member: what is unsafe cannot be written."""

    IMPLICIT_TLS = "implicit-tls"  # TLS from the first byte
    STARTTLS = "starttls"  # a plain greeting, then a mandatory upgrade before anything else


class Authentication(Enum):
    """How a person signs in to a server."""

    OAUTH2 = "oauth2"
    PASSWORD = "password"  # noqa: S105  # the method's name


class Protocol(Enum):
    """What a mail server speaks."""

    IMAP = "imap"
    POP3 = "pop3"
    SUBMISSION = "submission"


class Service(Enum):
    """What a provider can have and a format can need."""

    IMAP = "imap"
    POP3 = "pop3"
    SUBMISSION = "submission"
    ACTIVESYNC = "activesync"
    EWS = "ews"
    AUTODISCOVER = "autodiscover"
    OAUTH = "oauth"
    DNS = "dns"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a fact comes from, and the day it was checked."""

    sources: tuple[str, ...]
    checked: date
    confidence: str


@dataclass(frozen=True, slots=True)
class MailServer:
    """One server a mail client connects to."""

    protocol: Protocol
    hostname: str
    port: int
    security: ConnectionSecurity
    authentication: tuple[Authentication, ...]  # always works
    transitional_authentication: tuple[Authentication, ...]  # only while and where the organisation still allows it
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class WebService:
    """One HTTPS service, such as Exchange ActiveSync."""

    hostname: str
    url: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RetiringWebService:
    """An HTTPS service that its provider is taking away: Exchange Web Services."""

    hostname: str
    url: str
    blocked_since: date  # from this day only organisations that opted in can use it
    ends: date  # from this day nobody can
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class FurtherProtocols:
    """What Autodiscover v2 finds in the cloud besides mail: a URL for each protocol's name."""

    urls: Mapping[str, str]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class AutodiscoverHosts:
    """Where the cloud itself answers Autodiscover."""

    pox_url: str
    soap_url: str
    evidence: Evidence
    protocols: FurtherProtocols | None = None


@dataclass(frozen=True, slots=True)
class OAuth:
    """Where a person signs in, and the scopes a client asks for."""

    authority: str  # https URL without a path
    tenant: str
    scopes: Mapping[str, str]
    discovered: bool  # Apple's clients find the sign-in page by themselves; otherwise a document names it
    evidence: Evidence

    @property
    def authorize_url(self) -> str:
        """The sign-in page (OAuth 2.0 authorization endpoint, Microsoft identity platform v2.0)."""
        return f"{self.authority}/{self.tenant}/oauth2/v2.0/authorize"

    @property
    def token_url(self) -> str:
        """Where a client changes its code for a token (OAuth 2.0 token endpoint)."""
        return f"{self.authority}/{self.tenant}/oauth2/v2.0/token"


@dataclass(frozen=True, slots=True)
class App:
    """A mail app in its store."""

    name: str
    store_id: str
    store_url: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DnsTargets:
    """What the DNS records of a domain at this provider point to."""

    autodiscover_cname: str
    mx: str
    spf_include: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class MailProvider:
    """A hosted mail service: one Microsoft cloud and its servers. What is not confirmed is absent."""

    id: str
    name: str
    oauth: OAuth
    imap: MailServer | None = None
    pop3: MailServer | None = None
    submission: MailServer | None = None
    activesync: WebService | None = None
    ews: RetiringWebService | None = None
    autodiscover: AutodiscoverHosts | None = None
    dns: DnsTargets | None = None
    apps: Mapping[str, App] = field(default_factory=dict)
    consumer_domains: tuple[str, ...] = ()  # domains that belong to the provider's private customers

    @property
    def services(self) -> frozenset[Service]:
        """Every service this provider is confirmed to have."""
        return frozenset(service for service in Service if getattr(self, service.value) is not None)

    @property
    def servers(self) -> tuple[MailServer, ...]:
        """The confirmed mail servers, incoming first."""
        return tuple(server for server in (self.imap, self.pop3, self.submission) if server is not None)


@dataclass(frozen=True, slots=True)
class Account:
    """One person's mailbox.

    ``address`` keeps its local part and has its domain normalised; ``username`` is the user principal name and
    defaults to the address. Raises InvalidAddress, InvalidUsername or InvalidDisplayName, naming the reason.
    """

    address: str
    username: str = ""
    display_name: str = ""

    def __post_init__(self) -> None:
        address = normalise_address(self.address)
        object.__setattr__(self, "address", address)
        object.__setattr__(self, "username", _username(self.username) or address)
        object.__setattr__(self, "display_name", _display_name(self.display_name))

    @property
    def domain(self) -> str:
        """The part after the @, as A-labels."""
        return self.address.rpartition("@")[2]

    @property
    def key(self) -> str:
        """The same for every spelling of one mailbox: ``A@X`` and ``a@x`` are one person."""
        return address_key(self.address)

    @property
    def shown_name(self) -> str:
        """The display name, or the address where there is none."""
        return self.display_name or self.address


def _username(text: str) -> str:
    if not strip_blanks(text):
        return ""
    if "\\" in text:
        raise InvalidUsername(
            "The username has a backslash; Exchange Online signs in with the full user principal name, such as "
            "anna@contoso.com."
        )
    try:
        return normalise_address(text)
    except InvalidAddress as refusal:
        raise InvalidUsername(f"The username is not a user principal name: {refusal}") from None


def is_visible(text: str) -> bool:
    """Whether ``text`` has a character that people see (Unicode general categories)."""
    return any(category(each) not in _INVISIBLE_CATEGORIES and each not in _BLANK_LETTERS for each in text)


def _display_name(text: str) -> str:
    name = strip_blanks(text)
    try:
        refuse_unwritable(name)
    except InvalidText as refusal:
        raise InvalidDisplayName(f"The display name {refusal}") from None
    if name and not is_visible(name):
        raise InvalidDisplayName("The display name holds no visible character; write a name, or leave it out.")
    if len(name) > MAX_DISPLAY_NAME:
        raise InvalidDisplayName(f"The display name is longer than {MAX_DISPLAY_NAME} characters.")
    return name


@dataclass(frozen=True, slots=True)
class Document:
    """What a phone, a mail client or an MDM reads: the bytes, what they are, and a name for the file."""

    content: bytes
    media_type: str
    filename: str
    format_id: str
    signed: bool

"""Whose people are provisioned: organisations, their mail domains, and what each domain's people are offered."""

import re
from dataclasses import dataclass
from enum import Enum

from provisioner.address import normalise_domain, refuse_unwritable, strip_blanks
from provisioner.errors import InvalidSetting, InvalidText, printable
from provisioner.model import is_visible

_ORGANISATION_ID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?")
_MAX_NAME = 100  # characters; PayloadOrganization is one line on a phone's screen
_MAX_TEXT = 2000  # characters; ConsentText is one screen


class Kind(Enum):
    """What kind of account a document sets up; a domain names the kinds its people are offered."""

    EXCHANGE = "exchange"
    IMAP = "imap"
    POP = "pop"


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
    if required and not is_visible(text):
        raise InvalidSetting(f"The {what} holds no visible character; people read it, so it needs one.")
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

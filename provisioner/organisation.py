"""Whose people are provisioned: organisations, their mail domains, and what each domain's people are offered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from provisioner.address import normalise_domain, refuse_unwritable, strip_blanks
from provisioner.errors import InvalidSetting, InvalidText, printable
from provisioner.model import is_visible

_ORGANISATION_ID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?")
_MAX_NAME = 100  # characters; PayloadOrganization is one line on a phone's screen
_MAX_OCTETS = 2700  # of a text, in UTF-8: help and consent fit into a page's 14 KB beside everything else
_MAX_TEXT = 2000  # characters; ConsentText is one screen
_MAX_LOGO = 64 * 1024  # octets; it is drawn at the height of two lines
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?")  # RFC 5646 section 2.1, in its usual case
_APP_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
_MAX_NUMBER = 2**31 - 1  # every reader of a property list or of JSON has room for it, and no key needs more
_COLOUR = re.compile(r"#[0-9a-f]{6}")
# What a picture's file begins with -> its media type (PNG third edition section 5.2; JPEG: ITU-T T.81 annex B).
_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


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


class Preference(Enum):
    """Which app a domain's people are shown first on an iPhone, iPad or Mac; both are always offered."""

    BUILTIN = "builtin"
    OUTLOOK = "outlook"


class SelfService(Enum):
    """How the people of a domain get a setup link."""

    INVITE = "invite"  # their IT department invites them
    OPEN = "open"  # the start page gives whoever asks a link for one device and one hour


@dataclass(frozen=True, slots=True)
class Logo:
    """An organisation's picture, PNG or JPEG, of 64 KiB at most. Raises InvalidSetting."""

    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not any(self.content.startswith(start) for start in _PICTURES):
            raise InvalidSetting("The logo is neither a PNG nor a JPEG picture.")
        if len(self.content) > _MAX_LOGO:
            raise InvalidSetting(f"The logo is larger than {_MAX_LOGO // 1024} KiB; a small picture is enough.")

    @property
    def media_type(self) -> str:
        """``image/png`` or ``image/jpeg``."""
        return next(kind for start, kind in _PICTURES.items() if self.content.startswith(start))


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whose people are provisioned. Raises InvalidSetting naming the field.

    Texts that people read have one form for everybody and may have others by language, a BCP 47 tag such as ``pt-BR``.
    """

    id: str
    name: str
    support_contact: str = ""  # one line shown to people who need help: a name, an address, a telephone number
    consent_text: str = ""  # shown before a profile is installed, and must be agreed to: it adds a tap
    consent_texts: Mapping[str, str] = field(default_factory=_nothing, hash=False)  # language -> text
    help_text: str = ""  # shown beside the support contact: opening hours, what to have ready
    help_texts: Mapping[str, str] = field(default_factory=_nothing, hash=False)  # language -> text
    languages: tuple[str, ...] = ()  # that its people are offered, the usual one first; none: all there are
    logo: Logo | None = None
    accent_colour: str = ""  # #rrggbb, of the page's button and head line; empty: ours
    outlook: Mapping[str, str | bool | int] = field(
        default_factory=_nothing, hash=False
    )  # app configuration key -> value

    def __post_init__(self) -> None:
        if not _ORGANISATION_ID.fullmatch(self.id):
            raise InvalidSetting(
                f"The organisation id {printable(self.id)} may hold a-z, 0-9, dots and hyphens, starts and ends with "
                "a letter or digit, and has at most 64 characters."
            )
        object.__setattr__(self, "name", _line("organisation name", self.name, _MAX_NAME, required=True))
        object.__setattr__(self, "support_contact", _line("support contact", self.support_contact, _MAX_NAME))
        for name in ("consent_text", "help_text"):
            words = name.replace("_", " ")
            object.__setattr__(self, name, _line(words, getattr(self, name), _MAX_TEXT))
            object.__setattr__(self, f"{name}s", _by_language(words, getattr(self, f"{name}s")))
        object.__setattr__(self, "languages", tuple(dict.fromkeys(map(_language, self.languages))))
        object.__setattr__(self, "accent_colour", _colour(self.accent_colour))
        object.__setattr__(self, "outlook", MappingProxyType(dict(map(_app_setting, self.outlook.items()))))

    def help_in(self, language: str) -> str:
        """The help text in ``language``, or the one for everybody."""
        return self.help_texts.get(language, self.help_text)

    def consent_in(self, language: str) -> str:
        """The consent text in ``language``, or the one for everybody."""
        return self.consent_texts.get(language, self.consent_text)


def _by_language(what: str, texts: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(
        {_language(tag): _line(f"{what} in {tag}", text, _MAX_TEXT, required=True) for tag, text in texts.items()}
    )


def _language(tag: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        raise InvalidSetting(f"The language {printable(tag)} is no tag such as de, pt-BR or zh-Hans.")
    return tag


def _app_setting(setting: tuple[str, object]) -> tuple[str, str | bool | int]:
    key, value = setting
    if not _APP_KEY.fullmatch(key):
        raise InvalidSetting(f"The Outlook setting {printable(key)} is no app configuration key; they are ASCII words.")
    if not isinstance(value, (str, bool, int)):
        raise InvalidSetting(f"The Outlook setting {key} is neither a text, nor true or false, nor a whole number.")
    if isinstance(value, str):
        return key, _line(f"Outlook setting {key}", value, _MAX_TEXT)
    if not -_MAX_NUMBER <= value <= _MAX_NUMBER:
        raise InvalidSetting(f"The Outlook setting {key} is a number of more than 32 bits.")
    return key, value


def _colour(text: str) -> str:
    colour = text.strip().lower()
    if colour and not _COLOUR.fullmatch(colour):
        raise InvalidSetting(
            f"The accent colour {printable(text)} is not written as # and six digits, such as #0b57d0."
        )
    return colour


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
    if len(text.encode()) > _MAX_OCTETS:
        raise InvalidSetting(f"The {what} is longer than {_MAX_OCTETS} octets in UTF-8: a Chinese character has three.")
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
    prefer: Preference = Preference.BUILTIN
    self_service: SelfService = SelfService.INVITE

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", normalise_domain(self.name))
        kinds = tuple(kind for kind in Kind if kind in self.account_kinds)
        if not kinds:
            raise InvalidSetting("account_kinds is empty; name at least one of exchange, imap, pop.")
        object.__setattr__(self, "account_kinds", kinds)

"""What a mail server is to us: where it is, how it is spoken to and signed in to, and what it makes of a mail."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from ssl import SSLContext

from provisioner.model import ConnectionSecurity

# RFC 3463.
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


class Fate(Enum):
    """What became of a mail that was handed over."""

    SENT = "sent"
    REFUSED = "refused"  # for good
    DEFERRED = "deferred"  # not now
    UNSURE = "unsure"  # the server may have it


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of one mail, and what the server said where it did not take it."""

    fate: Fate
    reason: str = ""


class NotHandedOver(KeyboardInterrupt):
    """Somebody has stopped the program before the mail server had anything of the mail."""


@dataclass(frozen=True, slots=True)
class Password:
    """Signs in with a password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """Signs in with an access token, asked for at each connection. ``current`` raises SignInError."""

    username: str
    current: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server: where it is, how it is spoken to, and as whom. Without a sign-in, it knows this machine."""

    host: str
    port: int
    security: ConnectionSecurity
    tls: SSLContext
    sign_in: Password | Token | None
    own_name: str  # of this machine, as EHLO says it


def status_of(reason: str) -> str:
    """The code and enhanced status code at the head of what a server said: what of it may be logged."""
    code, _, rest = reason.partition(" ")
    enhanced = _ENHANCED.match(rest)
    return f"{code} {enhanced[0]}" if enhanced else code if code.isdigit() else ""

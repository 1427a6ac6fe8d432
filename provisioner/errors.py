"""Everything that can be refused or go wrong, as one tree of exceptions that carry their data.

::

    ProvisionerError
    ├── InvalidInput                what a person or program gave us cannot be used
    │   ├── InvalidText             a character no document may hold
    │   ├── InvalidDomain
    │   ├── InvalidAddress
    │   ├── InvalidUsername
    │   ├── InvalidDisplayName
    │   ├── InvalidTable            a CSV file that is none, or tells no addresses
    │   ├── InvalidXml              a request that is no XML we read
    │   ├── InvalidQuery            what stands after the question mark of a URL
    │   │   └── PasswordInQuery
    │   ├── InvalidSetting          an organisation's, domain's or link's setting
    │   └── MdmRefusal              an MDM cannot be given this
    ├── NotFound                    a name that is well formed but not ours
    │   ├── UnknownFormat
    │   ├── UnknownProvider
    │   ├── UnknownMdm
    │   ├── UnknownDomain
    │   ├── UnknownOrganisation
    │   └── UnknownLink
    ├── AlreadyExists               it is there, and adding it again would change it silently
    ├── StillInUse                  it cannot be removed while something needs it
    ├── MissingService              the provider lacks what the format needs
    ├── DocumentTooLarge            an MDM does not take a file of this size
    ├── CatalogueError              a fact file is wrong (file, key, line)
    ├── ConfigurationError          a setting of the service is wrong
    ├── LinkClosed                  the link exists but no longer opens
    │   ├── LinkExpired
    │   ├── LinkRevoked
    │   └── LinkUsedUp
    ├── PushRefused                 an MDM's API has answered, and will not do it
    ├── PushFailed                  it has not answered in a way that can be understood
    │   └── PushUnclear             and may have done it
    ├── IdentityError               nothing can be signed
    │   ├── NoIdentity
    │   ├── IdentityUnusable        key, chain, key usage or passphrase is wrong
    │   └── IdentityNotInDate
    ├── SignInError                 no access token for a program of ours
    │   ├── SignInRefused           Entra ID does not know it: wrong secret, certificate, application or tenant
    │   └── SignInUnavailable       Entra ID does not answer
    ├── RelayError                  the mail server takes no mail, whoever it is for
    │   ├── RelayUnusable           its TLS, our sign-in or our sender's address
    │   │   └── SenderRefused       it does not take this mail from our sender, and so perhaps none
    │   └── RelayUnavailable        it does not answer, or says to come later
    └── StoreUnavailable            the database does not answer

A message says what was expected, what was found and what to do. It never holds a token, a key or a whole address.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Literal


def suggestion(name: str, known: Iterable[str]) -> str:
    """A sentence that helps someone who mistyped ``name``: the nearest known name, or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else "There is none yet."


def printable(text: str, limit: int = 40) -> str:
    """``text`` quoted for a message: what does not print is escaped, and it is cut, so that no line is disturbed."""
    shown = repr(text)
    return shown if len(shown) <= limit else f"{shown[:limit]}…"


class ProvisionerError(Exception):
    """Base of all errors that this product raises on purpose; its text may be shown to a person."""


class InvalidInput(ProvisionerError):
    """What was given cannot be used; the text names the reason."""


class InvalidText(InvalidInput):
    """A text holds a character that no document may hold."""


class InvalidDomain(InvalidInput):
    """Not a domain that mail can be addressed to."""


class InvalidAddress(InvalidInput):
    """Not an e-mail address that Office 365 can have."""


class InvalidUsername(InvalidInput):
    """Not a user principal name."""


class InvalidDisplayName(InvalidInput):
    """A display name that no document may hold."""


class InvalidTable(InvalidInput):
    """A file of people is no CSV file, or no column of it tells addresses."""


class InvalidXml(InvalidInput):
    """A request's body is not XML that we read."""


class InvalidQuery(InvalidInput):
    """What stands after the question mark of a URL cannot be read in one way only."""


class PasswordInQuery(InvalidQuery):
    """A password stands in a URL, where browsers and proxies keep it."""

    def __init__(self) -> None:
        super().__init__("A password is never needed here, and was not read. If it was a real one, change it.")


class InvalidSetting(InvalidInput):
    """A setting of an organisation, a domain or a link is out of its range."""


class MdmRefusal(InvalidInput):
    """Something that this MDM cannot be given; the text names the MDM and the reason."""

    def __init__(self, mdm: str, reason: str) -> None:
        self.mdm, self.reason = mdm, reason
        super().__init__(f"{mdm}: {reason}")

    def __reduce__(self) -> tuple[type["MdmRefusal"], tuple[str, str]]:
        return MdmRefusal, (self.mdm, self.reason)  # a helper process may have raised it


class NotFound(ProvisionerError):
    """A well-formed name that is not known here."""

    what = "name"

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        self.name = name
        super().__init__(f"Unknown {self.what} {printable(name)}. {suggestion(name, known)}")


class UnknownFormat(NotFound):
    """No format has this id."""

    what = "format"


class UnknownProvider(NotFound):
    """No mail provider has this id."""

    what = "mail provider"


class UnknownMdm(NotFound):
    """No MDM has this id."""

    what = "MDM"


class UnknownOrganisation(NotFound):
    """No organisation has this id."""

    what = "organisation"


class UnknownDomain(NotFound):
    """The domain is not configured here."""

    what = "domain"

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        super().__init__(name, known)
        self.args = (
            f"The domain {printable(name)} is not configured here. 'provisioner domain list' shows those that are, "
            "'provisioner domain add' adds one.",
        )


class UnknownLink(NotFound):
    """No setup link is meant by this token or id; malformed and deleted ones look the same."""

    what = "setup link"

    def __init__(self) -> None:
        super().__init__("")
        self.args = ("There is no such setup link. Ask for a new one.",)


class AlreadyExists(ProvisionerError):
    """Adding it again would silently change what is there."""


class StillInUse(ProvisionerError):
    """It cannot be removed while something needs it."""


class MissingService(ProvisionerError):
    """A format needs a service that the provider's facts do not confirm."""

    def __init__(self, *, provider: str, format_id: str, services: Iterable[str]) -> None:
        self.provider = provider
        self.services = tuple(sorted(services))
        super().__init__(
            f"The format {format_id!r} needs {' and '.join(self.services)}, and the provider {provider!r} has no "
            "confirmed server for it. Choose another format or provider: see 'provisioner providers'."
        )


class DocumentTooLarge(ProvisionerError):
    """A document is larger than an MDM takes."""

    def __init__(self, mdm: str, format_id: str, size: int, limit: int) -> None:
        super().__init__(
            f"{mdm}: the document {format_id!r} has {size:,} bytes, and a file may have {limit:,}. Shorten the "
            "organisation's texts; the consent text is the longest."
        )
        self.args_given = (mdm, format_id, size, limit)

    def __reduce__(self) -> tuple[type["DocumentTooLarge"], tuple[str, str, int, int]]:
        return DocumentTooLarge, self.args_given  # a helper process may have raised it


class CatalogueError(ProvisionerError):
    """A fact file cannot be trusted, so the service does not start."""

    def __init__(self, *, file: str, reason: str, key: str = "", line: int = 0) -> None:
        self.file, self.key, self.line, self.reason = file, key, line, reason
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {f'{key}: ' if key else ''}{reason}")


class ConfigurationError(ProvisionerError):
    """A setting of the service is missing, unknown or out of range."""


class LinkClosed(ProvisionerError):
    """The setup link is ours, but it no longer opens."""


class LinkExpired(LinkClosed):
    """The link's time is over."""

    def __init__(self, expired_at: datetime) -> None:
        self.expired_at = expired_at
        super().__init__(f"This setup link expired on {expired_at:%Y-%m-%d %H:%M} UTC. Ask for a new one.")


class LinkRevoked(LinkClosed):
    """Somebody took the link back."""

    def __init__(self) -> None:
        super().__init__("This setup link was revoked. Ask for a new one.")


class LinkUsedUp(LinkClosed):
    """As many devices as were allowed have used the link."""

    def __init__(self, devices: int) -> None:
        self.devices = devices
        super().__init__(f"This setup link has been used on {devices} of {devices} devices. Ask for a new one.")


class TooManyLinks(ProvisionerError):
    """The start page gives no further link to this network, or of this domain, until some time has passed."""

    def __init__(self, *, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__("As many setup links have been given as are given in an hour. Try again later.")


class PushRefused(ProvisionerError):
    """The API of an MDM has answered, and will not do it; the text names its reason."""


class PushFailed(ProvisionerError):
    """The API of an MDM has not answered, or not in a way that can be understood; the same push may succeed later."""


class PushUnclear(PushFailed):
    """Nobody knows whether the MDM has done what it was asked."""


class IdentityError(ProvisionerError):
    """Nothing can be signed, so no profile is handed to a person."""


class NoIdentity(IdentityError):
    """There is no signing identity where one is expected."""


class IdentityUnusable(IdentityError):
    """The signing identity's key, chain, key usage or passphrase is wrong."""


class IdentityNotInDate(IdentityError):
    """A certificate of the signing identity is expired or not yet valid."""


class SignInError(ProvisionerError):
    """No access token: the text says what Entra ID answered, and never holds the secret."""


class SignInRefused(SignInError):
    """Entra ID refuses the application; asking again changes nothing."""


class SignInUnavailable(SignInError):
    """Entra ID does not answer; the same may succeed later."""


class RelayError(ProvisionerError):
    """The mail server takes no mail at the moment; no person's mail is to blame."""


class RelayUnusable(RelayError):
    """The mail server cannot be used as it is set up here; trying again changes nothing."""


class SenderRefused(RelayUnusable):
    """The mail server has seen one mail and takes it not, because of who sends it; other mails may fare the same."""


class RelayUnavailable(RelayError):
    """The mail server does not answer, or says to come later."""


StoreProblem = Literal["locked", "read-only", "missing", "full", "overloaded", "unreachable", "unreadable", "failed"]


class StoreUnavailable(ProvisionerError):
    """The database does not answer; the same request may succeed later. ``reason`` is what is wrong, in a word."""

    def __init__(self, message: str = "", *, reason: StoreProblem = "failed") -> None:
        self.reason: StoreProblem = reason
        super().__init__(message)

"""What could not be done: by this service, by a setup link, by the database, or by a server outside."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from provisioner.errors.base import ProvisionerError


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

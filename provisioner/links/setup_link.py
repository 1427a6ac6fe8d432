"""One setup link as people see it: who it is for, until when, on how many devices, and whether it opens."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from provisioner.errors import ConfigurationError
from provisioner.model import Account


class LinkState(Enum):
    """Whether a link opens. A link that is used up still shows its page, and no more downloads."""

    OPEN = "open"
    USED_UP = "used-up"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class SetupLink:
    """A setup link and its history. Times are UTC."""

    id: str
    issue: int
    account: Account
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    devices_allowed: int
    devices_used: int
    # Whoever has it has the link: it stands in no log. Empty where the link key is not the one it was made with.
    token: str = field(repr=False)
    language: str = ""  # of the person, BCP 47; empty: not known
    self_service: bool = False  # somebody took it at the start page; nobody was invited by it

    def state(self, now: datetime) -> LinkState:
        """Whether the link opens at ``now``."""
        if self.revoked_at is not None:
            return LinkState.REVOKED
        if now >= self.expires_at:
            return LinkState.EXPIRED
        return LinkState.USED_UP if self.devices_used >= self.devices_allowed else LinkState.OPEN

    @property
    def path(self) -> str:
        """The link's place under the public URL.

        Raises ConfigurationError where the link key is not the one that the link was made with.
        """
        if not self.token:
            raise ConfigurationError(
                f"The link key is not the one that the setup link {self.id} was made with, so it cannot be printed. "
                "Put the right key file back; or, if it is lost, make a new link and revoke this one with "
                f"'provisioner link revoke {self.id}'."
            )
        return f"/s/{self.token}"

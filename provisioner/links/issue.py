"""What a link is made of each time it is issued: a token nobody can guess, a time and a number of devices."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from provisioner.errors import InvalidSetting
from provisioner.links.setup_link import SetupLink
from provisioner.links.token import make_token, token_hash
from provisioner.model import Account
from provisioner.store.links import StoredLink

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=3650)
MOST_DEVICES = 1000

_FIRST_ISSUE = 1


def check_limits(lifetime: timedelta, devices: int) -> None:
    """Raise InvalidSetting where ``lifetime`` or the number of devices is out of its range."""
    if not SHORTEST <= lifetime <= LONGEST:
        raise InvalidSetting("A setup link lives between 1 minute and 3650 days.")
    if not 1 <= devices <= MOST_DEVICES:
        raise InvalidSetting(f"A setup link is good for 1 to {MOST_DEVICES} devices, not {devices}.")


def new_link(
    key: bytes, account: Account, *, now: datetime, lifetime: timedelta, devices: int, language: str = ""
) -> tuple[StoredLink, str]:
    """A new link as it is to be stored, and its token."""
    link_id = secrets.token_hex(16)
    token = make_token(key, link_id, _FIRST_ISSUE)
    stored = StoredLink(
        id=link_id,
        issue=_FIRST_ISSUE,
        token_hash=token_hash(token),
        account=account,
        created_at=now,
        expires_at=now + lifetime,
        revoked_at=None,
        devices_allowed=devices,
        devices_used=0,
        language=language,
    )
    return stored, token


def next_issue(key: bytes, link: StoredLink, *, expires_at: datetime, devices_allowed: int) -> tuple[StoredLink, str]:
    """The same link with its next token, and that token."""
    issue = link.issue + 1
    token = make_token(key, link.id, issue)
    renewed = replace(
        link, issue=issue, token_hash=token_hash(token), expires_at=expires_at, devices_allowed=devices_allowed
    )
    return renewed, token


def setup_link(stored: StoredLink, token: str) -> SetupLink:
    """The link as people see it."""
    return SetupLink(
        id=stored.id,
        issue=stored.issue,
        account=stored.account,
        created_at=stored.created_at,
        expires_at=stored.expires_at,
        revoked_at=stored.revoked_at,
        devices_allowed=stored.devices_allowed,
        devices_used=stored.devices_used,
        token=token,
        language=stored.language,
        self_service=stored.self_service,
    )

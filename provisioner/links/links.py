"""Making, finding, counting and revoking setup links.

A device is a link and a format: the first fetch of a format opens a window of ten minutes, not extended by repeats, in
which every fetch of that format is the same device. The count deters passing a link on; it is no access control.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from provisioner.address import normalise_domain
from provisioner.errors import (
    InvalidSetting,
    LinkExpired,
    LinkRevoked,
    LinkUsedUp,
    UnknownDomain,
    UnknownLink,
)
from provisioner.links.self_service import SelfServiceLimits, give, hash_network, network_of, require_room
from provisioner.links.setup_link import SetupLink
from provisioner.links.token import make_token, read_token, token_hash
from provisioner.model import Account
from provisioner.store import Connection, Store, audit, domains, self_service
from provisioner.store import links as rows
from provisioner.store.audit import Detail
from provisioner.store.links import LinkUse, StoredLink

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=3650)
MOST_DEVICES = 1000
DEVICE_WINDOW = timedelta(minutes=10)  # one device fetches a profile more than once: Chrome on iOS does so each time

_FIRST_ISSUE = 1
_ID = re.compile(r"[0-9a-f]{32}")
_SetupLinks = list[SetupLink]  # inside Links, list is the method


class Links:
    """The setup links of one store. Safe to share between threads and processes.

    Every method raises StoreUnavailable where the store does not answer; ``actor`` is the name in the audit trail.
    """

    def __init__(self, store: Store, *, key: bytes, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._key = key
        self._clock = clock

    def create(self, account: Account, *, lifetime: timedelta, devices: int, actor: str) -> SetupLink:
        """A new link for ``account``, stored for good before it is returned.

        The person's username and display name are renewed from ``account``. Raises InvalidSetting where ``lifetime``
        is not within a minute and 3650 days or ``devices`` not within 1 and 1000, and UnknownDomain.
        """
        _check_limits(lifetime, devices)
        now, link_id = self._clock(), secrets.token_hex(16)
        token = make_token(self._key, link_id, _FIRST_ISSUE)
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
        )
        with self._store.write() as connection:
            if not domains.is_kept(connection, account.domain):
                raise UnknownDomain(account.domain)
            rows.add(connection, stored, invitation_id=rows.save_invitation(connection, account, at=now))
            details: dict[str, Detail] = {
                "domain": account.domain,
                "devices": devices,
                "expires_at": stored.expires_at.isoformat(),
            }
            audit.record(connection, at=now, actor=actor, action="link.create", subject=stored.id, details=details)
        return _setup_link(stored, token)

    def find(self, token: str) -> SetupLink:
        """The link that ``token`` opens, in any case. Raises UnknownLink, the same for a token that cannot be one."""
        canonical = read_token(token)
        if canonical is None:
            raise UnknownLink
        wanted = token_hash(canonical)
        with self._store.read() as connection:
            # Both are asked for, always: how long it takes says nothing about which kind of link it is.
            found = rows.by_token_hash(connection, wanted), self_service.by_token_hash(connection, wanted)
        return _setup_link(_known(found[0] or found[1]), canonical)

    def hand_out(self, account: Account, *, client: str, limits: SelfServiceLimits) -> SetupLink:
        """A new link for one device and one hour, for whoever asks from the IP address ``client``.

        Of ``account`` the address alone is taken, and no invitation is made or changed. Raises UnknownDomain, and
        TooManyLinks where the network or the domain has had as many as ``limits`` allow.
        """
        now, network = self._clock(), hash_network(self._key, network_of(client))
        with self._store.read() as connection:  # a crowd that is refused holds no writer up
            require_room(connection, domain=account.domain, network_hash=network, limits=limits, now=now)
        with self._store.write() as connection:
            stored, token = give(
                connection, account, key=self._key, network_hash=network, limits=limits, now=self._clock()
            )
        return _setup_link(stored, token)

    def get(self, link_id: str) -> SetupLink:
        """The link with this id. Raises UnknownLink."""
        _check_id(link_id)
        with self._store.read() as connection:
            stored = _known(rows.by_id(connection, link_id) or self_service.by_id(connection, link_id))
        return self._with_token(stored)

    def list(self, *, domain: str | None = None, handed_out: bool = False) -> _SetupLinks:
        """The links of a domain's invited people, or everybody's, the oldest first. Raises InvalidDomain.

        With ``handed_out``: instead of them, those that were taken at the start page.
        """
        domain = None if domain is None else normalise_domain(domain)
        table = self_service if handed_out else rows
        with self._store.read() as connection:
            stored = table.all_links(connection, domain=domain).whole()
        return [self._with_token(each) for each in stored]

    def revoke(self, link_id: str, *, actor: str) -> SetupLink:
        """Close the link for good; closing it twice is closing it once. Raises UnknownLink."""
        _check_id(link_id)
        now = self._clock()
        with self._store.write() as connection:
            rows.lock(connection, link_id)
            self_service.lock(connection, link_id)
            stored = _known(rows.by_id(connection, link_id) or self_service.by_id(connection, link_id))
            if stored.revoked_at is None:
                _table_of(stored).revoke(connection, link_id, at=now)
                details = {"domain": stored.account.domain}
                audit.record(connection, at=now, actor=actor, action="link.revoke", subject=link_id, details=details)
                stored = replace(stored, revoked_at=now)
        return self._with_token(stored)

    def revoke_all(self, *, domain: str, actor: str) -> int:
        """Close every link of the domain's people that is not closed yet, and say how many. Raises InvalidDomain.

        Those taken at the start page are among them.
        """
        domain, now = normalise_domain(domain), self._clock()
        with self._store.write() as connection:
            revoked = [
                *rows.revoke_not_closed(connection, domain=domain, at=now),
                *self_service.revoke_not_closed(connection, domain=domain, at=now),
            ]
            details = {"domain": domain}
            audit.record_each(connection, at=now, actor=actor, action="link.revoke", subjects=revoked, details=details)
        return len(revoked)

    def require_open(self, link: SetupLink, format_id: str) -> None:
        """Return where the link may hand out this format now; counts nothing.

        Raises LinkRevoked, LinkExpired or LinkUsedUp.
        """
        with self._store.read() as connection:
            use = _table_of(link).use_of(connection, link.id, format_id)
        _is_new_device(use, self._clock())

    def count_device(self, link: SetupLink, format_id: str) -> None:
        """Count the device that has just fetched this format, unless it is the one of the last ten minutes.

        Of two requests for the last device, whichever process they reach, one is counted. Raises LinkRevoked,
        LinkExpired or LinkUsedUp, and then counts nothing.
        """
        with self._store.write() as connection:
            table = _table_of(link)
            table.lock(connection, link.id)
            now = self._clock()
            if _is_new_device(table.use_of(connection, link.id, format_id), now):
                table.add_device(connection, link.id, format_id, at=now)

    def _with_token(self, stored: StoredLink) -> SetupLink:
        token = make_token(self._key, stored.id, stored.issue)
        return _setup_link(stored, token if token_hash(token) == stored.token_hash else "")


class _Queries(Protocol):
    """What is asked and done alike for a link of an invitation and for one taken at the start page."""

    def lock(self, connection: Connection, link_id: str) -> None: ...
    def revoke(self, connection: Connection, link_id: str, *, at: datetime) -> None: ...
    def use_of(self, connection: Connection, link_id: str, format_id: str) -> LinkUse | None: ...
    def add_device(self, connection: Connection, link_id: str, format_id: str, *, at: datetime) -> None: ...


def _table_of(link: StoredLink | SetupLink) -> _Queries:
    return self_service if link.self_service else rows


def _check_limits(lifetime: timedelta, devices: int) -> None:
    if not SHORTEST <= lifetime <= LONGEST:
        raise InvalidSetting("A setup link lives between 1 minute and 3650 days.")
    if not 1 <= devices <= MOST_DEVICES:
        raise InvalidSetting(f"A setup link is good for 1 to {MOST_DEVICES} devices, not {devices}.")


def _check_id(link_id: str) -> None:
    if not _ID.fullmatch(link_id):
        raise UnknownLink


def _is_new_device(use: LinkUse | None, now: datetime) -> bool:
    """False within the ten minutes of the last one. Raises UnknownLink, LinkRevoked, LinkExpired or LinkUsedUp."""
    if use is None:
        raise UnknownLink
    if use.revoked_at is not None:
        raise LinkRevoked
    if now >= use.expires_at:
        raise LinkExpired(use.expires_at)
    # Also where another machine's clock is ahead and the last device seems to come from the future.
    if use.last_opened is not None and now < use.last_opened + DEVICE_WINDOW:
        return False
    if use.devices_used >= use.devices_allowed:
        raise LinkUsedUp(use.devices_allowed)
    return True


def _known(stored: StoredLink | None) -> StoredLink:
    if stored is None:
        raise UnknownLink
    return stored


def _setup_link(stored: StoredLink, token: str) -> SetupLink:
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
        self_service=stored.self_service,
    )

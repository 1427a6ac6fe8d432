"""Making, finding, counting and revoking setup links: those of invitations, and those taken at the start page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from provisioner.address import normalise_domain
from provisioner.errors import InvalidSetting, LinkRevoked, UnknownDomain, UnknownLink
from provisioner.links import kinds
from provisioner.links.counting import is_new_device
from provisioner.links.history import LinkEvent, link_history
from provisioner.links.invite import Invited, foresee, invite, link_details
from provisioner.links.issue import LONGEST, check_limits, new_link, next_issue, setup_link
from provisioner.links.self_service import SelfServiceLimits, give, hash_network, network_of, require_room
from provisioner.links.setup_link import SetupLink
from provisioner.links.token import make_token, read_token, token_hash
from provisioner.model import Account
from provisioner.store import Connection, Store, audit, domains, history, invitations, self_service
from provisioner.store import links as rows
from provisioner.store.invitations import Person
from provisioner.store.links import Opening, StoredLink

_SetupLinks = list[SetupLink]  # inside Links, list is the method
_LinkEvents = list[LinkEvent]
_Downloads = list[Opening]


class Links:
    """The setup links of one store. Safe to share between threads and processes.

    Every method raises StoreUnavailable where the store does not answer; ``actor`` is the name in the audit trail.
    """

    def __init__(self, store: Store, *, key: bytes, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._key = key
        self._clock = clock

    def create(
        self, account: Account, *, lifetime: timedelta, devices: int, actor: str, username_known: bool = True
    ) -> SetupLink:
        """A new link for ``account``, stored for good before it is returned.

        The person's username and display name are renewed from ``account``; without a display name, and where the
        username is not known, they stay as they were. Raises InvalidSetting where ``lifetime`` is not within a minute
        and 3650 days or ``devices`` not within 1 and 1000, and UnknownDomain.
        """
        check_limits(lifetime, devices)
        now = self._clock()
        made, token = new_link(self._key, account, now=now, lifetime=lifetime, devices=devices)
        person = Person(account, username_known=username_known)
        with self._store.write() as connection:
            if not domains.is_kept(connection, account.domain):
                raise UnknownDomain(account.domain)
            rows.add(connection, made, invitation_id=invitations.save(connection, person, at=now))
            audit.record(
                connection, at=now, actor=actor, action="link.create", subject=made.id, details=link_details(made)
            )
            stored = kinds.by_id(connection, made.id)
        return setup_link(stored, token)

    def invite(
        self, people: Sequence[Person], *, lifetime: timedelta, devices: int, actor: str
    ) -> Mapping[str, Invited]:
        """Invite ``people`` in one transaction: whoever has no open link gets one. By the key of each mailbox.

        What a person's list does not tell stays as it is known. Raises InvalidSetting as ``create`` does.
        """
        check_limits(lifetime, devices)
        with self._store.write() as connection:
            return invite(
                connection,
                people,
                key=self._key,
                now=self._clock(),
                lifetime=lifetime,
                devices=devices,
                actor=actor,
            )

    def foresee(self, people: Sequence[Person]) -> Mapping[str, Invited]:
        """What ``invite`` would do now; changes nothing."""
        with self._store.read() as connection:
            return foresee(connection, people, now=self._clock())

    def find(self, token: str) -> SetupLink:
        """The link that ``token`` opens, in any case. Raises UnknownLink, the same for a token that cannot be one."""
        canonical = read_token(token)
        if canonical is None:
            raise UnknownLink
        with self._store.read() as connection:
            stored = kinds.by_token_hash(connection, token_hash(canonical))
        return setup_link(stored, canonical)

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
        return setup_link(stored, token)

    def get(self, link_id: str) -> SetupLink:
        """The link with this id. Raises UnknownLink."""
        with self._store.read() as connection:
            stored = kinds.by_id(connection, link_id)
        return self._with_token(stored)

    def list(self, *, domain: str | None = None, address: str | None = None, handed_out: bool = False) -> _SetupLinks:
        """The links of a domain's people, of one mailbox, or everybody's, the oldest first.

        Those of invitations; with ``handed_out``, instead, those that were taken at the start page. Raises
        InvalidDomain and InvalidAddress.
        """
        domain = None if domain is None else normalise_domain(domain)
        mailbox = None if address is None else Account(address).key
        with self._store.read() as connection:
            stored = (
                (self_service if handed_out else rows).all_links(connection, domain=domain, mailbox=mailbox).whole()
            )
        return [self._with_token(each) for each in stored]

    def history(self, link_id: str) -> _LinkEvents:
        """What happened to the link, the oldest first. Raises UnknownLink."""
        with self._store.read() as connection:
            stored = kinds.by_id(connection, link_id)
            deeds, openings = history.deeds(connection, link_id), kinds.kind_of(stored).openings(connection, link_id)
        return link_history(
            deeds.whole(), openings.whole(), taken_at=stored.created_at if stored.self_service else None
        )

    def extend(self, link_id: str, *, by: timedelta, actor: str) -> SetupLink:
        """Keep the link open for longer: from its end, or from now where it has expired.

        Raises UnknownLink, LinkRevoked, UnknownDomain, and InvalidSetting where it would be open for more than 3650
        days.
        """
        with self._changing(link_id) as (connection, stored, now):
            expires_at = max(stored.expires_at, now) + by
            if not now < expires_at <= now + LONGEST:
                raise InvalidSetting(f"A setup link stays open for {LONGEST.days} days at most, counted from now.")
            stored = replace(stored, expires_at=expires_at)
            rows.renew(connection, stored)
            details = {"domain": stored.account.domain, "expires_at": expires_at.isoformat()}
            audit.record(connection, at=now, actor=actor, action="link.extend", subject=stored.id, details=details)
        return self._with_token(stored)

    def reissue(self, link_id: str, *, lifetime: timedelta, devices: int | None, actor: str) -> SetupLink:
        """Give the link a new token, which is dead in its old one, and ``lifetime`` from now.

        The devices that were counted stay counted; ``devices`` is how many more may be, None as many as are left.
        Raises UnknownLink, LinkRevoked, UnknownDomain and InvalidSetting.
        """
        with self._changing(link_id) as (connection, stored, now):
            allowed = stored.devices_allowed if devices is None else stored.devices_used + devices
            for number in (allowed, 1 if devices is None else devices):
                check_limits(lifetime, number)
            stored, token = next_issue(self._key, stored, expires_at=now + lifetime, devices_allowed=allowed)
            rows.renew(connection, stored)
            details = {**link_details(stored), "issue": stored.issue}
            audit.record(connection, at=now, actor=actor, action="link.reissue", subject=stored.id, details=details)
        return setup_link(stored, token)

    def revoke(self, link_id: str, *, actor: str) -> SetupLink:
        """Close the link for good; closing it twice is closing it once. Raises UnknownLink."""
        with self._locked(link_id) as (connection, stored, now):
            if stored.revoked_at is None:
                kinds.kind_of(stored).revoke(connection, link_id, at=now)
                audit.record(
                    connection,
                    at=now,
                    actor=actor,
                    action="link.revoke",
                    subject=stored.id,
                    details={"domain": stored.account.domain},
                )
                stored = replace(stored, revoked_at=now)
        return self._with_token(stored)

    def revoke_all(self, *, domain: str, actor: str) -> int:
        """Close every link of the domain's people that is not closed yet, and say how many. Raises InvalidDomain.

        Those taken at the start page are among them, here and in ``revoke_all_of``.
        """
        return self._revoke_not_closed(normalise_domain(domain), mailbox=None, actor=actor)

    def revoke_all_of(self, *, address: str, actor: str) -> int:
        """Close every link of one mailbox that is not closed yet, and say how many. Raises InvalidAddress."""
        account = Account(address)
        return self._revoke_not_closed(account.domain, mailbox=account.key, actor=actor)

    def require_open(self, link: SetupLink, format_id: str) -> None:
        """Return where the link may hand out this format now; counts nothing.

        Raises LinkRevoked, LinkExpired or LinkUsedUp.
        """
        with self._store.read() as connection:
            use = kinds.kind_of(link).use_of(connection, link.id, format_id)
        is_new_device(use, self._clock())

    def count_device(self, link: SetupLink, format_id: str) -> None:
        """Count the device that has just fetched this format, unless it is the one of the last ten minutes.

        Of two requests for the last device, whichever process they reach, one is counted. Raises LinkRevoked,
        LinkExpired or LinkUsedUp, and then counts nothing.
        """
        kind = kinds.kind_of(link)
        with self._store.write() as connection:
            kind.lock(connection, link.id)
            now = self._clock()
            if is_new_device(kind.use_of(connection, link.id, format_id), now):
                kind.add_device(connection, link.id, format_id, at=now)

    def downloads(self, link: SetupLink) -> _Downloads:
        """Which formats a device has been counted for, and when last; the newest first."""
        with self._store.read() as connection:
            openings = kinds.kind_of(link).openings(connection, link.id).whole()
        last = {opening.format_id: opening for opening in sorted(openings, key=lambda each: each.at)}
        return sorted(last.values(), key=lambda each: each.at, reverse=True)

    @contextmanager
    def _locked(self, link_id: str) -> Iterator[tuple[Connection, StoredLink, datetime]]:
        """A transaction in which nobody else changes the link, with the link and the time. Raises UnknownLink."""
        with self._store.write() as connection:
            kinds.lock(connection, link_id)
            yield connection, kinds.by_id(connection, link_id), self._clock()

    @contextmanager
    def _changing(self, link_id: str) -> Iterator[tuple[Connection, StoredLink, datetime]]:
        """The same for what is done to an invitation's link alone, and not once it was closed for good.

        The link's domain is not removed meanwhile. Raises LinkRevoked, UnknownDomain where it has been before, and
        InvalidSetting for a link that was taken at the start page.
        """
        with self._locked(link_id) as (connection, stored, now):
            if stored.self_service:
                raise InvalidSetting(
                    "Somebody took this link at the start page, for one hour, and it stays at that. Make one that is "
                    "open for longer with 'provisioner link create'."
                )
            if stored.revoked_at is not None:
                raise LinkRevoked
            if not domains.is_kept(connection, stored.account.domain):
                raise UnknownDomain(stored.account.domain)
            yield connection, stored, now

    def _revoke_not_closed(self, domain: str, *, mailbox: str | None, actor: str) -> int:
        now, details = self._clock(), {"domain": domain}
        with self._store.write() as connection:
            revoked = kinds.revoke_not_closed(connection, domain=domain, mailbox=mailbox, at=now)
            audit.record_each(connection, at=now, actor=actor, action="link.revoke", subjects=revoked, details=details)
        return len(revoked)

    def _with_token(self, stored: StoredLink) -> SetupLink:
        token = make_token(self._key, stored.id, stored.issue)
        return setup_link(stored, token if token_hash(token) == stored.token_hash else "")

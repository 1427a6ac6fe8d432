"""Giving a setup link to whoever asks at the start page: for one device and one hour, and not to a crowd.

Nobody is looked up and nothing is sent: the address is taken as it was entered. The limits are counted from the links
themselves, in the transaction that keeps the next one, so that they hold across all processes and machines. A network
is an IPv4 address or an IPv6 /64 (RFC 4291 section 2.5.4: what one site has at least), kept as a keyed hash.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from provisioner.errors import TooManyLinks, UnknownDomain
from provisioner.links.token import make_token, token_hash
from provisioner.model import Account
from provisioner.store import Connection, domains
from provisioner.store import self_service as rows
from provisioner.store.links import StoredLink

LIFETIME = timedelta(hours=1)
PERIOD = timedelta(hours=1)  # of the limits: a window that moves with the clock
KEPT = timedelta(days=30)  # after its end, for questions about what happened
_PRUNED_AT_ONCE = 100
_SITE_BITS = 64


@dataclass(frozen=True, slots=True)
class SelfServiceLimits:
    """How many links are given in an hour."""

    per_network: int = 10
    per_domain: int = 500


def network_of(address: str) -> str:
    """The network that a client's address stands for; "unknown" where it is no address."""
    try:
        client = ip_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(client, IPv6Address):
        return str(client)
    return str(client.ipv4_mapped or ip_network((int(client), _SITE_BITS), strict=False))


def hash_network(key: bytes, network: str) -> str:
    """What the store knows of a network: the first 128 bits of HMAC-SHA256(link key, its name), hexadecimal."""
    # No token is made of a text like this one: those begin with a link's id.
    return hmac.digest(key, f"network {network}".encode(), "sha256")[:16].hex()


def require_room(
    connection: Connection, *, domain: str, network_hash: str, limits: SelfServiceLimits, now: datetime
) -> None:
    """Return where one more link may be given now. Raises TooManyLinks, which tells when."""
    # Later than now: another machine's clock is ahead a little; or ours was wrong, which must lock nobody out.
    since, until = now - PERIOD, now + PERIOD
    full = (
        rows.nth_newest_of_network(connection, network_hash, limits.per_network, since=since, until=until),
        rows.nth_newest_of_domain(connection, domain, limits.per_domain, since=since, until=until),
    )
    there_is_room_at = [moment + PERIOD for moment in full if moment is not None]
    if there_is_room_at:
        raise TooManyLinks(retry_after=max(there_is_room_at) - now)


def give(
    connection: Connection, account: Account, *, key: bytes, network_hash: str, limits: SelfServiceLimits, now: datetime
) -> tuple[StoredLink, str]:
    """A new link and its token, kept when the transaction ends. Raises UnknownDomain and TooManyLinks."""
    if not domains.is_kept(connection, account.domain):
        raise UnknownDomain(account.domain)
    rows.take_turn(connection)
    require_room(connection, domain=account.domain, network_hash=network_hash, limits=limits, now=now)
    link_id = secrets.token_hex(16)
    token = make_token(key, link_id, rows.ISSUE)
    link = StoredLink(
        id=link_id,
        issue=rows.ISSUE,
        token_hash=token_hash(token),
        account=Account(account.address),
        created_at=now,
        expires_at=now + LIFETIME,
        revoked_at=None,
        devices_allowed=rows.DEVICES,
        devices_used=0,
        self_service=True,
    )
    rows.add(connection, link, network_hash=network_hash)
    rows.prune(connection, expired_before=now - KEPT, at_most=_PRUNED_AT_ONCE)
    return link, token

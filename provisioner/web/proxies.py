"""Who is asking, when a reverse proxy stands in between: believed only from proxies the operator has named.

X-Forwarded-For and X-Forwarded-Proto as reverse proxies write them: each appends on the right, so what stands further
left than the first address that is no proxy of ours is hearsay. X-Forwarded-Host is never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

_MAX_HOPS = 32  # entries looked at, from the right


@dataclass(frozen=True, slots=True)
class Client:
    """Who is asking, as far as it can be known."""

    address: str  # of the client, or of whoever holds the connection
    scheme: str  # http or https as a trusted proxy says; "" where none says it
    hidden: bool  # somebody whom we do not trust says that they ask for another


def recognise(peer: str, forwarded_for: str, forwarded_proto: str, trusted: Networks) -> Client:
    """The client behind ``peer``, the address that holds the connection, by the headers of that connection."""
    if not is_inside(peer, trusted):
        return Client(peer, scheme="", hidden=bool(forwarded_for))
    said = forwarded_proto.rpartition(",")[2].strip().lower()
    scheme = said if said in {"http", "https"} else ""
    address = _client_address(forwarded_for, trusted)
    return Client(address or peer, scheme=scheme, hidden=address is None and bool(forwarded_for.strip()))


def _client_address(forwarded_for: str, trusted: Networks) -> str | None:
    """The first address from the right that is no proxy of ours, or None; what is no address is passed over."""
    for entry in reversed(forwarded_for.split(",")[-_MAX_HOPS:]):
        address = _parse(entry)
        if address is not None and not _inside(address, trusted):
            return str(address)
    return None


def is_inside(peer: str, networks: Networks) -> bool:
    """Whether ``peer`` is an address inside one of ``networks``."""
    address = _parse(peer) if networks else None
    return address is not None and _inside(address, networks)


def _inside(address: Address, networks: Networks) -> bool:
    return any(address.version == network.version and address in network for network in networks)


@lru_cache(maxsize=1024)  # a service has few proxies, and each request names one
def _parse(text: str) -> Address | None:
    """An address, also with a port as some proxies write it (192.0.2.1:4711, [2001:db8::1]:4711)."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

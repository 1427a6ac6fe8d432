"""Who is asking, when a reverse proxy stands in between: believed only from proxies the operator has named.

X-Forwarded-For and X-Forwarded-Proto as reverse proxies write them: each appends on the right, so what stands further
left than the first address that is no proxy of ours is hearsay. X-Forwarded-Host is never read.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

_MAX_HOPS = 32  # entries looked at, from the right


def client_address(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """The address of the client behind ``peer``, the address that holds the connection.

    ``forwarded_for`` is read only where ``peer`` is trusted: from the right, trusted addresses and what is no address
    are passed over, and the first other address is the client.
    """
    if not is_trusted(peer, trusted):
        return peer
    for entry in reversed(forwarded_for.split(",")[-_MAX_HOPS:]):
        address = _parse(entry)
        if address is not None and not _inside(address, trusted):
            return str(address)
    return peer


def client_scheme(peer: str, scheme: str, forwarded_proto: str, trusted: Networks) -> str:
    """``http`` or ``https`` as the nearest trusted proxy says, otherwise ``scheme``, that of the connection."""
    said = forwarded_proto.rpartition(",")[2].strip().lower()
    return said if said in {"http", "https"} and is_trusted(peer, trusted) else scheme


def is_trusted(peer: str, trusted: Networks) -> bool:
    """Whether ``peer`` is an address inside one of the trusted networks."""
    address = _parse(peer)
    return address is not None and _inside(address, trusted)


def _inside(address: Address, networks: Networks) -> bool:
    return any(address.version == network.version and address in network for network in networks)


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

"""Who is asking: a forwarded address is believed from named proxies alone, and from the right."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.web.proxies import is_inside, recognise

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))
PROXY, PROXY_6, CLIENT = "10.0.0.1", "2001:db8:1::1", "203.0.113.9"

ADDRESSES = {
    "no proxy": (CLIENT, "", CLIENT),
    "a stranger who claims to be forwarded": (CLIENT, "198.51.100.1", CLIENT),
    "one proxy": (PROXY, CLIENT, CLIENT),
    "one proxy over IPv6": (PROXY_6, CLIENT, CLIENT),
    "a client over IPv6": (PROXY, "2001:db8:2::7", "2001:db8:2::7"),
    "two proxies": (PROXY, f"{CLIENT}, 10.9.9.9", CLIENT),
    "what the client made up on the left": (PROXY, f"198.51.100.1, {CLIENT}, 10.9.9.9", CLIENT),
    "our own proxy's address made up by the client": (PROXY, f"10.1.1.1, {CLIENT}", CLIENT),
    "only proxies of ours": (PROXY, "10.1.1.1, 10.2.2.2", PROXY),
    "nothing forwarded": (PROXY, "", PROXY),
    "garbage": (PROXY, "unknown, <script>, 999.1.1.1, ::::", PROXY),
    "garbage beside an address": (PROXY, f"{CLIENT}, unix:, ", CLIENT),
    "with a port": (PROXY, f"{CLIENT}:4711", CLIENT),
    "IPv6 with a port": (PROXY, "[2001:db8:2::7]:4711", "2001:db8:2::7"),
    "IPv4 written as IPv6": (PROXY, f"::ffff:{CLIENT}", CLIENT),
    "a proxy's IPv4 written as IPv6": ("::ffff:10.0.0.1", CLIENT, CLIENT),
    "a Unix socket": ("", CLIENT, ""),
}


@pytest.mark.parametrize(("peer", "forwarded", "expected"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_client_is_the_first_address_from_the_right_that_is_no_proxy(
    peer: str, forwarded: str, expected: str
) -> None:
    assert expected == recognise(peer, forwarded, "", TRUSTED).address


@given(st.text())
def test_a_stranger_never_chooses_their_address(forwarded: str) -> None:
    assert CLIENT == recognise(CLIENT, forwarded, "", TRUSTED).address
    assert CLIENT == recognise(CLIENT, forwarded, "", ()).address


@given(st.lists(st.sampled_from(["10.1.1.1", "unknown", "", "[", "1.2.3.4.5"])))
def test_what_is_no_address_never_becomes_one(entries: list[str]) -> None:
    assert PROXY == recognise(PROXY, ",".join(entries), "", TRUSTED).address


def test_a_header_without_end_is_looked_at_only_on_the_right() -> None:
    assert PROXY == recognise(PROXY, f"{CLIENT}," + "10.1.1.1," * 10_000, "", TRUSTED).address


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (PROXY, "https", "https"),
        (PROXY, "http, HTTPS", "https"),
        (PROXY, "https, http", "http"),
        (PROXY, "", ""),
        (PROXY, "gopher", ""),
        (CLIENT, "https", ""),
        (CLIENT, "http", ""),
    ],
)
def test_the_scheme_is_the_nearest_trusted_proxys_word_and_is_never_guessed(
    peer: str, forwarded: str, expected: str
) -> None:
    assert expected == recognise(peer, "", forwarded, TRUSTED).scheme


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (CLIENT, "", False),
        (CLIENT, "198.51.100.1", True),
        (PROXY, "", False),
        (PROXY, CLIENT, False),
        (PROXY, "unknown", True),  # what Squid writes with forwarded_for off
        (PROXY, "unix:", True),
        (PROXY, "203.0.113.009", True),
    ],
)
def test_whoever_stands_behind_an_unknown_proxy_is_hidden(peer: str, forwarded: str, expected: bool) -> None:
    assert expected is recognise(peer, forwarded, "", TRUSTED).hidden


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.255.0.1", True), ("::ffff:10.0.0.1", True), ("11.0.0.1", False), ("2001:db8:1::9", True), ("", False)],
)
def test_an_address_is_inside_a_network_of_its_own_version(address: str, expected: bool) -> None:
    assert expected is is_inside(address, TRUSTED)
    assert not is_inside(address, ())

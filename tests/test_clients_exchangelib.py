"""Real exchangelib, by which Python programs find Exchange: 5.6 asks Autodiscover in SOAP, 4.9 in POX."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients import places
from tests.clients.installations import python_with
from tests.clients.internet import DRIVERS, Internet
from tests.clients.matrix import client

pytestmark = pytest.mark.journey

PROVIDER = places.PROVIDER
SOAP, POX = client("exchangelib 5.6"), client("exchangelib 4.9")

Ask = Callable[[str], Any]


def _asking(internet: Internet, requirement: str, driver: str) -> Ask:
    python = python_with(requirement)

    def ask(domain: str) -> Any:
        command: list[str | Path] = [python, DRIVERS / driver, places.address(domain)]
        return internet.run(*command, REQUESTS_CA_BUNDLE=str(internet.authority))

    return ask


@pytest.fixture(scope="module")
def soap(internet: Internet) -> Ask:
    """What exchangelib 5.6 ends with for somebody of a domain."""
    return _asking(internet, "exchangelib==5.6.0", "exchangelib_soap.py")


@pytest.fixture(scope="module")
def pox(internet: Internet) -> Ask:
    """What exchangelib 4.9 has read in the end about somebody of a domain."""
    return _asking(internet, "exchangelib==4.9.0", "exchangelib_pox.py")


def _ends_well(domain: str) -> dict[str, str]:
    assert PROVIDER.ews is not None
    return {"ews_url": PROVIDER.ews.url, "address": places.address(domain)}


def test_exchangelib_5_6_ends_with_the_ews_url(internet: Internet, soap: Ask) -> None:
    assert _ends_well(places.BOTH) == soap(places.BOTH)
    assert SOAP.asks == internet.asked_about(places.BOTH)


def test_exchangelib_5_6_follows_us_to_the_cloud_where_a_domain_redirects(internet: Internet, soap: Ask) -> None:
    assert _ends_well(places.REDIRECTED) == soap(places.REDIRECTED)
    assert PROVIDER.autodiscover is not None
    assert f"POST {PROVIDER.autodiscover.soap_url}" == internet.asked_about(places.REDIRECTED)[-1]


def test_exchangelib_5_6_finds_us_by_an_srv_record_alone(internet: Internet, soap: Ask) -> None:
    assert _ends_well(places.BY_SRV) == soap(places.BY_SRV)
    there = f"{places.PUBLIC_URL}/autodiscover/autodiscover.svc"
    assert (f"HEAD {there}", f"POST {there}") == internet.asked_about(places.BY_SRV)


def test_exchangelib_5_6_is_told_that_a_domain_is_not_ours(soap: Ask) -> None:
    assert {"refused": "ErrorNonExistentMailbox"} == soap(places.STRANGE)


def test_exchangelib_4_9_reads_every_mail_server(internet: Internet, pox: Ask) -> None:
    servers = [
        [kind, server.hostname, server.port, True, False, places.address(places.BOTH)]  # SSL on, SPA off
        for kind, server in zip(("IMAP", "POP3", "SMTP"), PROVIDER.servers, strict=True)
    ]
    assert {"action": "settings", "redirect_url": None, "protocols": servers} == pox(places.BOTH)
    assert POX.asks == internet.asked_about(places.BOTH)


def test_exchangelib_4_9_reads_the_same_where_an_srv_record_led_it_here(pox: Ask) -> None:
    found = pox(places.BY_SRV)
    assert ["IMAP", "POP3", "SMTP"] == [kind for kind, *_ in found["protocols"]]


def test_exchangelib_4_9_sees_that_a_domain_redirects_and_misses_where(internet: Internet, pox: Ask) -> None:
    # Its name for the element is RedirectURL; [MS-OXDSCLI] 2.2.4.1.1.2.9 has RedirectUrl.
    assert {"action": "redirectUrl", "redirect_url": None, "protocols": []} == pox(places.REDIRECTED)
    assert not any(places.CLOUD_HOST in request for request in internet.asked_about(places.REDIRECTED))


def test_exchangelib_4_9_is_told_that_a_domain_is_not_ours(pox: Ask) -> None:
    assert {"refused": "ErrorNonExistentMailbox"} == pox(places.STRANGE)

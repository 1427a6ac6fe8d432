"""Real Thunderbird without a window: its account set-up looks for somebody's servers and finds the catalogue's."""

import sys
from base64 import b64encode
from typing import Any

import pytest

from provisioner.model import ConnectionSecurity
from tests.capabilities import require_program
from tests.clients import places
from tests.clients.internet import DRIVERS, Internet
from tests.clients.matrix import client

pytestmark = pytest.mark.journey

CLIENT = client("Thunderbird 153 (Debian 12)")
PASSWORD_TYPED = "no real password"
KINDS = ("imap", "pop3", "smtp")

# nsMsgSocketType and nsMsgAuthMethod
STARTTLS, SSL = 2, 3
PASSWORD, OAUTH2 = 3, 10
SECURITY = {ConnectionSecurity.IMPLICIT_TLS: SSL, ConnectionSecurity.STARTTLS: STARTTLS}


def _find(internet: Internet, domain: str, *, trusting: bool = True) -> Any:
    """Where it would look for mail: the servers in the order it prefers them, and whence it knows them."""
    thunderbird = require_program("thunderbird", package="thunderbird", binaries=["thunderbird"])
    authority = internet.authority if trusting else ""
    typed = [places.address(domain), PASSWORD_TYPED]
    return internet.run(sys.executable, DRIVERS / "thunderbird.py", thunderbird, *typed, str(authority))


def _servers(sign_in: int, username: str) -> list[list[object]]:
    return [
        [kind, server.hostname, server.port, SECURITY[server.security], sign_in, username]
        for kind, server in zip(KINDS, places.PROVIDER.servers, strict=True)
    ]


def test_thunderbird_ends_with_every_server_and_oauth2(internet: Internet) -> None:
    found = _find(internet, places.BOTH)
    assert {"source": "xml-from-isp-https", "servers": _servers(OAUTH2, "%EMAILADDRESS%")} == found
    assert set(internet.asked_about(places.BOTH)) <= set(CLIENT.asks)  # what comes too late is not sent any more


def test_the_password_that_thunderbird_sends_unasked_is_nowhere_in_our_log(internet: Internet) -> None:
    _find(internet, places.AUTODISCOVER_ALONE)
    signing_in = {request.about(places.AUTODISCOVER_ALONE) for request in internet.requests() if request.signs_in}
    assert "POST https://autodiscover.D/autodiscover/autodiscover.xml" in signing_in
    assert "discovery.autodiscover" in internet.log
    sent = b64encode(f"{places.address(places.AUTODISCOVER_ALONE)}:{PASSWORD_TYPED}".encode()).decode()
    assert PASSWORD_TYPED not in internet.log
    assert sent not in internet.log


def test_thunderbird_takes_plain_http_where_it_trusts_no_certificate(internet: Internet) -> None:
    found = _find(internet, places.BOTH, trusting=False)
    assert {"source": "xml-from-isp-http", "servers": _servers(OAUTH2, "%EMAILADDRESS%")} == found


def test_thunderbird_ends_with_the_same_servers_where_there_is_only_autodiscover(internet: Internet) -> None:
    # It has no way to be told OAuth2 there, so it expects a password: an honest gap of that protocol.
    found = _find(internet, places.AUTODISCOVER_ALONE)
    assert _servers(PASSWORD, places.address(places.AUTODISCOVER_ALONE)) == found["servers"]


def test_thunderbird_finds_its_servers_where_autodiscover_is_sent_to_microsoft(internet: Internet) -> None:
    assert _servers(OAUTH2, "%EMAILADDRESS%") == _find(internet, places.REDIRECTED)["servers"]


def test_thunderbird_asks_everywhere_and_finds_nothing_for_a_domain_that_is_not_ours(internet: Internet) -> None:
    assert _find(internet, places.STRANGE) is None
    assert set(CLIENT.asks) == set(internet.asked_about(places.STRANGE))

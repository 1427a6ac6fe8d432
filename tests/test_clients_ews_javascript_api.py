"""Real ews-javascript-api, the EWS Managed API for Node: asks for capabilities by GET, then Autodiscover in SOAP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.model import ConnectionSecurity
from tests.clients import places
from tests.clients.installations import node_modules_with
from tests.clients.internet import DRIVERS, Internet
from tests.clients.matrix import client

pytestmark = pytest.mark.journey

PROVIDER = places.PROVIDER
CLIENT = client("ews-javascript-api 0.15")
METHOD = {ConnectionSecurity.IMPLICIT_TLS: "SSL", ConnectionSecurity.STARTTLS: "TLS"}

Ask = Callable[[str], Any]


@pytest.fixture(scope="module")
def ask(internet: Internet) -> Ask:
    """What it ends with for somebody of a domain."""
    installation = node_modules_with("ews-javascript-api@0.15.3")

    def ask(domain: str) -> Any:
        command: list[str | Path] = ["node", DRIVERS / "ews_javascript_api.cjs", installation, places.address(domain)]
        return internet.run(*command, NODE_EXTRA_CA_CERTS=str(internet.authority))

    return ask


def _ends_well() -> dict[str, object]:
    assert PROVIDER.ews is not None
    servers = [[server.hostname, server.port, METHOD[server.security]] for server in PROVIDER.servers]
    return {"ews_url": PROVIDER.ews.url, "connections": servers}


def test_ews_javascript_api_ends_with_the_ews_url_and_the_mail_servers(internet: Internet, ask: Ask) -> None:
    assert _ends_well() == ask(places.BOTH)
    assert CLIENT.asks == internet.asked_about(places.BOTH)


def test_ews_javascript_api_ends_there_too_where_a_domain_redirects(internet: Internet, ask: Ask) -> None:
    assert _ends_well() == ask(places.REDIRECTED)
    assert any(places.CLOUD_HOST in request for request in internet.asked_about(places.REDIRECTED))


def test_ews_javascript_api_finds_nothing_for_a_domain_that_is_not_ours(ask: Ask) -> None:
    assert {"refused"} == set(ask(places.STRANGE))

"""docs/clients.md says what the tests know, and every place where mail clients ask is in it.

``pytest tests/test_client_matrix.py --update-golden`` writes the page; read the difference before it is committed.
"""

import re
from importlib import import_module
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from provisioner.formats import FORMATS
from tests.autoconfig_clients import CLIENTS as EMULATED
from tests.checkout import CHECKOUT
from tests.clients.matrix import CLIENTS, Client, Proof, write
from tests.desks import Desk
from tests.test_discovery_autodiscover import MINIMAL as POX_QUESTION
from tests.test_discovery_soap import MINIMAL as SOAP_QUESTION

PAGE = CHECKOUT / "docs" / "clients.md"
ADDRESS = "anna@contoso.example"
BODIES = {".xml": POX_QUESTION.encode(), ".svc": SOAP_QUESTION}
VALUES = {
    "emailaddress": ADDRESS,
    "email": ADDRESS,
    "emailmd5": "0" * 32,
    "protocol": "ActiveSync",
    "redirectcount": "1",
}
REQUESTS = [pytest.param(request, id=f"{client.name}: {request}") for client in CLIENTS for request in client.asks]


def _those(proof: Proof) -> list[Client]:
    return [client for client in CLIENTS if client.proof is proof]


def test_the_page_is_what_the_tests_know(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-golden"):
        PAGE.write_text(write())
    assert PAGE.read_text() == write()


def test_each_client_is_there_once() -> None:
    names = [client.name for client in CLIENTS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("client", _those(Proof.REAL), ids=lambda client: client.name)
def test_a_real_client_is_run_by_the_test_that_is_named(client: Client) -> None:
    assert f'client("{client.name}")' in (CHECKOUT / "tests" / f"{client.tests}.py").read_text()


@pytest.mark.parametrize("client", _those(Proof.EMULATED), ids=lambda client: client.name)
def test_an_emulated_client_has_its_rules_where_it_says(client: Client) -> None:
    module, _, function = client.tests.rpartition(".")
    assert callable(getattr(import_module(f"tests.{module}"), function))


def test_every_emulation_is_of_a_client_in_the_table() -> None:
    known = [client.name for client in CLIENTS]
    assert [] == [name for name in EMULATED if not any(one.startswith(name) for one in known)]


@pytest.mark.parametrize("request_", REQUESTS)
def test_what_a_client_asks_is_answered(request_: str) -> None:
    method, url = request_.split(" ")
    parts = urlsplit(re.sub(r"/A(?=\?)", f"/{ADDRESS}", re.sub(r"\bD/", "contoso.example/", url)))
    reply = Desk().ask(
        BODIES[parts.path[-4:].lower()] if "POST" == method else b"",
        method=method,
        path=parts.path,
        query=urlencode({name: VALUES[name.lower()] for name, _ in parse_qsl(parts.query, keep_blank_values=True)}),
        headers={"host": parts.netloc or "autodiscover.contoso.example"},
        plain_http="http" == parts.scheme,
    )
    if 302 == reply.status:
        assert ("GET", "http") == (method, parts.scheme)
        assert parts._replace(scheme="https").geturl() == reply.headers["Location"]
    else:
        assert 200 == reply.status
        assert b"outlook.office365.com" in reply.body


def test_every_place_that_answers_has_a_client_that_asks_there() -> None:
    served = {path for fmt in FORMATS.values() if fmt.discovery for path in fmt.discovery.paths}
    asked = [urlsplit(request.split(" ")[1]).path.lower() for client in CLIENTS for request in client.asks]
    assert set() == {path for path in served if not any(one == path or one.startswith(f"{path}a") for one in asked)}

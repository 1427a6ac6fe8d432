"""docs/clients.md says what the tests know, and every place where mail clients ask is in it.

``pytest tests/test_client_matrix.py --update-golden`` writes the page; read the difference before it is committed.
"""

from importlib import import_module
from urllib.parse import urlsplit

import pytest

from provisioner.formats import FORMATS
from tests.autoconfig_clients import CLIENTS as EMULATIONS
from tests.checkout import CHECKOUT
from tests.clients.matrix import CLIENTS, Client, Tested, write
from tests.desks import Desk

PAGE = CHECKOUT / "docs" / "clients.md"
DISCOVERIES = [fmt.discovery for fmt in FORMATS.values() if fmt.discovery]


def _those(tested: Tested) -> list[Client]:
    return [client for client in CLIENTS if client.tested is tested]


def test_the_page_is_what_the_tests_know(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-golden"):
        PAGE.write_text(write())
    assert PAGE.read_text() == write()


def test_each_client_is_there_once() -> None:
    names = [client.name for client in CLIENTS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("client", _those(Tested.REAL), ids=lambda client: client.name)
def test_a_real_client_is_run_by_the_test_that_is_named(client: Client) -> None:
    source = (CHECKOUT / "tests" / f"{client.tests}.py").read_text()
    assert f'client("{client.name}")' in source
    assert f"{client.name.split()[0].upper()}" or source

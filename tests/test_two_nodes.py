"""Two nodes of one service, processes that share a database and a link key: what one hands out, both have counted."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from provisioner.app import clock
from provisioner.signing import create_demo_identity
from tests.commands import PUBLIC_URL
from tests.processes import until
from tests.services import Service, serving

pytestmark = pytest.mark.journey

ROUNDS = 30
FORMATS = ("apple-imap", "apple-pop")
HOST = PUBLIC_URL.removeprefix("https://")


@pytest.fixture
def nodes(tmp_path: Path, database_url: str) -> Iterator[tuple[Service, Service]]:
    data_dir = tmp_path / "data"
    create_demo_identity(data_dir / "identity", now=clock(), organisation="Contoso")
    shared = {"PROVISIONER_PUBLIC_URL": PUBLIC_URL, "PROVISIONER_DATABASE_URL": database_url}
    with serving(data_dir, **shared) as first, serving(data_dir, **shared) as second:
        yield first, second


def _get(node: Service, path: str) -> int:
    status, *_ = node.get(path, Host=HOST)
    return status


def _serves(node: Service, path: str) -> bool:
    return _get(node, path) == 200


def _make_link(node: Service) -> dict[str, str]:
    made: dict[str, str] = node.shell.json("link", "create", "anna@contoso.example", "--devices", "2")
    return made


def test_of_two_nodes_that_are_asked_at_once_for_two_formats_with_one_device_left_exactly_one_serves(
    nodes: tuple[Service, Service],
) -> None:
    shell = nodes[0].shell
    shell.run("organisation", "add", "contoso", "--name", "Contoso")
    shell.run("domain", "add", "contoso.example", "--organisation", "contoso", "--account-kinds", "exchange,imap,pop")
    links = [_make_link(nodes[0]) for _ in range(ROUNDS)]
    paths = [link["link"].removeprefix(PUBLIC_URL) for link in links]
    for node in nodes:  # the new domain is seen within seconds
        until(partial(_serves, node, paths[0]), of=node.process)
    for path in paths:
        assert 200 == _get(nodes[0], f"{path}/ios-exchange.mobileconfig")
    start = Barrier(len(nodes))

    def ask(node: Service, format_id: str) -> list[int]:
        answers = []
        for path in paths:
            start.wait(60)
            answers.append(_get(node, f"{path}/{format_id}.mobileconfig"))
        return answers

    with ThreadPoolExecutor(len(nodes)) as people:
        asked = [people.submit(ask, node, format_id) for node, format_id in zip(nodes, FORMATS, strict=True)]
        answers = [each.result() for each in asked]
    assert [(200, 410)] * ROUNDS == [tuple(sorted(pair)) for pair in zip(*answers, strict=True)]
    assert {2} == {link["devices_used"] for link in shell.json("link", "list")}
    for path in paths:
        assert [200, 200] == [_get(node, path) for node in nodes]

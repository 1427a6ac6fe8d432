"""``provisioner formats`` and ``provisioner providers``: what exists, and where each fact comes from."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from provisioner.formats import FORMATS
from tests.commands import Shell
from tests.samples import PROVIDERS


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_every_format_is_listed_with_what_it_is_for(shell: Shell) -> None:
    listed = {line.split()[0]: line for line in shell.run("formats").stdout.splitlines()[1:]}
    assert list(FORMATS) == list(listed)
    assert listed["ios-exchange"].split()[:3] == ["ios-exchange", "exchange", "person"]
    assert FORMATS["ios-exchange"].title in listed["ios-exchange"]


def test_every_format_is_listed_for_programs(shell: Shell) -> None:
    listed = {entry["id"]: entry for entry in shell.json("formats")}
    assert list(FORMATS) == list(listed)
    entry = listed["ios-exchange"]
    assert (["ipad", "iphone"], ["activesync", "oauth"], True) == (entry["platforms"], entry["needs"], entry["signed"])


def test_every_provider_is_listed_with_its_servers(shell: Shell) -> None:
    shown = shell.run("providers").stdout
    for provider in PROVIDERS.values():
        assert f"{provider.id}: {provider.name}\n" in shown
        for server in provider.servers:
            row = f"{server.hostname} {server.port} {server.security.value} "
            assert row in " ".join(shown.split())


def _evidence(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, dict):
        if "evidence" in value:
            yield value["evidence"]
        for part in value.values():
            yield from _evidence(part)


def test_every_fact_for_programs_has_its_source_and_the_day_it_was_checked(shell: Shell) -> None:
    listed = shell.json("providers")
    assert list(PROVIDERS) == [entry["id"] for entry in listed]
    for entry in listed:
        found = list(_evidence(entry))
        assert len(found) >= 1 + len(PROVIDERS[entry["id"]].servers)  # the sign-in has one too
        for evidence in found:
            assert evidence["sources"]
            assert str(evidence["checked"]).startswith("20")


def test_servers_for_programs_are_the_catalogues(shell: Shell) -> None:
    (entry,) = [entry for entry in shell.json("providers") if entry["id"] == "office365"]
    imap = PROVIDERS["office365"].imap
    assert imap is not None
    assert (imap.hostname, imap.port, imap.security.value) == tuple(
        entry["imap"][k] for k in ("hostname", "port", "security")
    )


def test_listings_need_no_configuration(shell: Shell) -> None:
    shell.run("formats", PROVISIONER_PROT="x")
    shell.run("providers", PROVISIONER_PROT="x")

"""Links that people take at the start page: one device, one hour, and never more than the limits, in all processes."""

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select

from provisioner.directory import Directory
from provisioner.errors import (
    InvalidDomain,
    InvalidSetting,
    LinkExpired,
    LinkRevoked,
    LinkUsedUp,
    StillInUse,
    TooManyLinks,
    UnknownDomain,
    UnknownLink,
)
from provisioner.links import Happening, LinkEvent, Links, LinkState, SelfServiceLimits, SetupLink
from provisioner.links.self_service import network_of
from provisioner.model import Account
from provisioner.organisation import Organisation
from provisioner.store import Store, tables
from tests.samples import ANNA, NOW, PROVIDERS, contoso_domain
from tests.stores import Clock

KEY = bytes(range(32))
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOBODY = Account("nobody@contoso.example")
HERE, THERE = "192.0.2.1", "198.51.100.1"
FEW = SelfServiceLimits(per_network=2, per_domain=3)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def directory(store: Store, clock: Clock) -> Directory:
    """The directory with contoso.example in it."""
    directory = Directory(store, PROVIDERS, clock=clock)
    directory.add_organisation(Organisation(id="contoso", name="Contoso"), actor="admin")
    directory.add_domain(contoso_domain(), actor="admin")
    return directory


@pytest.fixture
def links(store: Store, clock: Clock, directory: Directory) -> Links:  # the domain has to be there
    return Links(store, key=KEY, clock=clock)


def _take(
    links: Links, account: Account = ANNA, *, client: str = HERE, limits: SelfServiceLimits | None = None
) -> SetupLink:
    return links.hand_out(account, client=client, limits=limits or SelfServiceLimits())


def _count(store: Store) -> int:
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.self_service_links)).scalar_one()


def test_it_is_for_the_address_alone_one_device_and_one_hour(links: Links) -> None:
    link = _take(links)
    assert Account(ANNA.address) == link.account
    assert (NOW, NOW + HOUR, 1, 0, True) == (
        link.created_at,
        link.expires_at,
        link.devices_allowed,
        link.devices_used,
        link.self_service,
    )
    assert link == links.find(link.token.upper())
    assert link == links.get(link.id)


def test_it_is_kept_apart_from_invitations_and_leaves_them_as_they_are(links: Links, store: Store) -> None:
    invited = links.create(ANNA, lifetime=HOUR, devices=3, actor="admin")
    taken = _take(links, replace(ANNA, display_name="Somebody Else"))
    assert invited == links.get(invited.id)
    assert [invited] == links.list()
    assert [taken] == links.list(handed_out=True)
    assert [] == links.list(handed_out=True, domain="fabrikam.example")
    assert [taken] == links.list(handed_out=True, domain="Contoso.Example")
    with store.read() as connection:
        assert 1 == connection.execute(select(func.count()).select_from(tables.invitations)).scalar_one()


def test_the_store_is_asked_the_same_whoever_it_is_for(links: Links) -> None:
    links.create(ANNA, lifetime=HOUR, devices=3, actor="admin")
    invited, nobody = (_statements(partial(_take, links, account)) for account in (ANNA, NOBODY))
    assert invited == nobody
    assert [] == [statement for statement in invited if "invitations" in statement]
    assert [statement for statement in invited if "INSERT INTO self_service_links" in statement]


def _statements(deed: Callable[[], object]) -> list[str]:
    """What every database is asked while ``deed`` is done, without the values."""
    asked: list[str] = []

    def note(*told: Any) -> None:
        asked.append(told[2])

    event.listen(Engine, "before_cursor_execute", note)
    deed()
    event.remove(Engine, "before_cursor_execute", note)
    return asked


def test_neither_the_token_nor_the_clients_address_is_in_the_store(links: Links, store: Store) -> None:
    link = _take(links, client="2001:db8:1:2::3")
    with store.read() as connection:
        rows = [repr(row) for table in tables.metadata.sorted_tables for row in connection.execute(select(table))]
    assert not [row for row in rows if link.token in row.lower() or "2001:db8" in row]


def test_one_device_is_one_format_within_ten_minutes(links: Links, clock: Clock) -> None:
    link = _take(links)
    links.count_device(link, "ios-exchange")
    clock.turn(minutes=9)
    links.count_device(link, "ios-exchange")  # the same device again
    links.require_open(link, "ios-exchange")
    assert 1 == links.get(link.id).devices_used
    for deed in (links.require_open, links.count_device):
        with pytest.raises(LinkUsedUp):
            deed(link, "apple-imap")
    clock.turn(minutes=1)
    with pytest.raises(LinkUsedUp):
        links.count_device(link, "ios-exchange")
    assert LinkState.USED_UP is links.find(link.token).state(clock())


def test_after_an_hour_it_is_expired(links: Links, clock: Clock) -> None:
    link = _take(links)
    clock.turn(hours=1)
    with pytest.raises(LinkExpired):
        links.require_open(link, "ios-exchange")
    assert LinkState.EXPIRED is links.find(link.token).state(clock())


def test_it_is_revoked_by_its_id_once(links: Links) -> None:
    link = _take(links)
    revoked = links.revoke(link.id, actor="admin")
    assert (NOW, LinkState.REVOKED) == (revoked.revoked_at, revoked.state(NOW))
    assert revoked == links.revoke(link.id, actor="admin")
    with pytest.raises(LinkRevoked):
        links.count_device(link, "ios-exchange")
    with pytest.raises(UnknownLink):
        links.revoke("0" * 32, actor="admin")


def test_revoking_all_of_a_domain_revokes_these_too_and_lets_the_domain_go(links: Links, directory: Directory) -> None:
    links.create(ANNA, lifetime=HOUR, devices=3, actor="admin")
    link = _take(links)
    with pytest.raises(StillInUse, match="2 open setup links"):
        directory.remove_domain("contoso.example", actor="admin")
    assert 2 == links.revoke_all(domain="contoso.example", actor="admin")
    assert LinkState.REVOKED is links.get(link.id).state(NOW)
    directory.remove_domain("contoso.example", actor="admin")
    with pytest.raises(UnknownDomain):
        _take(links)
    with pytest.raises(InvalidDomain):
        links.list(domain="@", handed_out=True)


def test_its_mailbox_finds_and_closes_it_in_any_spelling(links: Links) -> None:
    link = _take(links, Account("Anna@Contoso.Example"))
    other = _take(links, Account("b@contoso.example"))
    assert [link] == links.list(address="anna@contoso.example", handed_out=True)
    assert 1 == links.revoke_all_of(address="anna@contoso.example", actor="admin")
    assert (LinkState.REVOKED, LinkState.OPEN) == tuple(links.get(each.id).state(NOW) for each in (link, other))


def test_its_history_begins_with_whoever_took_it(links: Links, clock: Clock) -> None:
    link = _take(links)
    assert [LinkEvent(NOW, Happening.TAKEN)] == links.history(link.id)
    clock.turn(minutes=1)
    links.count_device(link, "ios-exchange")
    clock.turn(minutes=1)
    links.revoke(link.id, actor="admin")
    assert [
        LinkEvent(NOW, Happening.TAKEN),
        LinkEvent(NOW + MINUTE, Happening.DOWNLOADED, format_id="ios-exchange"),
        LinkEvent(NOW + 2 * MINUTE, Happening.REVOKED, actor="admin"),
    ] == links.history(link.id)


def test_it_stays_at_one_hour(links: Links) -> None:
    link = _take(links)
    with pytest.raises(InvalidSetting, match="at the start page, for one hour, and it stays at that"):
        links.extend(link.id, by=HOUR, actor="admin")
    with pytest.raises(InvalidSetting, match="Make one that is open for longer with 'provisioner link create'"):
        links.reissue(link.id, lifetime=HOUR, devices=None, actor="admin")
    assert link == links.get(link.id)


# The limits


def test_a_network_has_its_share_and_is_told_when_there_is_more(links: Links, clock: Clock, store: Store) -> None:
    _take(links, limits=FEW)
    clock.turn(minutes=20)
    _take(links, limits=FEW)
    for account in (ANNA, NOBODY):  # whoever is asked for
        with pytest.raises(TooManyLinks) as refusal:
            _take(links, account, limits=FEW)
        assert 40 * MINUTE == refusal.value.retry_after
    assert 2 == _count(store)
    _take(links, client=THERE, limits=FEW)
    clock.turn(minutes=40)
    _take(links, limits=FEW)


def test_a_domain_has_its_share_whatever_the_network(links: Links, clock: Clock) -> None:
    for number in range(3):
        _take(links, client=f"192.0.2.{number}", limits=FEW)
        clock.turn(minutes=1)
    with pytest.raises(TooManyLinks) as refusal:
        _take(links, client=THERE, limits=FEW)
    assert 57 * MINUTE == refusal.value.retry_after


def test_links_of_a_clock_that_was_wrong_lock_nobody_out(links: Links, clock: Clock) -> None:
    clock.turn(days=365)
    _take(links, limits=FEW)
    _take(links, limits=FEW)
    clock.turn(days=-365)
    _take(links, limits=FEW)
    clock.turn(minutes=-5)  # another machine, whose clock is slower, counts what this one has given
    _take(links, limits=FEW)
    with pytest.raises(TooManyLinks) as refusal:
        _take(links, limits=FEW)
    assert 60 * MINUTE == refusal.value.retry_after


def test_an_ipv6_network_is_a_64_and_an_ipv4_one_an_address(links: Links) -> None:
    for client in ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"):
        _take(links, client=client, limits=FEW)
    with pytest.raises(TooManyLinks):
        _take(links, client="2001:0db8:0000:0001::3", limits=FEW)
    _take(links, client="2001:db8:0:2::1", limits=FEW)


@given(st.ip_addresses(v=6))
def test_every_address_of_a_64_is_one_network(address: object) -> None:
    network = network_of(str(address))
    if "." not in network:  # one that is mapped stands for its IPv4 address
        assert network.endswith("/64")
        assert network == network_of(network.removesuffix("/64"))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_a_network_is_known_in_any_spelling(address: str, network: str) -> None:
    assert network == network_of(address)


def test_old_links_are_forgotten_a_hundred_at_a_time(links: Links, clock: Clock, store: Store) -> None:
    for number in range(103):
        _take(links, client=f"192.0.2.{number}")
    clock.turn(days=30, hours=1)
    kept = _take(links)
    assert 104 == _count(store), "they ended exactly thirty days ago"
    clock.turn(seconds=1)
    _take(links)
    assert 5 == _count(store)
    _take(links)
    assert 3 == _count(store)
    assert kept == links.get(kept.id)


def _take_as_many_as_there_are(database_url: str, clients: list[str], start: Barrier, outcome: Pipe) -> None:
    links, taken = Links(Store.open(database_url), key=KEY, clock=lambda: NOW), 0
    start.wait(60)
    for client in clients:
        try:
            _take(links, client=client, limits=SelfServiceLimits(per_network=7, per_domain=20))
        except TooManyLinks:
            continue
        taken += 1
    outcome.send(taken)


@pytest.mark.parametrize(
    ("client", "expected"), [(lambda _: HERE, 7), (lambda number: f"192.0.2.{number}", 20)], ids=["network", "domain"]
)
def test_processes_that_give_links_at_once_keep_the_limit_together(
    links: Links, database_url: str, client: Callable[[int], str], expected: int
) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(2)
    pipes, processes = [], []
    for first in (0, 100):
        ours, theirs = spawn.Pipe(duplex=False)
        clients = [client(first + number) for number in range(20)]
        process = spawn.Process(target=_take_as_many_as_there_are, args=(database_url, clients, start, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    taken = [pipe.recv() for pipe in pipes if pipe.poll(60)]
    for process in processes:
        process.join(60)
    assert [0, 0] == [process.exitcode for process in processes]
    assert expected == sum(taken)
    assert expected == len(links.list(handed_out=True))

"""Setup links: one spelling of one token, devices counted once, and nothing handed out that was not kept."""

import hmac
import multiprocessing
import os
import re
import signal
import stat
from base64 import b32encode
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from provisioner.directory import Directory
from provisioner.errors import (
    ConfigurationError,
    InvalidDomain,
    InvalidSetting,
    LinkExpired,
    LinkRevoked,
    LinkUsedUp,
    ProvisionerError,
    StoreUnavailable,
    UnknownDomain,
    UnknownLink,
)
from provisioner.links import Links, LinkState, SetupLink, load_link_key
from provisioner.model import Account
from provisioner.organisation import Organisation
from provisioner.store import Store, tables
from tests.samples import ANNA, NOW, PROVIDERS, contoso_domain
from tests.stores import Clock

KEY = bytes(range(32))
WEEK = timedelta(days=7)
NOBODY = "a" * 25 + "i"  # canonical, and nobody's
shared_store = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def links(store: Store, clock: Clock) -> Links:
    """The links of a store that has contoso.example and no links."""
    return _links_of_contoso(store, clock)


def _links_of_contoso(store: Store, clock: Clock) -> Links:
    directory = Directory(store, PROVIDERS, clock=clock)
    directory.add_organisation(Organisation(id="contoso", name="Contoso"), actor="admin")
    directory.add_domain(contoso_domain(), actor="admin")
    return Links(store, key=KEY, clock=clock)


def _create(links: Links, account: Account = ANNA, *, lifetime: timedelta = WEEK, devices: int = 2) -> SetupLink:
    return links.create(account, lifetime=lifetime, devices=devices, actor="admin")


def _opens(links: Links, link: SetupLink, format_id: str) -> bool:
    try:
        links.require_open(link, format_id)
    except LinkUsedUp:
        return False
    return True


# Making and finding


def test_a_link_is_kept_before_it_is_handed_out_and_comes_back_as_it_was(links: Links) -> None:
    made = _create(links, devices=3)
    assert made == links.find(made.token)
    assert made == links.get(made.id)
    assert [made] == links.list()
    assert (ANNA, NOW, NOW + WEEK, None, 3, 0) == (
        made.account,
        made.created_at,
        made.expires_at,
        made.revoked_at,
        made.devices_allowed,
        made.devices_used,
    )
    assert LinkState.OPEN is made.state(NOW)
    assert f"/s/{made.token}" == made.path


def test_a_link_opens_in_any_case(links: Links) -> None:
    link = _create(links)
    assert re.fullmatch(r"[a-z2-7]{26}", link.token)
    for spelling in (link.token, link.token.upper(), link.token.title(), link.token.swapcase()):
        assert link == links.find(spelling)


def test_the_token_is_the_keyed_hash_of_the_links_id_and_issue(links: Links) -> None:
    link = _create(links)
    digest = hmac.new(KEY, f"{link.id}{link.issue}".encode(), "sha256").digest()
    assert b32encode(digest[:16]).decode().strip("=").lower() == link.token


def test_the_store_holds_the_tokens_hash_and_nowhere_the_token(links: Links, store: Store) -> None:
    link = _create(links)
    links.count_device(links.find(link.token.upper()), "ios-exchange")
    links.revoke(link.id, actor="admin")
    with store.read() as connection:
        rows = [repr(row) for table in tables.metadata.sorted_tables for row in connection.execute(select(table))]
        (kept,) = connection.execute(select(tables.links.c.token_hash)).scalars()
    assert sha256(link.token.encode()).hexdigest() == kept
    assert not [row for row in rows if link.token in row.lower()]


def test_a_link_in_a_log_line_does_not_show_its_token(links: Links) -> None:
    link = _create(links)
    assert link.token not in repr(link)


def test_every_link_has_its_own_token(links: Links) -> None:
    assert 20 == len({_create(links).token for _ in range(20)})


def _near(token: str) -> st.SearchStrategy[str]:
    """The token in some case, with something before, after or instead of a part of it."""
    spellings = st.lists(st.booleans(), min_size=26, max_size=26).map(
        lambda capitals: "".join(c.upper() if up else c for c, up in zip(token, capitals, strict=True))
    )
    rubbish = st.text(max_size=3) | st.sampled_from(["", "=", "======", " ", "\n", "%00", "/", "ſ", "K", "٣", "\udcff"])
    cut = st.integers(min_value=0, max_value=26)
    return st.builds(
        lambda text, start, end, other: text[:start] + other + text[end:], spellings, cut, cut, rubbish
    ) | spellings.flatmap(lambda text: st.sampled_from([text, text[:-1] + "b", text.replace("s", "ſ"), f"{text}\n"]))


@shared_store
@given(data=st.data())
def test_any_text_is_the_token_in_some_case_or_no_link_at_all(links: Links, data: st.DataObject) -> None:
    link = (links.list() or [_create(links)])[0]
    text = data.draw(st.text() | _near(link.token), label="text")
    if text.isascii() and text.lower() == link.token:
        assert link == links.find(text)
    else:
        with pytest.raises(UnknownLink):
            links.find(text)


def test_a_token_whose_spare_bits_are_not_zero_is_refused_though_it_decodes_to_the_same(links: Links) -> None:
    link = _create(links)
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    last = alphabet.index(link.token[-1])
    for spare in (1, 2, 3):
        with pytest.raises(UnknownLink):
            links.find(link.token[:-1] + alphabet[last + spare])


def test_unknown_and_malformed_and_deleted_links_are_refused_alike(links: Links) -> None:
    link = _create(links)
    attempts: list[Callable[[], object]] = [
        lambda: links.find(NOBODY),
        lambda: links.find("x"),
        lambda: links.find(""),
        lambda: links.get("0" * 32),
        lambda: links.get("\udcff\x00"),
        lambda: links.revoke("0" * 32, actor="admin"),
        lambda: links.revoke("x", actor="admin"),
        lambda: links.require_open(replace(link, id="0" * 32), "ios-exchange"),
        lambda: links.count_device(replace(link, id="0" * 32), "ios-exchange"),
    ]
    refusals = []
    for attempt in attempts:
        with pytest.raises(UnknownLink) as refusal:
            attempt()
        refusals.append(str(refusal.value))
    assert 1 == len(set(refusals))


def test_one_person_is_one_invitation_whose_name_is_the_latest(links: Links, store: Store) -> None:
    first = _create(links, Account("anna@contoso.example", display_name="Anna"))
    renamed = Account("ANNA@Contoso.example", username="anna.o@contoso.example", display_name="Anna O'Neil")
    second = _create(links, renamed)
    assert renamed == second.account
    assert replace(first, account=renamed) == links.find(first.token)
    with store.read() as connection:
        assert 1 == len(connection.execute(select(tables.invitations)).all())


def test_a_link_is_made_only_for_people_of_a_configured_domain(links: Links) -> None:
    with pytest.raises(UnknownDomain):
        _create(links, Account("anna@fabrikam.example"))
    assert [] == links.list()


@pytest.mark.parametrize("lifetime", [timedelta(minutes=1), timedelta(days=3650)])
@pytest.mark.parametrize("devices", [1, 1000])
def test_a_links_limits_are_wide(links: Links, lifetime: timedelta, devices: int) -> None:
    link = _create(links, lifetime=lifetime, devices=devices)
    assert (NOW + lifetime, devices) == (link.expires_at, link.devices_allowed)


@pytest.mark.parametrize(
    ("lifetime", "devices"),
    [
        (timedelta(seconds=59), 1),
        (timedelta(), 1),
        (timedelta(days=-1), 1),
        (timedelta(days=3650, seconds=1), 1),
        (timedelta.max, 1),
        (WEEK, 0),
        (WEEK, -1),
        (WEEK, 1001),
    ],
)
def test_a_link_outside_its_limits_is_refused_and_not_kept(links: Links, lifetime: timedelta, devices: int) -> None:
    with pytest.raises(InvalidSetting, match=r"1 minute and 3650 days|1 to 1000 devices"):
        _create(links, lifetime=lifetime, devices=devices)
    assert [] == links.list()


def test_links_are_listed_by_domain_the_oldest_first(links: Links, store: Store, clock: Clock) -> None:
    Directory(store, PROVIDERS, clock=clock).add_domain(replace(contoso_domain(), name="contoso.test"), actor="admin")
    made = []
    for address in ("carl@contoso.example", "anna@contoso.test", "berta@contoso.example"):
        made.append(_create(links, Account(address)))
        clock.turn(seconds=1)
    assert made == links.list()
    assert [made[0], made[2]] == links.list(domain="Contoso.Example.")
    assert [] == links.list(domain="fabrikam.example")


# The end of a link


def test_a_revoked_link_opens_nothing_and_stays_revoked(links: Links, clock: Clock) -> None:
    link = _create(links)
    links.count_device(link, "ios-exchange")
    clock.turn(minutes=1)
    revoked = links.revoke(link.id, actor="berta")
    clock.turn(minutes=1)
    assert NOW + timedelta(minutes=1) == revoked.revoked_at
    assert revoked == links.revoke(link.id, actor="carl")
    assert revoked == links.find(link.token)
    assert LinkState.REVOKED is revoked.state(clock.now)
    with pytest.raises(LinkRevoked):
        links.require_open(link, "ios-exchange")
    with pytest.raises(LinkRevoked):
        links.count_device(link, "ios-exchange")
    assert 1 == links.get(link.id).devices_used


def test_a_link_expires_at_its_minute_and_opens_nothing_after(links: Links, clock: Clock) -> None:
    link = _create(links, lifetime=timedelta(minutes=1))
    clock.turn(seconds=59)
    links.require_open(link, "ios-exchange")
    links.count_device(link, "ios-exchange")
    clock.turn(seconds=1)
    assert LinkState.EXPIRED is links.find(link.token).state(clock.now)
    with pytest.raises(LinkExpired) as closed:
        links.require_open(link, "ios-exchange")
    assert link.expires_at == closed.value.expired_at
    with pytest.raises(LinkExpired):
        links.count_device(link, "ios-exchange")


def test_a_revoked_link_is_revoked_also_when_it_has_expired(links: Links, clock: Clock) -> None:
    link = _create(links)
    links.revoke(link.id, actor="admin")
    clock.turn(days=8)
    assert LinkState.REVOKED is links.get(link.id).state(clock.now)


def test_all_links_of_a_domain_that_are_not_closed_yet_are_revoked_at_once(
    links: Links, store: Store, clock: Clock
) -> None:
    directory = Directory(store, PROVIDERS, clock=clock)
    directory.add_domain(replace(contoso_domain(), name="contoso.test"), actor="admin")
    expired = _create(links, lifetime=timedelta(minutes=1))
    clock.turn(minutes=1)
    revoked, used_up, unused = _create(links), _create(links, devices=1), _create(links)
    elsewhere = _create(links, Account("anna@contoso.test"))
    links.revoke(revoked.id, actor="admin")
    links.count_device(used_up, "ios-exchange")
    clock.turn(minutes=1)
    assert 2 == links.revoke_all(domain="Contoso.example.", actor="berta")
    assert 0 == links.revoke_all(domain="contoso.example", actor="berta")
    states = {link.id: link.state(clock.now) for link in links.list()}
    assert {
        expired.id: LinkState.EXPIRED,
        revoked.id: LinkState.REVOKED,
        used_up.id: LinkState.REVOKED,
        unused.id: LinkState.REVOKED,
        elsewhere.id: LinkState.OPEN,
    } == states
    assert clock.now == links.get(unused.id).revoked_at
    with store.read() as connection:
        query = select(tables.audit).where(tables.audit.c.action == "link.revoke", tables.audit.c.actor == "berta")
        rows = connection.execute(query).mappings().all()
    assert {used_up.id, unused.id} == {row["subject"] for row in rows}
    assert [{"domain": "contoso.example"}] * 2 == [row["details"] for row in rows]
    directory.remove_domain("contoso.example", actor="admin")


def test_the_links_of_a_domain_that_is_no_domain_are_not_looked_for(links: Links) -> None:
    with pytest.raises(InvalidDomain):
        links.revoke_all(domain="contoso..example", actor="admin")


def test_making_and_revoking_stand_in_the_audit_trail_without_address_or_token(links: Links, store: Store) -> None:
    link = _create(links)
    links.revoke(link.id, actor="berta")
    links.revoke(link.id, actor="berta")
    with store.read() as connection:
        rows = connection.execute(select(tables.audit).where(tables.audit.c.subject == link.id)).mappings().all()
    assert [("admin", "link.create"), ("berta", "link.revoke")] == [(row["actor"], row["action"]) for row in rows]
    assert {"domain": "contoso.example", "devices": 2, "expires_at": "2026-11-30T09:00:00+00:00"} == rows[0]["details"]
    assert not re.search(rf"{link.token}|anna", str(rows), re.IGNORECASE)


def test_nothing_is_made_or_revoked_where_its_audit_record_cannot_be_written(links: Links, store: Store) -> None:
    link = _create(links)
    with store.write() as connection:
        tables.audit.drop(connection)
    with pytest.raises(StoreUnavailable):
        _create(links)
    with pytest.raises(StoreUnavailable):
        links.revoke(link.id, actor="admin")
    with pytest.raises(StoreUnavailable):
        links.revoke_all(domain="contoso.example", actor="admin")
    assert [link] == links.list()


# Rows that cannot be read


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE links SET expires_at = 'never'",
        "UPDATE links SET expires_at = 7",
        "UPDATE links SET revoked_at = ''",
        "UPDATE links SET devices_allowed = 'many'",
    ],
)
def test_a_link_whose_row_is_damaged_is_a_failure_of_the_store_that_names_it(
    sqlite_store: Store, clock: Clock, deed: str
) -> None:
    links = _links_of_contoso(sqlite_store, clock)
    link = _create(links)
    with sqlite_store.write() as connection:
        connection.execute(text(deed))
    attempts: list[Callable[[], object]] = [
        lambda: links.find(link.token),
        lambda: links.get(link.id),
        links.list,
        lambda: links.revoke(link.id, actor="admin"),
        lambda: links.require_open(link, "ios-exchange"),
        lambda: links.count_device(link, "ios-exchange"),
    ]
    for attempt in attempts:
        with pytest.raises(StoreUnavailable, match=f"'{link.id}' of the table links cannot be read") as failure:
            attempt()
        assert "unreadable" == failure.value.reason


def test_a_link_whose_person_cannot_be_read_is_a_failure_that_does_not_tell_the_address(
    links: Links, store: Store
) -> None:
    link = _create(links)
    with store.write() as connection:
        connection.execute(text("UPDATE invitations SET address = 'anna@@contoso.example'"))
    with pytest.raises(StoreUnavailable, match=link.id) as failure:
        links.find(link.token)
    assert "anna" not in str(failure.value)


# Devices


def test_looking_at_a_link_counts_nothing(links: Links) -> None:
    link = _create(links, devices=1)
    for _ in range(3):
        links.find(link.token)
        links.require_open(link, "ios-exchange")
    assert 0 == links.get(link.id).devices_used


def test_one_device_fetches_its_profile_as_often_as_it_likes_for_ten_minutes(links: Links, clock: Clock) -> None:
    link = _create(links, devices=1)
    for _ in range(10):
        links.require_open(link, "ios-exchange")
        links.count_device(link, "ios-exchange")
        clock.turn(seconds=59.9)
    used_up = links.find(link.token)
    assert (1, LinkState.USED_UP) == (used_up.devices_used, used_up.state(clock.now))
    clock.turn(seconds=1)  # the window was not extended by the repeats
    with pytest.raises(LinkUsedUp) as closed:
        links.require_open(link, "ios-exchange")
    assert 1 == closed.value.devices
    with pytest.raises(LinkUsedUp):
        links.count_device(link, "ios-exchange")


def test_another_format_is_another_device(links: Links) -> None:
    link = _create(links, devices=2)
    links.count_device(link, "ios-exchange")
    links.count_device(link, "macos-exchange")
    assert 2 == links.get(link.id).devices_used
    assert [True, True, False] == [
        _opens(links, link, format_id) for format_id in ("ios-exchange", "macos-exchange", "apple-imap")
    ]


def test_another_link_of_the_same_person_is_counted_by_itself(links: Links) -> None:
    first, second = _create(links, devices=1), _create(links, devices=1)
    links.count_device(first, "ios-exchange")
    assert [1, 0] == [links.get(link.id).devices_used for link in (first, second)]


def test_a_device_that_another_machines_faster_clock_has_counted_is_the_same_device(links: Links, clock: Clock) -> None:
    link = _create(links, devices=1)
    links.count_device(link, "ios-exchange")
    clock.turn(seconds=-2)
    links.count_device(link, "ios-exchange")
    assert 1 == links.get(link.id).devices_used


@dataclass
class Model:
    """What DESIGN says of devices, in plain words."""

    allowed: int
    used: int = 0
    windows: dict[str, datetime] = field(default_factory=dict)

    def fetch(self, format_id: str, now: datetime) -> bool:
        if format_id in self.windows and now - self.windows[format_id] < timedelta(minutes=10):
            return True
        if self.used == self.allowed:
            return False
        self.used += 1
        self.windows[format_id] = now
        return True


_FETCHES = st.lists(
    st.tuples(st.sampled_from(["ios-exchange", "macos-exchange", "apple-imap"]), st.sampled_from([0, 1, 5, 9, 10, 25])),
    max_size=12,
)


@settings(parent=shared_store, max_examples=50)
@given(allowed=st.integers(1, 4), fetches=_FETCHES)
def test_devices_are_counted_as_the_simplest_model_counts_them(
    links: Links, clock: Clock, allowed: int, fetches: list[tuple[str, int]]
) -> None:
    link, model = _create(links, devices=allowed), Model(allowed)
    for format_id, minutes in fetches:
        clock.turn(minutes=minutes)
        expected = model.fetch(format_id, clock.now)
        assert expected == _opens(links, link, format_id)
        if expected:
            links.count_device(link, format_id)
        else:
            with pytest.raises(LinkUsedUp):
                links.count_device(link, format_id)
    counted = links.get(link.id)
    assert model.used == counted.devices_used
    assert (LinkState.USED_UP if model.used == allowed else LinkState.OPEN) is counted.state(clock.now)


def _race(database_url: str, tokens: list[str], format_id: str, start: Barrier, outcome: Pipe) -> None:
    with closing(Store.open(database_url)) as store:
        links = Links(store, key=KEY, clock=lambda: NOW)
        won = []
        for token in tokens:
            link = links.find(token)
            start.wait(60)
            try:
                links.count_device(link, format_id)
            except LinkUsedUp:
                continue
            won.append(token)
    outcome.send(won)


def test_of_processes_that_ask_for_the_last_device_at_once_exactly_one_gets_it(links: Links, database_url: str) -> None:
    tokens = [_create(links, devices=1).token for _ in range(50)]
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(3)
    pipes = []
    processes = []
    for format_id in ("ios-exchange", "macos-exchange", "apple-imap"):
        ours, theirs = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_race, args=(database_url, tokens, format_id, start, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    won = [token for pipe in pipes for token in (pipe.recv() if pipe.poll(60) else [])]
    for process in processes:
        process.join(60)
    assert [0, 0, 0] == [process.exitcode for process in processes]
    assert sorted(tokens) == sorted(won)
    assert {1} == {link.devices_used for link in links.list()}


# The moment a process dies


def _die_after_making(database_url: str, shown: Pipe) -> None:
    link = _create(Links(Store.open(database_url), key=KEY, clock=lambda: NOW))
    shown.send(link.token)
    os.kill(os.getpid(), signal.SIGKILL)


def _die_while_making(database_url: str, shown: Pipe) -> None:
    store = Store.open(database_url)
    with store.write() as connection:
        connection.execute(
            tables.organisations.insert(), {"id": "x", "name": "x", "support_contact": "", "consent_text": ""}
        )
        shown.send("")
        os.kill(os.getpid(), signal.SIGKILL)


def _killed(deed: Callable[[str, Pipe], None], database_url: str) -> str:
    """What the process had shown when it was killed."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=deed, args=(database_url, theirs))
    process.start()
    assert ours.poll(60)
    shown: str = ours.recv()
    process.join(60)
    assert -signal.SIGKILL == process.exitcode
    return shown


def test_a_link_that_was_shown_works_though_its_maker_was_killed(links: Links, database_url: str) -> None:
    assert ANNA == links.find(_killed(_die_after_making, database_url)).account


def test_what_was_not_committed_when_the_process_was_killed_never_was(
    links: Links, store: Store, database_url: str
) -> None:
    _killed(_die_while_making, database_url)
    with store.read() as connection:
        assert ["contoso"] == connection.execute(select(tables.organisations.c.id)).scalars().all()
    assert ANNA == _create(links).account


# The link key


def test_a_second_start_prints_the_same_links(store: Store, links: Links, clock: Clock) -> None:
    made = _create(links)
    assert [made] == Links(store, key=KEY, clock=clock).list()


@pytest.fixture
def other_key(store: Store, clock: Clock) -> Links:
    """The same links for somebody who has lost the key, and a new one was made."""
    return Links(store, key=bytes(32), clock=clock)


def test_with_another_key_a_link_still_opens_but_cannot_be_printed_and_the_way_out_is_told(
    links: Links, other_key: Links
) -> None:
    made = _create(links)
    assert made == other_key.find(made.token)
    kept = other_key.get(made.id)
    assert replace(made, token="") == kept
    with pytest.raises(ConfigurationError, match=f"key is not the one.*{made.id}.*provisioner link revoke {made.id}"):
        _ = kept.path


def test_with_another_key_links_are_listed_and_revoked_as_with_the_right_one(
    links: Links, other_key: Links, clock: Clock
) -> None:
    made = [_create(links)]
    clock.turn(seconds=1)
    made.append(_create(links))
    clock.turn(seconds=1)
    new = _create(other_key)
    assert [*(replace(link, token="") for link in made), new] == other_key.list()
    assert [*made, replace(new, token="")] == links.list()
    for link in made:
        assert LinkState.REVOKED is other_key.revoke(link.id, actor="admin").state(NOW)
    with pytest.raises(LinkRevoked):
        other_key.require_open(made[0], "ios-exchange")


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "data" / "link.key"
    key = load_link_key(file)
    assert 32 == len(key)
    assert key == file.read_bytes() == load_link_key(file)
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert ["link.key"] == os.listdir(file.parent)  # noqa: PTH208  # nothing else is left there


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    assert load_link_key(tmp_path / "a") != load_link_key(tmp_path / "b")


def _load_at_once(file: Path, start: Barrier, loaded: Pipe) -> None:
    start.wait(60)
    loaded.send(load_link_key(file))


def test_processes_that_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(4)
    pipes = []
    processes = []
    for _ in range(4):
        ours, theirs = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_load_at_once, args=(tmp_path / "link.key", start, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    keys = {pipe.recv() if pipe.poll(60) else b"" for pipe in pipes}
    for process in processes:
        process.join(60)
    assert {(tmp_path / "link.key").read_bytes()} == keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_key_file_that_others_can_read_is_refused_with_the_way_to_close_it(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "link.key"
    load_link_key(file)
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {re.escape(str(file))}"):
        load_link_key(file)
    file.chmod(0o400)
    assert 32 == len(load_link_key(file))


@pytest.mark.parametrize("size", [0, 31, 33, 4096])
def test_a_key_file_of_another_size_is_refused_and_kept(tmp_path: Path, size: int) -> None:
    file = tmp_path / "link.key"
    file.write_bytes(b"x" * size)
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="exactly 32 octets"):
        load_link_key(file)
    assert b"x" * size == file.read_bytes()


def test_a_place_where_no_key_can_be_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be read or made"):
        load_link_key(tmp_path / "file" / "link.key")
    with pytest.raises(ConfigurationError, match="Is a directory"):
        load_link_key(tmp_path)


def test_no_refusal_of_a_key_file_shows_what_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "link.key"
    file.write_text("a password that somebody saved here")
    for mode in (0o600, 0o644):
        file.chmod(mode)
        with pytest.raises(ProvisionerError) as refusal:
            load_link_key(file)
        assert "password" not in str(refusal.value)


def test_times_are_in_utc(links: Links) -> None:
    found = links.find(_create(links).token)
    assert (UTC, UTC) == (found.created_at.tzinfo, found.expires_at.tzinfo)

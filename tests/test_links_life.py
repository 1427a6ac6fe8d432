"""The life of a setup link: many made at once, made to last, given another token, and told from its beginning."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from provisioner.directory import Directory
from provisioner.errors import (
    InvalidSetting,
    LinkExpired,
    LinkRevoked,
    LinkUsedUp,
    ProvisionerError,
    StoreUnavailable,
    UnknownDomain,
    UnknownLink,
)
from provisioner.links import Happening, Invited, LinkEvent, Links, LinkState, SetupLink
from provisioner.links.token import make_token
from provisioner.model import Account
from provisioner.organisation import Organisation
from provisioner.store import Store, tables
from provisioner.store.invitations import Person
from tests.samples import ANNA, NOW, PROVIDERS, contoso_domain
from tests.stores import Clock

KEY = bytes(range(32))
DAY, WEEK = timedelta(days=1), timedelta(days=7)
BERTA, CARL = Account("berta@contoso.example"), Account("carl@contoso.example")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def links(store: Store, clock: Clock) -> Links:
    """The links of a store that has contoso.example and no links."""
    directory = Directory(store, PROVIDERS, clock=clock)
    directory.add_organisation(Organisation(id="contoso", name="Contoso"), actor="admin")
    directory.add_domain(contoso_domain(), actor="admin")
    return Links(store, key=KEY, clock=clock)


def _create(links: Links, account: Account = ANNA, *, devices: int = 2) -> SetupLink:
    return links.create(account, lifetime=WEEK, devices=devices, actor="admin")


def _audit(store: Store, action: str) -> list[tuple[str, str, dict[str, object]]]:
    """Who did it, to what, and the details."""
    query = select(tables.audit.c.actor, tables.audit.c.subject, tables.audit.c.details)
    with store.read() as connection:
        found = connection.execute(query.where(tables.audit.c.action == action).order_by(tables.audit.c.id)).all()
    return [(row.actor, row.subject, row.details) for row in found]


# Extended


def test_an_extended_link_opens_for_longer_than_it_would_have(links: Links, clock: Clock, store: Store) -> None:
    made = _create(links)
    clock.turn(days=1)
    extended = links.extend(made.id, by=DAY, actor="berta")
    assert replace(made, expires_at=NOW + WEEK + DAY) == extended == links.find(made.token)
    clock.turn(days=6, hours=23)
    links.require_open(made, "ios-exchange")
    clock.turn(hours=1)
    with pytest.raises(LinkExpired):
        links.require_open(made, "ios-exchange")
    details = {"domain": "contoso.example", "expires_at": "2026-12-01T09:00:00+00:00"}
    assert [("berta", made.id, details)] == _audit(store, "link.extend")


def test_an_expired_link_that_is_extended_opens_again_from_now(links: Links, clock: Clock) -> None:
    made = _create(links)
    clock.turn(days=30)
    assert LinkState.EXPIRED is made.state(clock.now)
    extended = links.extend(made.id, by=DAY, actor="admin")
    assert (clock.now + DAY, LinkState.OPEN) == (extended.expires_at, extended.state(clock.now))
    links.count_device(extended, "ios-exchange")


def test_a_used_up_link_that_is_extended_stays_used_up(links: Links) -> None:
    made = _create(links, devices=1)
    links.count_device(made, "ios-exchange")
    assert LinkState.USED_UP is links.extend(made.id, by=WEEK, actor="admin").state(NOW)
    with pytest.raises(LinkUsedUp):
        links.require_open(made, "macos-exchange")


@pytest.mark.parametrize("by", [timedelta(days=3650 - 7, seconds=1), timedelta(days=-8), timedelta(days=-7)])
def test_a_link_is_never_extended_beyond_ten_years_or_to_before_now(by: timedelta, links: Links) -> None:
    made = _create(links)
    with pytest.raises(InvalidSetting, match="3650 days at most"):
        links.extend(made.id, by=by, actor="admin")
    assert made == links.get(made.id)
    links.extend(made.id, by=timedelta(days=3650 - 7), actor="admin")


# Re-issued


def test_a_reissued_link_opens_by_its_new_token_alone(links: Links, store: Store, clock: Clock) -> None:
    made = _create(links)
    links.count_device(made, "ios-exchange")
    clock.turn(days=2)
    issued = links.reissue(made.id, lifetime=DAY, devices=None, actor="berta")
    with pytest.raises(UnknownLink):
        links.find(made.token)
    assert issued == links.find(issued.token) == links.get(made.id)
    assert (made.id, 2, 1, 2, clock.now + DAY) == (
        issued.id,
        issued.issue,
        issued.devices_used,
        issued.devices_allowed,
        issued.expires_at,
    )
    assert make_token(KEY, made.id, 2) == issued.token
    details = {"domain": "contoso.example", "devices": 2, "expires_at": "2026-11-26T09:00:00+00:00", "issue": 2}
    assert [("berta", made.id, details)] == _audit(store, "link.reissue")


def test_a_used_up_link_is_reissued_for_as_many_more_devices_as_are_asked_for(links: Links) -> None:
    made = _create(links, devices=1)
    links.count_device(made, "ios-exchange")
    same = links.reissue(made.id, lifetime=WEEK, devices=None, actor="admin")
    assert LinkState.USED_UP is same.state(NOW)
    more = links.reissue(made.id, lifetime=WEEK, devices=2, actor="admin")
    assert (1, 3, LinkState.OPEN) == (more.devices_used, more.devices_allowed, more.state(NOW))


def test_an_expired_link_is_reissued_and_opens_again(links: Links, clock: Clock) -> None:
    made = _create(links)
    clock.turn(days=8)
    assert LinkState.OPEN is links.reissue(made.id, lifetime=DAY, devices=None, actor="admin").state(clock.now)


def test_a_link_whose_key_was_lost_is_reissued_and_can_be_printed_again(
    links: Links, store: Store, clock: Clock
) -> None:
    made = _create(links)
    other = Links(store, key=bytes(32), clock=clock)
    assert "" == other.get(made.id).token
    issued = other.reissue(made.id, lifetime=WEEK, devices=None, actor="admin")
    assert issued == other.find(issued.token)
    assert f"/s/{issued.token}" == other.get(made.id).path


@pytest.mark.parametrize(
    ("lifetime", "devices"), [(timedelta(seconds=59), 1), (timedelta(days=3651), 1), (DAY, 1000), (DAY, 0), (DAY, -1)]
)
def test_a_link_is_not_reissued_outside_its_limits(lifetime: timedelta, devices: int, links: Links) -> None:
    made = _create(links)
    links.count_device(made, "ios-exchange")
    kept = links.get(made.id)
    with pytest.raises(InvalidSetting):
        links.reissue(made.id, lifetime=lifetime, devices=devices, actor="admin")
    assert kept == links.find(made.token)


def test_a_revoked_link_is_given_no_other_life(links: Links, store: Store) -> None:
    made = _create(links)
    revoked = links.revoke(made.id, actor="admin")
    with pytest.raises(LinkRevoked):
        links.extend(made.id, by=DAY, actor="admin")
    with pytest.raises(LinkRevoked):
        links.reissue(made.id, lifetime=DAY, devices=None, actor="admin")
    assert revoked == links.get(made.id)
    assert ([], []) == (_audit(store, "link.extend"), _audit(store, "link.reissue"))


def test_a_link_of_a_domain_that_is_gone_is_given_no_other_life(links: Links, store: Store, clock: Clock) -> None:
    """Nobody is left who could stand behind it: no page shows it, and no mail or card could be written."""
    link = _create(links)
    clock.now = link.expires_at
    Directory(store, PROVIDERS, clock=clock).remove_domain("contoso.example", actor="admin")
    with pytest.raises(UnknownDomain):
        links.extend(link.id, by=WEEK, actor="admin")
    with pytest.raises(UnknownDomain):
        links.reissue(link.id, lifetime=WEEK, devices=None, actor="admin")
    assert link == links.get(link.id)
    assert LinkState.REVOKED is links.revoke(link.id, actor="admin").state(clock())


@pytest.mark.parametrize("link_id", ["0" * 32, "x", "", "../etc"])
def test_a_link_that_is_unknown_has_no_life(link_id: str, links: Links) -> None:
    for attempt in (
        lambda: links.extend(link_id, by=DAY, actor="admin"),
        lambda: links.reissue(link_id, lifetime=DAY, devices=None, actor="admin"),
        lambda: links.history(link_id),
    ):
        with pytest.raises(UnknownLink):
            attempt()


def test_nothing_is_changed_where_its_audit_record_cannot_be_written(links: Links, store: Store) -> None:
    made = _create(links)
    with store.write() as connection:
        tables.audit.drop(connection)
    for attempt in (
        lambda: links.extend(made.id, by=DAY, actor="admin"),
        lambda: links.reissue(made.id, lifetime=DAY, devices=None, actor="admin"),
        lambda: links.invite([Person(BERTA)], lifetime=DAY, devices=1, actor="admin"),
    ):
        with pytest.raises(StoreUnavailable):
            attempt()
    assert [made] == links.list()
    with store.read() as connection:
        assert [ANNA.address] == connection.execute(select(tables.invitations.c.address)).scalars().all()


def test_of_many_who_reissue_one_link_at_once_exactly_one_token_opens(links: Links) -> None:
    made = _create(links)
    with ThreadPoolExecutor(8) as pool:
        reissues = [pool.submit(links.reissue, made.id, lifetime=DAY, devices=None, actor="admin") for _ in range(8)]
        issued = [reissue.result() for reissue in reissues]
    assert set(range(2, 10)) == {link.issue for link in issued}
    (live,) = (link for link in issued if _opens(links, link.token))
    assert (9, live) == (live.issue, links.get(made.id))


def _opens(links: Links, token: str) -> bool:
    try:
        links.find(token)
    except UnknownLink:
        return False
    return True


# Told


def test_the_history_of_a_link_is_everything_that_happened_to_it_in_order(links: Links, clock: Clock) -> None:
    made = _create(links)
    other = _create(links, BERTA)
    moments: list[datetime] = []
    for deed in (
        lambda: links.count_device(made, "ios-exchange"),
        lambda: links.extend(made.id, by=DAY, actor="berta"),
        lambda: links.count_device(other, "ios-exchange"),
        lambda: links.count_device(made, "macos-exchange"),
        lambda: links.reissue(made.id, lifetime=DAY, devices=1, actor="carl"),
        lambda: links.revoke(made.id, actor="dora"),
        lambda: links.revoke(made.id, actor="emil"),
    ):
        clock.turn(minutes=20)
        moments.append(clock.now)
        deed()
    first, extended, _, second, issued, revoked, _ = moments
    assert [
        LinkEvent(NOW, Happening.CREATED, "admin", expires_at=made.expires_at.isoformat(), devices_allowed=2),
        LinkEvent(first, Happening.DOWNLOADED, format_id="ios-exchange"),
        LinkEvent(extended, Happening.EXTENDED, "berta", expires_at=(made.expires_at + DAY).isoformat()),
        LinkEvent(second, Happening.DOWNLOADED, format_id="macos-exchange"),
        LinkEvent(issued, Happening.REISSUED, "carl", expires_at=(issued + DAY).isoformat(), devices_allowed=3),
        LinkEvent(revoked, Happening.REVOKED, "dora"),
    ] == links.history(made.id)


def test_a_link_of_an_import_begins_as_one_that_was_made_by_itself(links: Links) -> None:
    links.invite([Person(ANNA)], lifetime=WEEK, devices=2, actor="admin")
    (invited,) = links.list()
    links.revoke_all_of(address=ANNA.address, actor="berta")
    assert [
        LinkEvent(NOW, Happening.CREATED, "admin", expires_at=invited.expires_at.isoformat(), devices_allowed=2),
        LinkEvent(NOW, Happening.REVOKED, "berta"),
    ] == links.history(invited.id)


# Many at once


def _invite(links: Links, people: Sequence[Person], *, devices: int = 2) -> dict[str, Invited]:
    return dict(links.invite(people, lifetime=WEEK, devices=devices, actor="admin"))


def test_everybody_who_is_invited_has_a_link_that_opens(links: Links, store: Store) -> None:
    told = _invite(links, [Person(BERTA, language="de"), Person(ANNA), Person(CARL)])
    assert {account.key: Invited.NEW_LINK for account in (ANNA, BERTA, CARL)} == told
    made = {link.account: link for link in links.list()}
    assert {ANNA, BERTA, CARL} == made.keys()
    for link in made.values():
        assert link == links.find(link.token)
        assert (NOW, NOW + WEEK, 2, LinkState.OPEN) == (
            link.created_at,
            link.expires_at,
            link.devices_allowed,
            link.state(NOW),
        )
    assert "de" == made[BERTA].language
    assert [("admin", "contoso.example", {"people": 3, "links": 3})] == _audit(store, "invitation.import")


def test_whoever_has_a_link_that_opens_keeps_it(links: Links, clock: Clock) -> None:
    opened, used_up, revoked = _create(links, ANNA), _create(links, BERTA, devices=1), _create(links, CARL)
    links.count_device(used_up, "ios-exchange")
    links.revoke(revoked.id, actor="admin")
    people = [Person(account) for account in (ANNA, BERTA, CARL)]
    expected = {ANNA.key: Invited.KEPT_LINK, BERTA.key: Invited.NEW_LINK, CARL.key: Invited.NEW_LINK}
    assert expected == links.foresee(people)
    assert expected == _invite(links, people)
    assert dict.fromkeys(expected, Invited.KEPT_LINK) == _invite(links, people)
    assert opened in links.list()
    assert 5 == len(links.list())
    clock.turn(days=7)
    assert dict.fromkeys(expected, Invited.NEW_LINK) == links.foresee(people)


def test_a_person_who_is_twice_among_the_people_has_one_link_and_what_was_told_last(links: Links, store: Store) -> None:
    renamed = Account(ANNA.address.upper(), username="a@contoso.example", display_name="Anna O")
    told = _invite(links, [Person(ANNA, language="de"), Person(BERTA), Person(renamed)])
    assert {ANNA.key: Invited.NEW_LINK, BERTA.key: Invited.NEW_LINK} == told
    found = {link.account: link.language for link in links.list()}
    assert {renamed: "de", BERTA: ""} == found
    assert [("admin", "contoso.example", {"people": 2, "links": 2})] == _audit(store, "invitation.import")


def test_what_is_not_told_of_a_person_stays_as_it_is_known(links: Links) -> None:
    _invite(links, [Person(ANNA, language="de")])
    _invite(links, [Person(Account(ANNA.address), username_known=False)])
    assert [(ANNA, "de")] == [(link.account, link.language) for link in links.list()]
    _invite(links, [Person(Account(ANNA.address, username="new@contoso.example"), language="fr")])
    (link,) = links.list()
    assert ("new@contoso.example", ANNA.display_name, "fr") == (
        link.account.username,
        link.account.display_name,
        link.language,
    )


def test_people_of_a_domain_that_is_not_configured_are_left_out_and_the_others_invited(links: Links) -> None:
    stranger = Account("bob@fabrikam.example")
    people = [Person(stranger), Person(ANNA)]
    expected = {stranger.key: Invited.UNKNOWN_DOMAIN, ANNA.key: Invited.NEW_LINK}
    assert expected == links.foresee(people)
    assert expected == _invite(links, people)
    assert [ANNA] == [link.account for link in links.list()]


def test_nobody_at_all_is_invited_without_a_trace(links: Links, store: Store) -> None:
    assert {} == _invite(links, []) == links.foresee([])
    assert [] == _audit(store, "invitation.import")


@pytest.mark.parametrize("devices", [0, 1001])
def test_nobody_is_invited_with_a_link_outside_its_limits(devices: int, links: Links) -> None:
    with pytest.raises(ProvisionerError, match="1 to 1000 devices"):
        _invite(links, [Person(ANNA)], devices=devices)
    assert [] == links.list()

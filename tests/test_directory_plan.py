"""A directory that is declared: planned from two snapshots, and carried out whole or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from sqlalchemy import select

from provisioner.directory import Change, Directory, Plan, Snapshot, id_of, make_plan
from provisioner.errors import InvalidSetting, StillInUse
from provisioner.links import Links
from provisioner.model import Account
from provisioner.organisation import Domain, Organisation
from provisioner.store import Store, tables
from tests.directories import snapshots
from tests.samples import CONTOSO, NOW, PROVIDERS, contoso_domain, contoso_snapshot
from tests.stores import Clock

EMPTY = Snapshot(organisations={}, domains={})
FABRIKAM = Organisation("fabrikam", "Fabrikam")


@pytest.fixture
def directory(store: Store) -> Directory:
    return Directory(store, PROVIDERS, clock=Clock(NOW))


def _trail(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        query = select(tables.audit.c.action, tables.audit.c.subject).order_by(tables.audit.c.id)
        return [tuple(row) for row in connection.execute(query)]


# planning


def test_organisations_come_before_their_domains_and_go_after_them() -> None:
    contoso = contoso_snapshot()
    assert (Change(None, CONTOSO), Change(None, contoso_domain())) == make_plan(EMPTY, contoso, prune=False).changes
    expected = (Change(contoso_domain(), None), Change(CONTOSO, None))
    assert expected == make_plan(contoso, EMPTY, prune=True).changes


def test_a_change_names_what_differs() -> None:
    before, after = contoso_domain(), replace(contoso_domain(), smtp_password=True)
    change = Change(before, after)
    assert ("change", {"smtp_password": (False, True)}) == (change.action, dict(change.settings))
    assert ("add", (None, "Fabrikam")) == (Change(None, FABRIKAM).action, Change(None, FABRIKAM).settings["name"])
    assert ("remove", ("Fabrikam", None)) == (
        Change(FABRIKAM, None).action,
        Change(FABRIKAM, None).settings["name"],
    )


def test_one_is_not_true() -> None:
    """What an older version stored as a number is mended."""
    before, after = (replace(FABRIKAM, outlook={"switch": value}) for value in (1, True))
    assert ["outlook"] == list(Change(before, after).settings)
    assert {} == Change(before, before).settings


def _after(before: Snapshot, plan: Plan) -> Snapshot:
    """What carrying out ``plan`` makes of ``before``."""
    entries = {id_of(each): each for each in before.organisations.values()}
    names = {id_of(each): each for each in before.domains.values()}
    for change in plan.changes:
        match change.before, change.after:
            case (_, Organisation() as organisation):
                entries[organisation.id] = organisation
            case (_, Domain() as domain):
                assert domain.organisation_id in entries, "its organisation comes first"
                names[domain.name] = domain
            case (Organisation() as organisation, None):
                assert organisation.id not in {domain.organisation_id for domain in names.values()}
                del entries[organisation.id]
            case (Domain() as domain, None):
                del names[domain.name]
    return Snapshot(organisations=entries, domains=names)


@given(snapshots(), snapshots())
def test_a_plan_leads_from_what_is_to_what_is_wanted(before: Snapshot, wanted: Snapshot) -> None:
    assert wanted == _after(before, make_plan(before, wanted, prune=True))
    plan = make_plan(before, wanted, prune=False)
    after = _after(before, plan)
    assert {**before.organisations, **wanted.organisations} == after.organisations
    assert {**before.domains, **wanted.domains} == after.domains
    unnamed = {*before.organisations, *before.domains} - {*wanted.organisations, *wanted.domains}
    assert unnamed == {id_of(entry) for entry in plan.left_alone}
    assert () == make_plan(after, wanted, prune=False).changes


# carrying out


def test_what_is_wanted_is_served_at_once_and_stands_in_the_trail(directory: Directory, store: Store) -> None:
    assert EMPTY == directory.snapshot()
    directory.apply(contoso_snapshot(), prune=False, actor="admin")
    assert contoso_snapshot() == directory.snapshot()
    assert [("organisation.add", "contoso"), ("domain.add", "contoso.example")] == _trail(store)
    assert Plan((), ()) == directory.apply(contoso_snapshot(), prune=True, actor="admin")
    assert 2 == len(_trail(store))


def test_a_plan_that_is_only_made_changes_nothing(directory: Directory, store: Store) -> None:
    planned = directory.plan(contoso_snapshot(), prune=False)
    assert EMPTY == directory.read()
    assert [] == _trail(store)
    assert planned == directory.apply(contoso_snapshot(), prune=False, actor="admin")


def test_a_domain_that_no_organisation_can_have_stops_everything(directory: Directory) -> None:
    wrong = replace(contoso_domain(), name="outlook.com")
    unknown = replace(contoso_domain(), provider_id="office366")
    wanted = Snapshot(organisations={"contoso": CONTOSO}, domains={each.name: each for each in (wrong, unknown)})
    with pytest.raises(InvalidSetting) as refusal:
        directory.apply(wanted, prune=False, actor="admin")
    assert ["[[domain]] outlook.com", "[[domain]] contoso.example"] == [
        line.split(": ")[0] for line in str(refusal.value).splitlines()
    ]
    with pytest.raises(InvalidSetting) as also_refused:
        directory.plan(wanted, prune=False)
    assert str(refusal.value) == str(also_refused.value)
    assert EMPTY == directory.read()


def test_open_links_keep_their_domain_and_each_such_domain_is_told(directory: Directory, store: Store) -> None:
    others = [replace(contoso_domain(), name=name) for name in ("a.example", "b.example", "c.example")]
    wanted = Snapshot(organisations={"contoso": CONTOSO}, domains={each.name: each for each in others})
    directory.apply(wanted, prune=False, actor="admin")
    links = Links(store, key=bytes(32), clock=Clock(NOW))
    for address in ("anna@a.example", "anna@c.example"):
        links.create(Account(address), lifetime=timedelta(days=1), devices=1, actor="admin")
    trail = _trail(store)
    fabrikam = Snapshot(organisations={"fabrikam": FABRIKAM}, domains={})
    with pytest.raises(StillInUse) as refusal:
        directory.apply(fabrikam, prune=True, actor="admin")
    expected = [f"The domain {name} still has 1 open setup link." for name in ("a.example", "c.example")]
    assert expected == [line.partition(" Revoke")[0] for line in str(refusal.value).splitlines()]
    assert wanted == directory.read()
    assert trail == _trail(store)


def test_an_organisation_whose_domain_stays_stays_and_is_told(directory: Directory) -> None:
    directory.apply(contoso_snapshot(), prune=False, actor="admin")
    without_its_organisation = Snapshot(organisations={}, domains=contoso_snapshot().domains)
    with pytest.raises(StillInUse, match="'contoso' still has 1 domain"):
        directory.apply(without_its_organisation, prune=True, actor="admin")
    assert contoso_snapshot() == directory.read()


def test_of_several_who_apply_the_same_at_once_one_does_it_and_the_others_find_it_done(
    directory: Directory, store: Store
) -> None:
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(directory.apply, contoso_snapshot(), prune=True, actor="admin") for _ in range(4)]
        changes = sorted(len(each.result().changes) for each in asked)
    assert [0, 0, 0, 2] == changes
    assert 2 == len(_trail(store))


def test_of_those_who_change_the_directory_at_once_each_waits_for_the_others(directory: Directory) -> None:
    """None is told that the database is locked: in PostgreSQL they would wait for each other in a circle."""
    directory.apply(contoso_snapshot(), prune=False, actor="admin")
    renamed = [replace(CONTOSO, name=name) for name in ("Contoso", "Contoso Ltd")]
    domains = [replace(contoso_domain(), smtp_password=on) for on in (True, False)]

    def in_turn(change: Callable[[int], object]) -> None:
        for number in range(10):
            change(number % 2)

    changes: list[Callable[[int], object]] = [
        lambda which: directory.apply(contoso_snapshot(organisation=renamed[which]), prune=True, actor="apply"),
        lambda which: directory.change_organisation(renamed[which], actor="organisation set"),
        lambda which: directory.change_domain(domains[which], actor="domain set"),
    ]
    with ThreadPoolExecutor(2 * len(changes)) as threads:
        for each in [threads.submit(in_turn, change) for change in changes * 2]:
            each.result()

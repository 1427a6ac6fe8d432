"""Long lists: through kill -9, Ctrl-C and a second import at the same time, everybody ends with exactly one link."""

import csv
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from provisioner.links import Links, load_link_key
from provisioner.store import Store, tables
from tests.commands import Shell, shell_with_contoso
from tests.processes import PROVISIONER, Running, running, until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

LONG = 100_000  # rows; issue: "100,000 rows work"
PATIENCE = 300.0  # seconds, for a whole list on a machine that does other work too


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Shell:
    return shell_with_contoso(tmp_path / "data", PROVISIONER_DATABASE_URL=database_url)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with closing(Store.open(database_url)) as store:
        yield store


def _address(number: int) -> str:
    return f"person{number}@contoso.example"


def _write(path: Path, count: int, *, columns: str = "address,name,language", backwards: bool = False) -> Path:
    """A list of ``count`` people, each with a value of its own in every column."""
    cells: dict[str, Callable[[int], str]] = {
        "address": _address,
        "name": lambda number: f"Persön {number}",
        "language": lambda _: "de",
    }
    numbers = reversed(range(count)) if backwards else range(count)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split(","))
        writer.writerows([cells[column](number) for column in columns.split(",")] for number in numbers)
    return path


def _invited(store: Store) -> int:
    """How many invitations are stored."""
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.invitations)).scalar_one()


def _wait_for(count: float, store: Store, importing: Running) -> None:
    """Until ``count`` invitations are stored, while ``importing`` is still at it."""
    until(lambda: _invited(store) >= count, of=importing, patience=PATIENCE)


def _inviting(shell: Shell, *arguments: str | Path) -> AbstractContextManager[Running]:
    environ = {"PROVISIONER_DATA_DIR": str(shell.data_dir), **shell.environ}
    return running("invite", *arguments, **environ)


def _assert_each_has_one_link_that_opens(shell: Shell, store: Store, count: int) -> None:
    """Exactly ``count`` people, each with one link, whose token comes from the key and is the one that is stored."""
    with store.read() as connection:
        whose = connection.execute(select(tables.links.c.invitation_id)).scalars().all()
        people = connection.execute(select(tables.invitations.c.id)).scalars().all()
        made = select(tables.audit.c.subject).where(tables.audit.c.action == "link.create")
        recorded = connection.execute(made).scalars().all()
    assert (count, count, count) == (len(people), len(whose), len(recorded))
    assert sorted(people) == sorted(whose)
    links = Links(store, key=load_link_key(shell.data_dir / "link.key"), clock=lambda: datetime.now(UTC)).list()
    assert sorted(recorded) == sorted(link.id for link in links)
    assert {_address(number) for number in range(count)} == {link.account.address for link in links}
    assert count == len({link.token for link in links if link.token})  # empty where it is not the stored one's


@pytest.fixture
def count(database_url: str) -> int:
    """How many people: all of them on the embedded database, and what a test may take of a server."""
    return LONG if database_url.startswith("sqlite") else 5_000


def test_a_long_list_that_is_killed_twice_is_finished_with_nothing_twice_and_nothing_lost(
    shell: Shell, store: Store, tmp_path: Path, count: int
) -> None:
    path = _write(tmp_path / "list.csv", count)
    for part in (0.2, 0.6):
        with _inviting(shell, path) as killed:
            _wait_for(part * count, store, killed)
            assert -signal.SIGKILL == killed.end(signal.SIGKILL)
        assert part * count <= _invited(store) < count
    before = _invited(store)
    with _inviting(shell, path, "--json") as last:
        assert 0 == last.process.wait(PATIENCE), last.stderr
        said = json.loads(last.stdout)
    assert (count, count - before, before, {}) == tuple(said[name] for name in ("rows", "invited", "kept", "left_out"))
    _assert_each_has_one_link_that_opens(shell, store, count)
    assert {("de", f"Persön {count - 1}")} == {
        (link["language"], link["name"]) for link in shell.json("link", "list", "--address", _address(count - 1))
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_interrupted_finishes_its_batch_and_tells_how_to_go_on(
    number: signal.Signals, shell: Shell, store: Store, tmp_path: Path
) -> None:
    path, report = _write(tmp_path / "list.csv", 30_000), tmp_path / "report.csv"
    with _inviting(shell, path, "--report", report) as stopped:
        _wait_for(1, store, stopped)
        assert 130 == stopped.end(number)
        done = _invited(store)
        assert f"Invited {done} people with a new link.\n" == stopped.stdout
        said = (
            f"Error: Interrupted after line {done + 1}. What was done is kept; run the same command again to finish it."
        )
        assert [said] == stopped.stderr.splitlines()
    assert 0 < done < 30_000
    assert done + 1 == len(report.read_text(encoding="utf-8-sig").splitlines())
    _assert_each_has_one_link_that_opens(shell, store, done)


def _finished(importing: Running) -> dict[str, int]:
    assert 0 == importing.process.wait(PATIENCE), importing.stderr
    told: dict[str, int] = json.loads(importing.stdout)
    return told


def test_two_imports_of_one_list_at_once_invite_everybody_once(shell: Shell, store: Store, tmp_path: Path) -> None:
    path = _write(tmp_path / "list.csv", 5_000)
    with _inviting(shell, path, "--json") as first, _inviting(shell, path, "--json") as second:
        told = [_finished(first), _finished(second)]
    assert 5_000 == sum(each["invited"] for each in told)
    assert [5_000, 5_000] == [each["people"] for each in told]
    _assert_each_has_one_link_that_opens(shell, store, 5_000)


def test_what_two_lists_tell_of_the_same_people_at_once_is_all_kept(shell: Shell, store: Store, tmp_path: Path) -> None:
    """One goes from the end to the beginning, so that they meet; one tells names, the other languages."""
    names = _write(tmp_path / "names.csv", 5_000, columns="address,name")
    languages = _write(tmp_path / "languages.csv", 5_000, columns="language,address", backwards=True)
    with _inviting(shell, names, "--json") as first, _inviting(shell, languages, "--json") as second:
        assert 5_000 == _finished(first)["invited"] + _finished(second)["invited"]
    _assert_each_has_one_link_that_opens(shell, store, 5_000)
    with store.read() as connection:
        told = connection.execute(select(tables.invitations.c.language, tables.invitations.c.display_name)).all()
    assert {"de": 5_000} == Counter(language for language, _ in told)
    assert {f"Persön {number}" for number in range(5_000)} == {name for _, name in told}


def test_on_a_terminal_a_bar_grows_to_the_end_of_the_list(tmp_path: Path) -> None:
    shell = shell_with_contoso(tmp_path / "data")
    path = _write(tmp_path / "list.csv", 2_000)
    environ = {name: value for name, value in (os.environ | shell.variables()).items() if value is not None}
    ours, theirs = os.openpty()
    command = [str(PROVISIONER), "invite", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environ) as importing:
        os.close(theirs)
        assert importing.stdout is not None
        assert b"Invited 2000 people with a new link.\n" == importing.stdout.read()
    assert 0 == importing.returncode
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "Inviting" in shown
    assert "100%" in shown

"""What inviting a list of people costs beside the bare insertion of the same rows, and the memory it takes.

The bare insertion is executemany of Python's own sqlite3 into the same tables with the same settings, 500 people a
transaction: the least that keeping an invitation, a link and its audit record costs. The lists are then invited by the
command itself, each in a process of its own: how much memory that took at most (VmHWM in Linux's proc(5)) must hardly
depend on how long the list is.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from io import BytesIO
from itertools import count
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from benchmarks.timing import Case, Row, compare, table
from provisioner.app import Services, build
from provisioner.cli import main as command_line
from provisioner.config import Settings
from provisioner.invitations import BATCH, Selection, invite_in_batches, people, read_table
from provisioner.organisation import Domain, Organisation

_PEOPLE = 1000
_LISTS = (10_000, 100_000)
_AT = "2026-11-23 09:00:00.000000"
_DETAILS = '{"domain": "contoso.example", "devices": 3, "expires_at": "2026-12-07T09:00:00+00:00"}'


def measure(seconds: float) -> list[Row]:
    """New people, the same people again, and reading the list alone, beside bare rows; then the command as a whole."""
    with TemporaryDirectory(prefix="provisioner-benchmark-") as place:
        with _services(Path(place, "ours")) as ours, _services(Path(place, "bare")) as bare:
            rows = _compare(ours, bare.settings.data_dir / "provisioner.sqlite3", seconds)
        return rows + _whole(Path(place))


@contextmanager
def _services(place: Path) -> Iterator[Services]:
    """A store that has contoso.example and nobody in it."""
    services = build(Settings(data_dir=place))
    services.store.upgrade()
    services.directory.add_organisation(Organisation(id="contoso", name="Contoso"), actor="benchmark")
    domain = Domain(name="contoso.example", organisation_id="contoso", provider_id="office365")
    services.directory.add_domain(domain, actor="benchmark")
    yield services
    services.close()


def _compare(ours: Services, bare: Path, seconds: float) -> list[Row]:
    starts, twice = count(step=_PEOPLE), _list(_PEOPLE, start=10**9)
    _invite(ours, twice)
    with closing(sqlite3.connect(bare, isolation_level=None)) as connection:
        connection.executescript("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL")
        return compare(
            Case("1,000 people as bare rows", partial(_insert, connection, count(start=1, step=_PEOPLE))),
            Case("1,000 new people invited", lambda: _invite(ours, _list(_PEOPLE, start=next(starts)))),
            Case("1,000 people invited again", lambda: _invite(ours, twice)),
            Case("1,000 people read and checked", lambda: list(people(read_table(BytesIO(twice)), Selection()))),
            seconds=seconds,
        )


def _list(number: int, *, start: int = 0) -> bytes:
    people = (f"person{each}@contoso.example,Person {each},de\n" for each in range(start, start + number))
    return f"address,name,language\n{''.join(people)}".encode()


def _invite(services: Services, content: bytes) -> None:
    invite = partial(services.links.invite, lifetime=timedelta(days=14), devices=3, actor="benchmark")
    for _ in invite_in_batches(people(read_table(BytesIO(content)), Selection()), invite, pause=time.sleep):
        pass


def _insert(connection: sqlite3.Connection, starts: Iterator[int]) -> None:
    first = next(starts)
    for start in range(first, first + _PEOPLE, BATCH):
        numbers = range(start, start + BATCH)
        links = [(token_hex(16), number) for number in numbers]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO invitations (id, address_key, address, username, display_name, domain, created_at, language) "
            "VALUES (?, ?, ?, ?, ?, 'contoso.example', ?, 'de')",
            ((each, *[f"person{each}@contoso.example"] * 3, f"Person {each}", _AT) for each in numbers),
        )
        connection.executemany(
            "INSERT INTO links (id, invitation_id, issue, token_hash, created_at, expires_at, devices_allowed) "
            "VALUES (?, ?, 1, ?, ?, ?, 3)",
            ((link, number, token_hex(32), _AT, _AT) for link, number in links),
        )
        connection.executemany(
            "INSERT INTO audit (at, actor, action, subject, details) VALUES (?, 'benchmark', 'link.create', ?, ?)",
            ((_AT, link, _DETAILS) for link, _ in links),
        )
        connection.execute("COMMIT")


def _whole(place: Path) -> list[Row]:
    """The command in a process of its own for each length of list: people for each CPU second, and its memory."""
    rows: list[Row] = []
    for number in _LISTS:
        cpu, peak = _in_child(place / str(number), number)
        beside, ratio = (rows[0].operation, number / cpu / rows[0].per_second) if rows else ("", 1.0)
        name = f"provisioner invite, {number:,} people (each)"
        rows.append(Row(name, number / cpu, beside, ratio, ratio, ratio, peak=peak))
    return rows


def _in_child(place: Path, number: int) -> tuple[float, float]:
    with _services(place):
        pass
    path = place / "list.csv"
    path.write_bytes(_list(number))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PROVISIONER_")}
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.invitations", path],
        env={**environ, "PROVISIONER_DATA_DIR": str(place)},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.splitlines()[-1]
    cpu, peak = json.loads(told)
    return cpu, peak


def _child(path: str) -> None:
    """Invite the list as the command line does; writes the CPU seconds and the MiB it took at most."""
    command_line(["invite", path], standalone_mode=False)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kibibytes = int(status.partition("VmHWM:")[2].split()[0])
    print(json.dumps([time.process_time(), kibibytes / 1024]))


def main() -> None:
    """Measure for about half a minute and print the table; with a file's name, only invite that list."""
    if len(sys.argv) > 1:
        _child(sys.argv[1])
    else:
        print(table(measure(1.0)))


if __name__ == "__main__":
    main()

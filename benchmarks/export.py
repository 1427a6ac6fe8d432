"""What a person's signed profile in an MDM's set costs beside the bare signature, on every core; and in what memory.

``benchmarks/run export`` compares CPU time like the others. ``python -m benchmarks.export --people 1000 10000 100000``
compares by the clock: as many processes sign with the same key for as long as the export takes, before and after it,
and the highest resident memory (Linux, VmHWM) of all its processes is added up.
"""

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from benchmarks.timing import Row
from provisioner.directory import Snapshot
from provisioner.export import Desk, export_people
from provisioner.mdm import load_mdms
from provisioner.organisation import Domain, Organisation
from tests.pki import load_without_public_roots, make_signer, p256_key, rsa_key, write_identity
from tests.samples import PROVIDERS

_SPAWN = multiprocessing.get_context("spawn")
_PEOPLE = 5_000  # of each run in the common table
_ROUNDS = 3
_SAMPLED = 0.02  # seconds between two looks at the memory
_LONG = 5.0  # seconds of raw signatures before and after an export
_CONTENT = b"x" * 1750  # as long as a profile
_KEYS = ("RSA-2048", "P-256")


@dataclass(frozen=True, slots=True)
class Work:
    """How much was done: things, seconds by the clock and of all processors, and bytes of memory at the most."""

    count: int
    clock: float
    cpu: float
    memory: int = 0


def measure(seconds: float) -> list[Row]:
    """For each key: raw signatures, and people whose profile was written into a set, per second of CPU time."""
    processes = len(os.sched_getaffinity(0))
    rows: list[Row] = []
    for name in _KEYS:
        with _place(name, _PEOPLE) as place:
            pairs = [(_raw(place, processes, seconds), _export(place, processes)) for _ in range(_ROUNDS)]
        ratios = [ours.count / ours.cpu / (raw.count / raw.cpu) for raw, ours in pairs]
        raw_name = f"raw {name} signature, {processes} processes"
        rows.append(Row(raw_name, median(raw.count / raw.cpu for raw, _ in pairs), "", 1, 1, 1))
        rows.append(
            Row(
                f"person in a set, signed with {name}",
                median(ours.count / ours.cpu for _, ours in pairs),
                raw_name,
                median(ratios),
                min(ratios),
                max(ratios),
            )
        )
    return rows


@contextmanager
def _place(key: str, people: int) -> Iterator[Path]:
    """A directory with an identity and a list of people."""
    with TemporaryDirectory(prefix="provisioner-benchmark-") as name:
        place = Path(name)
        write_identity(place / "identity", make_signer(key=rsa_key() if key == "RSA-2048" else p256_key()))
        with (place / "people.csv").open("w") as file:
            file.write("address,name\n")
            file.writelines(f"person{number}@contoso.example,Person {number}\n" for number in range(people))
        yield place


def _export(place: Path, processes: int) -> Work:
    """One export in a process of its own, watched from here."""
    here, there = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_run_export, args=(place, processes, there))
    process.start()
    there.close()
    peaks: dict[int, int] = {}
    while not here.poll(_SAMPLED):
        _look(process, peaks)
    count, clock, cpu = here.recv()
    process.join()
    return Work(count, clock, cpu, sum(peaks.values()))


def _run_export(place: Path, processes: int, told: Connection) -> None:
    domain = Domain(name="contoso.example", organisation_id="contoso", provider_id="office365")
    organisation = Organisation(id="contoso", name="Contoso", support_contact="help@contoso.example")
    desk = Desk(
        mdm=load_mdms()["nanocmd"],
        snapshot=Snapshot(organisations={"contoso": organisation}, domains={domain.name: domain}),
        providers=PROVIDERS,
        identity=partial(load_without_public_roots, place / "identity"),
        now=datetime.now(UTC),
    )
    start = time.monotonic()
    outcome = export_people(
        desk,
        place / "people.csv",
        place / "set.zip",
        record=lambda _: None,
        processes=processes,
        progress=lambda _done, _of: None,
    )
    clock = time.monotonic() - start
    told.send((outcome.signatures, clock, time.process_time() + _children_cpu()))


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _look(process: BaseProcess, peaks: dict[int, int]) -> None:
    """Note the highest memory so far of the process and its children."""
    assert process.pid is not None
    for number in (process.pid, *_children(process.pid)):
        peaks[number] = max(peaks.get(number, 0), _peak(number))


def _children(number: int) -> list[int]:
    try:
        tasks = [*Path(f"/proc/{number}/task").iterdir()]
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has just ended
        return []


def _peak(number: int) -> int:
    try:
        status = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines.get("VmHWM", "0 kB").split()[0]) * 1024


def _raw(place: Path, processes: int, seconds: float) -> Work:
    """As many processes that do nothing but sign, all at once."""
    together = _SPAWN.Barrier(processes)
    pipes = [_SPAWN.Pipe(duplex=False) for _ in range(processes)]
    signers = [_SPAWN.Process(target=_run_raw, args=(place, seconds, together, there)) for _, there in pipes]
    for signer in signers:
        signer.start()
    told = [here.recv() for here, _ in pipes]
    for signer in signers:
        signer.join()
    return Work(sum(count for count, _ in told), seconds, sum(cpu for _, cpu in told))


def _run_raw(place: Path, seconds: float, together: Barrier, told: Connection) -> None:
    sign = _signature((place / "identity" / "key.pem").read_bytes())
    together.wait()
    count, end, start = 0, time.monotonic() + seconds, time.process_time()
    while time.monotonic() < end:
        sign()
        count += 1
    told.send((count, time.process_time() - start))


def _signature(pem: bytes) -> Callable[[], bytes]:
    key = load_pem_private_key(pem, password=None)
    if isinstance(key, EllipticCurvePrivateKey):
        return lambda: key.sign(_CONTENT, ECDSA(SHA256()))
    assert isinstance(key, RSAPrivateKey)
    return lambda: key.sign(_CONTENT, PKCS1v15(), SHA256())


def main() -> None:
    """Measure by the clock, and the memory, for each number of people; one line each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.export", description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 10_000], help="default: 1000 10000")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="default: one a processor")
    parser.add_argument("--key", choices=_KEYS, default="RSA-2048", help="default: RSA-2048")
    arguments = parser.parse_args()
    print(f"{arguments.key}, {arguments.processes} processes")
    print("people    profiles/s  raw signatures/s  ratio  peak MiB, all processes")
    for people in arguments.people:
        with _place(arguments.key, people) as place:
            before = _raw(place, arguments.processes, _LONG)
            ours = _export(place, arguments.processes)
            after = _raw(place, arguments.processes, _LONG)
        raw = (before.count + after.count) / (before.clock + after.clock)
        rate = ours.count / ours.clock
        print(f"{people:<8,}  {rate:10,.0f}  {raw:16,.0f}  {rate / raw:5.3f}  {ours.memory / 2**20:24,.0f}", flush=True)


if __name__ == "__main__":
    main()

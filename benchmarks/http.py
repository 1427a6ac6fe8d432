"""A signed download and the landing page over a real gunicorn, beside a constant view on the same server.

Requests per second of the server's own CPU time, all its threads together (Linux, /proc/<pid>/task/<tid>/schedstat):
the client and whatever else this machine does cost nothing. The constant is served by the same Flask behind the same
refusals, headers and log; so a ratio tells what our own work costs.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.timing import ROUNDS, Row
from provisioner.app import build, clock
from provisioner.cli.logs import start_log
from provisioner.cli.server import listen, run
from provisioner.config import Settings
from provisioner.model import Account
from provisioner.organisation import Domain, Organisation
from provisioner.signing import create_demo_identity

_HOST = "127.0.0.1"
_CONNECTIONS = 8
_CONSTANT = "/constant"
_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1"
)


def measure(seconds: float) -> list[Row]:
    """The constant view, the landing page as an iPhone sees it, its QR code and the signed profile."""
    with TemporaryDirectory(prefix="provisioner-benchmark-") as place:
        link = _prepare(_settings(Path(place)))
        with _server(Path(place)) as server:
            return _compare(
                server,
                ("a constant view", _CONSTANT),
                ("landing page", link),
                ("QR code of the page (PNG)", f"{link}/qr.png"),
                ("signed download", f"{link}/ios-exchange.mobileconfig"),
                seconds=seconds,
            )


def _settings(place: Path) -> Settings:
    return Settings(public_url=f"http://{_HOST}", data_dir=place, workers=1)


def _prepare(settings: Settings) -> str:
    """A store with one person and a demo identity; returns the path of the person's link."""
    create_demo_identity(settings.identity_dir, now=clock(), organisation="Contoso")
    services = build(settings)
    services.store.upgrade()
    services.directory.add_organisation(Organisation(id="contoso", name="Contoso"), actor="benchmark")
    domain = Domain(name="contoso.example", organisation_id="contoso", provider_id="office365")
    services.directory.add_domain(domain, actor="benchmark")
    account = Account("anna@contoso.example", display_name="Anna")
    link = services.links.create(account, lifetime=timedelta(days=1), devices=1000, actor="benchmark")
    services.close()
    return link.path


def serve(place: str) -> None:
    """Run the service in ``place`` with gunicorn as ``provisioner serve`` does, and say the port on standard output."""
    settings = _settings(Path(place))
    start_log(level=settings.log_level, form=settings.log_format)
    listener = listen(_HOST, 0)
    print(listener.getsockname()[1], flush=True)
    run(settings, listener, post_worker_init=_add_constant)


def _add_constant(worker: Any) -> None:
    worker.wsgi.add_url_rule(_CONSTANT, "constant", lambda: "constant")


@dataclass(frozen=True, slots=True)
class _Server:
    pid: int
    connections: Sequence[socket.socket]

    def cpu_time(self) -> float:
        """Seconds of CPU that the worker processes have used."""
        return sum(_cpu_time(int(worker)) for worker in _children(self.pid))

    def ask(self, path: str, times: int) -> None:
        """GET ``path`` so often, on all connections at once."""
        request = f"GET {path} HTTP/1.1\r\nHost: {_HOST}\r\nUser-Agent: {_IPHONE}\r\n\r\n".encode()
        for _ in range(0, times, len(self.connections)):
            for connection in self.connections:
                connection.sendall(request)
            for connection in self.connections:
                _read_answer(connection)


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _cpu_time(pid: int) -> float:
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def _read_answer(connection: socket.socket) -> None:
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"200 was expected: {head[:60]!r}")
    left = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]) - len(body)
    while left > 0:
        left -= len(connection.recv(left))


@contextmanager
def _server(place: Path) -> Iterator[_Server]:
    command = [sys.executable, "-c", "import sys; from benchmarks.http import serve; serve(sys.argv[1])", str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            connections = [socket.create_connection((_HOST, port), timeout=60) for _ in range(_CONNECTIONS)]
            yield _Server(process.pid, connections)
            for connection in connections:
                connection.close()
        finally:
            process.terminate()


def _compare(server: _Server, beside: tuple[str, str], *others: tuple[str, str], seconds: float) -> list[Row]:
    """Slices of all cases in turn, each of about ``seconds`` of the server's CPU time in all, ``beside`` first."""
    cases = (beside, *others)
    times = [_times(server, path, seconds / ROUNDS) for _, path in cases]
    rates = [
        [count / _cost(server, path, count) for (_, path), count in zip(cases, times, strict=True)]
        for _ in range(ROUNDS)
    ]
    rows = []
    for index, (name, _) in enumerate(cases):
        ratios = [each[index] / each[0] for each in rates]
        rows.append(
            Row(
                operation=f"GET {name}",
                per_second=median(each[index] for each in rates),
                beside="" if index == 0 else f"GET {beside[0]}",
                ratio=median(ratios),
                lowest=min(ratios),
                highest=max(ratios),
            )
        )
    return rows


def _cost(server: _Server, path: str, times: int) -> float:
    before = server.cpu_time()
    server.ask(path, times)
    return server.cpu_time() - before


def _times(server: _Server, path: str, seconds: float) -> int:
    """How many requests take ``seconds`` of the server's CPU time; also warms it up."""
    times = _CONNECTIONS
    while (taken := _cost(server, path, times)) < seconds / 4:
        times *= 2
    return max(_CONNECTIONS, round(times * seconds / taken / _CONNECTIONS) * _CONNECTIONS)

"""Servers to measure: gunicorn with one and the same settings, each on the same processor, asked from another one.

What counts is the CPU time of the server's worker, all its threads together (Linux, /proc/<pid>/task/<tid>/schedstat):
the client and whatever else this machine does cost nothing. What one waits for an answer, on the other hand, is told by
the clock of the wall, and compares only with what stands in the same table.
"""

import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

_HOST = "127.0.0.1"
_CONNECTIONS = 16
_SETTINGS = ["--worker-class=gthread", "--workers=1", "--threads=4", "--keep-alive=75", "--no-control-socket"]
_PATIENCE = 60  # seconds
_HEADERS = (
    "Host: autodiscover.contoso.example\r\nAccept: */*\r\nAccept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\nCache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.0\r\n"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks, as the octets it sends; the connection stays open."""

    octets: bytes


def get(path: str) -> Request:
    """A GET of ``path``."""
    return Request(f"GET {path} HTTP/1.1\r\n{_HEADERS}\r\n".encode())


def post(path: str, body: str) -> Request:
    """A POST of XML."""
    about = f"Content-Type: text/xml; charset=utf-8\r\nContent-Length: {len(body.encode())}\r\n"
    return Request(f"POST {path} HTTP/1.1\r\n{_HEADERS}{about}\r\n{body}".encode())


@dataclass(frozen=True, slots=True)
class Cost:
    """What so many answers took: the server's CPU seconds, and the seconds one waited for each."""

    cpu: float
    waits: Sequence[float]

    @property
    def rate(self) -> float:
        """Answers for each CPU second."""
        return len(self.waits) / self.cpu


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    pid: int  # of gunicorn's arbiter
    connections: Sequence[socket.socket]

    def ask(self, request: Request, times: int) -> Cost:
        """Ask so often, on all connections at once."""
        before, waits = self._cpu_time(), list[float]()
        with selectors.DefaultSelector() as selector:
            for connection in self.connections[:times]:
                exchange = _Exchange(connection)
                selector.register(connection, selectors.EVENT_READ, exchange)
                exchange.send(request)
            to_ask = times - len(selector.get_map())
            while len(waits) < times:
                for key, _ in selector.select(_PATIENCE):
                    if not key.data.receive():
                        continue
                    waits.append(key.data.waited)
                    if to_ask:
                        to_ask -= 1
                        key.data.send(request)
        return Cost(self._cpu_time() - before, waits)

    def _cpu_time(self) -> float:
        """Seconds of CPU that the worker processes have used."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        threads = [thread for child in children for thread in Path(f"/proc/{child}/task").glob("*/schedstat")]
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


class _Exchange:
    """A request and its answer on one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._answer = b""
        self._started = 0.0
        self.waited = 0.0

    def send(self, request: Request) -> None:
        self._answer = b""
        self._started = perf_counter()
        self._connection.sendall(request.octets)

    def receive(self) -> bool:
        """Take what has come; returns whether the answer is complete. Raises RuntimeError for any but a good one."""
        self._answer += self._connection.recv(65536)
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"200 was expected, found {head[:60]!r}.")
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]) if end else 1
        self.waited = perf_counter() - self._started
        return len(body) >= length


@contextmanager
def serving(
    application: str, *, python: Path = Path(sys.executable), environ: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A gunicorn of ``python`` that serves ``application`` (module:name or module:factory()) until the end."""
    with socket.create_server((_HOST, 0)) as listener:
        # gunicorn sets it too, but too late for connections that are made before it runs: their answers wait for 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address, number = listener.getsockname(), listener.fileno()
        process = subprocess.Popen(
            [python, "-m", "gunicorn", *_SETTINGS, f"--bind=fd://{number}", application],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[number],
            env={**os.environ, **(environ or {})},
        )
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})  # before it has forked its worker
    with process, ExitStack() as connections:
        try:
            yield Server(
                process.pid,
                [
                    connections.enter_context(socket.create_connection(address, timeout=_PATIENCE))
                    for _ in range(_CONNECTIONS)
                ],
            )
        finally:
            process.terminate()


@contextmanager
def elsewhere() -> Iterator[None]:
    """Run this process on the processors that the servers leave free, where there is more than one."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed - {min(allowed)} or allowed)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)

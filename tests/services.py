"""Runs ``provisioner serve`` as a process of its own, and asks it as browsers and as an administrator do."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.commands import Shell
from tests.demonstration import free_port
from tests.processes import Running, running, until


class Service:
    """A service that runs on a port of the loopback interface, and the shell of its administrator."""

    def __init__(self, shell: Shell, port: int, process: Running) -> None:
        self.shell, self.port, self.process = shell, port, process

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of a GET."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return (
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read().decode("latin-1"),
            )
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A connection on which nothing was said yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def raw(self, request: bytes) -> bytes:
        """The answer to octets as they are."""
        with self.connect() as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        children = Path(f"/proc/{self.process.process.pid}/task/{self.process.process.pid}/children")
        return [int(number) for number in children.read_text().split()]

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False


@contextmanager
def serving(data_dir: Path, *arguments: str, **environ: str) -> Iterator[Service]:
    """A service with its state in ``data_dir``, which answers; its public URL is where it listens."""
    port = free_port()
    shell = Shell(
        data_dir, {"PROVISIONER_PUBLIC_URL": f"http://127.0.0.1:{port}", "PROVISIONER_WORKERS": "1"} | environ
    )
    given = {name: value for name, value in shell.variables().items() if value is not None}
    with running("serve", "--port", str(port), *arguments, **given) as process:
        service = Service(shell, port, process)
        until(service.is_up, of=process)
        yield service

"""``provisioner serve``: starts only when it can, believes no forwarder, keeps tokens out of its log, stops."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from provisioner.app import clock
from provisioner.signing import create_demo_identity
from tests.commands import Shell, names
from tests.demonstration import free_port
from tests.pki import make_signer, write_identity
from tests.processes import Running, running, until

pytestmark = pytest.mark.journey


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

    def raw(self, request: bytes) -> bytes:
        """The answer to octets as they are."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
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
    port = free_port()
    shell = Shell(
        data_dir, {"PROVISIONER_PUBLIC_URL": f"http://127.0.0.1:{port}", "PROVISIONER_WORKERS": "1"} | environ
    )
    given = {name: value for name, value in shell.variables().items() if value is not None}
    with running("serve", "--port", str(port), *arguments, **given) as process:
        service = Service(shell, port, process)
        until(service.is_up, of=process)
        yield service


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with a signing identity."""
    create_demo_identity(tmp_path / "data" / "identity", now=clock(), organisation="Contoso")
    return tmp_path / "data"


def make_link(service: Service) -> str:
    """The path of a new link for somebody of a new domain."""
    service.shell.run("organisation", "add", "contoso", "--name", "Contoso")
    service.shell.run("domain", "add", "contoso.example", "--organisation", "contoso")
    link: str = service.shell.json("link", "create", "anna@contoso.example")["link"]
    return link.removeprefix(f"http://127.0.0.1:{service.port}")


def test_it_serves_a_link_made_meanwhile_and_stops_when_told(data_dir: Path) -> None:
    with serving(data_dir, PROVISIONER_WORKERS="2") as service:
        path = make_link(service)
        until(lambda: service.get(path)[0] == 200)  # the new domain is seen within seconds
        status, headers, body = service.get(f"{path}/ios-exchange.mobileconfig")
        assert (200, "application/x-apple-aspen-config") == (status, headers["content-type"])
        assert "anna@contoso.example" in body
        assert 200 == service.get("/readyz")[0]
        assert 0 == service.process.end(signal.SIGTERM)
        assert service.process.is_gone


def test_its_log_has_each_request_without_address_and_token(data_dir: Path) -> None:
    with serving(data_dir, PROVISIONER_LOG_FORMAT="json", PROVISIONER_LOG_LEVEL="debug") as service:
        path = make_link(service)
        until(lambda: service.get(path, Referer=path)[0] == 200)
        service.get(f"{path}?email=anna@contoso.example")
        malformed = service.raw(b"GET " + path.encode() + b" HTTP/9.9\r\n\r\n")
        assert malformed.startswith(b"HTTP/1.1 400 ")
        service.raw(b"GET " + path.encode() + b" HTTP/1.1\r\nBad Header: " + path.encode() + b"\r\n\r\n")
        service.process.end()
        log = service.process.stderr
        events = [json.loads(line) for line in log.splitlines()]  # every line, also gunicorn's, is an event
    requests = [event for event in events if event["event"] == "request"]
    assert {"route", "method", "status", "milliseconds"} <= set(requests[0])
    assert "Invalid request" in {event["event"] for event in events}
    assert path.rpartition("/")[2] not in log
    assert "anna@" not in log


def test_headers_of_a_forwarder_are_not_gunicorns_business(data_dir: Path) -> None:
    with serving(data_dir) as service:
        assert 200 == service.get("/healthz", SCRIPT_NAME="/evil")[0]
        assert 200 == service.get("/healthz", Script_Name="/evil", X_Forwarded_Proto="https", X_Forwarded_Ssl="off")[0]
        answer = service.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /evil\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_it_writes_nothing_outside_its_data_directory(data_dir: Path, tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    with serving(data_dir, HOME=str(home), TMPDIR=str(temporary), XDG_RUNTIME_DIR=str(home)):
        assert ([], []) == (names(home), names(temporary)), "gunicorn would open a control socket at home"


def test_a_worker_that_dies_while_the_store_is_away_is_replaced_and_the_service_goes_on(data_dir: Path) -> None:
    with serving(data_dir) as service:
        path = make_link(service)
        until(lambda: service.get(path)[0] == 200)
        store = data_dir / "provisioner.sqlite3"
        store.rename(data_dir / "away")
        (worker,) = service.workers()
        os.kill(worker, signal.SIGKILL)
        until(lambda: service.workers() not in ([worker], []) and service.is_up(), of=service.process)
        assert 503 == service.get(path)[0]
        (data_dir / "away").rename(store)
        until(lambda: service.get(path)[0] == 200, of=service.process)


def test_a_reload_starts_new_workers_and_the_service_goes_on(data_dir: Path) -> None:
    with serving(data_dir) as service:
        before = service.workers()
        service.process.process.send_signal(signal.SIGHUP)
        until(lambda: service.workers() and not set(before) & set(service.workers()), of=service.process)
        until(service.is_up, of=service.process)


# starting


def refused(data_dir: Path, *arguments: str, **environ: str) -> tuple[int, list[str]]:
    """Exit code and lines of a service that does not start."""
    with running("serve", *arguments, PROVISIONER_DATA_DIR=str(data_dir), **environ) as process:
        code = process.process.wait(30)
        assert process.is_gone
        assert "" == process.stdout
        return code, process.stderr.splitlines()


LOOPBACK = "http://127.0.0.1"


def test_without_a_public_url_it_does_not_start(data_dir: Path) -> None:
    code, (line,) = refused(data_dir)
    assert 2 == code
    assert line.startswith("Error: There is no public URL")


def test_a_port_in_use_is_one_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, (line,) = refused(data_dir, "--port", port, "--public-url", LOOPBACK)
    assert 1 == code
    assert f"Error: Port {port} on 127.0.0.1 cannot be listened on: Address already in use. Stop what uses it" in line


def test_an_address_of_another_machine_is_one_sentence(data_dir: Path) -> None:
    port = str(free_port())
    code, (line,) = refused(data_dir, "--host", "192.0.2.1", "--port", port, "--public-url", LOOPBACK)
    assert (1, True) == (code, "Cannot assign requested address" in line)


def test_options_that_cannot_be_are_misuse(data_dir: Path) -> None:
    code, lines = refused(data_dir, "--port", "x", "--public-url", "http://contoso.example", "--host", "a b")
    assert 2 == code
    assert [
        "Error: --public-url was expected to begin with https://; plain http is for a loopback host only.",
        "Error: --host was expected to be an IP address or a host name, found 'a b'.",
        "Error: --port was expected to be a number from 1 to 65535, found 'x'.",
    ] == lines


def test_a_broken_store_keeps_it_from_starting(data_dir: Path) -> None:
    (data_dir / "provisioner.sqlite3").write_bytes(b"This is no database." * 100)
    code, (line,) = refused(data_dir, "--port", str(free_port()), "--public-url", LOOPBACK)
    assert 1 == code
    assert "cannot be opened: file is not a database" in line


def test_an_identity_that_is_wrong_keeps_it_from_starting(data_dir: Path) -> None:
    (data_dir / "identity" / "key.pem").write_text("x")
    code, lines = refused(data_dir, "--port", str(free_port()), "--public-url", LOOPBACK)
    assert 1 == code
    assert lines[-1].startswith("Error: key.pem cannot be opened")


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "expired"])
def test_an_identity_that_is_missing_or_expired_is_said_loudly_and_nothing_is_signed(
    missing: bool,
    tmp_path: Path,
) -> None:
    if not missing:
        write_identity(tmp_path / "identity", make_signer(not_after=clock().replace(year=2025)))
    with serving(tmp_path, PROVISIONER_LOG_LEVEL="error") as service:
        (line,) = [line for line in service.process.stderr.splitlines() if "event=nothing_will_be_signed" in line]
        assert ("There is no signing identity" if missing else "expired on") in line
        path = make_link(service)
        until(lambda: service.get(path)[0] == 200)
        status, headers, _ = service.get(f"{path}/ios-exchange.mobileconfig")
        assert 503 == status
        assert "retry-after" in headers

"""``provisioner serve``: starts only when it can, believes no forwarder, keeps tokens out of its log, stops."""

import json
import os
import signal
import socket
import time
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]  # it ships no types

from provisioner.app import clock
from provisioner.cli.server import gunicorn_options
from provisioner.config import load_configuration
from provisioner.signing import create_demo_identity
from tests.commands import names
from tests.demonstration import free_port
from tests.pki import make_signer, write_identity
from tests.processes import running, until
from tests.services import Service, serving

pytestmark = pytest.mark.journey


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


def test_gunicorn_trusts_nobody_opens_no_door_of_its_own_and_logs_no_request(tmp_path: Path) -> None:
    settings = load_configuration(file=None, environ={}, overrides={"data_dir": tmp_path}).settings
    set_up = Config()
    for name, value in gunicorn_options(settings, grace=1).items():
        set_up.set(name, value)
    trusted = ("forwarded_allow_ips", "forwarder_headers", "proxy_allow_ips", "secure_scheme_headers")
    assert dict.fromkeys(trusted, 0) == {name: len(getattr(set_up, name)) for name in trusted}
    assert ("off", "off", "drop") == (set_up.proxy_protocol, set_up.http2_cleartext, set_up.header_map)
    assert (True, None) == (set_up.control_socket_disable, set_up.accesslog)
    assert (64, settings.workers) == (set_up.threads, set_up.workers)
    assert set_up.worker_connections > 2 * set_up.threads


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


# slow clients

SLOW = {
    "nothing": b"",
    "half a request line": b"GET /heal",
    "half a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nUser-Ag",
    "half a body": b"POST /mail HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
}
EACH = 60  # connections of each kind
AT_ONCE = 2.0  # seconds; what an orchestrator's probe waits at least


def test_clients_that_say_half_of_what_they_want_keep_nobody_else_waiting(data_dir: Path) -> None:
    with serving(data_dir) as service, ExitStack() as stack:
        slow = {said: [stack.enter_context(service.connect()) for _ in range(EACH)] for said in SLOW.values()}
        for said, connections in slow.items():
            for connection in connections:
                connection.sendall(said)
                connection.setblocking(False)
        bodies = slow[SLOW["half a body"]]
        waited: list[float] = []

        def has_given_up() -> bool:
            begun = time.monotonic()
            assert 200 == service.get("/healthz")[0]
            waited.append(time.monotonic() - begun)
            return all(_has_answer(connection) for connection in bodies)

        until(has_given_up, of=service.process)
        assert max(waited) < AT_ONCE
        assert {b"HTTP/1.1 400 "} == {connection.recv(65536)[:13] for connection in bodies}
        begun = time.monotonic()
        assert 0 == service.process.end()
        assert time.monotonic() - begun < 10, "who has not asked yet keeps no service from stopping"


def _has_answer(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return False


def test_a_request_may_come_in_pieces(data_dir: Path) -> None:
    with serving(data_dir) as service, service.connect() as connection:
        for _ in range(2):  # the second on the same connection
            for octet in b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
                connection.sendall(bytes([octet]))
            answer = HTTPResponse(connection)
            answer.begin()
            assert (200, b'{"status":"ok"}') == (answer.status, answer.read().strip())
        connection.sendall(2 * b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET /healthz HTTP/1.1\r\n")
        answers = b""
        while answers.count(b"HTTP/1.1 200 ") < 2:
            answers += connection.recv(65536)
        connection.sendall(b"Host: x\r\nConnection: close\r\n\r\n")
        answers += b"".join(iter(lambda: connection.recv(65536), b""))
        assert 3 == answers.count(b"HTTP/1.1 200 ")


def test_what_is_no_http_is_refused_with_our_headers(data_dir: Path) -> None:
    refused = {
        b"GET / HTTP/9.9\r\n\r\n": 400,
        b"GET /" + 5000 * b"x" + b" HTTP/1.1\r\n\r\n": 414,
        b"GET / HTTP/1.1\r\nA: " + 9000 * b"x" + b"\r\n\r\n": 431,
        b"GET / HTTP/1.1\r\nA: " + 900000 * b"x": 431,
    }
    with serving(data_dir) as service:
        for request, status in refused.items():
            answer = service.raw(request)
            assert answer.startswith(f"HTTP/1.1 {status} ".encode())
            for header in (b"Cache-Control: no-store", b"Referrer-Policy: no-referrer", b"Connection: close"):
                assert header in answer
            assert b"X-Content-Type-Options: nosniff" in answer
            assert b"xxx" not in answer


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

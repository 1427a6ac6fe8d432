"""The same refusals over a real gunicorn: what arrives there is octets, and no octets make it fail."""

import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.demonstration import Demonstration, demonstration

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    directory = tmp_path_factory.mktemp("demo")
    provisioner = [sys.executable, "-c", "from provisioner.cli import main; main()"]
    with demonstration(*provisioner, "demo", "--dir", directory / "state", cwd=directory) as running:
        yield running


def _say(demo: Demonstration, request: bytes) -> bytes:
    """Everything that the server answers to these octets."""
    parts = urlsplit(demo.said["base_url"])
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=20) as connection:
        connection.sendall(request.replace(b"{host}", parts.netloc.encode()))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while more := connection.recv(65536):
            answer += more
    return answer


_HEAD = b" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
_CHUNKED = b"GET /" + _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

REQUESTS = {
    "the start page": (b"GET /" + _HEAD + b"\r\n", {200}),
    "a body in chunks": (_CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", {200}),
    "a bad chunk size": (_CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n", {400}),
    "a negative chunk size": (_CHUNKED + b"-1\r\nhello\r\n0\r\n\r\n", {400}),
    "a chunk that ends elsewhere": (_CHUNKED + b"3\r\nhello\r\n0\r\n\r\n", {400}),
    "a chunk that is cut": (_CHUNKED + b"ff\r\nhel", {400}),
    "no chunk at all": (_CHUNKED, {400}),
    "too much in chunks": (_CHUNKED + b"fde8\r\n" + b"x" * 0xFDE8 + b"\r\n" * 1 + b"fde8\r\n" + b"x" * 0xFDE8, {413}),
    "a length beside chunks": (
        b"POST /" + _HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400},
    ),
    "too much said": (b"GET /" + _HEAD + b"Content-Length: 20000000\r\n\r\n", {413}),
    "a length that is none": (b"GET /" + _HEAD + b"Content-Length: x\r\n\r\n", {400}),
    "a path that is no text": (b"GET /s/%ff%00%fe" + _HEAD + b"\r\n", {404}),
    "a broken escape in the path": (b"GET /s/%zz" + _HEAD + b"\r\n", {400, 404}),
    "a broken escape in the query": (b"GET /?a=%zz" + _HEAD + b"\r\n", {400}),
    "raw octets in the query": (b"GET /?a=\xff" + _HEAD + b"\r\n", {400}),
    "trace": (b"TRACE /" + _HEAD + b"\r\n", {405}),
    "another site": (b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", {404}),
    "another site by its whole address": (b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", {404}),
    "no host": (b"GET / HTTP/1.0\r\n\r\n", {404}),
    "credentials": (b"GET /" + _HEAD + b"Authorization: Basic YTpi\r\n\r\n", {200}),
}


@pytest.mark.parametrize(("request_", "statuses"), REQUESTS.values(), ids=REQUESTS)
def test_a_server_answers_every_request_with_its_status(
    demo: Demonstration, request_: bytes, statuses: set[int]
) -> None:
    answer = _say(demo, request_)
    assert int(answer.split(b" ", 2)[1]) in statuses, answer[:300]


def test_head_has_no_body_on_the_wire(demo: Demonstration) -> None:
    path = urlsplit(demo.said["setup_link"]).path.encode()
    answer = _say(demo, b"HEAD " + path + b"/ios-exchange.mobileconfig" + _HEAD + b"\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"200" == head.split(b" ", 2)[1]
    assert b"" == body

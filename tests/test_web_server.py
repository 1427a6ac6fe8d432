"""The same refusals over a real gunicorn: what arrives there is octets, and no octets make it fail."""

import gzip
import re
import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.asking import TEXT, XML, kind_of, pox
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


# --- mail clients

_POX = pox("anna@contoso.example")
_POST = (
    b"POST /Autodiscover/Autodiscover.xml HTTP/1.1\r\nHost: autodiscover.contoso.example\r\nConnection: close\r\n"
    b"Content-Type: text/xml; charset=utf-8\r\n"
)
_POST_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
_GET = b"GET /mail/config-v1.1.xml"
_AUTOCONFIG = b" HTTP/1.1\r\nHost: autoconfig.contoso.example\r\nConnection: close\r\n"


def _with_length(head: bytes, body: bytes) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _in_chunks(body: bytes, size: int = 7) -> bytes:
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


# What is sent -> status, media type, kind of body.
MAIL_CLIENTS = {
    "autodiscover": (_with_length(_POST, _POX.body), (200, XML, "settings")),
    "autodiscover in chunks": (_POST_CHUNKED + _in_chunks(_POX.body), (200, XML, "settings")),
    "autoconfig": (_GET + b"?emailaddress=a%40contoso.example" + _AUTOCONFIG + b"\r\n", (200, XML, "settings")),
    "autoconfig for the host": (_GET + _AUTOCONFIG + b"\r\n", (200, XML, "settings")),
    "a raw plus": (_GET + b"?emailaddress=a+b@contoso.example" + _AUTOCONFIG + b"\r\n", (200, XML, "settings")),
    "not our domain": (_GET + b"?emailaddress=a@fabrikam.example" + _AUTOCONFIG + b"\r\n", (404, TEXT, "text")),
    "an absolute URL": (
        b"GET http://autoconfig.contoso.example/mail/config-v1.1.xml" + _AUTOCONFIG + b"\r\n",
        (200, XML, "settings"),
    ),
    "a bad chunk size": (_POST_CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n", (400, TEXT, "text")),
    "a chunk that is cut": (_POST_CHUNKED + b"ff\r\nhel", (400, TEXT, "text")),
    "a body that is cut": (_POST + b"Content-Length: 500\r\n\r\n<Auto", (400, TEXT, "text")),
    "a length beside chunks": (
        _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        (400, TEXT, "text"),
    ),
    "two lengths": (_POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", (400, TEXT, "text")),
    "too much said": (_POST + b"Content-Length: 20000000\r\n\r\n", (413, TEXT, "text")),
    "too much sent": (_with_length(_POST, b" " * 65537), (413, TEXT, "text")),
    "too much in chunks": (_POST_CHUNKED + _in_chunks(b" " * 70000, 7000), (413, TEXT, "text")),
    "a packed body": (
        _with_length(_POST + b"Content-Encoding: gzip\r\n", gzip.compress(_POX.body)),
        (415, TEXT, "text"),
    ),
    "octets that are no text": (_GET + b"?emailaddress=%ff" + _AUTOCONFIG + b"\r\n", (400, TEXT, "text")),
    "raw octets that are no text": (_GET + b"?emailaddress=\xff" + _AUTOCONFIG + b"\r\n", (400, TEXT, "text")),
    "a parameter twice": (_GET + b"?emailaddress=a&emailaddress=b" + _AUTOCONFIG + b"\r\n", (400, TEXT, "text")),
    "a password": (_GET + b"?password=hunter2" + _AUTOCONFIG + b"\r\n", (400, TEXT, "text")),
    "zero in the path": (_GET + b"%00" + _AUTOCONFIG + b"\r\n", (404, TEXT, "text")),
    "a raw zero in the path": (_GET + b"\0" + _AUTOCONFIG + b"\r\n", (400, TEXT, "text")),
    "a path nobody has": (b"GET /mail/" + _AUTOCONFIG + b"\r\n", (404, TEXT, "text")),
    "a path too long": (_GET + b"?a=" + b"x" * 9000 + _AUTOCONFIG + b"\r\n", (414, TEXT, "text")),
    "a header too long": (_GET + _AUTOCONFIG + b"X: " + b"x" * 17000 + b"\r\n\r\n", (431, TEXT, "text")),
    "too many headers": (_GET + _AUTOCONFIG + b"X: x\r\n" * 200 + b"\r\n", (431, TEXT, "text")),
    "a version nobody knows": (_GET + b" HTTP/9.9\r\nHost: autoconfig.contoso.example\r\n\r\n", (400, TEXT, "text")),
    "trace": (b"TRACE" + _GET[3:] + _AUTOCONFIG + b"\r\n", (405, TEXT, "text")),
    "a method nobody knows": (b"ANNA" + _GET[3:] + _AUTOCONFIG + b"\r\n", (405, TEXT, "text")),
    "options": (b"OPTIONS" + _GET[3:] + _AUTOCONFIG + b"\r\n", (204, "", "nothing")),
    "head": (b"HEAD" + _GET[3:] + _AUTOCONFIG + b"\r\n", (200, XML, "nothing")),
    "plain http": (
        b"GET /autodiscover/autodiscover.xml" + _AUTOCONFIG + b"X-Forwarded-Proto: http\r\n\r\n",
        (302, XML, "nothing"),
    ),
    "credentials": (_with_length(_POST + b"Authorization: Basic YTpi\r\n", _POX.body), (200, XML, "settings")),
    "no host": (_GET + b" HTTP/1.0\r\n\r\n", (404, TEXT, "text")),
}


@pytest.mark.parametrize(("request_", "expected"), MAIL_CLIENTS.values(), ids=MAIL_CLIENTS)
def test_a_mail_client_gets_its_right_answer_and_the_connection_ends(
    demo: Demonstration, request_: bytes, expected: tuple[int, str, str]
) -> None:
    answer = _say(demo, request_)
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert expected == (int(lines[0].split(" ")[1]), headers.get("content-type", ""), kind_of(body))
    assert 1 == answer.count(b"HTTP/1.")
    assert "no-store" in headers["cache-control"]
    assert not {"set-cookie", "www-authenticate"} & headers.keys()
    assert b"hunter2" not in answer


def test_questions_one_after_another_on_one_connection_get_answers_in_their_order(demo: Demonstration) -> None:
    good, bad = (
        b"GET /mail/config-v1.1.xml?emailaddress=a@%s HTTP/1.1\r\nHost: x.example\r\n\r\n" % domain
        for domain in (b"contoso.example", b"fabrikam.example")
    )
    answer = _say(demo, good + bad + good + bad)
    assert [b"200", b"404", b"200", b"404"] == re.findall(rb"HTTP/1\.1 (\d+)", answer)


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(demo: Demonstration) -> None:
    answer = _say(demo, _with_length(_POST + b"Expect: 100-continue\r\n", _POX.body))
    assert [b"100", b"200"] == re.findall(rb"HTTP/1\.1 (\d+)", answer)

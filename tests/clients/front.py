"""What stands before the service in these tests: a reverse proxy that speaks TLS and notes who asked for what.

It passes the Host on and says in X-Forwarded-For and X-Forwarded-Proto who came, and how: as the proxies do that the
service is run behind.
"""

import json
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from ssl import SSLContext
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    scheme: str


class Said(NamedTuple):
    """The answer to it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Front(ThreadingHTTPServer):
    """Listens on an address, speaks TLS where it has a ``context``, and writes each request into ``log``."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], answer: Callable[[Asked], Said], *, log: Path, context: SSLContext | None = None
    ) -> None:
        super().__init__(address, _Handler)
        self.answer = answer
        self.log = log
        self.context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection; the handshake is done in its own thread."""
        if self.context is None:
            super().finish_request(request, client_address)
            return
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A client that hangs up has a reason of its own."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        assert isinstance(self.server, Front)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(
            method=self.command,
            target=self.path,
            headers=headers,
            body=self.rfile.read(int(headers.get("content-length", 0))),
            scheme="http" if self.server.context is None else "https",
        )
        _note(self.server.log, asked)
        said = self.server.answer(asked)
        self.send_response_only(said.status)
        for name, value in ({"Content-Length": str(len(said.body))} | said.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if "HEAD" != self.command:
            self.wfile.write(said.body)

    do_GET = do_HEAD = do_POST = _pass_on  # noqa: N815  # the names that http.server calls


def relay_to(port: int) -> Callable[[Asked], Said]:
    """Passes requests on to the service that listens on ``port`` of the loopback interface."""

    def relay(asked: Asked) -> Said:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            forwarded = {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": asked.scheme, "connection": "close"}
            connection.request(asked.method, asked.target, asked.body or None, asked.headers | forwarded)
            answer = connection.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() != "connection"}
            return Said(answer.status, headers, answer.read())
        finally:
            connection.close()

    return relay


def _note(log: Path, asked: Asked) -> None:
    """One line, written in one step; of the query only which names it has."""
    parts = urlsplit(asked.target)
    line = {
        "method": asked.method,
        "url": f"{asked.scheme}://{asked.headers.get('host', '')}{parts.path}",
        "parameters": [name for name, _ in parse_qsl(parts.query)],
        "signs_in": "authorization" in asked.headers,
    }
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")

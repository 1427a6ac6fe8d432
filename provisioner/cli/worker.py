"""gunicorn's worker with threads, made patient: a client that is slow to say what it wants keeps nobody else waiting.

A connection gets a thread when the head of its request has arrived; until then it costs a file descriptor alone. The
rest has to follow without long pauses and within a time. Also answers in our own words what is no HTTP (RFC 9110 15.5).
"""

import re
import signal
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from types import FrameType
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]  # it ships no types
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

_HEAD_SECONDS = 30.0  # from the first octet awaited to the end of the head
_BODY_SECONDS = 30.0  # for all of it
_PAUSE_SECONDS = 10.0  # between two pieces of a body
_SEND_SECONDS = 30.0  # until a client has taken a piece of the answer

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_MAX_HEAD = 64 * 1024  # octets; what is longer goes to the parser, which refuses it or goes on reading

_OUR_FAULT = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)
_STATUS = {
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # untyped
    """Waits for the heads of requests in its main thread, and for nothing else there.

    It builds on these parts of gunicorn 27's ThreadWorker: what ``enqueue_req`` gets has a thread from then on,
    ``pending_conns`` are watched until their ``timeout``, the first being the earliest, and closed by then.
    """

    def enqueue_req(self, conn: Any) -> None:
        """Give a thread to a connection whose request can be read; else wait for its head, but not for ever."""
        if not conn.initialized:
            conn.init()
            conn.parser.unreader = _Reader(conn.sock)
        conn.sock.setblocking(False)
        if conn.parser.unreader.has_head():
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + _HEAD_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """Take what has come; the time for the head goes on where that is not all of it."""
        if conn.parser.unreader.has_head():
            super().on_pending_socket_readable(conn, client)

    def handle(self, conn: Any) -> Any:
        """Answer a request; in a thread. A connection that ends is closed here, since that waits for the client."""
        conn.parser.unreader.start()
        goes_on = super().handle(conn)
        if not goes_on and _is_open(conn):
            conn.close(graceful=True)
        return goes_on

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request, to a client that has to take the answer in time."""
        conn.sock.settimeout(_SEND_SECONDS)
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:
        """What follows a request, back in the main thread."""
        if _is_open(conn):
            super().finish_request(conn, fs)
        else:
            self.nr_conns -= 1

    def _cap_keepalive(self, deadline: float) -> None:
        """The worker ends: who has not asked anything yet is waited for as long as who may ask again."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once. The pool is left alone: its lock may be held by what was interrupted, gunicorn 27 waits for it.

        Ctrl-C arrives twice, from the terminal and from the arbiter; once is enough.
        """
        for again in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(again, lambda *_: None)  # SIG_IGN would complain of one that is under way
        super(ThreadWorker, self).handle_quit(sig, frame)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:  # noqa: ARG002
        """Answer what is no HTTP, or what the application failed at, without a word of what was asked."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        if isinstance(exc, errors.ParseException) and not isinstance(exc, _OUR_FAULT):
            status = _STATUS.get(type(exc), HTTPStatus.BAD_REQUEST)
            self.log.warning("Invalid request")
        else:
            self.log.exception("Error handling request")
        with suppress(OSError):
            client.settimeout(_SEND_SECONDS)
            client.sendall(_answer(status))


class _Reader(SocketUnreader):  # type: ignore[misc]  # untyped
    """What a client sends. One that stops sending is taken for one that has gone."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._gone = False
        self._deadline = 0.0

    def has_head(self) -> bool:
        """Whether a thread can read the request without waiting, or will find that there is none; does not block."""
        if not self._head_is_here():
            try:
                received = self.sock.recv(self.mxchunk)
            except BlockingIOError:
                return False
            except OSError:
                received = b""
            self._gone = not received
            self.buf.write(received)
        return self._gone or self._head_is_here()

    def _head_is_here(self) -> bool:
        head = self.buf.getvalue()
        self.buf.seek(0, 2)  # gunicorn leaves it at the start
        return len(head) > _MAX_HEAD or _END_OF_HEAD.search(head) is not None

    def start(self) -> None:
        """The head is here: the time for the rest begins."""
        self._deadline = time.monotonic() + _BODY_SECONDS

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next octets; none, from then on, where the client has gone or has taken too long."""
        left = self._deadline - time.monotonic()
        if self._gone or left <= 0:
            self._gone = True
            return b""
        self.sock.settimeout(min(left, _PAUSE_SECONDS))
        try:
            received: bytes = super().chunk(size_hint)
        except TimeoutError:
            received = b""
        self.sock.settimeout(_SEND_SECONDS)
        self._gone = not received
        return received


def _is_open(conn: Any) -> bool:
    return bool(conn.sock.fileno() >= 0)


def _answer(status: HTTPStatus) -> bytes:
    body = f"{status.phrase}.\n"
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Connection: close",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
    ]
    return "\r\n".join([*head, "", body]).encode()

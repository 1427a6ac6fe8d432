"""Runs the web site under gunicorn with our settings, for ``serve`` and ``demo``.

gunicorn believes no forwarder (our code alone reads X-Forwarded-For, from trusted proxies), opens no control socket and
writes no access log: that is ours, without paths. What it does log goes where all events go.
"""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # it ships no types
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from provisioner.app import create_app
from provisioner.cli.counters import shared_counters
from provisioner.cli.worker import PatientWorker
from provisioner.config import Settings
from provisioner.errors import ProvisionerError

Hook = Callable[..., None]

# Longer than proxies keep an idle connection (nginx and most balancers: 60 s), so that they end it and not we.
_KEEP_ALIVE = 75  # seconds
_GRACE = 25  # seconds to finish requests; less than the 30 that Kubernetes and Docker's restart give
_MEMORY = Path("/dev/shm")  # noqa: S108  # each file in it has a name of its own, or none


class CannotListen(ProvisionerError):
    """The address or port cannot be listened on."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on ``host`` and ``port``, 0 for any free port. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as failure:
        raise CannotListen(f"The address {host} cannot be listened on: {failure.strerror}.") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or a restart waits for old connections to end
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError as failure:
        listener.close()
        raise CannotListen(
            f"Port {port} on {host} cannot be listened on: {failure.strerror}. Stop what uses it, or choose another "
            "with --port."
        ) from None
    return listener


class _Log(Logger):  # type: ignore[misc]  # untyped
    """gunicorn's log among our events, without what a client has sent: a path holds a token."""

    def setup(self, cfg: Any) -> None:
        """Send everything on to the root logger; debug would tell each request."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.handlers = []
        self.error_log.propagate = True
        self.error_log.setLevel(cfg.loglevel.upper())

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """What a worker failed at: our own errors as one line, others with their traceback."""
        failure = sys.exc_info()[1]
        if isinstance(failure, TimeoutError):
            self.error_log.info("A client took too long")
        elif isinstance(failure, ProvisionerError):
            self.error_log.error(str(failure))
        else:
            self.error_log.error(msg.partition(" %")[0], exc_info=True)


class _Application(BaseApplication):  # type: ignore[misc]  # untyped
    def __init__(self, settings: Settings, options: Mapping[str, object]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Ours alone: no file and no variable of gunicorn's is read."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The web application, made in each worker: connections and threads do not live through a fork."""
        return create_app(self._settings)


def run(settings: Settings, listener: socket.socket, *, grace: int = _GRACE, **hooks: Hook) -> int:
    """Serve on ``listener`` until a signal ends it; returns the exit code.

    ``grace`` is how many seconds running requests get to finish; ``hooks`` are gunicorn's server hooks by name. In the
    worker processes, which are forked in here, this raises SystemExit instead.
    """
    parent = os.getpid()
    options = gunicorn_options(settings, grace=grace) | hooks | {"bind": f"fd://{listener.detach()}"}
    try:
        with shared_counters(_memory() or settings.data_dir):
            Arbiter(_Application(settings, options)).run()
    except SystemExit as end:
        if os.getpid() != parent:
            raise
        return 1 if end.code else 0
    return 0


def _memory() -> Path | None:
    """Where small files that many processes write cost no disk; None where there is no such place."""
    return _MEMORY if os.access(_MEMORY, os.W_OK) else None


def gunicorn_options(settings: Settings, *, grace: int) -> dict[str, object]:
    """gunicorn's settings by their names. Some only say what is the default, so that no default has to be trusted."""
    return {
        "worker_class": PatientWorker,
        "workers": settings.workers,
        "threads": settings.threads,
        "keepalive": _KEEP_ALIVE,
        "graceful_timeout": grace,
        "limit_request_line": 4094,
        "limit_request_fields": 100,
        "limit_request_field_size": 8190,
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "header_map": "drop",
        "proxy_protocol": "off",
        "proxy_allow_ips": "",
        "http2_cleartext": "off",
        "control_socket_disable": True,
        "accesslog": None,
        "logger_class": _Log,
        "loglevel": "info" if settings.log_level == "debug" else settings.log_level,
        "worker_tmp_dir": str(_memory()) if _memory() else None,
        "proc_name": "provisioner",
    }

"""Starts the demonstration the way a program does, with ``--json``, and sees that nothing of it is left at the end."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.request import ProxyHandler, build_opener

_SECONDS_TO_END = 30

# This machine's proxy is for the way out, not for what runs here.
_open = build_opener(ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A running demonstration and the one line it said."""

    said: dict[str, str]

    def get(self, path: str) -> HTTPResponse:
        """The answer to a GET of ``path``, or of a whole URL."""
        answer = _open(path if "://" in path else self.said["base_url"] + path, timeout=30)
        assert isinstance(answer, HTTPResponse)
        return answer


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def demonstration(*command: str | Path, cwd: Path) -> Iterator[Demonstration]:
    """``COMMAND --json`` running from the directory ``cwd``; ended by SIGTERM, after which no process may be left."""
    with TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [*command, "--json", "--port", "0"],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # so that everything it starts can be found by its process group
        )
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            assert said, f"it ended without a line: {_all_of(errors)}"
            yield Demonstration(json.loads(said))
            process.terminate()
            assert 0 == process.wait(_SECONDS_TO_END), _all_of(errors)
            assert "" == process.stdout.read(), "one line was promised"
            assert _is_gone(process.pid), "a process it started is left"
        finally:
            process.stdout.close()
            if not _is_gone(process.pid, within=0):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _all_of(errors: IO[str]) -> str:
    errors.seek(0)
    return errors.read()


def _is_gone(group: int, *, within: float = _SECONDS_TO_END) -> bool:
    """Whether no process of ``group`` is left, at the latest after ``within`` seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)

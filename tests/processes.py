"""Runs our command as a process of its own and sees, whatever happens, that nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

PROVISIONER = Path(sys.executable).parent / "provisioner"
PATIENCE = 30.0  # seconds; a machine that tests run on may be busy

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Running:
    """A command that runs, leader of its own process group; what it writes lies in files."""

    process: subprocess.Popen[bytes]
    directory: Path

    @property
    def stdout(self) -> str:
        """What it has written to standard output so far."""
        return (self.directory / "stdout").read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        """What it has written to standard error so far."""
        return (self.directory / "stderr").read_text(encoding="utf-8")

    @property
    def is_gone(self) -> bool:
        """Whether no process of the group is left."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the command alone and wait for its end; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def running(*arguments: str | Path, **environ: str) -> Iterator[Running]:
    """``provisioner ARGUMENTS`` with no PROVISIONER_ variable but ``environ``; its group is killed at the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PROVISIONER_")}
    with TemporaryDirectory() as place:
        directory = Path(place)
        with (directory / "stdout").open("wb") as out, (directory / "stderr").open("wb") as err:
            process = subprocess.Popen(
                [PROVISIONER, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=clean | environ,
                start_new_session=True,
            )
        started = Running(process, directory)
        try:
            yield started
        finally:
            if not started.is_gone:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


def until(ask: Callable[[], _T], *, of: Running | None = None, patience: float = PATIENCE) -> _T:
    """What ``ask`` answers as soon as that is true; fails where ``of`` has ended before, or after ``patience`` s."""
    deadline = time.monotonic() + patience
    while not (answer := ask()):
        assert of is None or of.process.poll() is None, f"it ended:\n{of.stderr}"
        assert time.monotonic() < deadline, f"nothing came:\n{of.stderr if of else ''}"
        time.sleep(0.02)
    return answer

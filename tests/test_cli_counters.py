"""Several worker processes count together: whichever is asked, it tells the sums of all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from provisioner.cli.counters import shared_counters
from tests.processes import until
from tests.services import Service, serving

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def _answered_by(service: Service, worker: int) -> Iterator[None]:
    """Every other worker stands still meanwhile."""
    others = [other for other in service.workers() if other != worker]
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def _count(service: Service) -> float:
    """How often autoconfig was asked and there was nothing to tell."""
    line = 'provisioner_requests_total{route="discovery.autoconfig",status="404"} '
    (found,) = [each for each in service.get("/metrics")[2].splitlines() if each.startswith(line)] or [f"{line}0"]
    return float(found.removeprefix(line))


@pytest.mark.journey
def test_each_worker_tells_the_sums_of_all_also_of_one_that_has_gone(tmp_path: Path) -> None:
    with serving(tmp_path / "data", PROVISIONER_WORKERS="2") as service:
        until(lambda: len(service.workers()) == 2)
        first, second = service.workers()
        for worker, times in {first: 3, second: 4}.items():
            with _answered_by(service, worker):
                assert {404} == {service.get("/mail/config-v1.1.xml")[0] for _ in range(times)}
        for worker in (first, second):
            with _answered_by(service, worker):
                assert 7 == _count(service)
        os.kill(first, signal.SIGTERM)
        until(lambda: len(set(service.workers()) - {first}) == 2)
        assert 7 == _count(service)
        assert 0 == service.process.end()


def test_the_place_is_there_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    before = os.environ.get(_VARIABLE)
    with shared_counters(tmp_path):
        place = Path(os.environ[_VARIABLE])
        assert place.is_dir()
        assert tmp_path == place.parent
        (place / "counter_1.db").touch()
    assert not place.exists()
    assert before == os.environ.get(_VARIABLE)


def _places(within: Path) -> list[Path]:
    return sorted(within.glob("provisioner-counters-*"))


def _number_of_places(within: Path) -> int:
    """While one more service runs."""
    with shared_counters(within):
        return len(_places(within))


def test_what_a_killed_service_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left, other = tmp_path / "provisioner-counters-left", tmp_path / "something-else"
    for each in (left, other):
        each.mkdir()
        (each / "counter_1.db").touch()
    with shared_counters(tmp_path):
        assert [Path(os.environ[_VARIABLE])] == _places(tmp_path)
    assert (other / "counter_1.db").exists()


def test_what_another_service_uses_is_left_alone(tmp_path: Path) -> None:
    with shared_counters(tmp_path):
        (first,) = _places(tmp_path)
        with shared_counters(tmp_path):
            assert 2 == len(_places(tmp_path))
        assert [first] == _places(tmp_path)
        os.environ[_VARIABLE] = str(first)  # the inner one has taken it back


def test_what_workers_still_use_is_left_alone_though_their_parent_was_killed(tmp_path: Path) -> None:
    service = """if True:
        import os, sys, time
        from pathlib import Path
        from provisioner.cli.counters import shared_counters
        with shared_counters(Path(sys.argv[1])):
            if os.fork() == 0:
                print(os.getpid(), flush=True)
            time.sleep(600)
    """
    parent = subprocess.Popen([sys.executable, "-c", service, tmp_path], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        assert 2 == _number_of_places(tmp_path)
        os.kill(worker, signal.SIGKILL)
    until(lambda: _number_of_places(tmp_path) == 1)


def test_a_link_to_somewhere_else_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (tmp_path / "provisioner-counters-link").symlink_to(precious)
    with shared_counters(tmp_path):
        pass
    assert (precious / "file").exists()

"""The two commands a newcomer types, on a machine that has nothing and on one that has all but something."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.capabilities import require_registry
from tests.checkout import CHECKOUT, copy_checkout
from tests.demonstration import demonstration

SCRIPTS = sorted(path for path in (CHECKOUT / "scripts").iterdir() if path.is_file())


def _run(script: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``script`` run from another directory, with this machine's environment and ``environment``."""
    return subprocess.run(
        [script, *arguments],
        cwd="/",
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that nothing was set up in, at a path with a blank."""
    return copy_checkout(tmp_path_factory.mktemp("new machine") / "main")


@pytest.mark.parametrize("script", [*SCRIPTS, CHECKOUT / ".ci" / "run"], ids=lambda path: path.name)
def test_a_script_can_be_run_stops_at_the_first_failure_and_says_what_it_is_for(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert os.access(script, os.X_OK)
    assert "#!/usr/bin/env bash" == lines[0]
    assert re.match(r"# [A-Z]", lines[1])
    assert "set -euo pipefail" in lines
    assert 0 == subprocess.run(["bash", "-n", script], check=False).returncode


def test_setup_refuses_what_it_does_not_know(copy: Path) -> None:
    refused = _run(copy / "scripts" / "setup", "--all")
    assert 2 == refused.returncode
    assert "expected no argument or --dev, found: --all" in refused.stderr


def test_setup_without_python_says_the_line_that_installs_it(copy: Path) -> None:
    refused = _run(copy / "scripts" / "setup", PYTHON="/nowhere/python3")
    assert 1 == refused.returncode
    assert "Python 3.11 or newer as /nowhere/python3" in refused.stderr
    assert "apt-get install -y python3 python3-venv" in refused.stderr
    assert not (copy / ".venv").exists()


def test_setup_without_the_venv_module_says_the_line_that_installs_it(copy: Path, tmp_path: Path) -> None:
    python = tmp_path / "python3"  # like Debian's python3 without python3-venv
    python.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec {shutil.which("python3")} "$@"\n')
    python.chmod(0o755)
    refused = _run(copy / "scripts" / "setup", PYTHON=str(python))
    assert 1 == refused.returncode
    assert "apt-get install -y python3-venv" in refused.stderr
    assert not (copy / ".venv").exists()


def _stand_in(script: Path, *lines: str) -> None:
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    script.chmod(0o755)


@pytest.mark.parametrize(("check", "tests"), [(0, 0), (1, 0), (0, 1), (3, 1)])
def test_the_tests_run_whatever_reading_the_code_finds_and_both_decide(check: int, tests: int, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy2(CHECKOUT / "scripts" / "test", tmp_path / "scripts" / "test")
    _stand_in(tmp_path / "scripts" / "setup")
    _stand_in(tmp_path / "scripts" / "check", f"echo 'a.py:1: complaint' >&2; exit {check}")
    _stand_in(tmp_path / ".venv" / "bin" / "pytest", f"echo '= 5 passed in 1.00s ='; exit {tests}")
    _stand_in(tmp_path / ".venv" / "bin" / "coverage")
    ran = subprocess.run(
        [tmp_path / "scripts" / "test"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    lines = ran.stdout.splitlines()
    assert (tests or check) == ran.returncode
    assert "= 5 passed in 1.00s =" == lines[-1]
    if check:
        assert ["test: FAILED: scripts/check, before the tests:", "a.py:1: complaint"] == lines[-3:-1]
    else:
        assert "FAILED" not in ran.stdout


@pytest.mark.journey
@pytest.mark.timeout(400)
def test_a_newcomer_gets_the_demonstration_by_one_command_and_again(copy: Path, tmp_path: Path) -> None:
    require_registry()
    links = set()
    for _ in range(2):
        with demonstration(copy / "scripts" / "demo", "--dir", tmp_path / "state", cwd=Path("/")) as demo:
            assert "contoso.example" == demo.said["domain"]
            links.add(demo.said["setup_link"].removeprefix(demo.said["base_url"]))
    assert 1 == len(links), "a second start with the same directory continues the first"
    again = _run(copy / "scripts" / "setup")
    assert (0, "setup: everything is in place in .venv\n") == (again.returncode, again.stderr)


@pytest.mark.journey
@pytest.mark.timeout(400)
def test_setup_mends_what_an_interrupted_one_left(copy: Path) -> None:
    require_registry()
    environment = copy / ".venv"
    shutil.rmtree(environment, ignore_errors=True)
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "provisioner").write_text("half")
    mended = _run(copy / "scripts" / "setup")
    assert 0 == mended.returncode, mended.stderr
    assert mended.stderr.endswith("setup: done: .venv/bin/provisioner is ready\n")
    assert 0 == _run(environment / "bin" / "provisioner", "--version").returncode

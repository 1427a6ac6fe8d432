"""Real mail clients, each in a place of its own in the checkout: fetched once, and kept between test runs."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.capabilities import absent, require_program, require_registry
from tests.checkout import CHECKOUT

_PLACE = CHECKOUT / ".venv-clients"
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def python_with(requirement: str) -> Path:
    """The Python of a virtual environment that has ``requirement``, such as ``exchangelib==5.6.0``."""

    def install(place: Path) -> None:
        require_registry()
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip: list[str | Path] = [
            place / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, requirement], check=True)

    return _once(f"{requirement}-python{_PYTHON}", install) / "bin" / "python"


def node_modules_with(requirement: str) -> Path:
    """A directory whose ``node_modules`` has ``requirement``, such as ``ews-javascript-api@0.15.3``."""

    def install(place: Path) -> None:
        npm = require_program("node", package="npm", binaries=["npm"])
        place.mkdir(parents=True)
        quietly = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
        done = subprocess.run([npm, "install", *quietly, requirement], cwd=place, capture_output=True, check=False)
        if done.returncode:
            absent("node", reason=f"npm cannot fetch {requirement}: connect, or name a mirror in its settings")

    require_program("node", package="nodejs", binaries=["node"])
    return _once(requirement, install)


def _once(name: str, install: Callable[[Path], None]) -> Path:
    """The place called ``name``, made now unless it has been made to the end before."""
    place = _PLACE / name
    made = place / "made"
    if not made.exists():
        shutil.rmtree(place, ignore_errors=True)
        install(place)
        made.touch()
    return place

"""What a test may need of the machine: programs and judges that are skipped where absent and demanded in CI.

``TEST_REQUIRE`` names the ones that must be there, separated by commas; the skip is then a failure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from glob import glob
from pathlib import Path
from typing import NoReturn

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent


def require_program(name: str, *, package: str, binaries: Sequence[str]) -> str:
    """The path of the first of ``binaries`` that is here: names on PATH, or absolute paths that may hold wildcards.

    Where there is none the test is skipped with the line that installs ``package``, and fails if ``name`` is required.
    """
    found = next(filter(None, map(_find, binaries)), None)
    if found is None:
        absent(name, reason=f"{name} is not installed: apt-get install -y --no-install-recommends {package}")
    return found


def apple_conformance_checker() -> Path:
    """The independent judge of Apple profiles, where it lies beside the checkout."""
    checker = _CHECKOUT.parent / "shared" / "conformance" / "apple_profile_check.py"
    if not checker.is_file():
        absent("apple-conformance", reason="the conformance checker does not lie beside this checkout")
    return checker


def collected_facts(name: str) -> Path:
    """A file of the facts that the catalogue's were taken from, where they lie beside the checkout."""
    file = _CHECKOUT.parent / "shared" / "facts" / name
    if not file.is_file():
        absent("collected-facts", reason="the collected facts do not lie beside this checkout")
    return file


def require_registry() -> None:
    """Packages can be fetched, so that a test can install the product the way a person or an image does."""
    if not _registry_answers():
        absent(
            "registry", reason="the Python package index cannot be reached: connect, or set PIP_INDEX_URL to a mirror"
        )


def absent(name: str, *, reason: str) -> NoReturn:
    """Skip the running test because ``name`` is not here; fail it where ``TEST_REQUIRE`` names it."""
    if name in {required.strip() for required in os.environ.get("TEST_REQUIRE", "").split(",")}:
        pytest.fail(f"TEST_REQUIRE names {name}, but {reason}", pytrace=False)
    pytest.skip(reason)


def _find(binary: str) -> str | None:
    if not Path(binary).is_absolute():
        return shutil.which(binary)
    return max((path for path in glob(binary) if os.access(path, os.X_OK)), default=None)  # noqa: PTH207  # an absolute pattern


@cache
def _registry_answers() -> bool:
    """Whether pip, set up as it is on this machine, would find a package."""
    ask = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", "idna"]
    quickly = ["--retries=0", "--timeout=10", "--disable-pip-version-check"]
    return 0 == subprocess.run([*ask, *quickly], capture_output=True, check=False).returncode

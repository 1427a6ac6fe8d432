"""The wheel holds everything the product needs, and runs from an empty environment outside the checkout."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.capabilities import require_registry
from tests.checkout import CHECKOUT, copy_checkout
from tests.demonstration import demonstration

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
# What is not Python and yet has to be in the wheel: in the checkout, and inside it.
CARRIED = [
    ("provisioner", "provisioner", "*.toml"),
    ("provisioner", "provisioner", "*.mo"),
    ("provisioner", "provisioner", "py.typed"),
    ("provisioner", "provisioner", "*.py"),
    ("templates", "provisioner/templates", "*"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout without asking anybody outside."""
    source = copy_checkout(tmp_path_factory.mktemp("source"))
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", target, source], check=True
    )
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing but the wheel and its pinned dependencies."""
    require_registry()
    environment = tmp_path_factory.mktemp("elsewhere") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    constraints = CHECKOUT / "constraints.txt"
    subprocess.run([*PIP, "--python", python, "install", "--constraint", constraints, wheel], check=True)
    return environment


@pytest.mark.parametrize(("directory", "inside", "pattern"), CARRIED)
def test_the_wheel_carries_what_is_in_the_checkout(wheel: Path, directory: str, inside: str, pattern: str) -> None:
    root = CHECKOUT / directory
    files = [file for file in root.rglob(pattern) if file.is_file() and "__pycache__" not in file.parts]
    expected = {f"{inside}/{file.relative_to(root).as_posix()}" for file in files}
    assert expected
    assert set() == expected - set(ZipFile(wheel).namelist())


def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    packages = {name.partition("/")[0].partition("-")[0] for name in ZipFile(wheel).namelist()}
    assert {"provisioner"} == packages
    assert not [name for name in ZipFile(wheel).namelist() if name.endswith((".pem", ".key", ".pyc", ".po~"))]


def test_the_wheel_runs_the_demonstration_outside_the_checkout(environment: Path, tmp_path: Path) -> None:
    with demonstration(environment / "bin" / "provisioner", "demo", "--dir", tmp_path / "state", cwd=tmp_path) as demo:
        assert {"base_url", "setup_link", "ca_certificate", "domain", "address"} <= demo.said.keys()
        assert "contoso.example" == demo.said["domain"]
        assert demo.said["address"].endswith("@contoso.example")
        assert Path(demo.said["ca_certificate"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
        page = demo.get(demo.said["setup_link"])
        assert 200 == page.status
        assert "text/html" == page.headers.get_content_type()
        profile = demo.get(demo.said["setup_link"] + "/ios-exchange.mobileconfig")
        assert "application/x-apple-aspen-config" == profile.headers.get_content_type()

"""One new format is one new file, one new cloud is one new file: everything else finds them by itself.

A copy of the project gets a toy of each. The copy's own command line and its own tests then have to know them, with no
other file touched.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT, copy_checkout, project_files

FORMAT, FORMAT_FILE = "toy-exchange", "provisioner/formats/toy_exchange.py"
CLOUD, CLOUD_FILE = "toy-cloud", "provisioner/catalogue/toy-cloud.toml"
JUDGES = ["tests/test_golden.py", "tests/test_promise.py", "tests/test_conformance.py"]

pytestmark = pytest.mark.journey


class Copy:
    """A copy of the project in which this Python runs."""

    def __init__(self, root: Path) -> None:
        self.root = copy_checkout(root)
        self.untouched = self.hashes()

    def plant(self, toy: str, *, model: str, changes: Mapping[str, str]) -> None:
        """Write the file ``toy``: what ``model`` says, with other names."""
        text = (self.root / model).read_text()
        for ours, toys in changes.items():
            assert ours in text
            text = text.replace(ours, toys)
        (self.root / toy).write_text(text)

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of every file by its name."""
        files = project_files(self.root)
        return {file.relative_to(self.root).as_posix(): sha256(file.read_bytes()).hexdigest() for file in files}

    def python(self, *arguments: str) -> str:
        """What ``python ARGUMENTS`` says; it has to succeed."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        assert 0 == ran.returncode, ran.stdout + ran.stderr
        return ran.stdout

    def listed(self, command: str) -> set[str]:
        """The ids that ``provisioner COMMAND --json`` lists."""
        output = self.python("-c", "from provisioner.cli import main; main()", command, "--json")
        return {entry["id"] for entry in json.loads(output)}

    def passed(self, *arguments: str) -> set[str]:
        """The tests about toys that pass, by name; none may fail."""
        output = self.python("-m", "pytest", "-p", "no:cacheprovider", "-k", "toy", "-v", "--color=no", *arguments)
        return {line.split()[0].rpartition("::")[2] for line in output.splitlines() if " PASSED " in line}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    directory = tmp_path_factory.mktemp("copy")
    judges = CHECKOUT.parent / "shared"
    if (judges / "conformance").is_dir():  # where there is an independent judge, it judges toys too
        (directory / "shared").symlink_to(judges)
    copy = Copy(directory / "main")
    copy.plant(FORMAT_FILE, model="provisioner/formats/ios_exchange.py", changes={"ios-exchange": FORMAT})
    toy_hosts = {"outlook.office365.com": "mail.toy.example", "smtp.office365.com": "submission.toy.example"}
    copy.plant(CLOUD_FILE, model="provisioner/catalogue/office365.toml", changes=toy_hosts)
    return copy


def test_the_command_line_lists_them(copy: Copy) -> None:
    assert FORMAT in copy.listed("formats")
    assert CLOUD in copy.listed("providers")


def test_golden_conformance_and_promise_tests_collect_them_and_pass(copy: Copy) -> None:
    written = copy.passed("tests/test_golden.py", "--update-golden")
    assert f"test_a_document_is_what_a_person_has_read[{FORMAT}-{CLOUD}]" in written
    judged = copy.passed(*JUDGES)
    assert written <= judged
    assert f"test_host_port_encryption_and_sign_in_are_the_catalogues[{FORMAT}-{CLOUD}]" in judged
    assert f"test_host_port_encryption_and_sign_in_are_the_catalogues[{FORMAT}-office365]" in judged
    assert f"test_host_port_encryption_and_sign_in_are_the_catalogues[ios-exchange-{CLOUD}]" in judged
    assert f"test_openssl_verifies_every_profile_and_finds_its_bytes_unchanged[{CLOUD}]" in judged

    after = copy.hashes()
    assert copy.untouched == {name: after[name] for name in copy.untouched}
    added = {name for name in after.keys() - copy.untouched.keys() if not name.startswith("tests/golden/")}
    assert {FORMAT_FILE, CLOUD_FILE} == added

"""Independent judges: openssl verifies every signed profile, and Apple's published schema objects to nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.formats import FORMATS
from provisioner.model import MailProvider
from provisioner.profile import MEDIA_TYPE
from provisioner.provisioning import Provisioner
from provisioner.signing import create_demo_identity, load_identity
from tests.capabilities import apple_conformance_checker, require_program
from tests.samples import ANNA, NOW, PROVIDERS, contoso_context, contoso_snapshot

# The checker's names for the clouds; a provider that it does not know is judged by Apple's schema alone.
CLOUDS = {
    "office365": "worldwide",
    "office365-gcc-high": "gcchigh",
    "office365-dod": "dod",
    "office365-china": "china",
}


class SignedProfiles:
    """Signed profiles of one throw-away identity, written where judges can read them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.ca = create_demo_identity(directory / "identity", now=NOW, organisation="Contoso")

    def write(self, provider: MailProvider) -> list[Path]:
        """One signed file for each Apple format that this provider serves."""
        provisioner = Provisioner(
            providers=PROVIDERS,
            snapshot=lambda: contoso_snapshot(provider.id),
            identity=lambda: load_identity(self._directory / "identity", now=NOW),
            audit=lambda _: None,
            clock=lambda: NOW,
        )
        files = []
        for fmt in FORMATS.values():
            if fmt.media_type == MEDIA_TYPE and fmt.needs <= provider.services:
                path = self._directory / f"{provider.id}-{fmt.id}.mobileconfig"
                path.write_bytes(provisioner.issue(ANNA, fmt).content)
                files.append(path)
        return files


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> SignedProfiles:
    return SignedProfiles(tmp_path_factory.mktemp("signed"))


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_openssl_verifies_every_profile_and_finds_its_bytes_unchanged(
    provider: MailProvider, signed: SignedProfiles
) -> None:
    openssl = require_program("openssl", package="openssl", binaries=["openssl"])
    files = signed.write(provider)
    assert files
    for path in files:
        verified = subprocess.run(
            [
                openssl,
                "cms",
                "-verify",
                "-inform",
                "DER",
                "-binary",
                "-purpose",
                "any",
                "-CAfile",
                signed.ca,
                "-in",
                path,
            ],
            capture_output=True,
            check=True,
        )
        fmt = FORMATS[path.stem.removeprefix(f"{provider.id}-")]
        assert fmt.render(ANNA, provider, contoso_context(fmt, provider.id)) == verified.stdout


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_apples_schema_and_the_office_365_values_are_kept(provider: MailProvider, signed: SignedProfiles) -> None:
    checker = apple_conformance_checker()
    cloud = ["--o365", "--cloud", CLOUDS[provider.id]] if provider.id in CLOUDS else []
    files = [str(path) for path in signed.write(provider)]
    judge = [sys.executable, str(checker), *files, "--require-signed", "--ca", str(signed.ca), *cloud, "--json"]
    judged = subprocess.run(judge, capture_output=True, check=False)
    reports = json.loads(judged.stdout.decode().rpartition("]")[0] + "]")
    issues = [(report["file"], issue) for report in reports for issue in report["issues"]]
    assert [] == [issue for issue in issues if issue[1]["severity"] == "ERROR"]
    assert {"O365-EWS", "O365-BASIC"} >= {issue["code"] for _, issue in issues if issue["severity"] == "WARN"}
    assert 0 == judged.returncode

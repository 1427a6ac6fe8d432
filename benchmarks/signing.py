"""What a signed profile costs beside the bare signature that it cannot do without.

The same key signs alone (the limit), then through ``Identity.sign`` (CMS around it), then as a whole: the profile
rendered, its audit record made and signed, as ``Provisioner.issue`` does for each download.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from structlog.testing import capture_logs

from benchmarks.timing import Case, Row, compare, table
from provisioner.formats import find_format
from provisioner.model import Account
from provisioner.provisioning import Provisioner
from provisioner.signing import IdentityFiles
from tests.pki import make_signer, p256_key, rsa_key, write_identity
from tests.samples import ANNA, PROVIDERS, contoso_snapshot

_Key = RSAPrivateKey | EllipticCurvePrivateKey


def measure(seconds: float) -> list[Row]:
    """RSA-2048 and P-256: CMS, issuing, and asking for the current identity, each beside the raw signature."""
    rows: list[Row] = []
    for name, key in (("RSA-2048", rsa_key()), ("P-256", p256_key())):
        with TemporaryDirectory() as place, capture_logs():  # standard output is the table's
            rows += _compare(name, key, Path(place), seconds)
    return rows


def _compare(name: str, key: _Key, place: Path, seconds: float) -> list[Row]:
    write_identity(place / "identity", make_signer(key=key))
    files = IdentityFiles(place / "identity", clock=lambda: datetime.now(UTC))
    provisioner = Provisioner(
        providers=PROVIDERS,
        snapshot=contoso_snapshot,
        identity=files.current,
        audit=lambda _: None,
        clock=lambda: datetime.now(UTC),
    )
    fmt = find_format("ios-exchange")
    profile = provisioner.draft(ANNA, fmt).content
    identity = files.current()
    return compare(
        Case(f"raw {name} signature", _raw(key, profile)),
        Case(f"CMS with {name}", lambda: identity.sign(profile)),
        Case(f"issue, signed with {name}", lambda: provisioner.issue(Account(ANNA.address), fmt)),
        Case("current identity", files.current),
        seconds=seconds,
    )


def _raw(key: _Key, content: bytes) -> Callable[[], bytes]:
    if isinstance(key, RSAPrivateKey):
        return lambda: key.sign(content, PKCS1v15(), SHA256())
    return lambda: key.sign(content, ECDSA(SHA256()))


def main() -> None:
    """Measure for about ten seconds and print the table."""
    print(table(measure(1.0)))


if __name__ == "__main__":
    main()

"""Who vouches for the signer: the chain is followed by real signatures, and only what phones know counts as public."""

from base64 import encodebytes
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from cryptography.x509 import BasicConstraints, ExtensionType, PolicyConstraints

from provisioner.errors import IdentityNotInDate, IdentityUnusable
from provisioner.signing import Identity, PublicRoots, Trust, load_identity
from tests.pki import (
    SIGNER,
    Certified,
    certificates_pem,
    certify,
    key_usage,
    load_without_public_roots,
    make_root,
    make_signer,
    replace_file,
    usual_extensions,
    write_identity,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Machine:
    """What stands around an identity: its directory and the roots that this machine has."""

    path: Path

    def load(self, signer: Certified, *extra: bytes, trusted_roots: Path | None = None) -> Identity:
        """An identity of ``signer``, its issuers except the root, and whatever else is given as PEM."""
        directory = self.path / "identity"
        write_identity(directory, signer)
        pem = certificates_pem(signer.certificate, *signer.issuers[:-1])
        replace_file(directory / "certificate.pem", pem + b"".join(extra))
        public = PublicRoots(bundle=self.path / "bundle.crt", local_additions=self.path / "local")
        return load_identity(directory, trusted_roots=trusted_roots, now=NOW, public_roots=public)

    def know_publicly(self, *pem: bytes) -> None:
        """Put roots into the bundle of ca-certificates."""
        (self.path / "bundle.crt").write_bytes(b"".join(pem))

    def add_locally(self, pem: bytes) -> None:
        """Add a root as update-ca-certificates does: it lies in its own file and stands in the bundle."""
        (self.path / "local").mkdir()
        (self.path / "local" / "ours.crt").write_bytes(pem)

    def trust(self, pem: bytes) -> Path:
        """A file for PROVISIONER_TRUSTED_ROOTS."""
        (self.path / "trusted.pem").write_bytes(pem)
        return self.path / "trusted.pem"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def signer() -> Certified:
    return make_signer(intermediates=1)


# Trust


def test_a_chain_to_a_root_of_debians_bundle_is_public_without_the_root_in_the_files(
    machine: Machine, signer: Certified
) -> None:
    machine.know_publicly(certificates_pem(make_root("Another").certificate, signer.root))
    identity = machine.load(signer)
    assert Trust.PUBLIC is identity.trust
    assert ["Contoso mail setup", "Contoso test intermediate 1", "Contoso test root"] == [
        each.name for each in identity.certificates
    ]


def test_a_root_in_the_files_that_is_also_public_is_public(machine: Machine, signer: Certified) -> None:
    machine.know_publicly(certificates_pem(signer.root))
    assert Trust.PUBLIC is machine.load(signer, certificates_pem(signer.root)).trust


def test_a_root_that_only_has_the_name_of_a_public_one_is_not_public(machine: Machine, signer: Certified) -> None:
    machine.know_publicly(certificates_pem(make_root("Contoso test root").certificate))
    assert Trust.UNKNOWN is machine.load(signer, certificates_pem(signer.root)).trust


def test_a_root_that_this_machine_added_by_itself_is_not_public(machine: Machine, signer: Certified) -> None:
    root = certificates_pem(signer.root)
    machine.know_publicly(certificates_pem(make_root("Another").certificate), root)
    machine.add_locally(root)
    assert Trust.UNKNOWN is machine.load(signer, root).trust


def test_a_root_named_as_trusted_is_the_organisations(machine: Machine, signer: Certified) -> None:
    trusted = machine.trust(certificates_pem(make_root("Another").certificate, signer.root))
    assert Trust.ORGANISATION is machine.load(signer, trusted_roots=trusted).trust


def test_public_goes_before_the_organisations(machine: Machine, signer: Certified) -> None:
    machine.know_publicly(certificates_pem(signer.root))
    assert Trust.PUBLIC is machine.load(signer, trusted_roots=machine.trust(certificates_pem(signer.root))).trust


def test_a_root_that_nobody_knows_is_unknown(machine: Machine, signer: Certified) -> None:
    assert Trust.UNKNOWN is machine.load(signer, certificates_pem(signer.root)).trust


@pytest.mark.parametrize("spoil", [lambda der: der[:-1], lambda der: b"\x31" + der[1:]], ids=["cut off", "no sequence"])
def test_a_public_root_that_cannot_be_read_vouches_for_nobody(
    machine: Machine, signer: Certified, spoil: Callable[[bytes], bytes]
) -> None:
    machine.know_publicly(_pem(spoil(signer.root.public_bytes(Encoding.DER))))
    assert Trust.UNKNOWN is machine.load(signer, certificates_pem(signer.root)).trust


def test_a_damaged_bundle_has_no_public_roots(machine: Machine, signer: Certified) -> None:
    machine.know_publicly(b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n")
    assert Trust.UNKNOWN is machine.load(signer, certificates_pem(signer.root)).trust


def test_trusted_roots_that_cannot_be_read_are_an_error_and_not_ignored(machine: Machine, signer: Certified) -> None:
    with pytest.raises(IdentityUnusable, match=r"PROVISIONER_TRUSTED_ROOTS\) cannot be read: No such file"):
        machine.load(signer, trusted_roots=machine.path / "missing.pem")
    with pytest.raises(IdentityUnusable, match=r"PROVISIONER_TRUSTED_ROOTS\) should hold certificates as PEM"):
        machine.load(signer, trusted_roots=machine.trust(b"junk"))


# Complete


def test_a_missing_root_is_named_together_with_both_ways_out(machine: Machine, signer: Certified) -> None:
    with pytest.raises(IdentityUnusable) as refusal:
        machine.load(signer)
    assert "'Contoso test intermediate 1' was issued by 'CN=Contoso test root'" in str(refusal.value)
    assert "Add it to chain.pem" in str(refusal.value)
    assert "PROVISIONER_TRUSTED_ROOTS" in str(refusal.value)


def test_a_missing_intermediate_is_named_although_the_root_is_there(machine: Machine, signer: Certified) -> None:
    machine.know_publicly(certificates_pem(signer.root))
    alone = replace(signer, issuer=make_root("unrelated"))
    with pytest.raises(IdentityUnusable, match="'Contoso mail setup' was issued by 'CN=Contoso test intermediate 1'"):
        machine.load(alone, certificates_pem(signer.root))


def test_an_intermediate_that_only_has_the_right_name_does_not_count(machine: Machine, signer: Certified) -> None:
    impostor = make_root().issue("Contoso test intermediate 1", ca=True)
    alone = replace(signer, issuer=impostor)
    with pytest.raises(IdentityUnusable, match="was issued by 'CN=Contoso test intermediate 1'"):
        machine.load(alone, certificates_pem(impostor.root))


def test_a_root_is_reached_through_a_cross_signed_authority_where_that_is_more_trusted(machine: Machine) -> None:
    new_root, old_root = make_root("New root"), make_root("Old root")
    crossed = certify(
        new_root.certificate.subject,
        issuer=old_root.certificate.subject,
        issuer_key=old_root.key,
        key=new_root.key,
        period=(NOW - DAY, NOW + DAY),
        extensions=usual_extensions(ca=True),
    )
    machine.know_publicly(certificates_pem(old_root.certificate))
    signer = new_root.issue("Contoso mail setup")
    identity = machine.load(signer, certificates_pem(new_root.certificate, crossed))
    assert Trust.PUBLIC is identity.trust
    assert ["Contoso mail setup", "New root", "Old root"] == [each.name for each in identity.certificates]
    assert {signer.certificate, crossed} == set(load_der_pkcs7_certificates(identity.sign(b"")))


def test_authorities_that_certify_each_other_are_an_incomplete_chain(machine: Machine) -> None:
    one = make_root("One")
    two = one.issue("Two", ca=True)
    back = certify(
        one.certificate.subject,
        issuer=two.certificate.subject,
        issuer_key=two.key,
        key=one.key,
        period=(NOW - DAY, NOW + DAY),
        extensions=usual_extensions(ca=True),
    )
    signer = two.issue("Contoso mail setup")
    with pytest.raises(IdentityUnusable, match="incomplete"):
        machine.load(signer, certificates_pem(two.certificate, back))


def test_a_chain_of_more_than_eight_certificates_is_not_followed(machine: Machine) -> None:
    assert Trust.UNKNOWN is _with_root(machine, make_signer(intermediates=7)).trust
    with pytest.raises(IdentityUnusable, match="more than 8 certificates below its root"):
        _with_root(machine, make_signer(intermediates=8))


# Authorities


@pytest.mark.parametrize(
    "extensions",
    [[], usual_extensions(ca=False), [BasicConstraints(ca=True, path_length=None), key_usage("digital_signature")]],
    ids=["says nothing", "says it is none", "may not sign certificates"],
)
def test_an_intermediate_that_is_no_authority_is_refused(machine: Machine, extensions: Iterable[ExtensionType]) -> None:
    impostor = make_root().issue("Not an authority", extensions=extensions)
    with pytest.raises(IdentityUnusable, match="'Not an authority' in the chain may not issue others"):
        _with_root(machine, impostor.issue("Contoso mail setup"))


def test_a_root_may_be_without_extensions_but_not_say_that_it_is_none(machine: Machine) -> None:
    assert SIGNER == _with_root(machine, make_root(extensions=[]).issue("Contoso mail setup")).subject_name
    with pytest.raises(IdentityUnusable, match="'Contoso test root' in the chain may not issue others"):
        _with_root(machine, make_root(extensions=usual_extensions(ca=False)).issue("Contoso mail setup"))


def test_an_authority_with_too_many_intermediates_below_it_is_refused(machine: Machine) -> None:
    root = make_root(extensions=[BasicConstraints(ca=True, path_length=1)])
    first = root.issue("First", extensions=[BasicConstraints(ca=True, path_length=0)])
    assert SIGNER == _with_root(machine, first.issue("Contoso mail setup")).subject_name
    second = first.issue("Second", ca=True)
    with pytest.raises(IdentityUnusable, match="'First' allows 0 intermediates below it, and the chain has 1"):
        _with_root(machine, second.issue("Contoso mail setup"))


def test_the_critical_policy_constraints_of_government_authorities_are_no_obstacle(machine: Machine) -> None:
    constraints = PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=0)
    authority = make_root().issue("Government CA", extensions=[*usual_extensions(ca=True), constraints])
    assert SIGNER == _with_root(machine, authority.issue("Contoso mail setup")).subject_name


# Dates


def test_an_expired_or_future_signer_is_named_with_its_date(machine: Machine) -> None:
    with pytest.raises(IdentityNotInDate, match=r"'Contoso mail setup' expired on 2026-11-22 09:00 UTC"):
        _with_root(machine, make_signer(not_after=NOW - DAY))
    with pytest.raises(IdentityNotInDate, match=r"'Contoso mail setup' is not valid before 2026-11-24 09:00 UTC"):
        _with_root(machine, make_signer(not_before=NOW + DAY))


def test_an_expired_intermediate_or_root_is_named_too(machine: Machine) -> None:
    intermediate = make_root().issue("Old intermediate", ca=True, not_after=NOW - DAY)
    with pytest.raises(IdentityNotInDate, match="'Old intermediate' expired on 2026-11-22"):
        _with_root(machine, intermediate.issue("Contoso mail setup"))
    with pytest.raises(IdentityNotInDate, match="'Old root' expired on 2026-11-22"):
        _with_root(machine, make_root("Old root", not_after=NOW - DAY).issue("Contoso mail setup"))


def test_both_ends_of_a_certificates_time_belong_to_it(machine: Machine) -> None:
    assert NOW == _with_root(machine, make_signer(not_after=NOW)).not_after
    assert NOW == _with_root(machine, make_signer(not_before=NOW)).not_before


def test_an_identity_lasts_as_long_as_the_shortest_certificate_of_its_chain(machine: Machine) -> None:
    intermediate = make_root(not_before=NOW - DAY).issue("Short", ca=True, not_after=NOW + DAY)
    identity = _with_root(machine, intermediate.issue("Contoso mail setup"))
    assert (NOW - DAY, NOW + DAY) == (identity.not_before, identity.not_after)


def test_a_chain_in_date_goes_before_an_expired_one(machine: Machine) -> None:
    root = make_root()
    expired = root.issue("Intermediate", ca=True, not_after=NOW - DAY)
    renewed = root.issue("Intermediate", ca=True, key=expired.key)
    identity = _with_root(machine, expired.issue("Contoso mail setup"), renewed)
    assert renewed.certificate in load_der_pkcs7_certificates(identity.sign(b""))


def test_the_machines_own_bundle_is_the_default(tmp_path: Path, signer: Certified) -> None:
    write_identity(tmp_path / "identity", signer)
    assert Trust.UNKNOWN is load_identity(tmp_path / "identity", now=NOW).trust
    assert Trust.UNKNOWN is load_without_public_roots(tmp_path / "identity").trust


def _with_root(machine: Machine, signer: Certified, *others: Certified) -> Identity:
    return machine.load(signer, certificates_pem(signer.root, *(other.certificate for other in others)))


def _pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + encodebytes(der) + b"-----END CERTIFICATE-----\n"

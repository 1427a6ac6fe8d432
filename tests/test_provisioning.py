"""The one door: the right provider's facts, signed or not at all, and never without its audit record."""

import dataclasses
import json
import plistlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from provisioner.errors import MissingService, NoIdentity, StoreUnavailable, UnknownDomain, UnknownProvider
from provisioner.format import Context, Format
from provisioner.formats import FORMATS, find_format
from provisioner.model import Account, MailProvider
from provisioner.profile import MEDIA_TYPE
from provisioner.provisioning import Provisioner, Signature, Signer
from provisioner.texts import translate
from provisioner.texts.languages import KNOWN
from tests.samples import ANNA, CONTOSO, NOW, PROVIDERS, contoso_context, contoso_domain, contoso_snapshot

IOS = find_format("ios-exchange")


@dataclass
class FakeSigner:
    """Signs visibly."""

    subject_name: str = "Contoso IT"

    def sign(self, content: bytes) -> bytes:
        return b"signed:" + content


@dataclass
class FakeAudit:
    """Remembers what was written, or fails like a store that is down."""

    fails: bool = False
    records: list[Signature] = field(default_factory=list)

    def __call__(self, signature: Signature) -> None:
        if self.fails:
            raise StoreUnavailable("down")
        self.records.append(signature)


def _no_identity() -> Signer:
    raise NoIdentity("none")


def _provisioner(*, provider_id: str = "office365", audit: FakeAudit | None = None) -> Provisioner:
    return Provisioner(
        providers=PROVIDERS,
        snapshot=lambda: contoso_snapshot(provider_id),
        identity=FakeSigner,
        audit=audit or FakeAudit(),
        clock=lambda: NOW,
    )


def test_a_persons_document_is_rendered_for_their_domain_and_signed() -> None:
    document = _provisioner(provider_id="office365-dod").issue(ANNA, IOS)
    context = contoso_context(IOS, "office365-dod")
    assert b"signed:" + IOS.render(ANNA, PROVIDERS["office365-dod"], context) == document.content
    assert document.signed
    assert "contoso.example-ios-exchange.mobileconfig" == document.filename
    assert ("application/x-apple-aspen-config", "ios-exchange") == (document.media_type, document.format_id)


def test_every_signature_has_its_audit_record_first() -> None:
    audit = FakeAudit()
    _provisioner(audit=audit).issue(ANNA, IOS)
    (record,) = audit.records
    assert ("ios-exchange", "contoso.example", "Contoso IT", NOW) == (
        record.format_id,
        record.domain,
        record.signer,
        record.at,
    )
    assert 64 == len(record.mailbox)
    assert ANNA.address.partition("@")[0] not in str(record)


def test_the_record_is_written_before_the_signature_is_made() -> None:
    happened: list[str] = []

    @dataclass
    class WatchedSigner(FakeSigner):
        def sign(self, content: bytes) -> bytes:
            happened.append("signed")
            return super().sign(content)

    provisioner = dataclasses.replace(
        _provisioner(), identity=WatchedSigner, audit=lambda _: happened.append("recorded")
    )
    provisioner.issue(ANNA, IOS)
    assert ["recorded", "signed"] == happened


def test_nothing_is_signed_while_the_audit_record_cannot_be_written() -> None:
    with pytest.raises(StoreUnavailable):
        _provisioner(audit=FakeAudit(fails=True)).issue(ANNA, IOS)


def test_without_an_identity_nothing_leaves_not_even_an_audit_record() -> None:
    audit = FakeAudit()
    with pytest.raises(NoIdentity):
        dataclasses.replace(_provisioner(audit=audit), identity=_no_identity).issue(ANNA, IOS)
    assert [] == audit.records


def test_a_draft_is_unsigned_and_needs_no_identity() -> None:
    document = dataclasses.replace(_provisioner(), identity=_no_identity).draft(ANNA, IOS)
    assert not document.signed
    assert IOS.render(ANNA, PROVIDERS["office365"], contoso_context(IOS)) == document.content


def test_a_format_that_is_not_signed_is_issued_without_identity_and_audit() -> None:
    audit = FakeAudit()
    provisioner = dataclasses.replace(_provisioner(audit=audit), identity=_no_identity)
    document = provisioner.issue(ANNA, dataclasses.replace(IOS, signed=False))
    assert not document.signed
    assert [] == audit.records


def test_a_domain_that_is_not_configured_gets_nothing() -> None:
    with pytest.raises(UnknownDomain):
        _provisioner().issue(Account("anna@fabrikam.example"), IOS)


def test_a_domain_whose_provider_is_gone_from_the_catalogue_says_so() -> None:
    with pytest.raises(UnknownProvider):
        _provisioner(provider_id="office365-germany").issue(ANNA, IOS)


def test_a_format_that_the_provider_cannot_serve_is_refused_before_anything_is_signed() -> None:
    audit = FakeAudit()
    with pytest.raises(MissingService):
        _provisioner(provider_id="outlook-com", audit=audit).issue(ANNA, IOS)
    assert [] == audit.records


def test_what_pages_need_is_found_by_account() -> None:
    provisioner = _provisioner()
    assert CONTOSO == provisioner.organisation_of(ANNA)
    assert contoso_domain() == provisioner.domain_of(ANNA)
    assert "office365" == provisioner.provider_of(ANNA).id


@pytest.mark.parametrize("fmt", [fmt for fmt in FORMATS.values() if fmt.media_type == MEDIA_TYPE], ids=lambda f: f.id)
def test_every_apple_profile_is_signed(fmt: Format) -> None:
    assert fmt.signed


def test_a_document_is_made_of_one_state_of_the_directory() -> None:
    states = iter([contoso_snapshot()])  # a second look would find nothing any more
    provisioner = dataclasses.replace(_provisioner(), snapshot=lambda: next(states))
    found = provisioner.find("contoso.example", IOS)
    assert found is not None
    assert CONTOSO == found.context.organisation


@pytest.mark.parametrize("language", KNOWN)
def test_identifiers_are_the_same_in_every_language(language: str) -> None:
    for fmt in (each for each in FORMATS.values() if each.media_type == MEDIA_TYPE):
        english = plistlib.loads(_provisioner().draft(ANNA, fmt).content)
        theirs = plistlib.loads(_provisioner().draft(ANNA, fmt, language=language).content)
        assert _identifiers(english) == _identifiers(theirs)


def _identifiers(part: dict[str, Any]) -> list[tuple[str, str]]:
    inner = [pair for payload in part.get("PayloadContent", ()) for pair in _identifiers(payload)]
    declared = [(each["Type"], each["Identifier"]) for each in map(json.loads, part.get("Declarations", ()))]
    return [(part["PayloadIdentifier"], part["PayloadUUID"]), *inner, *declared]


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_document_is_in_the_language_that_was_asked_for(language: str) -> None:
    seen: list[Context] = []

    def render(account: Account, provider: MailProvider, context: Context) -> bytes:
        seen.append(context)
        return b""

    fmt = dataclasses.replace(IOS, render=render, signed=False)
    _provisioner().issue(ANNA, fmt, language=language)
    to_language = translate(language)
    assert [language] == [context.language for context in seen]
    assert {name: to_language(text) for name, text in IOS.texts.items()} == seen[0].texts

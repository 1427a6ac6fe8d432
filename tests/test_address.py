"""What is an address, what is not, and that every refusal names its reason."""

import unicodedata

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from provisioner.address import address_key, normalise_address, normalise_domain, refuse_unwritable, strip_blanks
from provisioner.errors import InvalidAddress, InvalidDomain, InvalidText

LONG_LOCAL = "a" * 64
DOMAIN_OF_189 = ".".join(["b" * 63, "c" * 63, "d" * 53, "example"])


@pytest.mark.parametrize(
    ("given_address", "expected"),
    [
        ("anna@contoso.example", "anna@contoso.example"),
        ("  anna@contoso.example ", "anna@contoso.example"),
        ("\u00a0anna@contoso.example\u2003", "anna@contoso.example"),
        ("Anna@CONTOSO.Example", "Anna@contoso.example"),
        ("anna@contoso.example.", "anna@contoso.example"),
        ("anna+phone@contoso.example", "anna+phone@contoso.example"),
        ("o'neil@contoso.example", "o'neil@contoso.example"),
        ("a!#$%&'*+/=?^_`{|}~-z@contoso.example", "a!#$%&'*+/=?^_`{|}~-z@contoso.example"),
        ("%EMAILDOMAIN%@contoso.example", "%EMAILDOMAIN%@contoso.example"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),  # IDNA 2003 would make it another domain
        ("anna@例え.example", "anna@xn--r8jz45g.example"),
        ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"),
        ("anna@mail.eu.contoso.example", "anna@mail.eu.contoso.example"),
        (f"{LONG_LOCAL}@contoso.example", f"{LONG_LOCAL}@contoso.example"),
        (f"{LONG_LOCAL}@{DOMAIN_OF_189}", f"{LONG_LOCAL}@{DOMAIN_OF_189}"),  # exactly 254 octets
    ],
)
def test_an_ordinary_address_is_taken_and_normalised(given_address: str, expected: str) -> None:
    assert expected == normalise_address(given_address)


@pytest.mark.parametrize(
    ("given_address", "reason"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("anna", "has no @"),
        ("anna@b@contoso.example", "2 @ signs"),
        ("@contoso.example", "nothing before the @"),
        ("anna@", "nothing after the @"),
        (".anna@contoso.example", "starts or ends with a dot"),
        ("anna.@contoso.example", "starts or ends with a dot"),
        ("an..na@contoso.example", "two dots in a row"),
        ("an na@contoso.example", "holds ' '"),
        ("änna@contoso.example", "holds 'ä'"),
        ('"anna"@contoso.example', "holds '\"'"),
        ("anna\x00@contoso.example", "a control character (U+0000)"),
        ("anna\x1b@contoso.example", "a control character (U+001B)"),
        ("anna\x7f@contoso.example", "a control character (U+007F)"),
        ("anna\x85@contoso.example", "a control character (U+0085)"),
        ("anna\t@contoso.example", "a control character (U+0009)"),
        ("anna@contoso.example\n", "a line break (U+000A)"),
        ("anna@contoso.example\r", "a line break (U+000D)"),
        ("anna\u2028@contoso.example", "a line break (U+2028)"),
        ("anna\ufffe@contoso.example", "no character (U+FFFE)"),
        ("anna\uffff@contoso.example", "no character (U+FFFF)"),
        ("anna\ufdd0@contoso.example", "no character (U+FDD0)"),
        ("anna\U0001ffff@contoso.example", "no character (U+1FFFF)"),
        ("anna\ud800@contoso.example", "half of a surrogate pair (U+D800)"),
        ("anna\u202e@contoso.example", "changes the reading direction (U+202E)"),
        ("anna\u2066@contoso.example", "changes the reading direction (U+2066)"),
        ("anna@[192.0.2.1]", "An IP address"),
        ("anna@192.0.2.1", "An IP address"),
        ("anna@[IPv6:2001:db8::1]", "An IP address"),
        ("anna@[nonsense]", "An IP address"),
        ("anna@contoso.1", "ends in a number"),
        ("anna@localhost", "single label"),
        ("anna@contoso..example", "not a valid domain name"),
        ("anna@-contoso.example", "not a valid domain name"),
        ("anna@con_toso.example", "not a valid domain name"),
        ("anna@con toso.example", "not a valid domain name"),
        (f"anna@{'b' * 64}.example", "not a valid domain name"),
        (f"{LONG_LOCAL}a@contoso.example", "longer than 64 octets"),
        (f"{LONG_LOCAL}@e.{DOMAIN_OF_189}", "longer than 254 octets"),
        ("a" * 100_000 + "@contoso.example", "longer than 254 octets"),
        (f"anna@{'a.' * 400}example", "longer than 253 octets"),
    ],
)
def test_what_is_no_address_is_refused_with_its_reason(given_address: str, reason: str) -> None:
    with pytest.raises(InvalidAddress) as refusal:
        normalise_address(given_address)
    assert reason in str(refusal.value)


@pytest.mark.parametrize("domain", ["contoso.example", "CONTOSO.example", " contoso.example. "])
def test_a_domain_is_normalised(domain: str) -> None:
    assert "contoso.example" == normalise_domain(domain)


@pytest.mark.parametrize(
    "domain",
    [
        "",
        ".",
        "contoso",
        "192.0.2.1",
        "con\x00toso.example",
        "a" * 5000,
        "ß" * 250,
        "contoso.example" + " " * 1010 + "x",
    ],
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(InvalidDomain):
        normalise_domain(domain)


def test_two_spellings_of_one_mailbox_share_a_key() -> None:
    assert address_key(normalise_address("Anna@Contoso.Example.")) == address_key("anna@contoso.example")


def test_a_refusal_never_repeats_the_whole_address() -> None:
    with pytest.raises(InvalidAddress) as refusal:
        normalise_address("anna..secret@contoso.example")
    assert "secret" not in str(refusal.value)


@given(st.text(max_size=300))
@example("@")
@example("a@b.example\u3002")
@example("anna@\u2488contoso.example")
def test_any_text_is_an_address_for_good_or_refused(text: str) -> None:
    try:
        address = normalise_address(text)
    except InvalidAddress:
        return
    assert address == normalise_address(address)
    assert address.isascii()
    assert 254 >= len(address)
    assert 1 == address.count("@")


@given(st.text(alphabet="aZ09.!#$%&'*+/=?^_`{|}~-\"(),:;<>[]\\ é@", max_size=70))
def test_the_local_part_is_what_a_second_judge_takes(local: str) -> None:
    try:
        expected = validate_email(
            f"{local}@contoso.com", check_deliverability=False, allow_smtputf8=False, strict=True
        ).local_part
    except EmailNotValidError:
        expected = None
    try:
        found = normalise_address(f"{local}@contoso.com").rpartition("@")[0]
    except InvalidAddress:
        found = None
    assert expected == found or strip_blanks(local) != local


@given(st.text(max_size=300))
def test_any_text_is_a_domain_for_good_or_refused(text: str) -> None:
    try:
        domain = normalise_domain(text)
    except InvalidDomain:
        return
    assert domain == normalise_domain(domain)
    assert "." in domain
    assert domain == domain.lower()


@given(st.text())
def test_blanks_are_stripped_and_nothing_else_is(text: str) -> None:
    stripped = strip_blanks(text)
    assert stripped in text
    assert all("Zs" == unicodedata.category(character) for character in text.replace(stripped, "", 1) if stripped)


@pytest.mark.parametrize("text", ["Änna", "👩🏽‍💻", "שלום\u200f", "a\u00adb", "名前"])
def test_what_people_write_is_writable(text: str) -> None:
    refuse_unwritable(text)


@given(st.sampled_from([chr(c) for c in (*range(32), 0x7F, *range(0x80, 0xA0), 0xFFFE, 0xFFFF, 0xD800, 0x202E)]))
def test_what_documents_cannot_carry_is_refused(character: str) -> None:
    with pytest.raises(InvalidText):
        refuse_unwritable(f"a{character}b")

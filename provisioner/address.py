"""What an e-mail address, a domain and a person's name may be before any document may hold them.

Grammar: the Dot-string of RFC 5321 section 4.1.2; no quoted strings, address literals or non-ASCII local parts, which
Exchange Online does not have. Internationalised domains: IDNA 2008 (RFC 5891) after the UTS 46 mapping, by the idna
library.
Lengths: RFC 5321 section 4.5.3.1 (64 octets before the @) and RFC 3696 erratum 1690 (254 octets in all).
"""

import re
import unicodedata
from functools import lru_cache
from ipaddress import ip_address

import idna

from provisioner.errors import InvalidAddress, InvalidDomain, InvalidText, printable

MAX_ADDRESS_OCTETS = 254
MAX_LOCAL_OCTETS = 64
MAX_DOMAIN_OCTETS = 253
_MAX_INPUT = 1024  # characters looked at before anything else is tried

_NOT_ATEXT = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]")
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SEPARATORS = frozenset("\u2028\u2029")


def refuse_unwritable(text: str) -> None:
    """Raise InvalidText where ``text`` holds a character that plist, XML, JSON or a screen cannot carry faithfully.

    Source: XML 1.0 section 2.2 (Char), Unicode 23.7 (noncharacters), UAX 9 (explicit directional formatting).
    """
    if text.isascii() and text.isprintable():
        return  # nearly every address and domain
    for character in text:
        reason = _unwritable(character)
        if reason:
            raise InvalidText(f"holds {reason} (U+{ord(character):04X}), which cannot be written down. Remove it.")


def _unwritable(character: str) -> str:
    code = ord(character)
    if character in "\r\n" or character in _SEPARATORS:
        return "a line break"
    if unicodedata.category(character) == "Cc":
        return "a control character"
    if 0xD800 <= code <= 0xDFFF:
        return "half of a surrogate pair"
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return "a code point that is no character"
    if character in _BIDI_CONTROLS:
        return "an invisible character that changes the reading direction"
    return ""


def strip_blanks(text: str) -> str:
    """``text`` without outer blanks (Unicode category Zs); control characters stay, to be refused by name."""
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start]) == "Zs":
        start += 1
    while end > start and unicodedata.category(text[end - 1]) == "Zs":
        end -= 1
    return text[start:end]


@lru_cache(maxsize=1024)  # a service has few domains and many addresses
def normalise_domain(text: str) -> str:
    """The domain as lower-case A-labels without a final dot.

    Raises InvalidDomain where ``text`` is not a domain name of two labels or more, or is an IP address.
    """
    if len(text) > _MAX_INPUT:
        raise InvalidDomain(f"The domain is longer than {MAX_DOMAIN_OCTETS} octets.")
    domain = strip_blanks(text)
    try:
        refuse_unwritable(domain)
    except InvalidText as refusal:
        raise InvalidDomain(f"The domain {refusal}") from None
    if not domain:
        raise InvalidDomain("The domain is empty; a domain such as contoso.com was expected.")
    if len(domain) > MAX_DOMAIN_OCTETS + 1:
        raise InvalidDomain(f"The domain is longer than {MAX_DOMAIN_OCTETS} octets.")
    if _is_ip_address(domain):
        raise InvalidDomain("An IP address stands where a domain was expected; use the domain's name.")
    ascii_domain = _to_a_labels(domain)
    if "." not in ascii_domain:
        raise InvalidDomain(
            f"The domain {printable(domain)} has a single label; a domain such as contoso.com was expected."
        )
    if ascii_domain.rpartition(".")[2].isdigit():
        raise InvalidDomain(f"The domain {printable(domain)} ends in a number, as only IP addresses do.")
    return ascii_domain


def _to_a_labels(domain: str) -> str:
    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as refusal:
        raise InvalidDomain(
            f"The domain {printable(domain)} is not a valid domain name ({refusal}); contoso.com would be one."
        ) from None
    return encoded.removesuffix(".")  # after the mapping: UTS 46 knows more final dots than the ASCII one


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]").removeprefix("IPv6:"))
    except ValueError:
        return text.startswith("[")
    return True


def normalise_address(text: str) -> str:
    """The address with outer blanks removed, its local part kept as it is and its domain normalised.

    Raises InvalidAddress naming the reason. Never contacts the network.
    """
    if len(text) > _MAX_INPUT:
        raise InvalidAddress(f"The address is longer than {MAX_ADDRESS_OCTETS} octets.")
    address = strip_blanks(text)
    try:
        refuse_unwritable(address)
    except InvalidText as refusal:
        raise InvalidAddress(f"The address {refusal}") from None
    local, domain = _split(address)
    try:
        normalised = f"{local}@{normalise_domain(domain)}"
    except InvalidDomain as refusal:
        raise InvalidAddress(f"After the @: {refusal}") from None
    _check_lengths(local, normalised)
    _check_local_part(local)
    return normalised


def _split(address: str) -> tuple[str, str]:
    if not address:
        raise InvalidAddress("The address is empty; one such as anna@contoso.com was expected.")
    parts = address.split("@")
    if len(parts) == 1:
        raise InvalidAddress("The address has no @; one such as anna@contoso.com was expected.")
    if len(parts) > 2:
        raise InvalidAddress(f"The address has {len(parts) - 1} @ signs; exactly one was expected.")
    local, domain = parts
    if not local:
        raise InvalidAddress("There is nothing before the @; one such as anna@contoso.com was expected.")
    if not domain:
        raise InvalidAddress("There is nothing after the @; one such as anna@contoso.com was expected.")
    return local, domain


def _check_lengths(local: str, normalised: str) -> None:
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise InvalidAddress(f"The part before the @ is longer than {MAX_LOCAL_OCTETS} octets.")
    if len(normalised.encode()) > MAX_ADDRESS_OCTETS:
        raise InvalidAddress(f"The address is longer than {MAX_ADDRESS_OCTETS} octets.")


def _check_local_part(local: str) -> None:
    if local.startswith(".") or local.endswith("."):
        raise InvalidAddress("The part before the @ starts or ends with a dot. Remove that dot.")
    if ".." in local:
        raise InvalidAddress("The part before the @ has two dots in a row. Remove one.")
    stranger = _NOT_ATEXT.search(local)
    if stranger:
        raise InvalidAddress(
            f"The part before the @ holds {printable(stranger.group())}, which no Office 365 address has. Remove it."
        )


def address_key(address: str) -> str:
    """What two spellings of one mailbox share: the normalised address, case-folded."""
    return address.casefold()

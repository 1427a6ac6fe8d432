"""What a setting's value may be: a public URL, the path of a file, networks, a database.

Each function takes what stood in the file, the environment or on the command line and returns our value, or raises
ValueError with a sentence that names the reason.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from provisioner.address import normalise_address, normalise_domain, refuse_unwritable, strip_blanks
from provisioner.errors import InvalidAddress, InvalidDomain, InvalidText, printable


@dataclass(frozen=True, slots=True)
class About:
    """What a person is told of a setting: what it is for, what it may be, and its default where that is computed."""

    help: str
    expected: str
    default: str = ""


Network = IPv4Network | IPv6Network

MASK = "********"
_DEFAULT_PORTS = {"https": 443, "http": 80}


def parse_public_url(text: str) -> str:
    """``text`` as scheme, host and port alone, the host in lower case and as A-labels; nothing stays nothing."""
    if not text:
        return ""
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise ValueError("holds a blank, a control character or a backslash; https://mail.contoso.com was expected.")
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError as refusal:
        raise ValueError(f"is not a URL ({refusal}); https://mail.contoso.com was expected.") from None
    if url.scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise ValueError(f"was expected to be https:// and a host, found {printable(text)}.")
    if url.path not in ("", "/") or "?" in text or "#" in text or "@" in url.netloc:
        raise ValueError("may hold scheme, host and port only: no path, query, fragment or user name.")
    name, loopback = _url_host(host)
    if url.scheme == "http" and not loopback:
        raise ValueError("was expected to begin with https://; plain http is for a loopback host only.")
    return f"{url.scheme}://{name}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[url.scheme]) else "")


def _url_host(host: str) -> tuple[str, bool]:
    """The host as a URL writes it, and whether it means this machine only."""
    if host == "localhost":
        return host, True
    try:
        address = ip_address(host)
    except ValueError:
        try:
            return normalise_domain(host), False
        except InvalidDomain as refusal:
            raise ValueError(f"has a host that cannot be used. {refusal}") from None
    if "%" in host:
        raise ValueError("has an address with a zone, which means nothing to another device.")
    return (f"[{address}]" if address.version == 6 else str(address)), address.is_loopback


def parse_location(value: object) -> object:
    """A path, made absolute from the current directory, ``~`` resolved; what is no path stays as it is."""
    if not isinstance(value, (str, Path)):
        return value
    if not str(value).strip() or "\0" in str(value):
        raise ValueError("was expected to be a path.")
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError:
        raise ValueError("begins with ~, but whose home directory that is cannot be found out.") from None


def parse_networks(value: object) -> object:
    """Networks and single addresses, as a list or as a text with commas; what is neither stays as it is."""
    items = [item for item in re.split(r"[,\s]+", value) if item] if isinstance(value, str) else value
    return tuple(_network(item) for item in items) if isinstance(items, (list, tuple)) else items


def _network(item: object) -> Network:
    text = str(item)
    try:
        wider = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"may hold networks such as 10.0.0.0/8 only, found {printable(text)}.") from None
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"holds {printable(text)}, an address inside a network; write {wider}.") from None


def parse_count(value: object) -> object:
    """A whole number: text and numbers as they are, but neither true nor 1.5."""
    if isinstance(value, (bool, float)):
        raise ValueError(f"was expected to be a whole number, found {str(value).lower()}.")  # noqa: TRY004  # pydantic's protocol
    return value


def parse_address(text: str) -> str:
    """An e-mail address, its domain normalised; nothing stays nothing."""
    try:
        return normalise_address(text) if text else ""
    except InvalidAddress as refusal:
        raise ValueError(f"cannot be used. {refusal}") from None


def parse_line(text: str) -> str:
    """One line that a document may hold, without outer blanks."""
    line = strip_blanks(text)
    try:
        refuse_unwritable(line)
    except InvalidText as refusal:
        raise ValueError(str(refusal)) from None
    return line


def parse_word(value: object) -> object:
    """One of a few words, in any case."""
    return value.lower() if isinstance(value, str) else value


Location = Annotated[Path, BeforeValidator(parse_location)]
Count = Annotated[int, BeforeValidator(parse_count)]


def require_database(url: str) -> None:
    """Raise where ``url`` is for a database that we cannot use; it is never shown, since it may hold a password."""
    if url.startswith("postgres://"):
        raise ValueError("begins with postgres://; write postgresql:// instead.")
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
        raise ValueError("was expected to begin with sqlite:// or postgresql://.")


def mask_database(url: str) -> str:
    """``url`` with its password masked, as it may be shown."""
    scheme, separator, rest = url.partition("://")
    # To the last @, since a password may hold one where the author of the URL forgot to encode it.
    rest = re.sub(r"^([^:]*):.*@", rf"\1:{MASK}@", rest, flags=re.DOTALL) if not scheme.startswith("sqlite") else rest
    return scheme + separator + re.sub(r"([?&;][^=&]*(?:pass|secret)[^=&]*=)[^&]*", rf"\1{MASK}", rest)

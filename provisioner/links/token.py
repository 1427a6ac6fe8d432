"""The token in a setup link: 26 letters and digits that nobody can guess and that we can write again.

It is the first 128 bits of HMAC-SHA256(link key, link id and issue number), in the base32 alphabet of RFC 4648 section
6, in lower case and without padding. It is read in any case, as QR codes and people write it; every other spelling is
refused, so that one link has one address.
"""

import hmac
import re
from base64 import b32encode
from hashlib import sha256

_TOKEN_BYTES = 16
# 26 characters hold 130 bits; the last one carries two that are always zero, so only every fourth can stand there.
_TOKEN = re.compile(r"[A-Za-z2-7]{25}[AEIMQUYaeimquy4]")


def make_token(key: bytes, link_id: str, issue: int) -> str:
    """The token of the link's ``issue``-th issue. ``link_id`` has a fixed length, so no two pairs read the same."""
    digest = hmac.digest(key, f"{link_id}{issue}".encode("ascii"), "sha256")
    return b32encode(digest[:_TOKEN_BYTES]).decode("ascii").rstrip("=").lower()


def read_token(text: str) -> str | None:
    """The token that ``text`` spells, in lower case; None where it spells none."""
    return text.lower() if _TOKEN.fullmatch(text) else None


def token_hash(token: str) -> str:
    """What the store knows of a token: its SHA-256, hexadecimal."""
    return sha256(token.encode("ascii")).hexdigest()

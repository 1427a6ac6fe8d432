"""The QR code for Thunderbird for Android: a scanner reads the structure of the specification, for every cloud."""

import json
from dataclasses import replace
from io import BytesIO

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from provisioner.formats import find_format
from provisioner.model import Account, MailProvider
from provisioner.qr import qr_png, qr_svg
from tests.samples import ANNA, PROVIDERS, contoso_context
from tests.test_qr import from_svg, version

QR = find_format("thunderbird-qr")
LONG = Account(f"{'a' * 24}@contoso.example")  # 40 characters, as username too
EASY, EASY_OCTETS = 10, 271  # the largest symbol that is easy to scan, and what it holds at level L
everywhere = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


def _content(account: Account, provider: MailProvider) -> str:
    return QR.render(account, provider, contoso_context(QR, provider.id)).decode("ascii")


def _scanned(text: str) -> str:
    (symbol,) = zxingcpp.read_barcodes(Image.open(BytesIO(qr_png(text))))
    return str(symbol.text)


@everywhere
def test_a_scanner_reads_the_specifications_structure(provider: MailProvider) -> None:
    assert provider.imap is not None
    assert provider.submission is not None
    tls, starttls, oauth2, imap, smtp = 3, 2, 6, 0, 0
    expected = [
        1,  # FormatVersion
        [1, 1],  # SequenceNumber and SequenceEnd
        [imap, provider.imap.hostname, 993, tls, oauth2, ANNA.username],
        [
            [
                [smtp, provider.submission.hostname, 587, starttls, oauth2, ANNA.username],
                [ANNA.address, ANNA.display_name],
            ]
        ],
    ]
    assert expected == json.loads(_scanned(_content(ANNA, provider)))


@everywhere
def test_the_code_of_a_40_character_address_is_easy_to_scan(provider: MailProvider) -> None:
    assert 40 == len(LONG.address)
    content = _content(replace(LONG, display_name="Anna Lindström-Fernández"), provider)
    assert content == _scanned(content)
    assert version(content) <= EASY


@everywhere
def test_the_drawing_of_the_page_is_the_same_code(provider: MailProvider) -> None:
    (symbol,) = zxingcpp.read_barcodes(from_svg(_content(LONG, provider)))
    assert _content(LONG, provider) == symbol.text
    assert _content(LONG, provider) not in qr_svg(_content(LONG, provider), label="Thunderbird")


def test_a_name_that_would_make_the_code_hard_to_scan_is_left_out() -> None:
    named = replace(LONG, display_name="安" * 20)
    content = _content(named, PROVIDERS["office365"])
    assert _content(LONG, PROVIDERS["office365"]) == content
    assert [LONG.address, ""] == json.loads(content)[3][0][1]


@given(name=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp", "Cf"]), max_size=60))
def test_any_name_is_written_in_ascii_and_read_back_or_left_out(name: str) -> None:
    account = Account("anna@contoso.example", display_name=f"A{name}")
    content = _content(account, PROVIDERS["office365"])
    written = json.loads(content)[3][0][1][1]
    assert written in (account.display_name, "")
    assert len(content) <= EASY_OCTETS
    if not written:  # only because it does not fit
        assert len(content) + len(json.dumps(account.display_name)) - 2 > EASY_OCTETS


def test_it_holds_no_password_and_no_account_name() -> None:
    _, _, incoming, (((outgoing, _)),) = json.loads(_content(ANNA, PROVIDERS["office365"]))
    assert (6, 6) == (len(incoming), len(outgoing))

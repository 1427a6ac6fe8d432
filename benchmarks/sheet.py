"""Printing cards that were never printed before, beside drawing their QR codes alone: all but a little is the codes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from benchmarks.timing import Case, Row, compare
from provisioner.links import SetupLink
from provisioner.model import Account
from provisioner.organisation import Organisation
from provisioner.qr import qr_svg
from provisioner.sending import Letter, Sender, Stationery, card_sheet, compose
from provisioner.texts import LANGUAGES

_CARDS = 10
_NOW = datetime(2026, 11, 25, tzinfo=UTC)
_CONTOSO = Organisation(id="contoso", name="Contoso", support_contact="help@contoso.example")
_ENGLISH = LANGUAGES["en"]
_random = Random(18004)  # noqa: S311  # the same links in every run
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_STATIONERY = Stationery(Path(__file__).resolve().parent.parent / "templates")


def _letter() -> Letter:
    link = SetupLink(
        id="k3v9",
        issue=1,
        account=Account("anna@contoso.example", display_name="Anna Example"),
        created_at=_NOW,
        expires_at=_NOW + timedelta(days=14),
        revoked_at=None,
        devices_allowed=3,
        devices_used=0,
        token="".join(_random.choices(_ALPHABET, k=26)),
    )
    return Letter(link=link, url=f"https://go.contoso.example{link.path}", organisation=_CONTOSO, language=_ENGLISH)


def _codes() -> list[str]:
    return [qr_svg(_letter().url, label="Set up your mail") for _ in range(_CARDS)]


def _cards() -> str:
    return card_sheet([_letter() for _ in range(_CARDS)], _STATIONERY, language=_ENGLISH)


def _mails() -> list[bytes]:
    sender = Sender("it-help@contoso.example")
    return [
        compose(_letter(), _STATIONERY, sender=sender, message_id="k3v9.1@contoso.example", written_at=_NOW).as_bytes()
        for _ in range(_CARDS)
    ]


def measure(seconds: float) -> list[Row]:
    """Ten of each at a time; 500 cards take 50 times as long."""
    return compare(
        Case("10 QR codes alone, new links", _codes),
        Case("sheet of 10 cards, new links", _cards),
        Case("10 mails, new links", _mails),
        seconds=seconds,
    )

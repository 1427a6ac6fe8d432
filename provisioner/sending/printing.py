"""Setup links on paper: a sheet with one card for each person, and a poster for whoever passes by.

Each is one HTML file that fetches nothing: style and QR codes stand in it. A code is printed 32 mm wide, its symbol
more than 25 mm, with the quiet zone of four modules that ISO/IEC 18004 asks for.
"""

from base64 import b64encode
from collections.abc import Sequence

from markupsafe import Markup

from provisioner.organisation import Logo, Organisation
from provisioner.qr import capitals, qr_svg
from provisioner.sending.letter import Letter
from provisioner.sending.reading import colours
from provisioner.sending.stationery import Stationery
from provisioner.texts import Language, day

_GROUP = 5  # characters that people copy at a time
_IN_A_ROW = 2


def card_sheet(letters: Sequence[Letter], stationery: Stationery, *, language: Language) -> str:
    """The cards of ``letters``, each in its person's language, on pages that cut no card in two; HTML.

    ``language`` is that of the sheet's own few words.
    """
    cards = [Markup(_card(letter, stationery)) for letter in letters]  # noqa: S704  # a template has escaped it
    rows = [cards[start : start + _IN_A_ROW] for start in range(0, len(cards), _IN_A_ROW)]
    return stationery.write("sheet.html", language, rows=rows)


def _card(letter: Letter, stationery: Stationery) -> str:
    link, organisation, tag = letter.link, letter.organisation, letter.language.tag
    start, _, token = letter.url.rpartition("/")
    return stationery.write(
        "card.html",
        letter.language,
        name=link.account.shown_name,
        address=link.account.address,
        organisation=organisation.name,
        logo=_picture(organisation.logo),
        accent=colours(organisation)[0],
        contact=organisation.support_contact,
        code=_drawn(letter.qr_text, label=letter.url),
        start=f"{start.partition('://')[2]}/",
        groups=groups(token),
        until=day(link.expires_at, tag),
    )


def poster(
    organisation: Organisation, *, public_url: str, domain: str, language: Language, stationery: Stationery,
    qr_capitals: bool = False,
) -> str:  # fmt: skip
    """A poster for the people of ``domain``: the code leads to the start page, where everybody gets a link; HTML."""
    url = f"{public_url}/"
    accent, on_accent = colours(organisation)
    return stationery.write(
        "poster.html",
        language,
        organisation=organisation.name,
        logo=_picture(organisation.logo),
        accent=accent,
        on_accent=on_accent,
        contact=organisation.support_contact,
        domain=domain,
        code=_drawn(capitals(url) if qr_capitals else url, label=url),
        shown=public_url.partition("://")[2],
    )


def groups(token: str) -> list[str]:
    """The token in groups of five, as a person reads and types it; joined, they are the token."""
    return [token[start : start + _GROUP] for start in range(0, len(token), _GROUP)]


def _drawn(text: str, *, label: str) -> Markup:
    return Markup(qr_svg(text, label=label))  # noqa: S704  # built as a tree


def _picture(logo: Logo | None) -> str:
    return f"data:{logo.media_type};base64,{b64encode(logo.content).decode()}" if logo else ""

"""Setup links on paper: a card for each person, in their language, in a file that fetches nothing."""

import re
import stat
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from provisioner.model import Account
from provisioner.organisation import Logo, Organisation
from provisioner.sending import Letter, card_sheet, poster
from provisioner.sending.printing import groups
from provisioner.texts import LANGUAGES
from tests.commands import PUBLIC_URL, Shell, shell_with_contoso
from tests.samples import ANNA, CONTOSO
from tests.test_sending_mail import PNG, STATIONERY, TOKEN, letter

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ENGLISH = LANGUAGES["en"]
A4, LETTER = (794, 1123), (816, 1056)  # CSS pixels: 96 to the inch


class _Reader(HTMLParser):
    """The words of a page by the class of their element, and what it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def sheet(*letters: Letter) -> str:
    return card_sheet(letters, STATIONERY, language=ENGLISH)


def words(page: str) -> str:
    """What is read on the page."""
    return " ".join(re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def test_a_card_says_who_it_is_for_what_to_do_where_to_type_and_whom_to_ask() -> None:
    organisation = Organisation(id="c", name="Contoso", support_contact="help@contoso.example")
    (card,) = re.findall(
        r"<article.*?</article>", sheet(letter(Account(ANNA.address, display_name="Anna"), organisation)), re.DOTALL
    )
    assert (
        "Contoso Anna Anna.O&#39;Neil+phone@contoso.example Point the camera of your phone at the code. Follow the "
        "steps on the page. Sign in with Microsoft, as you always do for your work mail. No camera? Type this address "
        "without the spaces, in small or capital letters. After the last slash there is no 0, 1, 8 or 9. "
        "setup.contoso.example/s/ abcde fghij klmno pqrst uvwx2 3 For you alone, until 7 December 2026. Questions? Ask "
        "help@contoso.example ."
    ) == words(card)


def test_somebody_without_a_name_is_called_by_their_address_once() -> None:
    page = sheet(letter(Account("anna@contoso.example")))
    assert 1 == words(page).count("anna@contoso.example")


def test_each_card_is_in_its_persons_language_and_direction() -> None:
    page = sheet(*(letter(language=tag) for tag in LANGUAGES))
    assert [(tag, LANGUAGES[tag].direction) for tag in LANGUAGES] == re.findall(
        r'<article class="card" lang="(.*?)" dir="(.*?)"', page
    )
    assert 1 == page.count("Point the camera of your phone at the code.")


@given(st.from_regex(r"[a-z2-7]{0,40}", fullmatch=True))
def test_the_groups_are_of_five_and_make_the_token_again(token: str) -> None:
    assert token == "".join(groups(token))
    assert all(len(group) == 5 for group in groups(token)[:-1])


def test_nothing_on_the_sheet_or_the_poster_comes_from_elsewhere() -> None:
    organisation = Organisation(id="c", name="C", logo=Logo(PNG))
    for page in (sheet(letter(organisation=organisation)), of_everybody(organisation)):
        reader = read(page)
        assert [] == [each for each in reader.fetched if not each.startswith("data:")]
        assert "script" not in reader.tags
        assert "default-src 'none'" in page
        assert not re.search(r"url\(|@import", page)


_TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=40).filter(str.strip)


@given(name=_TEXTS, contact=_TEXTS)
def test_no_name_can_become_markup(name: str, contact: str) -> None:
    named = f"<b onclick=x>{name}</style>"
    tame = sheet(
        letter(Account("a@contoso.example", display_name="n"), Organisation(id="c", name="n", support_contact="c"))
    )
    wild = sheet(
        letter(
            Account("a@contoso.example", display_name=named), Organisation(id="c", name=named, support_contact=contact)
        )
    )
    assert read(tame).tags == read(wild).tags


def of_everybody(organisation: Organisation, language: str = "en", *, qr_capitals: bool = False) -> str:
    return poster(
        organisation,
        public_url=PUBLIC_URL,
        domain="contoso.example",
        language=LANGUAGES[language],
        stationery=STATIONERY,
        qr_capitals=qr_capitals,
    )


# The command line.


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return shell_with_contoso(tmp_path / "data")


def test_cards_that_could_not_be_written_are_not_counted(shell: Shell, tmp_path: Path) -> None:
    shell.run("link", "create", "anna@contoso.example")
    told = shell.run("sheet", "-o", tmp_path / "nowhere" / "sheet.html", exit_code=1)
    assert "1 card." not in told.stderr


def test_the_sheet_has_a_card_for_each_open_link_by_name_and_its_owner_alone_may_read_it(
    shell: Shell, tmp_path: Path
) -> None:
    links = [
        shell.json("link", "create", f"{name.lower()}@contoso.example", "--name", name)["link"]
        for name in ("Cara", "Anna", "Bob")
    ]
    revoked = shell.json("link", "create", "dora@contoso.example")
    shell.run("link", "revoke", revoked["id"])
    file = tmp_path / "sheet.html"
    file.write_text("what everybody may read")
    told = shell.run("sheet", "-o", file)
    assert ("", "3 cards.\n") == (told.stdout, told.stderr)
    page = file.read_text(encoding="utf-8")
    assert ["Anna", "Bob", "Cara"] == re.findall(r"<h2>(.*?)</h2>", page)
    for link in links:
        assert f'aria-label="{link}"' in page
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert page == shell.run("sheet").stdout


def test_the_sheet_may_be_of_one_domain(shell: Shell) -> None:
    shell.run("domain", "add", "fabrikam.example", "--organisation", "contoso")
    shell.run("link", "create", "anna@contoso.example")
    shell.run("link", "create", "bob@fabrikam.example")
    assert ["bob@fabrikam.example"] == re.findall(
        r"<h2>(.*?)</h2>", shell.run("sheet", "--domain", "Fabrikam.example").stdout
    )


def test_of_a_persons_links_the_newest_is_printed_in_their_language(shell: Shell, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("address,name,language\nanna@contoso.example,Anna,de\n", encoding="utf-8")
    shell.run("invite", people)
    newest = shell.json("link", "create", "anna@contoso.example", "--name", "Anna")["link"]
    page = shell.run("sheet").stdout
    assert [newest] == re.findall(r'aria-label="(.*?)"', page)
    assert "Folgen Sie den Schritten auf der Seite." in page


def test_where_nobody_has_an_open_link_there_is_no_sheet(shell: Shell, tmp_path: Path) -> None:
    expected = "Nobody of contoso.example has an open setup link, so there is no card to print."
    assert expected == shell.refusal("sheet", "--domain", "contoso.example", "-o", tmp_path / "x", exit_code=1)
    assert not (tmp_path / "x").exists()


def test_a_poster_needs_self_service(shell: Shell) -> None:
    assert (
        "The people of contoso.example get their links by invitation (self_service is invite), so a poster would lead "
        "them nowhere. Print cards with 'provisioner sheet --domain contoso.example', or set self_service to open."
    ) == shell.refusal("sheet", "--poster", "contoso.example", exit_code=1)
    shell.run("domain", "set", "contoso.example", "--self-service", "open")
    page = shell.run("sheet", "--poster", "contoso.example").stdout
    assert f'aria-label="{PUBLIC_URL}/"' in page
    assert "Enter your address, which ends in @contoso.example, and follow the steps." in words(page).replace(" ,", ",")


def test_a_poster_is_in_the_organisations_first_language(shell: Shell) -> None:
    shell.run("organisation", "set", "contoso", "--languages", "ar,en")
    shell.run("domain", "set", "contoso.example", "--self-service", "open")
    assert '<html lang="ar" dir="rtl">' in shell.run("sheet", "--poster", "contoso.example").stdout


def test_cards_and_a_poster_are_not_asked_for_together(shell: Shell) -> None:
    assert "give --domain or --poster." in shell.refusal("sheet", "--domain", "a.example", "--poster", "a.example")


def test_without_a_public_url_nothing_is_printed(shell: Shell) -> None:
    assert shell.refusal("sheet", PROVISIONER_PUBLIC_URL="").startswith("There is no public URL")


# On paper.


@pytest.fixture
def show(chromium: "Browser") -> Iterator[Callable[[str, tuple[int, int]], "Page"]]:
    """Lays a page out as for print, on paper of this size; nothing may be asked of any server."""
    pages: list[Page] = []

    def lay_out(html: str, size: tuple[int, int]) -> "Page":
        page = chromium.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=2)
        page.on("request", lambda request: pytest.fail(request.url) if not request.url.startswith("data:") else None)
        page.emulate_media(media="print")
        page.set_content(html)
        pages.append(page)
        return page

    yield lay_out
    for page in pages:
        page.close()


def sheets_of(page: "Page", paper: str) -> int:
    """How many pages are printed."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper, prefer_css_page_size=True)))


def codes_on(page: "Page") -> list[str]:
    screen = Image.open(BytesIO(page.screenshot(full_page=True)))
    return [code.text for code in zxingcpp.read_barcodes(screen)]


def _people(count: int) -> list[Letter]:
    """Letters with codes of their own, in every language, some with long names."""
    tags = [*LANGUAGES]
    made = []
    for number in range(count):
        name = "Maximiliane Alexandra von und zu Hohenzollern" if number % 3 == 0 else f"Person {number}"
        token = TOKEN[number:] + TOKEN[:number]
        one = letter(
            Account(f"p{number}@contoso.example", display_name=name), CONTOSO, language=tags[number % len(tags)]
        )
        made.append(Letter(link=one.link, url=f"{PUBLIC_URL}/s/{token}", organisation=CONTOSO, language=one.language))
    return made


Show = Callable[[str, tuple[int, int]], "Page"]


@pytest.mark.journey
def test_a_camera_reads_every_card(show: Show) -> None:
    people = _people(12)
    assert sorted(each.url for each in people) == sorted(codes_on(show(sheet(*people), A4)))


@pytest.mark.journey
@pytest.mark.parametrize(("size", "paper"), [(A4, "A4"), (LETTER, "Letter")], ids=["A4", "Letter"])
def test_cards_are_big_enough_and_cut_on_no_page(show: Show, size: tuple[int, int], paper: str) -> None:
    page = show(sheet(*_people(12)), size)
    millimetre = 96 / 25.4
    for box in page.locator(".code svg").all():
        bounds = box.bounding_box()
        assert bounds is not None
        modules = int((box.get_attribute("viewBox") or "").split()[2])
        assert bounds["width"] / millimetre * (modules - 8) / modules >= 25, "the symbol without its quiet zone"
    for card in page.locator(".card").all():
        assert card.evaluate("it => it.scrollWidth <= it.clientWidth + 1"), "nothing sticks out"
        assert "avoid" == card.evaluate("it => getComputedStyle(it.parentElement).breakInside")
        bounds = card.bounding_box()
        assert bounds is not None
        assert 2 * bounds["height"] <= size[1] - 20 * millimetre, "two rows fit on a page, whatever the language"
    assert sheets_of(page, paper) <= 3


@pytest.mark.journey
@pytest.mark.parametrize("qr_capitals", [False, True])
def test_a_camera_reads_the_poster(show: Show, *, qr_capitals: bool) -> None:
    (code,) = codes_on(show(of_everybody(CONTOSO, qr_capitals=qr_capitals), A4))
    assert f"{PUBLIC_URL}/" == code.lower()


@pytest.mark.journey
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_poster_is_one_page(show: Show, language: str, paper: str) -> None:
    picture = BytesIO()
    Image.new("RGB", (180, 60), "#0b6e4f").save(picture, "PNG")
    organisation = Organisation(
        id="c",
        name="Contoso & Töchter",
        support_contact="IT help desk, help@contoso.example, +49 30 1234567",
        logo=Logo(picture.getvalue()),
        accent_colour="#0b6e4f",
    )
    size = A4 if paper == "A4" else LETTER
    assert 1 == sheets_of(show(of_everybody(organisation, language), size), paper)

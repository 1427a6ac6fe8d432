"""The mail as its reader's program decodes it: who it is from, what it says in which language, and the code in it."""

import re
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from html.parser import HTMLParser
from io import BytesIO

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from provisioner.errors import ProvisionerError
from provisioner.links import SetupLink
from provisioner.model import Account
from provisioner.organisation import Logo, Organisation
from provisioner.sending import Letter, Sender, Stationery, compose
from provisioner.sending.reading import colours, contact_address
from provisioner.texts import LANGUAGES, language_of
from tests.samples import ANNA, CONTOSO, NOW
from tests.websites import PUBLIC_URL, TEMPLATES

TOKEN = "abcdefghijklmnopqrstuvwx23"
URL = f"{PUBLIC_URL}/s/{TOKEN}"
SENDER = Sender("it-help@contoso.example")
MESSAGE_ID = "k3v9.1@contoso.example"
STATIONERY = Stationery(TEMPLATES)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(9)


def letter(
    account: Account = ANNA, organisation: Organisation = CONTOSO, *, language: str = "en", **changes: object
) -> Letter:
    link = SetupLink(
        id="k3v9",
        issue=1,
        account=account,
        created_at=NOW,
        expires_at=NOW + timedelta(days=14),
        revoked_at=None,
        devices_allowed=int(str(changes.get("devices", 3))),
        devices_used=0,
        token=TOKEN,
    )
    capitals = bool(changes.get("qr_capitals"))
    return Letter(link=link, url=URL, organisation=organisation, language=LANGUAGES[language], qr_capitals=capitals)


def sent(one: Letter, sender: Sender = SENDER) -> EmailMessage:
    """The mail as it is read at the other end: written as bytes and parsed again."""
    written = compose(one, STATIONERY, sender=sender, message_id=MESSAGE_ID, written_at=NOW).as_bytes()
    mail = BytesParser(policy=SMTP).parsebytes(written)
    assert isinstance(mail, EmailMessage)
    return mail


def text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def pictures(mail: EmailMessage) -> dict[str, bytes]:
    """The pictures in the mail, by Content-ID."""
    found = [part for part in mail.walk() if part.get_content_maintype() == "image"]
    return {str(part["Content-ID"]).strip("<>"): part.get_content() for part in found}


class _Reader(HTMLParser):
    """What a reader's program would fetch or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "background"):
                self.sources.append(value or "")
            if name == "href":
                self.links.append(value or "")


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def test_a_mail_has_text_then_html_with_the_code_beside_it() -> None:
    mail = sent(letter())
    assert [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ] == [part.get_content_type() for part in mail.walk()]  # fmt: skip
    code = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert ("inline", "qr.png") == (code.get_content_disposition(), code.get_filename())


LONG_NAME = 'Example, Anna "the long one" (Department of Information Technology), in Berlin; evil@contoso.test'


@pytest.mark.parametrize("length", range(40, len(LONG_NAME)))
def test_a_long_name_stays_one_name_in_quotation_marks(length: int) -> None:
    name = LONG_NAME[:length].strip()
    mail = sent(letter(replace(ANNA, display_name=name)), Sender(SENDER.address, name))
    for header, address in (("To", ANNA.address), ("From", SENDER.address)):
        assert [(name, address)] == [(each.display_name, each.addr_spec) for each in mail[header].addresses]


@pytest.mark.parametrize("name", ["Müller, Anna", "Müller-Lüdenscheidt, Dr. Anna Maria (IT) <Berlin>, " * 2, "李, 雷"])
def test_a_name_in_other_letters_is_one_too(name: str) -> None:
    name = name[:100].strip()
    (mailbox,) = sent(letter(replace(ANNA, display_name=name)))["To"].addresses
    # Where it folds, Python may put a blank more.
    assert ("".join(name.split()), ANNA.address) == ("".join(mailbox.display_name.split()), mailbox.addr_spec)


def test_the_headers_say_who_writes_to_whom_and_that_no_person_did() -> None:
    mail = sent(letter())
    assert {
        "From": '"Contoso & Töchter" <it-help@contoso.example>'.replace('"', ""),
        "To": f'"{ANNA.display_name}"'.replace('<"IT">', r"<\"IT\">") + f" <{ANNA.address}>",
        "Reply-To": "help@contoso.example",
        "Subject": "Set up your Contoso & Töchter mail on your phone",
        "Message-ID": "<k3v9.1@contoso.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
        "Date": "Mon, 23 Nov 2026 09:00:00 +0000",
    } == {name: str(mail[name]) for name in mail if name not in ("MIME-Version", "Content-Type")}


def test_the_name_of_the_sender_may_be_chosen() -> None:
    assert "IT help desk <it-help@contoso.example>" == sent(letter(), Sender(SENDER.address, "IT help desk"))["From"]


@pytest.mark.parametrize("qr_capitals", [False, True])
def test_the_code_in_the_mail_opens_the_link(qr_capitals: bool) -> None:
    (picture,) = pictures(sent(letter(qr_capitals=qr_capitals))).values()
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture)))
    assert URL.upper() if qr_capitals else URL == code.text


def test_every_picture_is_in_the_mail_and_nothing_is_fetched() -> None:
    mail = sent(letter(organisation=Organisation(id="c", name="C", logo=Logo(PNG))))
    reader = read(html(mail))
    assert sorted(f"cid:{name}" for name in pictures(mail)) == sorted(reader.sources)
    assert 2 == len(reader.sources)
    assert [URL, URL] == reader.links
    assert not {"script", "link", "form", "iframe", "object", "video"} & reader.tags
    assert not re.search(r"url\(|@import", html(mail))


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_forms_say_the_same_in_every_language(language: str) -> None:
    mail = sent(letter(language=language))
    spoken = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html(mail), flags=re.DOTALL)
    for form in (text(mail), spoken):
        assert 1 <= form.count(URL)
        assert ANNA.address in form.replace("&#39;", "'")
        assert "2026" in form
    assert language == mail["Content-Language"]
    page = html(mail)
    assert f'<html lang="{language}" dir="{LANGUAGES[language].direction}">' in page
    assert (language == "en") == ("Set up my mail" in page)
    assert (language == "en") == (mail["Subject"] == "Set up your Contoso & Töchter mail on your phone")


def test_the_text_is_what_a_person_wrote() -> None:
    assert """\
Hello Anna,

Contoso has prepared your work mail for your phone. To set it up, open this link on the phone:

https://setup.contoso.example/s/abcdefghijklmnopqrstuvwx23

1. Open the link on the phone.
2. Follow the steps on the page. It takes two minutes.
3. Sign in with Microsoft, as you always do for your work mail.

The link is for anna@contoso.example alone: please do not pass it on. It works until 7 December 2026, on one device.

Nobody asks for your password in this mail or on that page. You enter it on Microsoft’s own page only.

Questions? Ask the IT department of Contoso.
Monday to Friday

-- 
Contoso sends this mail because your IT department has invited you to set up your mail.
""" == text(  # noqa: W291  # the signature's separator ends in a blank (RFC 3676 section 4.3)
        sent(
            letter(
                Account("anna@contoso.example", display_name="Anna"),
                Organisation(id="c", name="Contoso", help_text="Monday to Friday"),
                devices=1,
            )
        )
    )


def test_a_link_that_was_used_before_is_good_for_the_devices_that_are_left() -> None:
    first = letter(devices=5)
    mail = sent(replace(first, link=replace(first.link, devices_used=3)))
    assert "until 7 December 2026, on 2 devices." in text(mail)
    assert "2 devices" in html(mail)


def test_somebody_without_a_name_is_not_greeted_by_their_address() -> None:
    mail = sent(letter(Account("anna@contoso.example")))
    assert "Hello" not in text(mail) + html(mail)
    assert "anna@contoso.example" == mail["To"]


def test_an_organisation_writes_its_help_text_in_the_readers_language() -> None:
    organisation = Organisation(id="c", name="C", help_text="Ring 100", help_texts={"de": "Wählen Sie 100"})
    assert "Ring 100" in text(sent(letter(organisation=organisation)))
    assert "Wählen Sie 100" in text(sent(letter(organisation=organisation, language="de")))


_NAMES = st.text(max_size=60)


@given(name=_NAMES, organisation=_NAMES, contact=_NAMES)
def test_no_name_can_become_a_header_a_recipient_or_markup(name: str, organisation: str, contact: str) -> None:
    try:
        account = Account("anna@contoso.example", display_name=name)
        contoso = Organisation(id="c", name=organisation, support_contact=contact)
    except ProvisionerError:
        return  # never gets inside
    mail = sent(letter(account, contoso))
    expected = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}
    assert expected | {"Content-Language"} == set(mail.keys()) - {"Reply-To"}
    assert ["anna@contoso.example"] == [each.addr_spec for each in mail["To"].addresses]
    assert ["it-help@contoso.example"] == [each.addr_spec for each in mail["From"].addresses]
    assert [URL, URL] == read(html(mail)).links
    assert read(html(sent(letter()))).tags == read(html(mail)).tags | {"h1", "p", "bdi"}


def test_every_line_is_short_enough_for_a_mail_server() -> None:
    long = Organisation(id="c", name="N" * 100, support_contact="c" * 100, help_text="h" * 900)
    account = Account("anna@contoso.example", display_name="Ä" * 100)
    written = compose(letter(account, long), STATIONERY, sender=SENDER, message_id=MESSAGE_ID, written_at=NOW)
    content = written.as_bytes()
    assert max(len(line) for line in content.split(b"\r\n")) <= 998  # RFC 5321 section 4.5.3.1.6
    assert content.count(b"\n") == content.count(b"\r\n")
    assert content.isascii()


@pytest.mark.parametrize(
    ("wanted", "languages", "expected"),
    [
        ("de", (), "de"),
        ("de-AT", ("fr",), "de"),
        ("", ("fr", "de"), "fr"),
        ("xx", ("fr", "de"), "fr"),
        ("xx", ("yy", "de"), "en"),
        ("", (), "en"),
    ],
)
def test_people_are_written_to_in_their_language_or_their_organisations(
    wanted: str, languages: tuple[str, ...], expected: str
) -> None:
    assert expected == language_of(wanted, Organisation(id="c", name="C", languages=languages)).tag


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("help@contoso.example", "help@contoso.example"),
        ("IT help desk <Help@Contoso.example>, ext. 100", "Help@contoso.example"),
        ("ask me @ the desk, or it@contoso.example", "it@contoso.example"),
        ("a..b@contoso.example; it@contoso.example", "it@contoso.example"),
        ("+49 30 1234567", ""),
        ("", ""),
    ],
)
def test_answers_go_to_the_support_contact_where_it_has_an_address(contact: str, expected: str) -> None:
    assert expected == contact_address(Organisation(id="c", name="C", support_contact=contact))


@pytest.mark.parametrize(
    ("accent", "on_accent"),
    [("", "#ffffff"), ("#0b6e4f", "#ffffff"), ("#ffcc00", "#000000"), ("#ffffff", "#000000"), ("#000000", "#ffffff")],
)
def test_words_can_be_read_on_the_organisations_colour(accent: str, on_accent: str) -> None:
    assert (accent or "#0b57d0", on_accent) == colours(Organisation(id="c", name="C", accent_colour=accent))


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_the_contrast_is_enough_on_any_colour(accent: str) -> None:
    chosen, on_accent = colours(Organisation(id="c", name="C", accent_colour=accent))
    assert _contrast(chosen, on_accent) >= 4.5  # WCAG 2.2, 1.4.3: the button's 18 px are not large yet


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio, written down a second time."""

    def luminance(colour: str) -> float:
        red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in (red, green, blue)]
        return sum(share * each for share, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)

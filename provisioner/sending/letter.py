"""The invitation as a mail: text and HTML, the link, and its QR code as a picture inside the mail.

MIME: multipart/alternative with multipart/related (RFC 2046, RFC 2387), pictures named by Content-ID (RFC 2392), so
that nothing is fetched from anywhere. Auto-Submitted: RFC 3834. The headers are built by Python's email package, which
lets no line break into one.
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy

from provisioner.links import SetupLink
from provisioner.organisation import Logo, Organisation
from provisioner.qr import capitals, qr_png
from provisioner.sending.reading import colours, contact_address
from provisioner.sending.stationery import Stationery
from provisioner.texts import Language, day, message, translate

_SUBJECT = message("Set up your {organisation} mail on your phone")
_MODULE_PIXELS = 8  # drawn at half of that: sharp on every screen
_LINE, _LONGEST_LINE = 78, 998  # characters (RFC 5322 section 2.1.1)


class _Policy(EmailPolicy):
    """SMTP's, but that a mailbox in ASCII is never folded.

    Python takes the quotation marks off a name that it folds (python/cpython#80222, seen in 3.11.7), so that a comma
    in it begins another mailbox. A name in other letters is written in encoded words, which it folds well.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        """The header's line or lines."""
        longest = _LONGEST_LINE if isinstance(value, AddressHeader) and value.isascii() else _LINE
        return SMTP.clone(max_line_length=longest).fold_binary(name, value)


_POLICY = _Policy(linesep=SMTP.linesep, max_line_length=_LINE)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mails come from; without a name, the organisation's."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One invitation, ready to be written down."""

    link: SetupLink
    url: str
    organisation: Organisation
    language: Language
    qr_capitals: bool = False

    @property
    def qr_text(self) -> str:
        """What the code holds: the link."""
        return capitals(self.url) if self.qr_capitals else self.url


def compose(
    letter: Letter, stationery: Stationery, *, sender: Sender, message_id: str, written_at: datetime
) -> EmailMessage:
    """The mail. The same ``message_id``, the same mail: a second copy is recognised as one."""
    account, organisation = letter.link.account, letter.organisation
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _mailbox(sender.address, sender.name or organisation.name)
    mail["To"] = _mailbox(account.address, account.display_name)
    if reply_to := contact_address(organisation):
        mail["Reply-To"] = _mailbox(reply_to, "")
    mail["Subject"] = translate(letter.language.tag)(_SUBJECT).format(organisation=organisation.name)
    mail["Date"] = written_at
    mail["Message-ID"] = f"<{message_id}>"
    mail["Auto-Submitted"] = "auto-generated"
    pictures = _Pictures.of(message_id, organisation.logo)
    words = _words(letter, pictures)
    mail.set_content(stationery.write("mail.txt", letter.language, **words))
    mail.add_alternative(stationery.write("mail.html", letter.language, **words), subtype="html")
    _enclose(mail, letter, pictures)
    mail["Content-Language"] = letter.language.tag  # not before: setting the content takes such headers away
    return mail


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The Content-IDs of the pictures inside; the logo's is empty where there is none."""

    code: str
    logo: str

    @classmethod
    def of(cls, message_id: str, logo: Logo | None) -> "_Pictures":
        return cls(f"code.{message_id}", f"logo.{message_id}" if logo else "")


def _words(letter: Letter, pictures: _Pictures) -> dict[str, object]:
    link, organisation = letter.link, letter.organisation
    accent, on_accent = colours(organisation)
    return {
        "name": link.account.display_name,
        "address": link.account.address,
        "organisation": organisation.name,
        "contact": organisation.support_contact,
        "help_text": organisation.help_texts.get(letter.language.tag, organisation.help_text),
        "url": letter.url,
        "until": day(link.expires_at, letter.language.tag),
        "devices": link.devices_allowed - link.devices_used,
        "code": pictures.code,
        "logo": pictures.logo,
        "accent": accent,
        "on_accent": on_accent,
    }


def _enclose(mail: EmailMessage, letter: Letter, pictures: _Pictures) -> None:
    """Put the pictures beside the HTML, which names them."""
    _, html = mail.iter_parts()
    assert isinstance(html, EmailMessage)
    code = qr_png(letter.qr_text, module_pixels=_MODULE_PIXELS)
    html.add_related(code, "image", "png", cid=f"<{pictures.code}>", filename="qr.png", disposition="inline")
    if logo := letter.organisation.logo:
        kind = logo.media_type.removeprefix("image/")
        html.add_related(
            logo.content, "image", kind, cid=f"<{pictures.logo}>", filename=f"logo.{kind}", disposition="inline"
        )


def _mailbox(address: str, name: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(display_name=name, username=local, domain=domain)

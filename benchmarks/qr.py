"""Drawing a QR code that was never drawn before, and one that was, beside the qrcode library's own drawings."""

from collections.abc import Callable
from io import BytesIO
from random import Random

from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.base import BaseImage
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathImage
from qrcode.main import QRCode

from benchmarks.timing import Case, Row, compare
from provisioner.qr import qr_png, qr_svg, qr_terminal

_LABEL = "Set up your mail at Contoso"
_random = Random(18004)  # noqa: S311  # the same links in every run
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_KNOWN = "https://go.contoso.example/s/abcdefghijklmnopqrstuvwxyz2"


def _fresh() -> str:
    """A link of 56 characters that was never drawn before."""
    return f"https://go.contoso.example/s/{''.join(_random.choices(_ALPHABET, k=27))}"


def _library(factory: type[BaseImage]) -> Callable[[], bytes]:
    def draw() -> bytes:
        code = QRCode(error_correction=ERROR_CORRECT_M, box_size=8, border=4, image_factory=factory)
        code.add_data(_fresh())
        file = BytesIO()
        code.make_image().save(file)
        return file.getvalue()

    return draw


def measure(seconds: float) -> list[Row]:
    """SVG, then PNG; the library's PNG is Pillow's, which only development installs."""
    drawings = compare(
        Case("qrcode's SvgPathImage, new link", _library(SvgPathImage)),
        Case("qr_svg, new link", lambda: qr_svg(_fresh(), label=_LABEL)),
        Case("qr_svg, known link", lambda: qr_svg(_KNOWN, label=_LABEL)),
        Case("qr_terminal, new link", lambda: qr_terminal(_fresh(), colour=True)),
        seconds=seconds,
    )
    pictures = compare(
        Case("qrcode's PNG, new link", _library(PilImage)),
        Case("qr_png, new link", lambda: qr_png(_fresh())),
        Case("qr_png, known link", lambda: qr_png(_KNOWN)),
        seconds=seconds,
    )
    return [*drawings, *pictures]

"""Turns a link into a QR code that a phone's camera reads: as a drawing, as a picture, or in a terminal.

ISO/IEC 18004:2015: error correction level M (L where only that keeps the symbol at version 10 or below: a coarser
symbol is read more easily than a safer one), a quiet zone of 4 modules, dark modules on a light ground. The symbol
comes from the qrcode library; choosing its mask is nearly all of the cost, so symbols are kept for the texts used
last. A text may hold a token, so it stands in no message.
"""

import re
import struct
import zlib
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

from provisioner.errors import InvalidInput, InvalidText, printable

QUIET_ZONE = 4  # modules on each side
MAX_OCTETS, MAX_CAPITALS = 2331, 3391  # version 40-M; ISO/IEC 18004 table 7
MIN_MODULE_PIXELS, MAX_MODULE_PIXELS = 1, 64

_EASY_VERSION = 10  # a larger symbol on a phone's screen is hard to scan (thunderbird-android#8520)
_CACHED_SYMBOLS = 256
_LIGHT, _DARK = "0", "1"
_SVG_MODULE_PIXELS = 6  # only the size the drawing proposes; a style sheet may choose another
_SVG_STYLE = "color-scheme:only light;forced-color-adjust:none"
_NOT_IN_LABEL = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 section 2.2, on one line
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z $%*+\-./:]")  # ISO/IEC 18004 table 5
# Places 16 and 231 of the 256 colours are pure black and white; colour schemes change the first 16.
_BLACK_ON_WHITE, _RESET = "\x1b[0;38;5;16;48;5;231m", "\x1b[0m"
_HALF_BLOCKS = {(_LIGHT, _LIGHT): " ", (_DARK, _LIGHT): "▀", (_LIGHT, _DARK): "▄", (_DARK, _DARK): "█"}
_INVERTED = {(_LIGHT, _LIGHT): "█", (_DARK, _LIGHT): "▄", (_LIGHT, _DARK): "▀", (_DARK, _DARK): " "}


def qr_svg(text: str, *, label: str) -> str:
    """``text`` as an SVG element, to stand in a page or, encoded in UTF-8, as a file of its own.

    It stays black on white in dark mode and under forced colours. ``label`` is read to people who do not see it, so
    it names what the link leads to. Raises InvalidInput for an empty or unwritable label and as ``qr_png`` does.
    """
    if not label.strip():
        raise InvalidInput("The QR code has no label; say in a few words what it leads to.")
    if refused := _NOT_IN_LABEL.search(label):
        raise InvalidText(
            f"The label of the QR code holds {printable(refused[0])}, which no label may hold. Remove it."
        )
    rows = _symbol(text)
    size = str(len(rows))
    pixels = str(len(rows) * _SVG_MODULE_PIXELS)
    svg = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {size} {size}"})
    svg.attrib |= {"width": pixels, "height": pixels, "role": "img", "aria-label": label, "style": _SVG_STYLE}
    ET.SubElement(svg, "title").text = label
    ET.SubElement(svg, "rect", {"width": size, "height": size, "fill": "#fff"})
    ET.SubElement(svg, "path", {"d": _path(rows), "stroke": "#000", "shape-rendering": "crispEdges"})
    return ET.tostring(svg, encoding="unicode")


def _path(rows: tuple[str, ...]) -> str:
    """The dark runs as horizontal strokes, one module wide, through the middle of each row."""
    steps: list[str] = []
    for y, row in enumerate(rows):
        end = 0
        for run in re.finditer(f"{_DARK}+", row):
            steps.append(f"m{run.start() - end} 0" if end else f"M{run.start()} {y}.5")
            end = run.end()
            steps.append(f"h{end - run.start()}")
    return "".join(steps)


def qr_png(text: str, *, module_pixels: int = 8) -> bytes:
    """``text`` as a PNG picture of 1 bit grey, ``module_pixels`` (1 to 64) wide and high per module.

    Raises InvalidInput where ``text`` is empty, not writable in UTF-8 or more than a QR code of level M holds, or
    ``module_pixels`` is out of its range. Source: PNG (third edition) sections 5 and 11.
    """
    if not MIN_MODULE_PIXELS <= module_pixels <= MAX_MODULE_PIXELS:
        raise InvalidInput(
            f"A module of the QR code cannot be {module_pixels} pixels wide; choose "
            f"{MIN_MODULE_PIXELS} to {MAX_MODULE_PIXELS}."
        )
    rows = _symbol(text)
    side = len(rows) * module_pixels
    line_octets = (side + 7) // 8
    pixels = {ord(_LIGHT): "1" * module_pixels, ord(_DARK): "0" * module_pixels}
    lines = (int(row.translate(pixels).ljust(line_octets * 8, "0"), 2).to_bytes(line_octets, "big") for row in rows)
    unfiltered = b"".join((b"\0" + line) * module_pixels for line in lines)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)  # 1 bit, grey, the only methods there are
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(unfiltered)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def qr_terminal(text: str, *, colour: bool) -> str:
    """``text`` as lines of half blocks, two modules high each, without a final line break.

    With ``colour`` it is black on white by escape sequences (ECMA-48 SGR) on any ground; without, it is plain
    characters that are right on a dark ground only. Raises InvalidInput as ``qr_png`` does.
    """
    rows = _symbol(text)
    below = (*rows[1::2], _LIGHT * len(rows))  # a symbol's height is odd: the last line gets a second light half
    blocks = _HALF_BLOCKS if colour else _INVERTED
    lines = ("".join(blocks[pair] for pair in zip(*two, strict=True)) for two in zip(rows[::2], below, strict=True))
    return "\n".join(f"{_BLACK_ON_WHITE}{line}{_RESET}" if colour else line for line in lines)


def capitals(url: str) -> str:
    """``url`` in capitals, as a QR code writes it in less room (alphanumeric mode).

    Scheme and host mean the same in any case; that the path does, the caller knows. Raises InvalidInput where the
    URL holds characters this mode has not, such as those of a query.
    """
    # Before the capitals: some letters beyond ASCII have ASCII capitals, which would make it another URL.
    refused = re.search(r"[^\x00-\x7f]", url) or _NOT_ALPHANUMERIC.search(url.upper())
    if refused:
        raise InvalidInput(
            f"The link holds {printable(refused[0])}, which a QR code in capitals cannot; only letters, digits and "
            "$ % * + - . / : were expected. Use the link as it is."
        )
    return url.upper()


@lru_cache(maxsize=_CACHED_SYMBOLS)
def _symbol(text: str) -> tuple[str, ...]:
    """The rows of the symbol with its quiet zone, one character per module."""
    if not text:
        raise InvalidInput("There is nothing to write as a QR code: the text is empty; a link was expected.")
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise InvalidText("The text for the QR code holds half of a surrogate pair. Remove it.") from None
    return tuple("".join(_DARK if dark else _LIGHT for dark in row) for row in _modules(content))


def _modules(content: bytes) -> list[list[bool]]:
    # Imported when first needed: it brings the whole imaging library where that is installed.
    from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
    from qrcode.exceptions import DataOverflowError
    from qrcode.main import QRCode

    def fitted(level: int) -> QRCode[Any]:
        code = QRCode[Any](error_correction=level, border=QUIET_ZONE)
        code.add_data(content, optimize=0)  # one segment: numeric, alphanumeric or bytes
        code.best_fit()
        return code

    try:
        code = fitted(ERROR_CORRECT_M)
        if code.version > _EASY_VERSION and (coarser := fitted(ERROR_CORRECT_L)).version <= _EASY_VERSION:
            code = coarser
    except (DataOverflowError, ValueError):  # qrcode 8.2 asks itself for version 41 and raises ValueError
        raise InvalidInput(
            f"The text is too long for a QR code: {len(content)} octets, and {MAX_OCTETS} fit ({MAX_CAPITALS} in "
            "capitals). Use a shorter one."
        ) from None
    matrix: list[list[bool]] = code.get_matrix()
    return matrix

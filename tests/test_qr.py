"""QR codes: what is drawn is read back by an independent reader as what was written, in every way we draw it."""

import os
import re
import string
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from provisioner.errors import InvalidInput
from provisioner.qr import MAX_CAPITALS, MAX_OCTETS, capitals, qr_png, qr_svg, qr_terminal

LINK = "https://go.contoso.example/s/abcdefghijklmnopqrstuvwxyz2"
LABEL = "Set up your mail at Contoso"
PIXELS = 8  # per module, in the pictures these tests draw
WHITE, BLACK = 255, 0

url_characters = st.text(string.ascii_letters + string.digits + "-._~:/?#[]@!$&'()*+,;=%", min_size=1, max_size=50)
urls = st.builds(
    lambda part, length: f"https://go.contoso.example/{(part * length)[:length]}",
    part=url_characters,
    length=st.integers(0, 600),  # up to version 20
)


def read(picture: Image.Image) -> zxingcpp.Barcode:
    """The one QR code in ``picture``; a code that is light on dark is not found."""
    found = zxingcpp.read_barcodes(picture, zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]), try_invert=False)
    assert len(found) == 1
    return found[0]


def from_png(text: str) -> Image.Image:
    picture = Image.open(BytesIO(qr_png(text)))
    picture.load()
    return picture


def from_svg(text: str) -> Image.Image:
    """The drawing as it looks on a black page: only what it paints itself is white."""
    svg = ET.fromstring(qr_svg(text, label=LABEL))
    _, _, width, height = (int(number) for number in svg.attrib["viewBox"].split())
    picture = Image.new("L", (width * PIXELS, height * PIXELS), BLACK)
    pen = ImageDraw.Draw(picture)
    for element in svg:
        if element.tag.endswith("rect"):
            assert "#fff" == element.attrib["fill"]
            paint(pen, 0, 0, int(element.attrib["width"]), int(element.attrib["height"]), WHITE)
        elif element.tag.endswith("path"):
            assert "#000" == element.attrib["stroke"]
            for x, y, length in strokes(element.attrib["d"]):
                paint(pen, x, y, length, 1, BLACK)
    return picture


def strokes(path: str) -> list[tuple[int, int, int]]:
    """The horizontal strokes of a path of M, m and h commands as (column, row, length)."""
    drawn, x, y = [], 0.0, 0.0
    consumed = ""
    for command in re.finditer(r"([Mmh])([-\d.]+)(?: ([-\d.]+))?", path):
        consumed += command[0]
        if command[1] == "M":
            x, y = float(command[2]), float(command[3])
        elif command[1] == "m":
            x, y = x + float(command[2]), y + float(command[3])
        else:
            drawn.append((int(x), int(y - 0.5), int(command[2])))
            x += float(command[2])
    assert path == consumed
    return drawn


def paint(pen: ImageDraw.ImageDraw, x: int, y: int, width: int, height: int, shade: int) -> None:
    pen.rectangle((x * PIXELS, y * PIXELS, (x + width) * PIXELS - 1, (y + height) * PIXELS - 1), fill=shade)


def from_coloured_terminal(text: str) -> Image.Image:
    lines = qr_terminal(text, colour=True).split("\n")
    painted = [re.fullmatch(r"\x1b\[0;38;5;16;48;5;231m([ ▀▄█]+)\x1b\[0m", line) for line in lines]
    return from_blocks([line[1] for line in painted if line], ink=BLACK, ground=WHITE)


def from_dark_terminal(text: str) -> Image.Image:
    return from_blocks(qr_terminal(text, colour=False).split("\n"), ink=WHITE, ground=BLACK)


def from_blocks(lines: list[str], *, ink: int, ground: int) -> Image.Image:
    """What a terminal shows, with a rim of its own ground around the lines."""
    picture = Image.new("L", ((len(lines[0]) + 2) * PIXELS, (2 * len(lines) + 2) * PIXELS), ground)
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        for column, character in enumerate(line):
            upper, lower = {" ": (False, False), "▀": (True, False), "▄": (False, True), "█": (True, True)}[character]
            paint(pen, column + 1, 2 * number + 1, 1, 1, ink if upper else ground)
            paint(pen, column + 1, 2 * number + 2, 1, 1, ink if lower else ground)
    return picture


WAYS = (from_png, from_svg, from_coloured_terminal, from_dark_terminal)
ways = pytest.mark.parametrize("drawn", WAYS)


def matrix(text: str) -> list[list[bool]]:
    """The modules of the whole picture, true where dark, from a PNG of one pixel per module."""
    picture = Image.open(BytesIO(qr_png(text, module_pixels=1)))
    return [[picture.getpixel((x, y)) == 0 for x in range(picture.width)] for y in range(picture.height)]


def version(text: str) -> int:
    """The size of the symbol (ISO/IEC 18004 section 6.1), without its quiet zone of four modules on each side."""
    return (len(matrix(text)) - 8 - 17) // 4


@ways
def test_a_link_is_read_back_from_every_kind_of_drawing(drawn: Callable[[str], Image.Image]) -> None:
    assert LINK == read(drawn(LINK)).text


@settings(deadline=None, max_examples=30)
@given(url=urls)
def test_urls_of_any_length_are_read_back_as_they_were_written(url: str) -> None:
    for drawn in WAYS:
        assert url.encode() == read(drawn(url)).bytes


@ways
def test_a_drawing_can_lose_a_seventh_of_its_modules_to_dirt(drawn: Callable[[str], Image.Image]) -> None:
    assert "M" == read(drawn(LINK)).ec_level


@ways
@pytest.mark.parametrize("text", [LINK, LINK.upper(), "1"])
def test_a_light_quiet_zone_of_four_modules_surrounds_the_symbol(
    drawn: Callable[[str], Image.Image], text: str
) -> None:
    """Readers such as OpenCV do not find a symbol without it. A terminal's half blocks may add a row below."""
    picture = drawn(text).convert("L")
    rim = 1 if drawn in {from_coloured_terminal, from_dark_terminal} else 0

    def shades(x: int, y: int, width: int, height: int) -> set[object]:
        box = ((x + rim) * PIXELS, (y + rim) * PIXELS, (x + rim + width) * PIXELS, (y + rim + height) * PIXELS)
        return {shade for _, shade in picture.crop(box).getcolors() or []}

    side = len(matrix(text))
    assert {WHITE} == shades(0, 0, side, 4) | shades(0, side - 4, side, 4)
    assert {WHITE} == shades(0, 0, 4, side) | shades(side - 4, 0, 4, side)
    for corner in ((4, 4), (side - 11, 4), (4, side - 11)):  # the finder patterns touch the quiet zone
        assert {BLACK} == shades(*corner, 7, 1)


def test_every_way_draws_the_same_symbol() -> None:
    expected = [[x for x, dark in enumerate(row) if dark] for row in matrix(LINK)]
    path = ET.fromstring(qr_svg(LINK, label=LABEL))[-1].attrib["d"]
    drawn: list[list[int]] = [[] for _ in expected]
    for x, y, length in strokes(path):
        drawn[y].extend(range(x, x + length))
    assert expected == drawn


def test_the_picture_is_grey_of_one_bit_and_whole() -> None:
    content = qr_png(LINK, module_pixels=3)
    Image.open(BytesIO(content)).verify()
    picture = Image.open(BytesIO(content))
    assert ("PNG", "1", (41 * 3, 41 * 3)) == (picture.format, picture.mode, picture.size)
    assert content.endswith(b"IEND\xae\x42\x60\x82")


@pytest.mark.parametrize("module_pixels", [1, 7, 64])
def test_a_picture_has_the_pixels_that_were_asked_for(module_pixels: int) -> None:
    picture = Image.open(BytesIO(qr_png(LINK, module_pixels=module_pixels)))
    assert (41 * module_pixels, 41 * module_pixels) == picture.size
    enlarged = Image.open(BytesIO(qr_png(LINK, module_pixels=1))).resize(picture.size, Image.Resampling.NEAREST)
    assert enlarged.tobytes() == picture.tobytes()


@pytest.mark.parametrize("module_pixels", [-1, 0, 65])
def test_a_picture_too_small_or_too_large_to_be_useful_is_refused(module_pixels: int) -> None:
    with pytest.raises(InvalidInput, match=f"{module_pixels} pixels wide; choose 1 to 64"):
        qr_png(LINK, module_pixels=module_pixels)


@given(token=st.text(alphabet=string.ascii_lowercase + "234567", min_size=26, max_size=26))
@settings(deadline=None, max_examples=30)
def test_a_drawing_of_a_setup_link_stays_near_two_kilobytes(token: str) -> None:
    """It stands in the landing page, which has 14 KB in all."""
    assert len(qr_svg(f"https://go.contoso.example/s/{token}2", label=LABEL)) < 2_400


def test_a_label_is_text_whatever_it_holds() -> None:
    label = """</title><script>alert("1 & 'one'")</script>"""
    svg = ET.fromstring(qr_svg(LINK, label=label))
    names = [element.tag.removeprefix("{http://www.w3.org/2000/svg}") for element in svg.iter()]
    assert ["svg", "title", "rect", "path"] == names
    assert label == svg.attrib["aria-label"]
    assert label == svg[0].text


@given(label=st.text())
def test_a_label_is_kept_or_refused(label: str) -> None:
    try:
        svg = ET.fromstring(qr_svg(LINK, label=label))
    except InvalidInput:
        return
    assert (label, label) == (svg.attrib["aria-label"], svg[0].text)


@pytest.mark.parametrize("label", ["", "  ", "a\nb", "a\x00b", "a\ud800b", "a\uffffb"])
def test_a_label_nobody_can_hear_or_write_is_refused(label: str) -> None:
    with pytest.raises(InvalidInput, match="label"):
        qr_svg(LINK, label=label)


def test_a_drawing_is_one_image_to_a_screen_reader() -> None:
    assert "img" == ET.fromstring(qr_svg(LINK, label=LABEL)).attrib["role"]


def test_dark_mode_and_forced_colours_leave_a_drawing_alone() -> None:
    style = ET.fromstring(qr_svg(LINK, label=LABEL)).attrib["style"]
    assert {"color-scheme:only light", "forced-color-adjust:none"} == set(style.split(";"))


def test_plain_lines_hold_nothing_but_half_blocks() -> None:
    """They may go to a log or through a program that escapes control characters."""
    assert set(qr_terminal(LINK, colour=False)) <= set(" ▀▄█\n")


def test_the_half_row_left_over_at_the_bottom_is_light() -> None:
    """A symbol has an odd number of rows, and a line of text shows two."""
    assert qr_terminal(LINK, colour=False).split("\n")[-1] == "█" * 41
    assert " " * 41 in qr_terminal(LINK, colour=True).split("\n")[-1]


def test_coloured_lines_leave_the_terminal_as_they_found_it() -> None:
    assert all(line.endswith("\x1b[0m") for line in qr_terminal(LINK, colour=True).split("\n"))


everywhere = pytest.mark.parametrize(
    "draw",
    [qr_png, lambda text: qr_svg(text, label=LABEL), lambda text: qr_terminal(text, colour=True)],
    ids=["png", "svg", "terminal"],
)


@everywhere
def test_nothing_cannot_be_drawn(draw: Callable[[str], object]) -> None:
    with pytest.raises(InvalidInput, match="the text is empty; a link was expected"):
        draw("")


@everywhere
def test_half_a_character_cannot_be_drawn(draw: Callable[[str], object]) -> None:
    with pytest.raises(InvalidInput, match="half of a surrogate pair"):
        draw("\ud800")


@everywhere
def test_more_than_the_largest_symbol_holds_is_refused_without_repeating_it(draw: Callable[[str], object]) -> None:
    with pytest.raises(InvalidInput, match="2332 octets, and 2331 fit") as refusal:
        draw("a" * (MAX_OCTETS + 1))
    assert "aaa" not in str(refusal.value)


def test_the_largest_symbol_is_read_back() -> None:
    text = "a" * MAX_OCTETS
    assert 40 == version(text)
    assert text == read(from_png(text)).text


def test_the_largest_text_in_capitals_fits_and_one_more_does_not() -> None:
    assert 40 == version("A" * MAX_CAPITALS)
    with pytest.raises(InvalidInput, match="too long"):
        qr_png("A" * (MAX_CAPITALS + 1))


def test_text_beyond_ascii_is_written_as_utf_8() -> None:
    assert "Grüße aus Zürich".encode() == read(from_png("Grüße aus Zürich")).bytes


def test_a_link_in_capitals_takes_a_smaller_symbol() -> None:
    assert 56 == len(LINK)
    assert (4, 3) == (version(LINK), version(capitals(LINK)))


@ways
def test_a_link_in_capitals_is_read_back(drawn: Callable[[str], Image.Image]) -> None:
    assert "HTTPS://GO.CONTOSO.EXAMPLE/S/ABCDEFGHIJKLMNOPQRSTUVWXYZ2" == read(drawn(capitals(LINK))).text


@pytest.mark.parametrize("character", ["?", "~", "_", "=", "&", "#", "@", "é", "ß", "ı", "ſ", "ﬁ"])
def test_a_link_that_capitals_cannot_write_is_refused_by_the_character(character: str) -> None:
    """Some of these letters have ASCII capitals, so that capitals alone would quietly make it another link."""
    with pytest.raises(InvalidInput) as refusal:
        capitals(f"{LINK}{character}more")
    assert repr(character) in str(refusal.value)
    assert "contoso" not in str(refusal.value).lower()


@given(url=urls)
def test_capitals_differ_from_the_link_only_in_case(url: str) -> None:
    try:
        shouted = capitals(url)
    except InvalidInput:
        return
    assert url.lower() == shouted.lower()
    assert set(shouted) <= set(string.digits + string.ascii_uppercase + " $%*+-./:")


def test_another_process_draws_the_same_bytes_and_loads_the_library_only_to_draw() -> None:
    program = (
        "import sys; from provisioner.qr import *; loaded = 'qrcode' in sys.modules;"
        f"print(loaded, qr_svg({LINK!r}, label={LABEL!r}), qr_png({LINK!r}).hex(), sep=chr(10))"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "1"}
    result = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert ["False", qr_svg(LINK, label=LABEL), qr_png(LINK).hex()] == result.stdout.splitlines()

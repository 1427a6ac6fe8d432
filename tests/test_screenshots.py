"""The pictures in docs are those that the script takes: none is missing or left over, and the index shows each."""

import re

from PIL import Image

from tests.picturing import DIRECTORY, INDEX, PICTURES


def test_every_picture_is_there_and_no_other() -> None:
    assert {f"{picture.name}.png" for picture in PICTURES} == {file.name for file in DIRECTORY.iterdir()}


def test_the_index_shows_every_picture_in_its_order() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\(screenshots/([^)]+)\.png\)", INDEX.read_text())
    assert [(picture.caption, picture.name) for picture in PICTURES] == shown


def test_the_pictures_are_small_and_whole() -> None:
    for file in DIRECTORY.iterdir():
        with Image.open(file) as image:
            image.load()
            assert image.width >= 390
    assert sum(file.stat().st_size for file in DIRECTORY.iterdir()) < 3_000_000

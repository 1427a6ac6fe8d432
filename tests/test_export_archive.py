"""The ZIP of a set: other people's programs read it, also past ZIP's old limits; and it appears whole or not at all."""

import os
import subprocess
import threading
from io import BytesIO
from pathlib import Path
from stat import S_IMODE
from tempfile import TemporaryFile
from typing import BinaryIO
from zipfile import ZIP_STORED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.export.archive import Archive
from provisioner.export.placing import appearing
from tests.capabilities import require_program
from tests.commands import names

_MAX32 = 0xFFFFFFFF
_NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\\/"), min_size=1, max_size=40)


def _write(file: BinaryIO, contents: dict[str, bytes]) -> None:
    with TemporaryFile() as directory:
        archive = Archive(file, directory)
        for name, content in contents.items():
            archive.add(name, content)
        archive.close()


def _is_sound(path: Path) -> str:
    """What ``unzip -t`` says at its end; an independent reader, of ZIP64 too."""
    unzip = require_program("unzip", package="unzip", binaries=["unzip"])
    return subprocess.run([unzip, "-tq", path], capture_output=True, text=True, check=False).stdout.strip()


@given(st.dictionaries(_NAMES, st.binary(max_size=300), max_size=5))
def test_whatever_is_put_in_comes_out_in_its_order(contents: dict[str, bytes]) -> None:
    file = BytesIO()
    _write(file, contents)
    with ZipFile(file) as archive:
        assert archive.testzip() is None
        assert list(contents.items()) == [(name, archive.read(name)) for name in archive.namelist()]
        assert {ZIP_STORED} >= {entry.compress_type for entry in archive.infolist()}
        assert {(1980, 1, 1, 0, 0, 0)} >= {entry.date_time for entry in archive.infolist()}
        assert {0o100644} >= {entry.external_attr >> 16 for entry in archive.infolist()}


def test_a_file_can_be_added_from_a_file() -> None:
    content, file = BytesIO(b"manifest" * 50_000), BytesIO()
    archive = Archive(file, BytesIO())
    archive.add_file("folder/ü.json", content)
    archive.close()
    with ZipFile(file) as read:
        assert content.getvalue() == read.read("folder/ü.json")


@pytest.mark.parametrize("count", [65_534, 65_535, 65_536])
def test_there_may_be_more_files_than_the_old_form_can_count(tmp_path: Path, count: int) -> None:
    path = tmp_path / "many.zip"
    with path.open("wb") as file:
        _write(file, {f"{number}.txt": b"%d" % number for number in range(count)})
    with ZipFile(path) as archive:
        assert [f"{number}.txt" for number in range(count)] == archive.namelist()
        assert b"%d" % (count - 1) == archive.read(f"{count - 1}.txt")
    assert f"No errors detected in compressed data of {path}." == _is_sound(path)


@pytest.mark.parametrize("start", [_MAX32 - 40, _MAX32 - 1, _MAX32, _MAX32 + 1, 2 * _MAX32])
def test_there_may_be_more_bytes_than_the_old_form_can_count(tmp_path: Path, start: int) -> None:
    """What lies before the archive is a hole; offsets count from the start of the file."""
    path, contents = tmp_path / "far.zip", {"a.txt": b"near", "b.txt": b"far"}
    with path.open("wb") as file:
        file.seek(start)
        _write(file, contents)
    with ZipFile(path) as archive:
        assert contents == {name: archive.read(name) for name in archive.namelist()}
        assert start == archive.infolist()[0].header_offset


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(b"before")
    with appearing(path) as file:
        file.write(b"after")
        file.flush()
        assert b"before" == path.read_bytes()
        assert ["set.zip"] == names(tmp_path)
    assert b"after" == path.read_bytes()
    assert ["set.zip"] == names(tmp_path)


def test_what_fails_halfway_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(b"before")
    with pytest.raises(TypeError), appearing(path) as file:
        file.writelines([b"after", "no bytes"])  # type: ignore[list-item]  # what fails
    assert b"before" == path.read_bytes()
    assert ["set.zip"] == names(tmp_path)


def test_what_an_older_run_left_half_linked_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".set.zip.unfinished").write_bytes(b"killed between two steps")
    with appearing(tmp_path / "set.zip") as file:
        file.write(b"after")
    assert b"after" == (tmp_path / "set.zip").read_bytes()
    assert ["set.zip"] == names(tmp_path)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.zip").write_bytes(b"before")
    (tmp_path / "set.zip").symlink_to("real.zip")
    with appearing(tmp_path / "set.zip") as file:
        file.write(b"after")
    assert (tmp_path / "set.zip").is_symlink()
    assert b"after" == (tmp_path / "real.zip").read_bytes()


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(b"before")
    path.chmod(0o600)
    with appearing(path) as file:
        file.write(b"after")
    assert 0o600 == S_IMODE(path.stat().st_mode)


def test_what_is_no_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """As root, replacing /dev/null would be the end of it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with appearing(pipe) as file, TemporaryFile() as directory:
        archive = Archive(file, directory)
        archive.add("a.txt", b"content")
        archive.close()
    reader.join(timeout=10)
    assert pipe.is_fifo()
    assert ["pipe"] == names(tmp_path)
    with ZipFile(BytesIO(read[0])) as written:
        assert b"content" == written.read("a.txt")


def test_a_directory_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), appearing(tmp_path / "nowhere" / "set.zip"):
        raise AssertionError("nothing is written")

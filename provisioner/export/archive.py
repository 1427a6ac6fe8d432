"""The ZIP that a set is handed over in, written from front to back in memory that does not grow with it.

PKWARE APPNOTE 6.3.3: local headers (4.3.7), central directory (4.3.12), and for more than 65,535 files or 4 GiB the
ZIP64 end (4.3.14, 4.3.15). Python's zipfile keeps every entry in memory until the end; here the central directory lies
in a file. Nothing is compressed: half of a signed profile are certificates and a signature. Every file has the same
moment, so that the same set has the same bytes.
"""

from collections.abc import Iterator
from shutil import copyfileobj
from struct import pack
from typing import BinaryIO
from zlib import crc32

_UTF8 = 0x0800  # general purpose bit 11: the names are UTF-8
_DAY = 0x0021  # 1980-01-01, the first that a ZIP can name
_UNIX, _MODE = 3 << 8, 0o100644 << 16
_PLAIN, _ZIP64 = 20, 45  # version needed to extract
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_BLOCK = 1 << 16


class Archive:
    """A ZIP from where ``file`` stands; ``directory`` is a temporary file of its own. ``close`` makes it whole."""

    def __init__(self, file: BinaryIO, directory: BinaryIO) -> None:
        self._file, self._directory = file, directory
        self._offset = file.tell() if file.seekable() else 0  # a pipe stands nowhere
        self._count = 0

    def add(self, name: str, content: bytes) -> None:
        """Add a file of less than 4 GiB."""
        self._begin(name.encode(), len(content), crc32(content))
        self._file.write(content)

    def add_file(self, name: str, content: BinaryIO) -> None:
        """Add a file of less than 4 GiB whose content is what ``content`` holds."""
        size = checksum = 0
        for block in _blocks(content):
            size, checksum = size + len(block), crc32(block, checksum)
        self._begin(name.encode(), size, checksum)
        for block in _blocks(content):
            self._file.write(block)

    def _begin(self, name: bytes, size: int, checksum: int) -> None:
        assert size < _MAX32
        common = pack("<HHHHLLLH", _UTF8, 0, 0, _DAY, checksum, size, size, len(name))
        self._file.write(pack("<LH", 0x04034B50, _PLAIN) + common + pack("<H", 0) + name)
        is_far = self._offset >= _MAX32
        extra = pack("<HHQ", 1, 8, self._offset) if is_far else b""
        self._directory.write(
            pack("<LHH", 0x02014B50, _UNIX | _ZIP64, _ZIP64 if is_far else _PLAIN)
            + common
            + pack("<HHHHLL", len(extra), 0, 0, 0, _MODE, min(self._offset, _MAX32))
            + name
            + extra
        )
        self._offset += 30 + len(name) + size
        self._count += 1

    def close(self) -> None:
        """Write the central directory and the end."""
        start, size = self._offset, self._directory.tell()
        self._directory.seek(0)
        copyfileobj(self._directory, self._file)
        if self._count >= _MAX16 or start >= _MAX32 or size >= _MAX32:
            self._file.write(
                pack("<LQHHLLQQQQ", 0x06064B50, 44, _UNIX | _ZIP64, _ZIP64, 0, 0, self._count, self._count, size, start)
            )
            self._file.write(pack("<LLQL", 0x07064B50, 0, start + size, 1))
        count = min(self._count, _MAX16)
        self._file.write(pack("<LHHHHLLH", 0x06054B50, 0, 0, count, count, min(size, _MAX32), min(start, _MAX32), 0))


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block

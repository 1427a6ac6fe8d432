"""A file that appears under its name when it is whole, and of which nothing is left where its writer is killed before.

Linux's O_TMPFILE (open(2)): the file has no name until it is linked. Where a file system has no such files, it is
written under one hidden name beside its own, which the next run uses again.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import BinaryIO

_NEW_FILE = 0o644  # and less where the user's mask says so
_NO_SUCH_FILES = (errno.EISDIR, errno.EOPNOTSUPP, errno.ENOENT, errno.EINVAL)


@contextmanager
def appearing(path: Path) -> Iterator[BinaryIO]:
    """What is written into the yielded file is at ``path`` once the block has ended well. Raises OSError."""
    if path.exists() and not path.is_file():
        with path.open("wb") as file:  # a device or a pipe: it cannot be replaced, and must not be
            yield file
        return
    path = path.resolve()
    hidden = path.with_name(f".{path.name[:200]}.unfinished")
    descriptor, is_nameless = _open(path.parent, hidden)
    try:
        with open(descriptor, "w+b") as file:  # noqa: PTH123  # an open descriptor
            if path.exists():
                os.fchmod(descriptor, S_IMODE(path.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
            if is_nameless:
                hidden.unlink(missing_ok=True)
                _link(file.fileno(), hidden)
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)


def _open(directory: Path, hidden: Path) -> tuple[int, bool]:
    try:
        return os.open(directory, os.O_TMPFILE | os.O_RDWR, _NEW_FILE), True
    except OSError as failure:
        if failure.errno not in _NO_SUCH_FILES or not directory.is_dir():
            raise
    return os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_TRUNC, _NEW_FILE), False


def _link(descriptor: int, name: Path) -> None:
    place = os.open(name.parent, os.O_RDONLY)
    try:  # with a directory's descriptor Python calls linkat(2), which follows the link that /proc has
        os.link(f"/proc/self/fd/{descriptor}", name.name, dst_dir_fd=place, follow_symlinks=True)
    finally:
        os.close(place)

"""The link key: the one secret that setup links are made with, in a file of its own.

It is never in the database or its backup, so that whoever steals those cannot make or print a link.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from provisioner.errors import ConfigurationError

_KEY_BYTES = 32


def load_link_key(path: Path) -> bytes:
    """The 32 octets of the key file, which is made, for its owner only, where there is none.

    Of two processes that start at once, both get the same key. Raises ConfigurationError where the file cannot be
    made or read, has another size, or can be read by others.
    """
    try:
        if not path.exists():
            _make_key(path)
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(_KEY_BYTES + 1)
    except OSError as failure:
        raise ConfigurationError(
            f"The link key file {path} cannot be read or made: {failure.strerror}. See that its directory is there and "
            "that this user may write to it."
        ) from failure
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"The link key file {path} is open to other users of this machine (mode {stat.S_IMODE(mode):04o}). "
            f"Close it with: chmod 600 {path}"
        )
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"The link key file {path} must hold exactly {_KEY_BYTES} octets. Restore it from where it was kept; or, "
            "if no link has been handed out, remove it and a new one is made."
        )
    return key


def _make_key(path: Path) -> None:
    """Write the key beside its place and link it there: it appears whole, and the first of several writers wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".link-key-") as file:  # made with mode 0600
        file.write(secrets.token_bytes(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(file.name)

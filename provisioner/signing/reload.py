"""Keeps the signing identity fresh: a renewed certificate is taken without a restart, a bad one is not taken.

Whoever renews replaces one file after the other, so for a moment the files do not fit each other. The last identity
that was good goes on signing until its own end; past that nothing signs. Whoever takes the files away wants the signing
to stop: once they have been seen to be gone for some seconds, nothing signs either.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

import structlog

from provisioner.errors import IdentityError, IdentityNotInDate, NoIdentity
from provisioner.signing.chain import PublicRoots
from provisioner.signing.files import FILES, exposed_secrets
from provisioner.signing.identity import Identity, load_identity

# Files that are not good are read again this often although nothing changed: a certificate may have become valid.
RETRY_EVERY = timedelta(minutes=1)
GONE_AFTER = timedelta(seconds=5)  # longer than a replacement that removes the old files before it writes the new

_log = structlog.get_logger(__name__)

_Stamp = tuple[int, ...]  # what changes when a file changes: times in ns, size, inode; or why there is none (errno)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the files were when they were last read, and what came of it."""

    stamps: tuple[_Stamp, ...]
    at: datetime
    identity: Identity | None  # the last good one, from these files or earlier ones
    problem: IdentityError | None  # why these files are not used
    absent_since: datetime | None = None  # when it was first seen that there are no files

    def is_over(self, now: datetime) -> bool:
        """Whether the files have been gone for so long that the last good identity must not sign any more."""
        return self.absent_since is not None and not self.absent_since <= now < self.absent_since + GONE_AFTER


class IdentityFiles:
    """The identity in a directory, for threads that sign; reads the files again when one of them changes."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], datetime],
        passphrase: str | None = None,
        trusted_roots: Path | None = None,
        public_roots: PublicRoots = PublicRoots(),  # noqa: B008  # frozen
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._passphrase = passphrase
        self._trusted_roots = trusted_roots
        self._public_roots = public_roots
        roots = [public_roots.bundle, *([trusted_roots] if trusted_roots else [])]
        self._watched = [os.fspath(path) for path in (*(directory / name for name in FILES), *roots)]
        self._lock = Lock()
        self._last: _Look | None = None

    def current(self) -> Identity:
        """The newest good identity, in date now. Costs a few system calls while nothing changes.

        Raises NoIdentity, IdentityUnusable or IdentityNotInDate where there is none.
        """
        now = self._clock()
        look = self._look(now)
        if look.identity is None:
            assert look.problem is not None
            raise type(look.problem)(*look.problem.args)  # a new one for each thread: raising writes into it
        try:
            look.identity.require_in_date(now)
        except IdentityNotInDate as expired:
            if look.problem is None or str(look.problem) == str(expired):
                raise
            raise IdentityNotInDate(f"{expired} The files there now are not used: {look.problem}") from None
        return look.identity

    def problem(self) -> IdentityError | None:
        """Why the files as they are now are not used although an earlier identity still signs; None if they are."""
        return self._look(self._clock()).problem

    def _look(self, now: datetime) -> _Look:
        last = self._last
        if last is not None and self._is_fresh(last, now):
            return last
        with self._lock:
            if self._last is None or not self._is_fresh(self._last, now):
                self._last = self._read(self._last, now)
            return self._last

    def _is_fresh(self, look: _Look, now: datetime) -> bool:
        if look.stamps != self._stamps() or (look.identity and look.is_over(now)):
            return False
        good = look.problem is None and look.identity is not None and now <= look.identity.not_after
        return good or look.at <= now < look.at + RETRY_EVERY

    def _stamps(self) -> tuple[_Stamp, ...]:
        return tuple(map(_stamp, self._watched))

    def _read(self, last: _Look | None, now: datetime) -> _Look:
        stamps = self._stamps()  # before reading: what changes meanwhile is noticed next time
        try:
            identity = load_identity(
                self._directory,
                passphrase=self._passphrase,
                trusted_roots=self._trusted_roots,
                now=now,
                public_roots=self._public_roots,
            )
        except IdentityError as problem:
            look = _refused(last, stamps, problem, now)
            if last is None or _told(look) != _told(last):
                _log.error("identity_refused", reason=str(problem), keeps_last_good=look.identity is not None)
            return look
        _log.info("identity_loaded", until=identity.not_after.isoformat(), trust=identity.trust.value)
        if exposed := exposed_secrets(self._directory):
            _log.warning("identity_readable_by_every_user", files=", ".join(exposed))
        return _Look(stamps, now, identity, None)


def _refused(last: _Look | None, stamps: tuple[_Stamp, ...], problem: IdentityError, now: datetime) -> _Look:
    """What comes of files that are not good: the last good identity signs on, unless its files are gone for good."""
    kept = None if last is None or last.is_over(now) else last.identity
    absent_since = None
    if isinstance(problem, NoIdentity):
        absent_since = (last.absent_since if last else None) or now
    return _Look(stamps, now, kept, problem, absent_since)


def _told(look: _Look) -> tuple[object, ...]:
    """What is logged where it changes."""
    return look.stamps, str(look.problem), look.identity is not None


def _stamp(path: str) -> _Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116  # on every request: half the time of Path.stat
    except OSError as reason:
        return (reason.errno or 0,)
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)

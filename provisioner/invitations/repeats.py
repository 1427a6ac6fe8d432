"""Which line of a list told of a mailbox before: remembered for a million mailboxes in 25 MB.

A dict of numbers would take four times as much, and the list is read one batch at a time so that it takes no memory.
An open-addressed table with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
"""

from array import array

_FIRST_SIZE = 1 << 12  # slots; always a power of two, and at most half of them are taken


class Repeats:
    """The last line of each mailbox. Two mailboxes in a list are taken for one once in a million lists, or less."""

    def __init__(self) -> None:
        self._count = 0
        self._allocate(_FIRST_SIZE)

    def replace(self, mailbox: str, line: int) -> int:
        """The last line that told of ``mailbox``, 0 where none did; from now on it is ``line``."""
        found = self._put(hash(mailbox), line)
        if not found:
            self._count += 1
            if self._count * 2 > len(self._lines):
                self._grow()
        return found

    def _allocate(self, size: int) -> None:
        self._hashes = array("q", bytes(8 * size))
        self._lines = array("I", bytes(4 * size))  # 0: the slot is free

    def _put(self, key: int, line: int) -> int:
        mask = len(self._lines) - 1
        slot = key & mask
        while self._lines[slot] and self._hashes[slot] != key:
            slot = (slot + 1) & mask
        found = self._lines[slot]
        self._hashes[slot], self._lines[slot] = key, line
        return found

    def _grow(self) -> None:
        hashes, lines = self._hashes, self._lines
        self._allocate(2 * len(lines))
        for key, line in zip(hashes, lines, strict=True):
            if line:
                self._put(key, line)

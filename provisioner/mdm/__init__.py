"""What each MDM takes, and how it spells "this user's address": one TOML file per MDM, with a source for every fact.

A new MDM is a new file here; its name without ``.toml`` is the MDM's id, and nothing else has to name it. The keys are
described in docs/mdm.md. This package alone makes ``Variables``.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from provisioner.errors import CatalogueError, UnknownMdm
from provisioner.mdm.loader import load_mdm
from provisioner.mdm.spelling import variables_for, with_variables
from provisioner.mdm.values import Answer, AppImport, Endpoint, Mdm, ProfileImport, PushApi, Route, VariableNames

__all__ = [
    "Answer",
    "AppImport",
    "Endpoint",
    "Mdm",
    "ProfileImport",
    "PushApi",
    "Route",
    "VariableNames",
    "find_mdm",
    "load_mdms",
    "variables_for",
    "with_variables",
]


def load_mdms(directory: Path | None = None) -> Mapping[str, Mdm]:
    """Every MDM by id, in the order of the ids, from the fact files in ``directory`` (default: our own).

    Raises CatalogueError with file, key and line for the first fact that cannot be trusted, and where there is no file.
    """
    directory = Path(__file__).parent if directory is None else directory
    files = sorted(directory.glob("*.toml"), key=lambda file: file.stem)
    if not files:
        raise CatalogueError(
            file=str(directory), reason="there is no fact file (*.toml) here; one per MDM was expected."
        )
    return MappingProxyType({file.stem: load_mdm(file) for file in files})


def find_mdm(mdms: Mapping[str, Mdm], mdm_id: str) -> Mdm:
    """The MDM with this id. Raises UnknownMdm, naming the nearest one."""
    try:
        return mdms[mdm_id]
    except KeyError:
        raise UnknownMdm(mdm_id, mdms) from None

"""Every document this product can write: one file each, found by looking into this folder.

A new format is a new file here that ends with ``FORMAT = Format(...)``; nothing else has to name it.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from provisioner.errors import UnknownFormat
from provisioner.format import Format


def _scan() -> Mapping[str, Format]:
    found: dict[str, Format] = {}
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        declared: Format = import_module(f"{__name__}.{module.name}").FORMAT
        found[declared.id] = declared
    return MappingProxyType(found)


FORMATS: Mapping[str, Format] = _scan()


def find_format(format_id: str) -> Format:
    """The format with this id. Raises UnknownFormat, naming the nearest one."""
    try:
        return FORMATS[format_id]
    except KeyError:
        raise UnknownFormat(format_id, FORMATS) from None

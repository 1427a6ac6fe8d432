"""Every form of file that an MDM may want: one module each, found by looking into this folder.

A new form is a new file here that ends with ``FORM = Form(...)``; an MDM's fact file names it by its id.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from provisioner.export.form import Form


def _scan() -> Mapping[str, Form]:
    modules = sorted(iter_modules(__path__), key=lambda module: module.name)
    found: list[Form] = [import_module(f"{__name__}.{module.name}").FORM for module in modules]
    return MappingProxyType({form.id: form for form in found})


FORMS: Mapping[str, Form] = _scan()

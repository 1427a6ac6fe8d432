"""Reads how an MDM is handed files by its API: the table ``[push]`` of its fact file.

An endpoint is written as it is documented, such as ``PATCH /api/v1/fleet/configuration_profiles/{id}``: a method of RFC
9110 section 9 and the path.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from provisioner.errors import printable
from provisioner.factfile import EVIDENCE, Table
from provisioner.mdm.evidence import evidence_of
from provisioner.mdm.values import Endpoint, PushApi

_SLUG = re.compile(r"[a-z]+")
_SCHEMES = {scheme: scheme for scheme in ("Bearer", "Token", "Basic")}
_ENDPOINT = re.compile(r"(GET|POST|PUT|PATCH) (/[!-~]*)")


def load_push(table: Table) -> PushApi:
    """The API that ``table`` describes. Raises CatalogueError with file, key and line."""
    table.only(
        required=("speaks", "scheme", "calls", *EVIDENCE), optional=("user", "server", "fields", "kinds", "notes")
    )
    scheme = table.choice("scheme", _SCHEMES)
    if (scheme == "Basic") != ("user" in table.values):
        raise table.refusal("user", "is for the scheme Basic alone, which has to have one.")
    if not _SLUG.fullmatch(table.text("speaks")):
        raise table.refusal("speaks", f"is {printable(table.text('speaks'))}; a module of push was expected (a-z).")
    return PushApi(
        speaks=table.text("speaks"),
        scheme=scheme,
        user=table.text("user") if "user" in table.values else "",
        server=table.url("server") if "server" in table.values else "",
        calls=MappingProxyType(_calls(table.table("calls"))),
        fields=_texts(table, "fields"),
        kinds=_texts(table, "kinds"),
        notes=table.texts("notes") if "notes" in table.values else (),
        evidence=evidence_of(table),
    )


def _calls(table: Table) -> dict[str, Endpoint]:
    calls = {}
    for name in table.values:
        match = _ENDPOINT.fullmatch(table.text(name))
        if match is None:
            raise table.refusal(name, "is no endpoint; one such as 'POST /api/v1/profiles' was expected.")
        calls[name] = Endpoint(method=match[1], path=match[2])
    return calls


def _texts(table: Table, name: str) -> Mapping[str, str]:
    if name not in table.values:
        return MappingProxyType({})
    inner = table.table(name)
    return MappingProxyType({key: inner.text(key) for key in inner.values})

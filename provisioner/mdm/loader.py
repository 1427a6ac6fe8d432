"""Turns one MDM's fact file into an Mdm, or refuses to start.

docs/mdm.md describes the keys. An MDM without ``[variables]`` fills nothing in: for it, there is one document for each
person.
"""

import re
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from provisioner.errors import CatalogueError, printable
from provisioner.factfile import EVIDENCE, Table, read_fact_file
from provisioner.format import Platform
from provisioner.mdm.evidence import evidence_of
from provisioner.mdm.pushing import load_push
from provisioner.mdm.values import Answer, AppImport, Mdm, ProfileImport, Route, VariableNames

_T = TypeVar("_T")

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ANSWERS = {answer.value: answer for answer in Answer}
_SCOPES = {scope: scope for scope in ("System", "User")}  # TopLevel.PayloadScope
_PLATFORMS = {platform.value: platform for platform in (Platform.IPHONE, Platform.MAC)}
_XML = re.compile(r"[&<>]")


def load_mdm(file: Path) -> Mdm:
    """The MDM whose facts are in ``file`` and whose id is the file's name without ``.toml``.

    Raises CatalogueError with file, key and line.
    """
    if not _SLUG.fullmatch(file.stem):
        reason = f"{printable(file.stem)} is no MDM's id: a-z, 0-9 and single hyphens inside were expected."
        raise CatalogueError(file=str(file), key="id", reason=reason)
    facts = read_fact_file(file)
    facts.only(
        required=("name",),
        optional=("asks_for_variables", "variables", "profiles", "apps", "console", "api", "push", "notes"),
    )
    asks = facts.flag("asks_for_variables") if "asks_for_variables" in facts.values else False
    if asks and "variables" in facts.values:
        raise facts.refusal("variables", "cannot be declared where they are asked for; leave one of the two out.")
    if "profiles" not in facts.values and "apps" not in facts.values:
        raise facts.refusal("profiles", "is missing, and so is apps: an MDM takes one of them.")
    return Mdm(
        id=file.stem,
        name=facts.text("name"),
        asks_for_variables=asks,
        variables=_if_there(facts, "variables", _variables),
        profiles=_if_there(facts, "profiles", _profiles),
        apps=_if_there(facts, "apps", _apps),
        console=_if_there(facts, "console", _console),
        api=_if_there(facts, "api", _api),
        push=_if_there(facts, "push", load_push),
        notes=facts.texts("notes") if "notes" in facts.values else (),
    )


def _if_there(facts: Table, name: str, read: Callable[[Table], _T]) -> _T | None:
    return read(facts.table(name)) if name in facts.values else None


def _variables(table: Table) -> VariableNames:
    table.only(
        required=("address", "username", "username_is_upn", "escaped", "in_profiles", "reserved", *EVIDENCE),
        optional=("full_name", "unresolved", "notes"),
    )
    reserved = table.texts("reserved")
    return VariableNames(
        address=_variable(table, "address", reserved),
        username=_variable(table, "username", reserved),
        full_name=_variable(table, "full_name", reserved) if "full_name" in table.values else "",
        username_is_upn=table.choice("username_is_upn", _ANSWERS),
        escaped=table.choice("escaped", _ANSWERS),
        in_profiles=table.choice("in_profiles", _ANSWERS),
        reserved=reserved,
        unresolved=table.text("unresolved") if "unresolved" in table.values else "",
        notes=table.texts("notes") if "notes" in table.values else (),
        evidence=evidence_of(table),
    )


def _variable(table: Table, name: str, reserved: tuple[str, ...]) -> str:
    text = table.text(name)
    if _XML.search(text):
        raise table.refusal(name, "holds a character that XML escapes, and the MDM would not know it again.")
    if not any(start in text for start in reserved):
        raise table.refusal(name, f"is no variable: none of reserved ({', '.join(reserved)}) stands in it.")
    return text


def _profiles(table: Table) -> ProfileImport:
    table.only(required=("signed", "scope", "forms", *EVIDENCE), optional=("limit", "unsafe"))
    return ProfileImport(
        signed=table.choice("signed", _ANSWERS),
        scopes=_scopes(table.table("scope")),
        forms=_forms(table),
        limit=_limit(table) if "limit" in table.values else 0,
        unsafe=table.texts("unsafe") if "unsafe" in table.values else (),
        evidence=evidence_of(table),
    )


def _scopes(table: Table) -> MappingProxyType[Platform, str]:
    table.only(required=(), optional=_PLATFORMS)
    if not table.values:
        raise table.refusal("iphone", "is missing, and so is mac: name the PayloadScope of at least one.")
    return MappingProxyType({_PLATFORMS[name]: table.choice(name, _SCOPES) for name in table.values})


def _limit(table: Table) -> int:
    limit = table.integer("limit")
    if limit < 1:
        raise table.refusal("limit", "is not positive; a number of bytes was expected.")
    return limit


def _forms(table: Table) -> tuple[str, ...]:
    forms = table.texts("forms")
    for form in forms:
        if not _SLUG.fullmatch(form):
            raise table.refusal("forms", f"{printable(form)} is no form's id; a-z, 0-9 and hyphens were expected.")
    return forms


def _apps(table: Table) -> AppImport:
    table.only(required=("forms", *EVIDENCE))
    return AppImport(forms=_forms(table), evidence=evidence_of(table))


def _console(table: Table) -> Route:
    table.only(required=("steps", *EVIDENCE))
    return Route(lines=table.texts("steps"), evidence=evidence_of(table))


def _api(table: Table) -> Route:
    table.only(required=("commands", *EVIDENCE))
    return Route(lines=table.texts("commands"), evidence=evidence_of(table))

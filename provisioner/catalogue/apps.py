"""What each app takes from an MDM: its documented keys, each with its type, its values and its default.

``standard/<app>.toml`` holds the facts. What an organisation asks of an app is held against them by name, type and
value; a key that is the account's own, or for another kind of server, is refused with the reason.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from provisioner.errors import InvalidSetting, printable, suggestion
from provisioner.factfile import EVIDENCE, Table, read_fact_file
from provisioner.managed import AppPlatform, AppSetting, Channel, ManagedApp, Value
from provisioner.model import Evidence
from provisioner.organisation import Organisation

OUTLOOK = "outlook"  # the one app that organisations configure

_STANDARD = Path(__file__).parent / "standard"
_KINDS: Mapping[str, type] = {"string": str, "boolean": bool, "integer": int}
_WORDS: Mapping[type, str] = {str: "a text in quotation marks", bool: "true or false", int: "a whole number"}
_PLATFORMS = {platform.value: platform for platform in AppPlatform}
_CHANNELS = {channel.value: channel for channel in Channel}
_SETTERS = {"account": "It is written from each person's address and user name. Leave it out."}


@dataclass(frozen=True, slots=True)
class AppKey:
    """One documented key of an app's configuration."""

    name: str
    stated_type: type | None  # None: the documentation states none, and ``kind`` is that of the accepted values
    kind: type
    accepted: tuple[Value, ...]  # empty: ``form`` describes the values
    form: str
    pattern: re.Pattern[str] | None
    default: Value | None
    required: bool | None
    platforms: frozenset[AppPlatform]
    channels: frozenset[Channel]
    refusal: str  # why an organisation cannot set it; empty: it can
    evidence: Evidence

    def setting(self, value: object) -> AppSetting:
        """The key with ``value``. Raises InvalidSetting naming what was expected."""
        if self.refusal:
            raise InvalidSetting(f"The app setting {self.name} cannot be set by an organisation. {self.refusal}")
        if type(value) is not self.kind:
            raise self._unexpected(_WORDS[self.kind], value)
        assert isinstance(value, (str, bool, int))
        if self.accepted and value not in self.accepted:
            raise self._unexpected(" or ".join(map(repr, self.accepted)), value)
        if isinstance(value, str) and self.pattern is not None and not self.pattern.fullmatch(value):
            raise self._unexpected(self.form, value)
        return AppSetting(self.name, value, self.platforms, self.channels)

    def _unexpected(self, expected: str, value: object) -> InvalidSetting:
        found = printable(value) if isinstance(value, str) else repr(value)  # a text in quotes, and nothing else
        return InvalidSetting(f"The app setting {self.name} takes {expected}; found {found}.")


@dataclass(frozen=True, slots=True)
class AppFacts:
    """An app, its name among Android's apps, and its documented keys by name."""

    name: str
    package: str
    keys: Mapping[str, AppKey]

    def setting(self, name: str, value: object) -> AppSetting:
        """The documented key ``name`` with ``value``. Raises InvalidSetting, for an unknown key with the nearest."""
        if name not in self.keys:
            free = [key.name for key in self.keys.values() if not key.refusal]
            raise InvalidSetting(f"{self.name} has no documented setting {printable(name, 80)}. {_nearest(name, free)}")
        return self.keys[name].setting(value)

    def read(self, name: str, text: str) -> AppSetting:
        """The documented key ``name`` with the value that ``text`` spells. Raises what ``setting`` raises."""
        kind = self.keys[name].kind if name in self.keys else str
        if kind is bool:
            return self.setting(name, {"true": True, "false": False}.get(text.lower(), text))
        return self.setting(name, int(text) if kind is int and text.isdecimal() and len(text) < 10 else text)


@cache
def app_facts(app_id: str) -> AppFacts:
    """The facts of the app ``app_id``, read once. Raises CatalogueError with file, key and line."""
    return load_app(_STANDARD / f"{app_id}.toml")


def configured_app(app_id: str, organisation: Organisation) -> ManagedApp:
    """The app as the organisation wants it: what it sets, and nothing else.

    Raises InvalidSetting with a line for each setting that the app does not take.
    """
    facts = app_facts(app_id)
    settings, refusals = [], []
    for name, value in (organisation.outlook if app_id == OUTLOOK else {}).items():
        try:
            settings.append(facts.setting(name, value))
        except InvalidSetting as refusal:
            refusals.append(str(refusal))
    if refusals:
        raise InvalidSetting("\n".join(refusals))
    return ManagedApp(facts.package, tuple(settings))


def check_app_settings(organisation: Organisation) -> None:
    """Raise InvalidSetting, with a line for each, where the organisation sets what its apps do not take."""
    configured_app(OUTLOOK, organisation)


def load_app(file: Path) -> AppFacts:
    """The app whose facts are in ``file``. Raises CatalogueError with file, key and line."""
    facts = read_fact_file(file)
    facts.only(required=("name", "android", "keys"))
    android = facts.table("android")
    android.only(required=("package", *EVIDENCE))
    android.evidence()  # refused like every other fact's, though nobody asks for it
    keys = facts.table("keys")
    return AppFacts(
        name=facts.text("name"),
        package=android.text("package"),
        keys=MappingProxyType({name: _key(name, keys.table(name)) for name in keys.values}),
    )


def _key(name: str, table: Table) -> AppKey:
    table.only(
        required=("platforms", *EVIDENCE),
        optional=("type", "accepted", "form", "pattern", "default", "required", "channels", "set_by", "only_for"),
    )
    if ("accepted" in table.values) == ("form" in table.values):
        raise table.refusal("accepted", "and form exclude each other, and one of them is needed.")
    accepted = table.scalars("accepted") if "accepted" in table.values else ()
    stated = table.choice("type", _KINDS) if "type" in table.values else None
    kind = stated or (type(accepted[0]) if accepted else str)
    default = table.scalar("default") if "default" in table.values else None
    for value in (*accepted, *(() if default is None else (default,))):
        if type(value) is not kind:
            raise table.refusal("accepted", f"and default hold {value!r}, which is not {_WORDS[kind]}.")
    return AppKey(
        name=name,
        stated_type=stated,
        kind=kind,
        accepted=accepted,
        form=table.text("form") if "form" in table.values else "",
        pattern=_pattern(table),
        default=default,
        required=table.flag("required") if "required" in table.values else None,
        platforms=frozenset(table.choices("platforms", _PLATFORMS)),
        channels=frozenset(table.choices("channels", _CHANNELS) if "channels" in table.values else Channel),
        refusal=_refusal(table),
        evidence=table.evidence(),
    )


def _pattern(table: Table) -> re.Pattern[str] | None:
    if "pattern" not in table.values:
        return None
    try:
        return re.compile(table.text("pattern"))
    except re.error as failure:
        raise table.refusal("pattern", f"is no regular expression: {failure}.") from None


def _refusal(table: Table) -> str:
    if "only_for" in table.values:
        return f"It is only for {table.text('only_for')}."
    return table.choice("set_by", _SETTERS) if "set_by" in table.values else ""


def _nearest(name: str, known: list[str]) -> str:
    """The nearest key, also where only its last words or another case of it was written."""
    folded = name.casefold()
    for each in known:
        if each.casefold() == folded or each.casefold().endswith(f".{folded}"):
            return f"Did you mean {each!r}?"
    return suggestion(name, known)
